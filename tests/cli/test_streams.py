"""Every command as a process whose standard streams are closed, or full."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from harness.cli.main import COMMANDS
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.shop import write_project

ROOT = Path(__file__).parent.parent.parent
FULL = Path("/dev/full")
# What each command's exit code is when its streams are as usual, on a project that is stored.
CODES = {
    "init new-{number}": 0,
    "schema config": 0,
    "validate": 0,
    "lint": 0,
    "import suites/shop/gold.jsonl --to cases --dry-run": 0,
    "export suites/shop/gold.jsonl --form promptfoo --dry-run": 0,
    "data train.jsonl": 0,
    "split train.jsonl -o parts-{number}": 0,
    "augment train.jsonl -o augmented-{number}.jsonl": 0,
    "collect train.jsonl -o proposals-{number}.yaml": 0,
    "lock": 0,
    "doctor nobody": 2,
    "train nothing.yaml": 2,
    "merge candidate": 2,
    "chain candidate nobody": 2,
    "serve nobody": 2,
    "chat nobody": 2,
    "run base": 0,
    "score base": 0,
    "show base": 0,
    "compare candidate": 0,
    "leak candidate": 0,
    "gate candidate --stored": 0,
    "calibrate shop.gold candidate": 3,
    "latency candidate --stored": 2,
    "power --json": 0,
    "stats --json": 0,
    "review candidate --status": 2,
    "mutate nobody": 2,
    "promote candidate": 0,
    "verify nothing": 2,
    "baselines": 0,
    "rollback nobody": 2,
    "report candidate": 0,
    "comment nowhere": 2,
    "demo": 2,
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with stored runs of both targets, and a verdict on the candidate."""
    folder = tmp_path_factory.mktemp("stored")
    mock = ThreadedMock()
    write_project(folder, mock.url)
    settings = yaml.safe_load((folder / "harness.yaml").read_text())
    settings["targets"]["candidate"]["data"] = ["train.jsonl"]
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    (folder / "train.jsonl").write_text(
        '{"prompt": "Do you sell gift cards?", "completion": "No."}\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert call("gate", "candidate") == 0
    yield folder
    mock.stop()


def run(stored: Path, arguments: str, streams: str) -> subprocess.CompletedProcess[str]:
    arguments = arguments.format(number=len(list(stored.iterdir())))
    return subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m harness {arguments} {streams}"],
        cwd=stored,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CI": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def test_every_command_is_tried() -> None:
    assert [arguments.split()[0] for arguments in CODES] == list(COMMANDS)


@pytest.mark.parametrize("arguments", CODES)
def test_a_command_ends_with_its_own_code_where_nothing_is_open(
    stored: Path, arguments: str
) -> None:
    done = run(stored, arguments, "<&- >&- 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (CODES[arguments], "", "")


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is full")
@pytest.mark.parametrize("arguments", CODES)
def test_output_that_is_lost_is_one_line_and_no_success(stored: Path, arguments: str) -> None:
    done = run(stored, arguments, "> /dev/full")
    assert done.returncode == (CODES[arguments] or 3)
    lost = "error: standard output: cannot be written: No space left on device"
    assert ("standard output" in done.stderr) == (CODES[arguments] == 0)
    assert done.stderr.splitlines()[-1].startswith(lost if CODES[arguments] == 0 else "error: ")
    assert done.stderr.count("error: ") == 1


@pytest.mark.parametrize("streams", [">&-", "<&-", "2>&-", "2> /dev/full", ">&- 2>&-"])
@pytest.mark.parametrize(("arguments", "code"), [("gate candidate --stored", 0), ("gate x", 2)])
def test_a_gate_whose_stream_is_closed_says_the_rest(
    stored: Path, arguments: str, code: int, streams: str
) -> None:
    if "full" in streams and not FULL.exists():
        pytest.skip("needs a device that is full")
    done = run(stored, arguments, streams)
    assert done.returncode == code
    shown = done.stdout.startswith("PROMOTE  candidate against base\n")
    assert shown == (code == 0 and ">&-" not in streams.replace("2>&-", ""))
    assert bool(done.stderr) == (code == 2 and "2>" not in streams)


def test_what_a_command_opens_does_not_become_its_standard_error(stored: Path) -> None:
    """A file that took the number of a closed stream would hold what is printed there."""
    done = run(stored, "run base --no-cache", "<&- >&- 2>&-")
    assert done.returncode == 0
    for path in (stored / ".harness/runs").glob("base-*/*.jsonl"):
        assert all(line.startswith("{") for line in path.read_text().splitlines())


@pytest.mark.parametrize("arguments", ["validate", "--help"])
def test_who_reads_the_output_may_go_away(stored: Path, arguments: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "harness", *arguments.split()],
        cwd=stored,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CI": "1"},
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")
