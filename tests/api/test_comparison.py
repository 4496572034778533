"""Two stored runs side by side."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import harness
from harness.api.frames import DIFFERENCES, PAIRS
from harness.scorers.gold import GoldScorer
from tests.api.test_run import folder_of
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.shop import answer


@pytest.fixture
def runs(project_dir: Path) -> tuple[Path, Path]:
    assert call("run", "base", "candidate") == 0
    return folder_of(project_dir, "candidate"), folder_of(project_dir, "base")


def test_a_frame_has_a_row_for_each_pair(runs: tuple[Path, Path]) -> None:
    frame = harness.compare(*runs).frame()
    assert {column.name: column.dtype for column in PAIRS} == {
        str(name): str(dtype) for name, dtype in frame.dtypes.items()
    }
    assert len(frame) == 80
    assert frame["change"].value_counts().to_dict() == {
        "fixed": 50, "still_passing": 30, "new_failure": 0, "still_failing": 0, "not_comparable": 0,
        "worse": 0, "better": 0, "same": 0,
    }  # fmt: skip
    row = frame.set_index("case").loc["g1"]
    assert (row["change"], row["prompt"]) == ("fixed", "What is fact 1?")
    assert (row["candidate_text"], row["baseline_text"]) == (
        "It is value 1.", "I have no idea at all.",
    )  # fmt: skip
    assert (row["candidate_value"], row["baseline_value"]) == (1.0, 0.0)


def test_metrics_are_those_of_the_command(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert call("compare", "candidate", "--json") == 0
    told = json.loads(capsys.readouterr().out)["candidates"]["candidate"]["metrics"]
    printed = pd.DataFrame(told).T
    metrics = harness.compare(*runs).metrics()
    assert {column.name: column.dtype for column in DIFFERENCES} == {
        str(name): str(dtype) for name, dtype in metrics.dtypes.items()
    }
    metrics = metrics.set_index("metric")
    for name in ("candidate", "baseline", "estimate", "low", "high", "n", "groups", "p_of_loss"):
        assert metrics[name].astype(float).to_dict() == pytest.approx(
            printed[name].astype(float).to_dict()
        )
    assert list(metrics["reason"].unique()) == [""]


def test_loaded_runs_and_paths_are_the_same_to_it(runs: tuple[Path, Path]) -> None:
    loaded = harness.compare(*map(harness.load_run, runs))
    pd.testing.assert_frame_equal(loaded.frame(), harness.compare(*map(str, runs)).frame())


def test_a_sealed_baseline_is_compared_on_the_suite_it_holds(runs: tuple[Path, Path]) -> None:
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "v1") == 0
    back = harness.compare(runs[1], "baselines/shop/v1.json").metrics().set_index("metric")
    forth = harness.compare(*runs).metrics().set_index("metric")
    assert (back["estimate"] == -forth["estimate"]).all()


def test_runs_on_different_suites_are_compared_on_those_they_share(
    project_dir: Path, mock: ThreadedMock
) -> None:
    shutil.copytree(project_dir / "suites/shop", project_dir / "suites/other")
    suite = project_dir / "suites/other/suite.yaml"
    suite.write_text(suite.read_text().replace("name: shop", "name: other"))
    config = project_dir / "harness.yaml"
    config.write_text(config.read_text().replace("- suites/shop", "- suites/shop\n- suites/other"))
    assert call("run", "candidate") == 0
    assert call("run", "base", "--suite", "shop") == 0
    found = harness.compare(folder_of(project_dir, "candidate"), folder_of(project_dir, "base"))
    assert found.problems == ()
    assert set(found.frame()["suite"]) == set(found.metrics()["suite"]) == {"shop"}
    assert len(found.candidate.frame()) == found.candidate.summary.accounting.planned == 80
    assert call("run", "base", "--suite", "other") == 0
    runs = (project_dir / ".harness/runs").glob("base-*")
    with pytest.raises(harness.UsageError, match="have no suite of the project in common"):
        harness.compare(*runs)


def test_alpha_is_the_policys_unless_it_is_given(
    runs: tuple[Path, Path], project_dir: Path
) -> None:
    usual = harness.compare(*runs)
    strict = harness.compare(*runs, alpha=0.01)
    assert (usual.alpha, strict.alpha) == (0.05, 0.01)
    assert (strict.metrics()["low"] < usual.metrics()["low"]).any()
    with pytest.raises(harness.UsageError, match=r"alpha 0\.9 is no level"):
        harness.compare(*runs, alpha=0.9)


def test_the_scorers_of_today_judge_both(
    runs: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.run.rescore.fingerprint", lambda _: "sha256:another")
    judged: list[str] = []
    usual = GoldScorer.score

    def counting(self, text, case, settings):
        judged.append(case.id)
        return usual(self, text, case, settings)

    monkeypatch.setattr(GoldScorer, "score", counting)
    assert len(harness.compare(*runs).frame()) == 80
    assert len(judged) == 80


def test_what_speaks_against_the_numbers_keeps_them_back(runs: tuple[Path, Path]) -> None:
    same = harness.compare(runs[0], runs[0])
    assert len(same.problems) == 1
    assert repr(same) == "<Comparison candidate against candidate: 80 pairs, 1 problem>"
    with pytest.raises(harness.EvidenceError, match="`candidate` is the baseline itself"):
        same.metrics()
    card = same._repr_html_()
    assert "The evidence cannot be trusted" in card
    assert "shop.gold.accuracy" not in card
    assert len(same.frame()) == 80


def test_a_section_with_too_few_scores_is_no_evidence(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = lambda body: "" if "fact 1" in str(body["messages"][-1]) else answer(body)
    assert call("run", "base", "candidate") == 0
    found = harness.compare(folder_of(project_dir, "candidate"), folder_of(project_dir, "base"))
    with pytest.raises(harness.EvidenceError, match=r"has scores for 72\.5 % of shop\.gold"):
        found.metrics()


def test_another_version_of_a_suite_is_refused(runs: tuple[Path, Path], project_dir: Path) -> None:
    path = project_dir / "suites/shop/gold.jsonl"
    path.write_text(path.read_text().replace("value 7", "value 8"))
    with pytest.raises(harness.EvidenceError, match="another version of suite `shop`"):
        harness.compare(*runs)


def test_a_run_without_its_project_needs_the_configuration_named(
    runs: tuple[Path, Path], project_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    away = tmp_path_factory.mktemp("away") / "runs/run"  # the log of journals lies beside `runs`
    shutil.copytree(runs[0], away)
    with pytest.raises(harness.UsageError, match=r"no harness\.yaml in a folder above it.*config="):
        harness.compare(away, runs[1])
    found = harness.compare(away, runs[1], config=project_dir / "harness.yaml")
    assert len(found.frame()) == 80


def test_the_card_shows_both_values_and_the_difference(runs: tuple[Path, Path]) -> None:
    card = harness.compare(*runs)._repr_html_()
    assert "candidate against base" in card
    assert "80 pairs: 50 fixed, 30 still passing" in card
    assert "+75.0 points" in card
