"""`harness promote` seals what a verdict allows, and nothing else."""

from __future__ import annotations

import itertools
import json
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.clock import SystemClock
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.shop import answer


def test_promote_seals_and_the_sealed_baseline_is_gated_without_a_server_for_it(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("promote", "candidate") == 2
    assert "no verdict there - harness gate candidate" in capsys.readouterr().err
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "v1") == 0
    assert (project_dir / "baselines/shop/v1.json").exists()
    before = len(mock.server.requests)
    assert call("gate", "base", "--baseline", "sealed:v1") == 1
    assert len(mock.server.requests) == before, "base was run already, v1 is sealed"
    verdict = json.loads((project_dir / "reports/base-vs-sealed-v1/verdict.json").read_text())
    assert (verdict["verdict"], verdict["baseline"]) == ("BLOCK", "sealed:v1")
    capsys.readouterr()
    assert call("gate", "candidate", "--baseline", "sealed:v1") == 3
    assert "`candidate` is the baseline itself" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("harness.yaml", "alpha: 0.05\n", ""), None),
        (("harness.yaml", "concurrency: 8", "concurrency: 9"), None),
        (("harness.yaml", "value: 0.8", "value: 0.7"), "`gate.rules` changed"),
        (("suites/shop/gold.jsonl", "value 7", "value 77"), "suite `shop` changed"),
    ],
)
def test_promote_is_bound_by_hashes(
    project_dir: Path,
    edit: tuple[str, str, str],
    message: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("gate", "candidate") == 0
    path = project_dir / edit[0]
    path.write_text(path.read_text().replace(edit[1], edit[2]))
    capsys.readouterr()
    assert call("promote", "candidate") == (2 if message else 0)
    assert (message or "") in capsys.readouterr().err


def test_promote_refuses_a_blocked_candidate(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("value: 0.8", "value: 0.8\n    by: 1"))
    assert call("gate", "candidate") == 2
    path.write_text(path.read_text().replace("\n    by: 1", ""))
    path.write_text(
        path.read_text().replace("better_than_baseline", "better_than_baseline\n    by: 1.0")
    )
    assert call("gate", "candidate") == 1
    capsys.readouterr()
    assert call("promote", "candidate") == 2
    assert "the verdict on `candidate` is BLOCK" in capsys.readouterr().err
    assert not (project_dir / "baselines").exists()


def test_settings_given_on_the_command_line_cannot_be_promoted(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate", "--repeats", "2") == 0
    assert call("promote", "candidate") == 2
    assert "was judged with repeats 2, the configuration says 1" in capsys.readouterr().err


def test_a_verdict_against_another_baseline_than_the_policys_promotes_nothing(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    weak = "targets:\n  weak:\n    server: main\n    model: weak"
    path.write_text(path.read_text().replace("targets:", weak, 1))
    mock.server._models["weak"] = None
    assert call("gate", "candidate", "--baseline", "weak") == 0
    assert call("promote", "candidate") == 2
    assert call("promote", "candidate", "--baseline", "weak") == 2
    # Nor where it says that it is against the policy's.
    assert call("gate", "candidate") == 0
    path = project_dir / "reports/candidate-vs-base/verdict.json"
    honest = json.loads(path.read_text())
    forged = json.loads((project_dir / "reports/candidate-vs-weak/verdict.json").read_text())
    forged["hashes"]["rests_on"] = honest["hashes"]["rests_on"]
    path.write_text(json.dumps({**forged, "baseline": "base"}))
    assert call("promote", "candidate") == 3
    assert call("report", "candidate") == 3
    assert "is no run of `base`" in capsys.readouterr().err
    assert not (project_dir / "baselines").exists()


def test_what_was_written_into_a_verdict_is_not_sealed(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    file = project_dir / "reports/candidate-vs-base/verdict.json"
    honest = json.loads(file.read_text())
    better = [{**rule, "candidate": 1.0} for rule in honest["rules"]]
    file.write_text(json.dumps({**honest, "rules": better}))
    capsys.readouterr()
    assert call("promote", "candidate") == 2
    assert "do not lead to this verdict: rules differ" in capsys.readouterr().err
    file.write_text(json.dumps({**honest, "rules": [
        {**rule, "reason": "it is perfect"} for rule in honest["rules"]
    ]}))  # fmt: skip
    assert call("promote", "candidate") == 0
    sealed = (project_dir / "baselines/shop/candidate.json").read_text()
    assert "it is perfect" not in sealed
    assert json.loads(sealed)["verdict"]["hashes"] == honest["hashes"]


@pytest.fixture
def moments_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second pass from each look at the clock to the next: moments are kept to the second."""
    began, passed = datetime.now(UTC), itertools.count()
    monkeypatch.setattr(SystemClock, "utc", lambda _: began + timedelta(seconds=next(passed)))


def unsteady(mock: ThreadedMock) -> None:
    """Let the candidate answer otherwise each time it is asked, within what its rules allow."""
    asked = Counter[str]()

    def answered(body: dict[str, Any]) -> str:
        prompt = body["messages"][-1]["content"]
        asked[prompt] += body["model"] == "candidate"
        return f"{answer(body)} {'!' * asked[prompt]}"

    mock.answer = answered


@pytest.mark.usefixtures("moments_apart")
def test_asking_again_until_it_passes_is_counted_and_bounded(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    unsteady(mock)
    for _ in range(3):
        assert call("gate", "candidate", "--no-cache") == 0
    assert "look 3 at this candidate with fresh answers; before: 2 PROMOTE" in (
        capsys.readouterr().out
    )
    assert call("gate", "candidate") == 0, "the same answers are the same look"
    assert call("promote", "candidate") == 0
    assert call("gate", "candidate", "--no-cache", "--output-dir", "out") == 0
    for place in ("reports/candidate-vs-base/report.md", "reports/candidate-vs-base/report.html",
                  "out/comment.md", "reports/candidate-vs-base/verdict.json"):  # fmt: skip
        assert "look 4 at this candidate" in (project_dir / place).read_text(), place
    capsys.readouterr()
    assert call("promote", "candidate") == 2
    assert "the verdict is that of look 4 at this candidate, `max_looks` is 3" in (
        capsys.readouterr().err
    )
    assert call("promote", "candidate", "--despite-looks", "a flaky network") == 0
    sealed = json.loads((project_dir / "baselines/shop/candidate.json").read_text())
    reason = {"looks": 4, "despite_looks": "a flaky network", "trusted_runs": []}
    assert sealed["exception"] == reason


@pytest.mark.usefixtures("moments_apart")
def test_neither_another_name_nor_an_edited_suite_nor_lost_runs_hide_a_look(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    unsteady(mock)
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("gate:\n", "gate:\n  max_looks: 1\n"))
    assert call("gate", "candidate") == 0
    shutil.rmtree(project_dir / ".harness/runs")
    assert call("gate", "candidate") == 0
    assert "look 2 " in capsys.readouterr().out
    twin = "targets:\n  twin:\n    server: main\n    model: candidate"
    path.write_text(path.read_text().replace("targets:", twin, 1))
    case = project_dir / "suites/shop/gold.jsonl"
    case.write_text(case.read_text().replace('"id": "g7"', '"id": "g7", "tags": ["new"]'))
    assert call("gate", "twin", "--no-cache") == 0
    assert "look 3 at this candidate with fresh answers; before: 2 PROMOTE" in (
        capsys.readouterr().out
    )
    assert call("promote", "twin") == 2
    assert "look 3" in capsys.readouterr().err


@pytest.mark.usefixtures("moments_apart")
def test_neither_another_form_nor_spelling_of_the_server_hides_a_look(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    unsteady(mock)
    path = project_dir / "harness.yaml"
    given = path.read_text()
    for url, form in (
        (mock.url, "{}"),
        (mock.url, "{omit: [seed]}"),
        (mock.url.replace("127.0.0.1", "localhost"), "{omit: [stream_options]}"),
    ):
        path.write_text(given.replace(f"url: {mock.url}", f"url: {url}\n    request: {form}"))
        assert call("gate", "candidate", "--no-cache") == 0
    assert "look 3 at this candidate with fresh answers; before: 2 PROMOTE" in (
        capsys.readouterr().out
    )


def test_a_clock_that_is_set_back_hides_no_look_and_picks_no_older_answers(
    project_dir: Path,
    mock: ThreadedMock,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unsteady(mock)
    assert call("gate", "candidate") == 0
    with monkeypatch.context() as wrong:
        wrong.setattr(SystemClock, "utc", lambda _: datetime(2020, 1, 1, tzinfo=UTC))
        assert call("gate", "candidate", "--no-cache") == 0
    capsys.readouterr()
    assert call("gate", "candidate", "--stored") == 0
    out = capsys.readouterr().out
    assert "look 2 at this candidate with fresh answers; before: 1 PROMOTE" in out
    assert "of the candidate's, the first asked at 2020-01-01T00:00:00Z" in out


def folder(project_dir: Path, target: str) -> Path:
    (found,) = project_dir.glob(f".harness/runs/{target}-*")
    return found


def unsealed(run: Path, *more: str) -> None:
    """Set the seals of a run back to null, as of one that was broken off."""
    header = json.loads((run / "run.json").read_text())
    header |= dict.fromkeys(("finished", "journal", "scores", "scorers", "summary"))
    kept = {key: value for key, value in header.items() if key not in more}
    (run / "run.json").write_text(json.dumps(kept))


@pytest.mark.parametrize("more", [(), ("chain",)])
def test_answers_that_were_edited_are_seen_though_their_seal_is_set_back(
    project_dir: Path, more: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "base", "--baseline", "candidate") == 1
    run = folder(project_dir, "base")
    journal = run / "attempts.jsonl"
    journal.write_text(journal.read_text().replace("I have no idea at all.", "It is value 7."))
    unsealed(run, *more)
    capsys.readouterr()
    assert call("gate", "base", "--baseline", "candidate") == 3
    assert "attempts.jsonl: was changed after it was written" in capsys.readouterr().err


def test_a_forged_second_run_is_told_and_promotes_nobody(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    assert "answers that were stored before" not in capsys.readouterr().out
    run = folder(project_dir, "candidate")
    forged = run.with_name("candidate-0123456789ab")
    run.rename(forged)
    for path in (forged / "run.json", forged / "attempts.jsonl"):
        path.write_text(path.read_text().replace(run.name, forged.name))
    unsealed(forged, "chain")
    asked = len(mock.server.requests)
    assert call("gate", "candidate") == 0
    assert len(mock.server.requests) == asked
    told = capsys.readouterr().out
    assert "stored answers were used: 80 of 80 of the candidate's, the first asked at" in (told)
    assert f", not all in this folder ({forged.name}); 80 of 80 of the baseline's" in told
    assert call("promote", "candidate") == 2
    assert f"answers of `candidate` were not asked for in this folder: {forged.name} comes" in (
        capsys.readouterr().err
    )
    assert call("promote", "candidate", "--trust-stored") == 0
    sealed = json.loads((project_dir / "baselines/shop/candidate.json").read_text())
    assert sealed["exception"]["trusted_runs"] == [forged.name]


def test_runs_from_a_cache_or_a_bucket_are_told_and_promote_nobody(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = project_dir / "harness.yaml"
    config.write_text(config.read_text() + f"runs_dir: {project_dir / 'bucket'}\n")
    assert call("gate", "candidate") == 0
    shutil.rmtree(project_dir / ".harness")
    assert call("gate", "candidate") == 0
    assert "not all in this folder" in capsys.readouterr().out
    assert call("promote", "candidate") == 2
    assert "comes from a cache, a bucket or an earlier version" in capsys.readouterr().err
    assert call("gate", "candidate", "--no-cache") == 0
    assert call("promote", "candidate") == 0


def test_who_asked_and_gated_here_promotes_whatever_happened_in_between(
    project_dir: Path, mock: ThreadedMock
) -> None:
    assert call("run", "base", "--limit", "3") == 0
    assert call("run", "candidate") == 0
    mock.answer = lambda body: MockReply("no", status=500)
    case = project_dir / "suites/shop/gold.jsonl"
    case.write_text(case.read_text().replace('"id": "g7"', '"id": "g7", "tags": ["new"]'))
    assert call("gate", "candidate") == 3
    mock.answer = answer
    assert call("gate", "candidate") == 0
    assert call("gate", "candidate", "--stored") == 0
    assert call("promote", "candidate") == 0
