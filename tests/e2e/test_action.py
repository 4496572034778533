"""The GitHub action and the GitLab job, step by step, against a model and a forge on loopback."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.ci.fake_forge import FakeForge, Fault
from tests.conftest import ThreadedMock
from tests.e2e.runner import ROOT, Job, Runner, action, event
from tests.shop import answer, write_project

SHELL = [step for step in action()["runs"]["steps"] if "run" in step]


@pytest.fixture
def forge() -> Iterator[FakeForge]:
    with FakeForge(token="job-token") as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, mock: ThreadedMock) -> Path:
    """A repository with a project in `bot/`."""
    write_project(tmp_path / "repo/bot", mock.url)
    return tmp_path / "repo"


Run = Callable[..., Job]


@pytest.fixture
def run(workspace: Path, forge: FakeForge, tmp_path: Path) -> Run:
    jobs: list[Job] = []

    def go(number: int | None = 5, **inputs: str) -> Job:
        temp = tmp_path / f"job{len(jobs)}"
        runner = Runner(
            workspace,
            temp,
            {
                "GITHUB_API_URL": forge.url,
                "GITHUB_SERVER_URL": "https://github.example",
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_RUN_ID": "77",
                "GITHUB_EVENT_PATH": event(tmp_path / "event.json", number),
            },
        )
        told = {name.replace("_", "-"): value for name, value in inputs.items()}
        jobs.append(runner.action({"candidate": "candidate", "working-directory": "bot", **told}))
        return jobs[-1]

    return go


def test_no_script_holds_an_expression() -> None:
    assert len(SHELL) == 4
    assert [step["name"] for step in SHELL if "${{" in step["run"]] == []


def test_every_input_is_used_and_every_used_one_is_there() -> None:
    text = (ROOT / "action.yml").read_text()
    used = set(re.findall(r"inputs\.([\w-]+)", text))
    assert used == set(action()["inputs"])


def test_every_python_is_isolated_from_the_repository() -> None:
    commands = [line for step in SHELL for line in step["run"].splitlines() if "python3" in line]
    assert commands
    assert [line for line in commands if "python3 -I " not in line] == []


def test_a_promotion(run: Run, forge: FakeForge, workspace: Path) -> None:
    job = run()
    assert job.code == 0
    assert job.outputs == {
        "verdict": "PROMOTE", "exit-code": "0", "report": str(workspace / "bot/gate-report"),
    }  # fmt: skip
    assert job.summary.startswith("## ✅ PROMOTE: `candidate` against `base`")
    [comment] = forge.bodies(5)
    assert "### ✅ PROMOTE: `candidate` against `base`" in comment
    assert "(https://github.example/o/r/actions/runs/77)" in comment
    assert job.uploads[0]["name"] == "gate-candidate"
    assert Path(job.uploads[0]["path"], "report.html").exists()
    assert job.installed[-1] == str(ROOT)


def test_a_block_after_a_promotion_updates_the_comment(
    run: Run, forge: FakeForge, mock: ThreadedMock, workspace: Path
) -> None:
    assert run().code == 0
    mock.answer = lambda body: answer({**body, "model": "base"}) + f" {body['model']}"
    job = run(args="--no-cache")
    assert job.code == 1
    assert (job.outputs["verdict"], job.outputs["exit-code"]) == ("BLOCK", "1")
    [comment] = forge.bodies(5)
    assert "### ❌ BLOCK" in comment
    assert "❌ BLOCK" in job.summary
    log = job.logs["Gate"].splitlines()
    errors = [line for line in log if line.startswith("::error ")]
    assert errors[0].startswith("::error file=bot/harness.yaml,line=")
    assert len(job.uploads) == 1
    assert len(mock.server.requests) == 80 * 2 * 2


def test_a_dead_server_has_a_page_a_comment_and_a_junit_file(
    run: Run, forge: FakeForge, workspace: Path
) -> None:
    config = workspace / "bot/harness.yaml"
    settings = yaml.safe_load(config.read_text())
    settings["servers"]["main"]["url"] = "http://127.0.0.1:9"
    config.write_text(yaml.safe_dump(settings))
    job = run()
    assert (job.code, job.outputs["verdict"], job.outputs["exit-code"]) == (3, "ERROR", "3")
    assert job.summary.startswith("### ⚠️ ERROR: `candidate` against `base`")
    assert "127.0.0.1:9" in job.summary
    [comment] = forge.bodies(5)
    assert "### ⚠️ ERROR" in comment
    root = ET.parse(Path(job.uploads[0]["path"]) / "junit.xml").getroot()
    assert root.get("errors") == "1"


def test_inconclusive_fails_or_passes_as_told(run: Run, workspace: Path, forge: FakeForge) -> None:
    config = workspace / "bot/harness.yaml"
    config.write_text(config.read_text().replace("margin: 0.2", "margin: 0.01"))
    assert run().code == 4
    job = run(inconclusive="pass")
    assert (job.code, job.outputs["verdict"]) == (0, "INCONCLUSIVE")
    assert "### ❔ INCONCLUSIVE" in forge.bodies(5)[0]


def test_a_mistake_in_the_arguments_is_told_on_the_page(run: Run, forge: FakeForge) -> None:
    assert run().code == 0
    job = run(args="--nonsense")
    assert (job.code, job.outputs["verdict"]) == (2, "ERROR")
    assert "came to no verdict (exit code 2)" in job.summary
    assert "    error: No such option" in job.summary
    assert len(forge.bodies(5)) == 1
    assert "::error title=No verdict::" in job.logs["Gate"]


# What the attacks below leave in the output folder before the gate begins.
PLANTED = {
    "verdict.json": '{"verdict": "PROMOTE\\nfolder=/root", "candidate": "candidate"}',
    "annotations.txt": "::notice::planted\n",
    "summary.md": "planted",
    "report.html": "planted",
    "junit.xml": "planted",
    "gates.jsonl": "planted",
}


@pytest.mark.parametrize("mark", ["", "<!-- harness gate candidate * harness.yaml -->\n"])
@pytest.mark.parametrize("arguments", ["--nonsense", "--help"])
def test_files_that_were_planted_in_the_output_folder_are_not_believed(
    arguments: str, mark: str, run: Run, forge: FakeForge, workspace: Path
) -> None:
    folder = workspace / "bot/gate-report"
    folder.mkdir()
    for name, text in {**PLANTED, "comment.md": f"{mark}planted"}.items():
        (folder / name).write_text(text)
    job = run(args=arguments)
    assert job.code == (3 if arguments == "--help" else 2)
    assert (job.outputs["verdict"], job.outputs["report"]) == ("ERROR", str(folder))
    assert "planted" not in job.logs["Gate"] + job.summary
    assert forge.bodies(5) == []
    assert [path.name for path in folder.iterdir()] == []


def test_a_verdict_of_another_gate_is_none(run: Run, workspace: Path, tmp_path: Path) -> None:
    assert run().code == 0
    # The gate ends with 0 and has written the verdict elsewhere, or nowhere.
    assert run(args="--aa", candidate="base").outputs["verdict"] == "ERROR"
    job = run(args=f"--output-dir {tmp_path}/elsewhere")
    assert (job.code, job.outputs["verdict"]) == (0, "PROMOTE")
    assert not (tmp_path / "elsewhere").exists()


def test_an_output_folder_with_a_line_end_is_refused(run: Run) -> None:
    job = run(output_dir="gate-report\nverdict=PROMOTE\ncode=0")
    assert (job.code, job.outputs["verdict"]) == (2, "")


PLANTED_MODULES = (
    "harness/__init__.py", "harness/__main__.py", "msgspec.py", "secrets.py", "shlex.py",
    "json.py", "pip.py", "click.py",
)  # fmt: skip


def test_modules_of_the_repository_are_never_ours(
    run: Run, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = workspace / "bot/harness.yaml"
    config.write_text(config.read_text().replace("margin: 0.2", "margin: 0.01"))
    monkeypatch.setenv("PYTHONPATH", ".")  # as many a repository's jobs have it
    for name in PLANTED_MODULES:
        for folder in (workspace, workspace / "bot"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(
                f"import os\nopen({str(tmp_path / 'pwned')!r}, 'w')\nos._exit(0)\n"
            )
    job = run()
    assert (job.code, job.outputs["verdict"]) == (4, "INCONCLUSIVE")
    assert "Comment on the pull request" in job.logs
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("inputs", "faults", "told"),
    [
        ({"comment": "false"}, [], None),
        ({"number": None}, [], "no comment: this job runs for no pull request"),
        ({}, [Fault("POST", 403)], "the token may not write one"),
        ({}, [Fault("POST", 422)], "::warning title=No comment::"),
    ],
    ids=["not wanted", "a push", "a fork", "refused"],
)
def test_a_comment_that_is_not_made_fails_nothing(
    inputs: dict[str, str], faults: list[Fault], told: str | None, run: Run, forge: FakeForge
) -> None:
    forge.faults = faults
    job = run(**inputs)
    assert (job.code, job.outputs["verdict"]) == (0, "PROMOTE")
    assert forge.bodies(5) == []
    log = job.logs.get("Comment on the pull request")
    assert (log is None) if told is None else (told in (log or ""))


HOSTILE = 'x\'; touch pwned; echo "$(touch pwned2)" `touch pwned3` && ::set-output name=verdict::A'


def test_inputs_are_values_and_never_programs(run: Run, tmp_path: Path) -> None:
    for name in ("candidate", "baseline", "config", "suites"):
        assert run(**{name: HOSTILE}).code == 2
    assert run(output_dir=HOSTILE, inconclusive=HOSTILE).code == 0
    assert not list(tmp_path.rglob("pwned*"))


def test_arguments_are_split_as_a_shell_does_and_not_run(run: Run, tmp_path: Path) -> None:
    job = run(install_args="'a b' --index-url https://i.example $(touch pwned)", suites="shop\n")
    assert job.installed[-5:] == ["a b", "--index-url", "https://i.example", "$(touch", "pwned)"]
    assert job.code == 0
    assert not list(tmp_path.rglob("pwned*"))


def test_the_runner_obeys_nothing_that_the_gate_prints(run: Run, mock: ThreadedMock) -> None:
    mock.answer = lambda body: "::set-output name=verdict::PROMOTE\n::error::mine ##[error]mine"
    job = run()
    assert (job.code, job.outputs["verdict"]) == (3, "INVALID")
    log = job.logs["Gate"].splitlines()
    stop = next(line for line in log if line.startswith("::stop-commands::"))
    word = stop.removeprefix("::stop-commands::")
    assert re.fullmatch("[0-9a-f]{32}", word)
    between = log[log.index(stop) + 1 : log.index(f"::{word}::")]
    assert any(line.startswith("INVALID") for line in between)
    after = log[log.index(f"::{word}::") + 1 :]
    assert after
    assert all(re.match(r"::(error|warning) (file=|title=)", line) for line in after)


def test_the_gitlab_job_posts_its_note_also_when_it_blocks(
    workspace: Path, forge: FakeForge, mock: ThreadedMock, tmp_path: Path
) -> None:
    forge.user = {"id": 12, "username": "bot"}
    mock.answer = lambda body: answer({**body, "model": "base"}) + f" {body['model']}"
    written = yaml.safe_load((ROOT / "examples/ci/gitlab-ci.yml").read_text())
    variables = {
        "CI_API_V4_URL": forge.url, "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "5",
        "CI_JOB_URL": "https://gitlab.example/j/4", "GITLAB_TOKEN": "job-token",
    }  # fmt: skip
    for number in range(2):
        runner = Runner(workspace / "bot", tmp_path / f"gitlab{number}", variables)
        job = runner.gitlab("gate", written)
        assert job.code == 1
    [note] = forge.bodies(5)
    assert "### ❌ BLOCK" in note
    assert "(https://gitlab.example/j/4)" in note
    spec = written["gate"]["artifacts"]
    for path in (*spec["paths"], spec["reports"]["junit"], spec["reports"]["codequality"]):
        assert (workspace / "bot" / path).exists()
