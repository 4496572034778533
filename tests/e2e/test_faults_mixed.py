"""Seventeen faults at 5 % each under load: what is kept is what the server really said."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.mock_server import COMMAND
from tests.mock_server.faults import TROUBLES
from tests.shop import config, suite_yaml, write_lines

pytestmark = pytest.mark.slow

CASES = 600
SETTINGS = {
    "concurrency": 64, "retries": 2, "connect_timeout": 10, "chunk_timeout": 2, "case_timeout": 8,
}  # fmt: skip
PATIENT = {"concurrency": 64, "retries": 2}


def configure(folder: Path, url: str, generation: dict[str, int]) -> None:
    project = config(url)
    project["generation"] = generation
    del project["gate"]
    (folder / "harness.yaml").write_text(yaml.safe_dump(project))


def write_project(folder: Path, url: str) -> None:
    suite = folder / "suites/shop"
    suite.mkdir(parents=True)
    settings = suite_yaml()
    del settings["sections"]["scope"]
    (suite / "suite.yaml").write_text(yaml.safe_dump(settings))
    cases = [{"id": f"c{i}", "prompt": f"case {i}", "expect": {"answers": [f"#{i}"]}}
             for i in range(CASES)]  # fmt: skip
    write_lines(suite / "gold.jsonl", cases)
    configure(folder, url, SETTINGS)


@contextmanager
def serving(sent: Path, share: float, port: int = 0) -> Iterator[str]:
    """The address of a server in a process of its own, that logs what it sends."""
    answers = sent.with_name("answers.json")
    answers.write_text(json.dumps({"*": "So it is, as far as anybody here could tell:"}))
    process = subprocess.Popen(
        [*COMMAND, "--answer-file", str(answers),
         "--model", "base", "--port", str(port), "--seed", "7",
         "--faults", str(share), "--sent", str(sent)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(20)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def journal(folder: Path) -> list[dict[str, Any]]:
    (path,) = (folder / ".harness/runs").glob("base-*/attempts.jsonl")
    return lines(path)


def harness_run(folder: Path) -> dict[str, int]:
    """The accounting of a run that must come to its end by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "harness", "run", "base", "--json"],
        cwd=folder, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    accounting: dict[str, int] = json.loads(done.stdout)["base"]["accounting"]
    assert accounting["planned"] == CASES
    assert accounting["scored"] + accounting["unscored"] + accounting["failed"] == CASES
    return accounting


def check_texts(folder: Path, sent: Path) -> None:
    """Every text in the journal is one that was sent, whole, in answer to that case."""
    whole: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines(sent):
        if line["text"] is not None:
            whole[line["asked"]].add(line["text"])
    for attempt in journal(folder):
        if attempt["status"] == "answered":
            assert attempt["text"] in whole[f"case {attempt['case'][1:]}"]
        else:
            assert "text" not in attempt


def test_all_faults_at_once_under_load(tmp_path: Path) -> None:
    sent = tmp_path / "sent.jsonl"
    with serving(sent, 0.05) as url:
        write_project(tmp_path, url)
        accounting = harness_run(tmp_path)
        check_texts(tmp_path, sent)
        befell = Counter(line["trouble"] for line in lines(sent))
        assert set(befell) == {None, *(trouble.name for trouble in TROUBLES)}
        first = journal(tmp_path)
        assert len(first) == len({line["key"] for line in first}) == CASES
        # A request that was given up before the server read it was tried, and befell nothing.
        assert sum(line["tries"] for line in first) >= befell.total() >= CASES
        causes = Counter(line["failure"]["cause"] for line in first if line["status"] == "failed")
        assert sum(causes.values()) == accounting["failed"] > 0
        assert {"stalled", "timeout", "protocol", "wrong_model", "http"} <= set(causes)

        failed = {f"case {line['case'][1:]}" for line in first if line["status"] == "failed"}
        before = len(lines(sent))
        harness_run(tmp_path)
        check_texts(tmp_path, sent)
        assert {line["asked"] for line in lines(sent)[before:]} <= failed
        both = journal(tmp_path)
        assert {f"case {line['case'][1:]}" for line in both[CASES:]} == failed
        assert len(both) == CASES + len(failed)
        assert both[:CASES] == first, "what was there is still there"
    port = int(url.removesuffix("/v1").rpartition(":")[2])
    configure(tmp_path, url, PATIENT)
    with serving(sent, 0.0, port):
        accounting = harness_run(tmp_path)
    check_texts(tmp_path, sent)
    assert accounting["failed"] == 0
    answered = [line["key"] for line in journal(tmp_path) if line["status"] == "answered"]
    assert len(answered) == len(set(answered)) == CASES
