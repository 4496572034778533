"""`harness gate --aa`, against a server whose answers go by the seed of the request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.client.mock import MockReply
from harness.records.noise import Noise
from tests.cli.test_commands import call, edit_case
from tests.conftest import ThreadedMock
from tests.shop import answer

CASES = 80


def by_seed(body: dict[str, Any]) -> str:
    """As ever at seed 0; at any other the base has lost every sixteenth fact."""
    said = answer(body)
    number = int(body["messages"][-1]["content"].strip("?").split()[-1])
    lost = body["model"] == "base" and body["seed"] > 0 and number % 16 == 0
    return "I have no idea at all." if lost and said.startswith("It is") else said


def kept(project_dir: Path) -> Noise:
    return Noise.model_validate_json((project_dir / ".harness/noise/base.json").read_bytes())


def rules(project_dir: Path) -> dict[str, Any]:
    data = json.loads((project_dir / "reports/candidate-vs-base/verdict.json").read_text())
    return {str(rule["metric"]): rule["noise"] for rule in data["rules"]}


def test_the_baseline_is_asked_twice_and_its_noise_is_printed_and_kept(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = by_seed
    assert call("gate", "--aa") == 0
    assert len(mock.server.requests) == 2 * CASES
    shown = capsys.readouterr().out
    assert shown.startswith("base against itself: 2 askings, 1 pair, each taken both ways\n")
    assert "shop.gold.accuracy                             0.212    0.0750    0.0750" in shown
    assert "shop.gold                                         40     7.5 %         7.5 %" in shown
    assert "  false alarms: 0 (" in shown
    assert shown.endswith("  .harness/noise/base.json\n")
    noise = kept(project_dir)
    assert (noise.target, noise.repeats, noise.generation["repeats"]) == ("base", 2, 2)
    assert noise.by_metric()["shop.gold.accuracy"] == pytest.approx(3 / 40)
    assert not (project_dir / "reports").exists()


def test_json_is_the_record_that_is_kept(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = by_seed
    assert call("gate", "--aa", "--repeats", "3", "--json") == 0
    printed = Noise.model_validate_json(capsys.readouterr().out)
    assert printed == kept(project_dir)
    assert (printed.repeats, printed.pairs) == (3, 3)


def test_everything_is_asked_afresh_and_the_next_gate_asks_none_of_it_again(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = lambda body: "stale" if body["model"] == "base" else answer(body)
    assert call("gate", "candidate") == 0
    assert len(mock.server.requests) == 2 * CASES
    mock.answer = by_seed
    assert call("gate", "--aa") == 0
    assert len(mock.server.requests) == 4 * CASES
    assert call("gate", "candidate") == 0
    assert len(mock.server.requests) == 4 * CASES
    data = json.loads((project_dir / "reports/candidate-vs-base/verdict.json").read_text())
    assert data["rules"][0]["baseline"] == 0.25, "the answers of seed 0, not the stale ones"


def test_the_gate_shows_the_noise_beside_its_rules(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = by_seed
    assert call("gate", "candidate") == 0
    assert set(rules(project_dir).values()) == {None}
    assert call("gate", "--aa") == 0
    for stored in ((), ("--stored",)):
        assert call("gate", "candidate", *stored) == 0
        assert rules(project_dir) == {
            "shop.gold.accuracy": pytest.approx(0.075),
            "shop.scope.f1": 0.0,
            "shop.scope.answer_rate": 0.0,
            "None": None,
        }
    for name in ("report.html", "report.md"):
        page = (project_dir / "reports/candidate-vs-base" / name).read_text()
        assert page.count("noise of two askings: 7.5 pp") == 1
    assert "left out" not in capsys.readouterr().err


def test_a_report_and_a_promotion_outlive_a_second_measurement(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = by_seed
    assert call("gate", "--aa") == 0
    assert call("gate", "candidate") == 0
    (project_dir / ".harness/noise/base.json").unlink()
    assert call("report", "candidate") == 0
    assert rules(project_dir)["shop.gold.accuracy"] == pytest.approx(0.075)
    assert call("promote", "candidate", "--name", "v1") == 0


@pytest.mark.parametrize(
    ("change", "reason"), [("suite", "the suites are others"), ("file", "the file is damaged")]
)
def test_stale_noise_is_left_out_with_one_line(
    project_dir: Path,
    mock: ThreadedMock,
    capsys: pytest.CaptureFixture[str],
    change: str,
    reason: str,
) -> None:
    mock.answer = by_seed
    assert call("gate", "--aa") == 0
    if change == "suite":
        edit_case(project_dir, 8)
    else:
        (project_dir / ".harness/noise/base.json").write_text("{}")
    capsys.readouterr()
    assert call("gate", "candidate") == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert len(lines) == 1
    assert reason in lines[0]
    assert set(rules(project_dir).values()) == {None}


def test_an_interrupted_measurement_goes_on(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    count = iter(range(1000))

    def breaks_off(body: dict[str, Any]) -> str | MockReply:
        return by_seed(body) if next(count) < 100 else MockReply("no", status=401)

    mock.answer = breaks_off
    assert call("gate", "--aa") == 3
    assert not (project_dir / ".harness/noise").exists()
    mock.answer = by_seed
    capsys.readouterr()
    assert call("gate", "--aa") == 0
    # Not counted at the server: a request that was broken off may reach it late.
    assert "100 stored answers" in capsys.readouterr().err
    assert kept(project_dir).by_metric()["shop.gold.accuracy"] == pytest.approx(0.075)


def test_answers_that_failed_are_no_noise(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails_late(body: dict[str, Any]) -> str | MockReply:
        lost = body["seed"] == 1 and body["messages"][-1]["content"] == "What is fact 1?"
        return MockReply("no", status=400) if lost else by_seed(body)

    mock.answer = fails_late
    assert call("gate", "--aa") == 3
    assert "scores for 97.5 % of shop.gold, 99 % are needed" in capsys.readouterr().err
    assert not (project_dir / ".harness/noise").exists()


def test_a_live_target_stands_in_for_a_sealed_baseline(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = by_seed
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "v1") == 0
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("baseline: base", "baseline: sealed:v1"))
    assert call("gate", "--aa") == 2
    assert "name a live target with --baseline" in capsys.readouterr().err
    assert call("gate", "--aa", "--baseline", "candidate") == 0
    assert call("gate", "base") == 1
    data = json.loads((project_dir / "reports/base-vs-sealed-v1/verdict.json").read_text())
    assert data["rules"][0]["noise"] == 0.0, "the sealed run is of the target that was asked again"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gate", "--aa", "candidate"), "takes no CANDIDATE"),
        (("gate", "--aa", "--stored"), "--stored cannot go with it"),
        (("gate", "--aa", "--repeats", "1"), "--repeats 2 or more"),
        (("gate", "--aa", "--baseline", "nobody"), "no target `nobody`"),
        (("gate",), "Missing argument 'CANDIDATE'"),
    ],
)
def test_bad_input_is_one_line_and_asks_nothing(
    project_dir: Path,
    mock: ThreadedMock,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    assert call(*arguments) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert len(shown.splitlines()) == 1
    assert mock.server.requests == []


def test_the_projects_own_repeats_are_taken_where_they_are_enough(
    project_dir: Path, mock: ThreadedMock
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("generation:", "generation:\n  repeats: 3"))
    assert call("gate", "--aa") == 0
    assert len(mock.server.requests) == 3 * CASES
    assert kept(project_dir).repeats == 3


def test_run_says_whether_its_repeats_differ(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = by_seed
    assert call("run", "base", "candidate", "--repeats", "3") == 0
    shown = capsys.readouterr().out
    assert (
        "  3 repeats a case at temperature 0: texts differ in 3 of 80 cases; "
        "the server's answers depend on what else it computes\n"
    ) in shown
    assert "  3 repeats a case at temperature 0: texts differ in none of 80 cases\n" in shown
    assert call("run", "base", "--repeats", "3", "--json") == 0
    assert json.loads(capsys.readouterr().out)["base"]["repeats"] == {"differ": 3, "cases": 80}
    assert call("run", "base") == 0
    assert "repeats" not in capsys.readouterr().out
