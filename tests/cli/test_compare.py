"""`harness compare`, as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.review.store import ReviewStore
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.shop import answer


@pytest.fixture
def three(project_dir: Path, mock: ThreadedMock) -> Path:
    """Three stored runs: the base, `candidate` that is right throughout, `fair` that is not."""
    path = project_dir / "harness.yaml"
    path.write_text(
        path.read_text().replace("targets:\n", "targets:\n  fair: {server: main, model: fair}\n")
    )
    mock.server._models["fair"] = None
    mock.answer = says
    assert call("run", "base", "candidate", "fair") == 0
    return project_dir


def says(body: dict[str, Any]) -> str | MockReply:
    """`fair` refuses as it should, and knows no fact that the base does not know."""
    fact = body["messages"][-1]["content"].startswith("What")
    if body["model"] == "fair":
        alike = "base" if fact else "candidate"
        return f"{answer({**body, 'model': alike})} It is fair."
    return answer(body)


def data(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert call("compare", *arguments, "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_every_name_is_a_candidate_and_the_policy_recommends(
    three: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = data(capsys, "candidate", "fair")
    assert found["baseline"] == "base"
    verdicts = {name: one["verdict"] for name, one in found["candidates"].items()}
    assert verdicts == {"candidate": "PROMOTE", "fair": "INCONCLUSIVE"}
    assert found["recommendation"]["candidates"] == ["candidate"]
    assert found["recommendation"]["tried"] == 2
    gold = found["candidates"]["candidate"]["metrics"]["shop.gold.accuracy"]
    assert (gold["baseline"], gold["estimate"], gold["p_of_loss"]) == (0.25, 0.75, 1.0)
    changes = found["candidates"]["candidate"]["changes"]
    assert changes["shop.gold"] == {"still passing": 10, "fixed": 30}


def test_the_baseline_is_left_out_of_the_candidates(
    three: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = data(capsys, "candidate")
    assert data(capsys, "candidate", "base") == alone
    assert data(capsys, "base", "candidate", "candidate") == alone
    assert call("compare", "base") == 2
    assert "`base` is the baseline itself" in capsys.readouterr().err


def test_another_baseline_is_named_by_its_option(
    three: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = data(capsys, "candidate", "base", "--baseline", "fair")
    assert found["baseline"] == "fair"
    assert list(found["candidates"]) == ["candidate", "base"]
    assert call("compare", "candidate", "sealed:v1") == 2
    assert "sealed baseline and no candidate - --baseline sealed:v1" in capsys.readouterr().err


def test_what_is_printed(three: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert call("compare", "candidate", "fair") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "Recommended: candidate",
        "  `candidate` is the only one of 2 candidates that passes every rule",
    ]
    told = [line.split() for line in lines]
    assert ["candidate", "PROMOTE", "all", "4", "rules", "pass"] in told
    assert ["shop.gold.accuracy", "base", "25.0%"] in told
    (row,) = [cells for cells in told if cells[:3] == ["candidate", "100%", "+75.0"]]
    assert row[-1] == "1.000"
    assert "candidate: shop.gold: 10 still passing, 30 fixed" in lines


def prefer(project: Path, one: str, other: str, name: str) -> None:
    """Let two people prefer the first target's answers wherever the two differ."""
    given = ("review", one, "--task", "prefer", "--against", other, "--section", "shop.gold")
    assert call(*given, "--items", "40", "--raters", "2", "--again", "0", "--name", name) == 0
    store = ReviewStore(project / f".harness/review/{name}.sqlite")
    for rater in store.raters():
        for place in range(1, store.progress(rater.id).total + 1):
            sheet = store.sheet(rater.id, place)
            assert sheet is not None
            known = ["value" in answer.text for answer in sheet.item.answers]
            code = "tie" if known[0] == known[1] else "first" if known[0] else "second"
            store.choose(sheet, {"preferred": (code, "")}, 1, (1.0, "2026-01-01T00:00:00Z"))
    assert call("review", one, "--name", name, "--export", f"labels/{name}.jsonl") == 0


def test_what_people_prefer_of_all_is_shown(
    three: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.cli.review.serve", lambda *_: None)
    path = three / "harness.yaml"
    path.write_text(f"labels: [labels/*.jsonl]\n{path.read_text()}")
    (three / "labels").mkdir()
    prefer(three, "candidate", "base", "a")
    prefer(three, "candidate", "fair", "b")
    people = data(capsys, "candidate", "fair")["preferences"]
    assert (people["raters"], people["items"]) == (2, 80)
    wins = {(one["one"], one["other"]): (one["won"], one["tied"]) for one in people["duels"]}
    assert wins == {("base", "candidate"): (0.0, 10.0), ("candidate", "fair"): (30.0, 10.0)}
    shares = {one["target"]: one for one in people["shares"]}
    assert shares["candidate"]["low"] > 0.6
    assert shares["base"]["estimate"] == pytest.approx(shares["fair"]["estimate"], abs=0.01)
    assert call("compare", "candidate", "fair") == 0
    assert "80 pairs of answers in 40 groups, by 2 raters" in capsys.readouterr().out


def test_the_files(three: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert call("compare", "candidate", "fair", "--json", "--output", "out") == 0
    shown = capsys.readouterr()
    assert shown.err.splitlines() == [f"out/compare.{kind}" for kind in ("html", "md", "json")]
    assert json.loads((three / "out/compare.json").read_text()) == json.loads(shown.out)
    assert "**Recommended: candidate.**" in (three / "out/compare.md").read_text()
    assert "Recommended: candidate</bdi></h1>" in (three / "out/compare.html").read_text()


def test_nothing_is_written_or_asked(three: Path, mock: ThreadedMock) -> None:
    before = sorted(three.rglob("*"))
    asked = len(mock.server.requests)
    assert call("compare", "candidate", "fair") == 0
    assert (sorted(three.rglob("*")), len(mock.server.requests)) == (before, asked)


def without_gate(folder: Path) -> None:
    path = folder / "harness.yaml"
    path.write_text(path.read_text().partition("gate:")[0])


def test_without_a_policy_nothing_is_recommended(
    three: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    without_gate(three)
    assert call("compare", "candidate") == 2
    assert "has no `gate:` that names a baseline - --baseline NAME" in capsys.readouterr().err
    found = data(capsys, "candidate", "fair", "--baseline", "base")
    assert found["recommendation"] is None
    assert found["candidates"]["fair"]["verdict"] is None
    assert found["candidates"]["candidate"]["metrics"]["shop.gold.accuracy"]["estimate"] == 0.75
    capsys.readouterr()
    assert call("compare", "candidate", "--baseline", "base") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("metric ")
    assert "ecommended" not in shown


def test_latency_that_was_not_measured_is_not_recommended(
    three: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = three / "harness.yaml"
    rule = "  rules:\n  - {metric: latency.ttft_p95, require: ratio_at_most, value: 1.1}\n"
    path.write_text(path.read_text().replace("  rules:\n", rule))
    found = data(capsys, "candidate")
    assert found["candidates"]["candidate"]["verdict"] == "INVALID"
    assert found["recommendation"]["choice"] == "none"
    capsys.readouterr()
    assert call("compare", "candidate") == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("latency.")]
    assert line.endswith("not measured")


def test_a_candidate_whose_evidence_is_doubtful_has_no_numbers(
    three: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = lambda body: answer({**body, "model": "base"})
    assert call("run", "fair", "--no-cache") == 0
    found = data(capsys, "candidate", "fair")
    assert found["candidates"]["fair"]["verdict"] == "INVALID"
    assert "metrics" not in found["candidates"]["fair"]
    assert found["recommendation"]["candidates"] == ["candidate"]
    assert found["recommendation"]["unjudged"] == ["fair"]
    assert "; `fair` could not be judged" in found["recommendation"]["reason"]
    capsys.readouterr()
    assert call("compare", "candidate", "fair", "--output", "board") == 0
    assert capsys.readouterr().out.startswith("Passes: candidate. Not judged: fair\n")
    assert 'class="verdict v-inconclusive"' in Path("board/compare.html").read_text()
    assert call("compare", "fair") == 3
    assert "gave the same text in all 80 cases" in capsys.readouterr().err


def test_a_candidate_without_answers_is_named(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base") == 0
    assert call("compare", "candidate") == 3
    assert "`candidate` has no finished run" in capsys.readouterr().err


def test_a_new_critical_failure_is_named(
    three: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("compare", "base", "--baseline", "candidate") == 0
    assert "base: newly fails critical cases: shop/scope/s0" in capsys.readouterr().out


@pytest.fixture
def equal(project_dir: Path, mock: ThreadedMock) -> Path:
    """Two that are right throughout, of which `wordy` says more, on a server with a price."""
    path = project_dir / "harness.yaml"
    text = path.read_text().replace(
        "targets:\n", "targets:\n  wordy: {server: main, model: wordy}\n"
    )
    priced = f"    url: {mock.url}\n    price: {{input: 1, output: 1}}\n"
    assert f"    url: {mock.url}\n" in text
    path.write_text(text.replace(f"    url: {mock.url}\n", priced))
    mock.server._models["wordy"] = None

    def says(body: dict[str, Any]) -> str | MockReply:
        wordy = body["model"] == "wordy"
        return answer({**body, "model": "candidate"} if wordy else body) + " Good day!" * wordy

    mock.answer = says
    assert call("run", "base", "candidate", "wordy") == 0
    return project_dir


def test_of_equals_the_cheapest_is_recommended_and_the_table_says_what_each_costs(
    equal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = data(capsys, "wordy", "candidate")
    recommended = found["recommendation"]
    assert (recommended["choice"], recommended["candidates"]) == ("cheapest", ["candidate"])
    assert (
        "by no_worse_than_baseline not worse than the others by more than 0.2 in"
        in (recommended["reason"])
    )
    costs = {one["target"]: one["per_thousand"] for one in found["figures"]}
    assert costs["candidate"] < costs["wordy"]
    assert call("compare", "wordy", "candidate") == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "Recommended: candidate, the cheapest of equals"
    assert shown[-1].startswith("times to the first word are those while the runs were asked")
    head = next(place for place, line in enumerate(shown) if line.startswith("target "))
    assert shown[head].split() == ["target", "base", "wordy", "candidate"]
    assert any(line.startswith("cost of 1,000 answers") for line in shown[head:])


def test_of_equals_none_is_recommended_where_a_price_is_not_known(
    equal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = equal / "harness.yaml"
    path.write_text(path.read_text().replace("    price: {input: 1, output: 1}\n", ""))
    assert call("run", "base", "candidate", "wordy") == 0
    found = data(capsys, "wordy", "candidate")["recommendation"]
    assert (found["choice"], found["candidates"]) == ("equal", ["wordy", "candidate"])
