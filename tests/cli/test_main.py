"""What programs read of a command that did not end well, and how an interrupted one ends."""

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

import click
import pytest

import harness.cli.run
from harness.cli.main import failure_of, main
from harness.errors import HarnessError, ServerError
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.shop import answer

ROOT = Path(__file__).parent.parent.parent


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    code = left.value.code
    assert isinstance(code, int)
    return code


def told(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    """The one object on standard output, and the line on standard error."""
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert list(found) == ["error"]
    assert list(found["error"]) == ["kind", "where", "what", "hint", "exit_code"]
    return found["error"], shown.err


INVALID = "INVALID  candidate against base\n"


@pytest.mark.parametrize(
    ("arguments", "kind", "printed"),
    [
        (("gate", "nobody"), "UsageError", ""),
        (("gate",), "UsageError", ""),
        (("gate", "candidate", "--stored"), "EvidenceError", INVALID),
        (("run", "base", "--repeats", "0"), "UsageError", ""),
        (("compare", "candidate"), "EvidenceError", ""),
        (("power", "--discordance", "7"), "UsageError", ""),
        (("latency", "candidate", "--baseline", "candidate"), "UsageError", ""),
        (("gate", "--aa", "--baseline", "sealed:x"), "UsageError", ""),
        (("gate", "candidate", "--config", "none.yaml"), "ConfigError", ""),
        (("power", "nobody"), "UsageError", ""),
    ],
)
def test_an_error_is_an_object_for_programs_and_a_line_for_people(
    project_dir: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    kind: str,
    printed: str,
) -> None:
    code = call(*arguments)
    plain = capsys.readouterr()
    assert plain.out == printed
    assert call(*arguments, "--json") == code
    found, said = told(capsys)
    assert (found["kind"], found["exit_code"]) == (kind, code)
    assert found["what"] in said
    assert said == printed + plain.err


def test_an_option_that_is_not_there_is_told_in_both_ways(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base", "--no-such-option", "--json") == 2
    found, said = told(capsys)
    assert found["what"] in said
    assert said.count("\n") == 1


def test_a_name_that_looks_like_the_option_asks_for_no_object(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "--", "--json") == 2
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
@pytest.mark.parametrize("target", ["> /dev/full", ">&-", "> /dev/full 2>&1"])
@pytest.mark.parametrize("options", ["", "--json"])
def test_what_cannot_be_printed_does_not_become_a_verdict(
    project_dir: Path, options: str, target: str
) -> None:
    assert call("run", "base", "candidate") == 0

    def code(arguments: str) -> int:
        line = f"{sys.executable} -m harness {arguments} {options} {target}"
        return subprocess.run(
            ["sh", "-c", line], env={**os.environ, "PYTHONPATH": str(ROOT)}
        ).returncode

    assert code("gate nobody") == 2
    # It is written, and whether it can be read here is another matter: a full disk is said so.
    assert code("gate candidate --stored") == (3 if "full" in target else 0)


def test_a_run_without_a_score_is_told_once(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = lambda _: MockReply("too long", status=400)
    assert call("run", "base", "--json") == 3
    found, _ = told(capsys)
    assert found["what"] == "`base`: none of 80 attempts could be scored"


def test_files_that_cannot_be_written_are_all_that_compare_tells(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base", "candidate") == 0
    (project_dir / "taken").write_text("")
    capsys.readouterr()
    assert call("compare", "candidate", "--json", "--output", "taken/below") == 3
    assert told(capsys)[0]["kind"] == "StorageError"


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (KeyboardInterrupt(), "Interrupted", 130),
        (click.exceptions.Abort(), "Interrupted", 130),
        (ZeroDivisionError("odd"), "InternalError", 3),
    ],
)
def test_what_is_no_error_of_ours(
    project_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    kind: str,
    code: int,
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(harness.cli.run, "load_project", broken)
    assert call("run", "base", "--json") == code
    assert told(capsys)[0]["kind"] == kind


def test_the_line_of_an_error_is_its_own() -> None:
    error = ServerError("is gone", where="http://h/v1", hint="bring it back")
    assert failure_of(error).line == f"error: {error.line}"
    assert failure_of(HarnessError("x")).exit_code == HarnessError.exit_code


@pytest.mark.parametrize("given", ["h.yaml", "./below/h.yaml", "{absolute}"])
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "shop.gold.accuracy",
            "shop.gold.accurcy",
            "{file}:{line}: gate.rules[0].metric: no metric",
        ),
        (
            "model: base",
            "modl: base",
            "{file}:{line}: targets.base.modl: unknown key; did you mean `model`?",
        ),
        ("- suites/shop", "- ../shop", "{file}:{line}: suites[0]: `../shop` leaves the project"),
        ("suites:", "suites: [", "{file}:"),
    ],
)
def test_messages_name_the_configuration_that_was_given(
    project_dir: Path, capsys: pytest.CaptureFixture[str], given: str, old: str, new: str, said: str
) -> None:
    file = given.format(absolute=project_dir / "below/h.yaml").removeprefix("./")
    path = project_dir / file
    path.parent.mkdir(exist_ok=True)
    written = (project_dir / "harness.yaml").read_text()
    assert old in written
    path.write_text(written.replace(old, new, 1))
    if path.parent != project_dir:
        shutil.copytree(project_dir / "suites", path.parent / "suites")
    assert call("validate", "--config", given.format(absolute=path)) == 2
    shown = os.path.relpath(path, project_dir)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if new in text)
    assert capsys.readouterr().err.startswith("error: " + said.format(file=shown, line=line))


def test_a_target_that_is_not_there_is_missed_in_the_file_that_was_given(
    project_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project_dir / "harness.yaml").rename(project_dir / "h.yaml")
    (project_dir / "elsewhere").mkdir()
    monkeypatch.chdir(project_dir / "elsewhere")
    assert call("run", "nobody", "--config", "../h.yaml") == 2
    assert capsys.readouterr().err.startswith("error: ../h.yaml: targets: no target `nobody`")


def test_however_often_it_is_interrupted_it_ends_with_its_own_code(
    project_dir: Path, mock: ThreadedMock
) -> None:
    def slow(body: dict[str, Any]) -> str:
        time.sleep(0.01)
        return answer(body)

    mock.answer = slow
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "gate", "candidate"],
        cwd=project_dir,
        env={**os.environ, "CI": "1", "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not len(mock.server.requests) > 20:
        assert process.poll() is None
        time.sleep(0.01)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    assert process.stderr is not None
    shown = process.stderr.read()
    assert process.returncode == 130
    assert shown.endswith("interrupted; what was finished is kept, run the same command to go on\n")
    assert shown.count("interrupted;") == 1
    assert "Traceback" not in shown
    (journal,) = (project_dir / ".harness/runs").glob("base-*/attempts.jsonl")
    lines = journal.read_text().splitlines()
    assert {json.loads(line)["status"] for line in lines} == {"answered"}


def test_a_crash_of_the_command_leaves_no_memory_with_keys_on_the_disk() -> None:
    code = """
import resource, sys
from harness.cli.main import main
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
sys.argv = ["harness", "--version"]
try:
    main()
finally:
    print(resource.getrlimit(resource.RLIMIT_CORE)[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "0"
