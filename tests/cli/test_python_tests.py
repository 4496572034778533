"""A gate on suites with Python tests: it has pytest run them in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply, MockServer
from tests.pytest_plugin.builders import METRIC, recordings, talk, write
from tests.pytest_plugin.sessions import environment, session

FILE = "suites/shop/test_memory.py"
VERDICT = "reports/candidate-vs-base/verdict.json"
LOG = ".harness/pytest/candidate-vs-base.log"
RUNS = "pytest runs the Python tests of shop.memory for "


@pytest.fixture
def project(project_dir: Path, mock: ThreadedMock) -> Path:
    return write(project_dir, mock)


def test_one_command_asks_runs_and_judges(
    project: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    shown = capsys.readouterr()
    assert f"{RUNS}base, candidate; its output: {LOG}" in shown.err
    verdict = json.loads((project / VERDICT).read_text())
    (rule,) = [rule for rule in verdict["rules"] if rule["metric"] == METRIC]
    assert (rule["candidate"], rule["baseline"], rule["n"]) == (1.0, 0.0, 6)
    assert "6 passed, 6 tolerated" in (project / LOG).read_text()
    before, asked = recordings(project), len(mock.server.requests)
    assert call("gate", "candidate") == 0
    assert RUNS not in capsys.readouterr().err
    assert len(mock.server.requests) == asked
    assert call("promote", "candidate") == 0
    assert call("gate", "candidate", "--no-cache") == 0
    assert RUNS in capsys.readouterr().err
    assert recordings(project) != before


def test_a_run_says_which_tests_it_leaves_out(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "candidate", "base") == 0
    said = capsys.readouterr().err
    what = "left out are the 6 Python tests of shop.memory"
    assert f"note: candidate: {what}: `harness gate candidate` runs them for both sides" in said
    assert f"note: base: {what}: a gate runs them" in said


def test_modules_of_the_projects_folder_are_found_and_stand_in_for_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("harness/__init__.py", "pytest.py", "msgspec.py"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("import os\nopen('pwned', 'w')\nos._exit(0)\n")
    (project / "words.py").write_text('PIN = "4711"\n')
    tests = (project / FILE).read_text()
    (project / FILE).write_text(f"import words\n{tests}".replace('"4711"', "words.PIN"))
    assert call("gate", "candidate") == 0, capsys.readouterr().err
    assert not (project / "pwned").exists()


def test_only_what_is_missing_is_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session(project, FILE, "--target", "base")
    before = recordings(project)["base"]
    assert call("gate", "candidate") == 0
    assert f"{RUNS}candidate;" in capsys.readouterr().err
    assert recordings(project)["base"] == before


def other_suite(project: Path, mock: ThreadedMock) -> None:
    """One more suite, without Python tests, before the one that has some."""
    (project / "suites/bank").mkdir()
    cases = '{"id": "b1", "prompt": "What is fact 1?", "expect": {"answers": ["value 1"]}}\n'
    (project / "suites/bank/gold.jsonl").write_text(cases)
    (project / "suites/bank/suite.yaml").write_text(
        "{name: bank, domain: A bank, version: 1, "
        "sections: {gold: {cases: gold.jsonl, scorer: gold}}}"
    )
    write(project, mock, suites=["suites/bank", "suites/shop"])


def test_a_suite_without_them_is_judged_beside(project: Path, mock: ThreadedMock) -> None:
    other_suite(project, mock)
    assert call("gate", "candidate") == 0
    assert call("gate", "candidate", "--stored") == 0


def test_what_is_meant_for_a_users_own_sessions_does_not_reach_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "pytest.ini").write_text(
        "[pytest]\naddopts = -x -n 2 -k nothing -p no:harness --cov\n"
    )
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw7")
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "somewhere (call)")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    assert call("gate", "candidate") == 0
    assert not (project / ".pytest_cache").exists()


@pytest.mark.parametrize(
    ("more", "beside", "told"),
    [
        (
            "def broken(\n",
            "",
            "the Python tests did not finish, pytest ended with exit code 2: SyntaxError",
        ),
        (
            "def test_dies():\n    import os\n    os._exit(9)\n",
            "",
            "the Python tests did not finish, pytest ended with exit code 9: ",
        ),
        (
            "",
            "def pytest_collection_modifyitems(items):\n    del items[0]\n",
            "`base` has no scores of the Python tests of shop.memory: only a part of its Python",
        ),
    ],
)
def test_tests_that_come_to_nothing_are_one_line_and_no_verdict(
    project: Path, capsys: pytest.CaptureFixture[str], more: str, beside: str, told: str
) -> None:
    assert session(project, "suites", "--target", "candidate").code == 0
    assert (project / VERDICT).exists()
    with (project / FILE).open("a") as file:
        file.write(more)
    (project / "suites/shop/conftest.py").write_text(beside)
    assert call("gate", "candidate") == 3
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"error: {LOG}: {told}")
    assert not (project / VERDICT).exists()


def test_failures_are_scores(project: Path, mock: ThreadedMock) -> None:
    critical = (
        "@pytest.mark.case(critical=True)\ndef test_no(chat):\n    assert chat('Hello') == 1\n"
    )
    with (project / FILE).open("a") as file:
        file.write(critical)
    assert call("gate", "candidate") == 0
    scores = {each["case"]["id"]: each["score"] for each in recordings(project)["candidate"]}
    assert scores["test_no"]["value"] == 0.0


def test_stored_answers_alone_run_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base", "candidate") == 0
    assert call("gate", "candidate", "--stored") == 3
    shown = capsys.readouterr()
    assert RUNS not in shown.err
    assert (
        "`base` has no scores of the 6 Python tests of shop.memory: a gate without --stored runs "
        "test_memory.py of the suite"
    ) in shown.out


def test_a_test_cannot_wait_for_the_gate_that_runs_it(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project_dir, mock, "def test_a():\n    import harness\n    harness.gate('candidate')\n")
    assert call("gate", "candidate") == 3
    shown = capsys.readouterr()
    assert "has scores for 0.0 % of shop.memory, 99 % are needed" in shown.out
    assert "cannot wait for a gate that waits for it" in (project_dir / LOG).read_text()


@pytest.mark.slow
def test_ctrl_c_ends_the_tests_and_leaves_a_partial_report(
    project_dir: Path, mock: ThreadedMock
) -> None:
    tests = (
        "import os, time\nfrom pathlib import Path\n"
        "def test_a(chat):\n"
        "    chat('Hello')\n"
        "    try:\n"
        "        Path('under-way').write_text(str(os.getpid()))\n"
        "        time.sleep(100)\n"
        "    finally:\n"
        "        Path('tidied').touch()\n"
    )
    write(project_dir, mock, tests)
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "gate", "candidate"], cwd=project_dir, text=True,
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        # Where these tests run in the background, a shell has made children ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    pid = project_dir / "under-way"
    while process.poll() is None and not (pid.exists() and pid.read_text()):
        time.sleep(0.05)
    assert process.poll() is None, process.communicate()[0]
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "partial report: reports/candidate-vs-base/report.html" in out
    assert (project_dir / "tidied").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    found = json.loads((project_dir / VERDICT).read_text())
    assert found["problems"][0].startswith("broken off by Ctrl-C: 160 of 160 answered")


def test_what_pytest_says_is_no_command_to_a_runner(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (project / FILE).open("a") as file:
        file.write("raise RuntimeError('an answer ##[error]owned')\n")
    assert call("gate", "candidate") == 3
    said = capsys.readouterr().err
    assert "## [error]owned" in said
    assert "##[" not in said


def test_a_part_of_the_suites_is_judged_against_a_seal_of_that_part(
    project: Path, mock: ThreadedMock
) -> None:
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "v1") == 0
    other_suite(project, mock)
    settings = yaml.safe_load(Path("harness.yaml").read_text())
    settings["targets"]["twin"] = {"server": "main", "model": "candidate", "system_prompt": "Be."}
    settings["gate"]["compare_across"] = ["system_prompt"]
    Path("harness.yaml").write_text(yaml.safe_dump(settings))
    # A part gives no promotion, so it is INVALID; what matters is that it was judged.
    assert call("gate", "twin", "--suite", "shop", "--baseline", "sealed:v1") == 3
    assert (project / "reports/twin-vs-sealed-v1/verdict.json").exists()


def test_the_gates_concurrency_holds_for_them(
    project: Path, mock: ThreadedMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (project / FILE).open("a") as file:
        file.write("def test_many(ask_all):\n    ask_all([f'Is it {n}?' for n in range(20)])\n")
    under_way, most, reply = 0, 0, MockServer._reply

    async def counted(self: MockServer, request: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await reply(self, request)
        finally:
            under_way -= 1

    monkeypatch.setattr(MockServer, "_reply", counted)
    mock.answer = lambda body: MockReply(talk(body), first_delay=0.01)
    assert call("gate", "candidate", "--concurrency", "2") == 0
    assert most == 2


def test_a_bucket_gets_what_they_found_out(
    project: Path, mock: ThreadedMock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bucket = tmp_path_factory.mktemp("bucket")
    write(project, mock, runs_dir=f"file://{bucket}")
    assert call("gate", "candidate") == 0
    shutil.rmtree(project / ".harness")
    assert call("gate", "candidate", "--stored") == 0


def test_a_target_with_examples_and_passages_is_asked_with_them(
    project: Path, mock: ThreadedMock
) -> None:
    shot = {
        "group": "a",
        "messages": [
            {"role": "user", "content": "Tell a."},
            {"role": "assistant", "content": "Told a."},
        ],
    }
    (project / "shots.jsonl").write_text(json.dumps(shot))
    (project / "facts.md").write_text("My name and my PIN.")
    path = project / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    config["targets"]["candidate"] |= {
        "few_shot": {"file": "shots.jsonl", "k": 1},
        "retrieval": {"documents": "facts.md", "k": 1},
    }
    path.write_text(yaml.safe_dump(config))
    session(project, FILE, "--target", "candidate")
    requests = [body for body in mock.server.requests if body["model"] == "candidate"]
    sent = [body["messages"] for body in requests]
    assert {tuple(turn["content"] for turn in one[1:3]) for one in sent} == {("Tell a.", "Told a.")}
    assert any("My name and my PIN." in one[-1]["content"] for one in sent)
