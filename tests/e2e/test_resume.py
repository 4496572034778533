"""A real process, killed for real, and a server that counts what it is asked."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from tests.conftest import ThreadedMock
from tests.forked import Forked
from tests.mock_server import COMMAND, MockReply
from tests.shop import answer, config, gold_cases, scope_cases, write_project

pytestmark = pytest.mark.slow

CONCURRENCY = 4
RUNS, KILLS = 5, 10
PROMPTS = {case["id"]: case["prompt"] for case in [*gold_cases(), *scope_cases()]}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A mock server in a process of its own, slow enough to be interrupted."""
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"*": {"base": "base says so", "candidate": "so says it"}}))
    process = subprocess.Popen(
        [*COMMAND, "--answer-file", str(answers), "--port", "0",
         "--model", "base", "--model", "candidate", "--first-delay", "0.1"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    yield url
    process.terminate()
    process.wait(10)


def counted(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/requests-count") as response:
        found: dict[str, Any] = json.load(response)
    return found


def start(folder: Path) -> Forked:
    return Forked(folder, "run", "base")


def journal(folder: Path) -> Path:
    return next((folder / ".harness/runs").glob("base-*")) / "attempts.jsonl"


def wait_for_progress(process: Forked, url: str, more_than: int) -> None:
    """Until the server was asked more often than that, or the process is done."""
    while process.poll() is None and counted(url)["count"] <= more_than:
        time.sleep(0.01)


def wait_for_an_answer(process: Forked, folder: Path) -> None:
    """Until one is in the journal, or the process is done."""
    while process.poll() is None:
        found = (folder / ".harness/runs").glob("base-*/attempts.jsonl")
        if any(b"\n" in path.read_bytes() for path in found):
            return
        time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Kill:
    """What was there after a process was killed: on the server, and in the journal."""

    moment: str
    at_work: bool
    asked: Counter[str]
    size: int
    cut: int
    written: dict[str, str]
    kept: dict[str, str]

    def shown(self, number: int) -> str:
        """A line of the log for whoever runs the test with `-s`."""
        return (
            f"kill {number:2d}  {self.moment:<15}  asked {self.asked.total():3d}  "
            f"journal {self.size:6d} bytes, cut by {self.cut:3d}  {len(self.kept):2d} finished"
        )


def finished(path: Path) -> dict[str, str]:
    """The texts in the whole lines of a journal by the prompts that they answer."""
    data = path.read_bytes() if path.exists() else b""
    lines = [json.loads(line) for line in data.split(b"\n")[:-1]]
    found = {PROMPTS[line["case"]]: line["text"] for line in lines}
    assert len(found) == len(lines), "nothing is there twice"
    return found


def kill_once(folder: Path, url: str, rng: random.Random) -> Kill:
    """Start a run, kill it at a moment of chance, and tear the journal's end off now and then."""
    before = asked_by(url).total()
    process = start(folder)
    if rng.random() < 0.2:
        seconds = rng.uniform(0.0, 1.0)
        moment = f"after {seconds:.2f} s"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    else:
        more = rng.randrange(1, 10)
        moment = f"at request {before + more}"
        wait_for_progress(process, url, before + more - 1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    at_work = process.returncode == -signal.SIGKILL
    path = next((folder / ".harness/runs").glob("base-*/attempts.jsonl"), folder / "none yet")
    size = path.stat().st_size if path.exists() else 0
    written = finished(path)
    # What was fsynced before a run was sealed cannot be lost, so a sealed one is left alone.
    sealed = size and json.loads((path.parent / "run.json").read_text())["finished"]
    cut = rng.randrange(0, min(size, 600) + 1) if rng.random() < 0.5 and not sealed else 0
    if cut:
        os.truncate(path, size - cut)
    return Kill(moment, at_work, settled(url), size, cut, written, finished(path))


def settled(url: str) -> Counter[str]:
    """What the server was asked, once it has read what a dead process sent."""
    seen = asked_by(url)
    while True:
        time.sleep(0.05)
        now = asked_by(url)
        if now == seen:
            return now
        seen = now


def asked_by(url: str) -> Counter[str]:
    return Counter(counted(url)["by_prompt"])


@pytest.mark.parametrize("seed", range(RUNS))
def test_killed_at_random_moments_nothing_finished_is_asked_again_lost_or_doubled(
    tmp_path: Path, server: str, seed: int
) -> None:
    folder = tmp_path / "project"
    write_project(folder, server)
    settings = config(server)
    settings["generation"]["concurrency"] = CONCURRENCY
    (folder / "harness.yaml").write_text(json.dumps(settings))
    rng = random.Random(seed)
    before, kept, at_work = Counter[str](), dict[str, str](), 0
    for number in range(1, KILLS + 1):
        kill = kill_once(folder, server, rng)
        print(f"run {seed + 1}", kill.shown(number))
        asked = kill.asked - before
        assert not asked.keys() & kept.keys(), "what is finished is not asked again"
        assert set(asked.values()) <= {1}
        assert kill.written.items() >= kept.items(), "what was finished is still there"
        assert len(asked) - len(kill.written.keys() - kept.keys()) <= CONCURRENCY
        before, kept, at_work = kill.asked, kill.kept, at_work + kill.at_work
    # How many requests lie between two kills is the machine's affair: the first ones hit for sure.
    assert at_work >= 2, "the kills must come while the run is under way"
    assert before.total() > 0
    out, err = start(folder).communicate(timeout=60)
    assert "80 planned, 80 scored, 0 unscored, 0 failed" in out, err
    assert set((asked_by(server) - before).items()) == {
        (prompt, 1) for prompt in PROMPTS.values() if prompt not in kept
    }
    whole = finished(journal(folder))
    assert len(whole) == 80
    assert whole.items() >= kept.items()
    out, err = start(folder).communicate(timeout=60)
    assert "80 planned, 80 scored, 0 unscored, 0 failed" in out, err
    assert asked_by(server).total() == before.total() + 80 - len(kept), "nothing is left to ask"
    print(f"run {seed + 1} whole: 80 attempts, {asked_by(server).total()} asked in all")


def test_a_journal_cut_at_any_byte_goes_on_from_its_last_whole_line(
    project_dir: Path, mock: ThreadedMock
) -> None:
    """The process is whole here, so that many places can be tried: only the file is cut."""
    mock.answer = lambda body: (
        answer(body) if len(mock.server.requests) < 8 else MockReply("no", status=401)
    )
    arguments = ["run", "base", "--limit", "4", "-j", "1"]
    assert code_of(arguments) == 3
    mock.answer = answer
    path = journal(project_dir)
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    assert len(lines) == 8
    ends = [len(b"".join(lines[:number])) for number in range(9)]
    rng = random.Random(7)
    places = {end + by for end in ends for by in (-1, 0, 1) if 0 <= end + by <= len(data)}
    header = json.loads((path.parent / "run.json").read_text())
    header.pop("chain")  # as where the process never came to its end
    (path.parent / "run.json").write_text(json.dumps(header))
    whole = shutil.copytree(path.parent, project_dir / "whole")
    for place in sorted(places | {rng.randrange(len(data)) for _ in range(20)}):
        shutil.rmtree(path.parent)
        shutil.copytree(whole, path.parent)
        (project_dir / ".harness/journals.jsonl").unlink(missing_ok=True)
        os.truncate(path, place)
        # The eighth line is a failure, which is asked again.
        kept = min(data[:place].count(b"\n"), 7)
        mock.server.requests.clear()
        assert code_of(arguments) == 0
        assert len(mock.server.requests) == 8 - kept
        found = [json.loads(line) for line in path.read_text().splitlines()]
        answered = [line["case"] for line in found if line["status"] == "answered"]
        assert len(answered) == len(set(answered)) == 8
        assert path.read_bytes().startswith(b"".join(lines[:kept]))


def code_of(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    return int(left.value.code or 0)


def test_ctrl_c_is_one_line_and_the_run_goes_on_later(tmp_path: Path, server: str) -> None:
    folder = tmp_path / "project"
    write_project(folder, server)
    process = start(folder)
    wait_for_an_answer(process, folder)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("interrupted; what was finished is kept")
    assert "Traceback" not in err
    kept = len(journal(folder).read_text().splitlines())
    assert kept > 0
    before = counted(server)["count"]
    _, err = start(folder).communicate(timeout=60)
    assert counted(server)["count"] - before == 80 - kept
