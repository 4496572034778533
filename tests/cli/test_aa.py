"""`harness gate --aa`, against a server whose answers go by the seed of the request."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.records.noise import Noise
from tests.cli.builders import call, edit_case
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.shop import answer, write_lines

CASES = 80


def by_seed(body: dict[str, Any]) -> str:
    """As ever at seed 0; at any other the base has lost every sixteenth fact."""
    said = answer(body)
    number = int(body["messages"][-1]["content"].strip("?").split()[-1])
    lost = body["model"] == "base" and body["seed"] > 0 and number % 16 == 0
    return "I have no idea at all." if lost and said.startswith("It is") else said


def kept(project_dir: Path) -> Noise:
    return Noise.model_validate_json((project_dir / ".harness/noise/base.json").read_bytes())


def runs(project_dir: Path) -> list[Path]:
    """The folders of the measurements' runs."""
    return sorted((project_dir / ".harness/noise/runs").iterdir())


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
    assert shown.startswith("base against itself: 2 askings of 1 attempt a case, 1 pair, ")
    assert "shop.gold.accuracy         0.212  0.0750   0.0750\n" in shown
    assert "shop.gold      40  7.5 %         7.5 %\n" in shown
    assert shown.endswith("  false alarms: none\n  .harness/noise/base.json\n")
    noise = kept(project_dir)
    assert (noise.target, noise.askings, noise.repeats) == ("base", 2, 1)
    assert (noise.generation["repeats"], noise.run) == (1, runs(project_dir)[0].name)
    assert noise.by_metric()["shop.gold.accuracy"] == pytest.approx(3 / 40)
    assert not (project_dir / "reports").exists()


def test_json_is_the_record_that_is_kept(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = by_seed
    assert call("gate", "--aa", "--repeats", "3", "--json") == 0
    printed = Noise.model_validate_json(capsys.readouterr().out)
    assert printed == kept(project_dir)
    assert (printed.askings, printed.repeats, printed.pairs) == (3, 1, 3)


def test_a_rule_that_gives_a_false_alarm_is_named(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = lambda body: (
        answer({**body, "model": "candidate"}) if body["seed"] else answer(body)
    )
    assert call("gate", "--aa") == 0
    assert (
        "  false alarms: 1 pass of shop.gold.accuracy better_than_baseline (0), "
        "1 fail of no_new_critical_failures\n"
    ) in capsys.readouterr().out


def test_a_measurement_and_a_gate_leave_each_others_answers_alone(
    project_dir: Path, mock: ThreadedMock
) -> None:
    """In both directions: nothing is taken over, and nothing that was stored is lost."""
    assert call("gate", "candidate") == 0
    assert len(mock.server.requests) == 2 * CASES
    before = files(project_dir / ".harness/runs")
    assert call("gate", "--aa") == 0
    assert len(mock.server.requests) == 4 * CASES
    assert files(project_dir / ".harness/runs") == before
    apart = files(project_dir / ".harness/noise")
    assert call("gate", "candidate", "--stored") == 0
    assert call("gate", "candidate") == 0
    assert len(mock.server.requests) == 4 * CASES
    assert call("gate", "candidate", "--no-cache") == 0
    assert files(project_dir / ".harness/noise") == apart
    assert call("gate", "--aa") == 0
    assert len(mock.server.requests) == 8 * CASES


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def breaking_off(after: int) -> Callable[[dict[str, Any]], str | MockReply]:
    """As ever, and refused after so many requests."""
    count = iter(range(1000))
    return lambda body: by_seed(body) if next(count) < after else MockReply("no", status=401)


def test_a_measurement_that_was_broken_off_leaves_a_gate_as_it_was(
    project_dir: Path, mock: ThreadedMock
) -> None:
    assert call("gate", "candidate") == 0
    mock.answer = breaking_off(100)
    assert call("gate", "--aa") == 3
    assert call("gate", "candidate", "--stored") == 0


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
        assert page.count("noise of two askings: 7.5 points") == 1
        assert page.count("root mean square") == 1
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


GOES_ON = re.compile(
    r"base: goes on with a measurement begun 20\S+Z; --no-cache starts again$", re.MULTILINE
)


@pytest.mark.parametrize(
    ("again", "goes_on"), [((), True), (("--no-cache",), False), (("-j", "3"), False)]
)
def test_an_interrupted_measurement_goes_on_unless_it_is_to_start_again(
    project_dir: Path,
    mock: ThreadedMock,
    capsys: pytest.CaptureFixture[str],
    again: tuple[str, ...],
    goes_on: bool,
) -> None:
    mock.answer = breaking_off(100)
    assert call("gate", "--aa") == 3
    assert not (project_dir / ".harness/noise/base.json").exists()
    assert "goes on" not in capsys.readouterr().err
    mock.answer = by_seed
    assert call("gate", "--aa", *again) == 0
    shown = capsys.readouterr().err
    assert bool(GOES_ON.search(shown)) == goes_on
    assert "stored answers" not in shown
    # Not counted at the server: a request that was broken off may reach it late. Nor exactly: what
    # was under way when the others were refused may be lost.
    taken_over = re.search(r"^asking base: (\d+)/160", shown, re.MULTILINE)
    assert taken_over is not None
    assert (int(taken_over[1]) > 80) == goes_on
    assert bool(list(runs(project_dir)[0].glob("attempts.replaced-*"))) != goes_on
    assert kept(project_dir).by_metric()["shop.gold.accuracy"] == pytest.approx(0.075)


def test_a_run_without_stored_answers_that_was_broken_off_says_that_it_goes_on(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = breaking_off(50)
    assert call("run", "base", "--no-cache") == 3
    mock.answer = by_seed
    capsys.readouterr()
    assert call("run", "base", "--no-cache") == 0
    shown = capsys.readouterr().err
    assert "base: goes on with a run begun 20" in shown
    assert "run with --no-cache" not in shown


def test_answers_that_failed_are_no_noise(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails_late(body: dict[str, Any]) -> str | MockReply:
        lost = body["seed"] == 1 and body["messages"][-1]["content"] == "What is fact 1?"
        return MockReply("no", status=400) if lost else by_seed(body)

    mock.answer = fails_late
    assert call("gate", "--aa") == 3
    assert "scores for 97.5 % of shop.gold, 99 % are needed" in capsys.readouterr().err
    assert not (project_dir / ".harness/noise/base.json").exists()
    mock.answer = by_seed
    assert call("gate", "--aa") == 0, "what failed is asked again"


def test_a_rule_that_cannot_be_judged_ends_it_and_nothing_is_kept(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "suites/shop/gold.jsonl"
    cases = [json.loads(line) | {"group": "one"} for line in path.read_text().splitlines()]
    write_lines(path, cases)
    assert call("gate", "--aa") == 3
    shown = capsys.readouterr()
    assert "shop.gold.accuracy cannot be computed" in shown.err.splitlines()[-1]
    assert shown.out == ""
    assert not (project_dir / ".harness/noise/base.json").exists()


def test_a_part_of_the_suites_is_not_measured(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "--aa", "--suite", "shop") == 0, "it is all there is"
    stored = (project_dir / ".harness/noise/base.json").read_bytes()
    config = yaml.safe_load((project_dir / "harness.yaml").read_text())
    shutil.copytree(project_dir / "suites/shop", project_dir / "suites/store")
    suite = project_dir / "suites/store/suite.yaml"
    suite.write_text(suite.read_text().replace("name: shop", "name: store"))
    config["suites"].append("suites/store")
    (project_dir / "harness.yaml").write_text(yaml.safe_dump(config))
    asked = len(mock.server.requests)
    capsys.readouterr()
    assert call("gate", "--aa", "--suite", "store") == 2
    shown = capsys.readouterr().err
    assert "--suite" in shown
    assert len(shown.splitlines()) == 1
    assert len(mock.server.requests) == asked
    assert (project_dir / ".harness/noise/base.json").read_bytes() == stored


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
        (
            ("gate", "--aa", "--baseline", "sealed:nope"),
            "`sealed:nope` cannot be asked again - name a live target with --baseline",
        ),
        (("gate", "--aa", "--suite", "nowhere"), "no suite `nowhere`"),
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


def test_an_asking_is_as_many_attempts_as_the_gate_averages(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seeds 1 to 5 lose three facts: one asking has them in one of three attempts."""
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("generation:", "generation:\n  repeats: 3"))
    mock.answer = by_seed
    assert call("gate", "--aa") == 0
    assert len(mock.server.requests) == 2 * 3 * CASES
    noise = kept(project_dir)
    assert (noise.askings, noise.repeats, noise.pairs) == (2, 3, 1)
    assert noise.by_metric()["shop.gold.accuracy"] == pytest.approx(3 / 3 / 40)
    told = "base against itself: 2 askings of 3 attempts a case, 1 pair, each taken both ways\n"
    assert capsys.readouterr().out.startswith(told)
    assert call("gate", "candidate") == 0
    assert rules(project_dir)["shop.gold.accuracy"] == pytest.approx(3 / 3 / 40)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ("-j", "3"),
            (
                "it was measured with 8 requests at once, the run had 3 - "
                "`harness gate --aa --baseline base -j 3` measures it again"
            ),
        ),
        (
            ("--repeats", "2"),
            (
                "it is of 1 attempt a case, the run has 2 - "
                "`harness gate --aa --baseline base` with `generation.repeats: 2` measures it again"
            ),
        ),
    ],
)
def test_a_gate_that_asks_otherwise_has_another_noise(
    project_dir: Path,
    mock: ThreadedMock,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    told: str,
) -> None:
    assert call("gate", "--aa") == 0
    capsys.readouterr()
    assert call("gate", "candidate", *options) == 0
    assert f"the stored noise of `base` is left out: {told}\n" in capsys.readouterr().err
    assert set(rules(project_dir).values()) == {None}


def test_run_says_whether_its_repeats_differ(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = by_seed
    assert call("run", "base", "candidate", "--repeats", "3") == 0
    shown = capsys.readouterr().out
    assert (
        "  3 repeats a case at temperature 0: texts differ in 3 of 80 cases; "
        "at temperature 0 the target does not always give the same answer\n"
    ) in shown
    assert "  3 repeats a case at temperature 0: texts differ in none of 80 cases\n" in shown
    assert call("run", "base", "--repeats", "3", "--json") == 0
    assert json.loads(capsys.readouterr().out)["base"]["repeats"] == {"differ": 3, "cases": 80}
    assert call("run", "base") == 0
    assert "repeats" not in capsys.readouterr().out
