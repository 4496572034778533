"""A stored run as frames."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import harness
from harness.api.frames import ATTEMPTS, TERMS, VALUES
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.shop import answer


def folder_of(project: Path, target: str) -> Path:
    return next((project / ".harness/runs").glob(f"{target}-*"))


def mixed(body: dict[str, Any]) -> str | MockReply:
    """Answers, but for a failure, an empty answer and one that was cut."""
    prompt = body["messages"][-1]["content"]
    if prompt == "What is fact 1?":
        return MockReply("no", status=400)
    if prompt == "What is fact 2?":
        return ""
    if prompt == "What is fact 3?":
        return MockReply("It is value", finish_reason="length")
    return answer(body)


@pytest.fixture
def run(project_dir: Path, mock: ThreadedMock) -> harness.Run:
    mock.answer = mixed
    assert call("run", "candidate") == 0
    return harness.load_run(folder_of(project_dir, "candidate"))


def test_a_frame_has_a_row_for_each_attempt_in_the_order_of_the_cases(run: harness.Run) -> None:
    frame = run.frame()
    assert [column.name for column in ATTEMPTS] == list(frame.columns)
    assert list(frame["case"]) == [f"g{n}" for n in range(40)] + [f"s{n}" for n in range(40)]
    row = frame.loc[frame["case"] == "g4"].iloc[0]
    assert (row["suite"], row["section"], row["repeat"], row["group"]) == ("shop", "gold", 0, "g4")
    assert (row["status"], row["state"], row["passed"], row["value"]) == ("scored", "ok", True, 1.0)
    assert (row["text"], row["finish_reason"], row["tries"]) == ("It is value 4.", "stop", 1)
    assert 0 < row["service_ttft"] <= row["e2e"]
    assert row["completion_tokens"] > 0
    assert list(frame.loc[frame["critical"], "case"]) == ["s0"]


def test_what_is_missing_is_na_and_the_status_says_why(run: harness.Run) -> None:
    frame = run.frame().set_index("case")
    failed, empty, cut = (frame.loc[name] for name in ("g1", "g2", "g3"))
    assert (failed["status"], failed["cause"], failed["http_status"]) == ("failed", "http", 400)
    assert failed[["passed", "value", "text", "ttft", "completion_tokens"]].isna().all()
    assert (empty["status"], empty["state"], empty["text"]) == ("unscored", "empty", "")
    assert empty["value"] is pd.NA
    assert empty["reason"] == "empty answer"
    assert (cut["status"], cut["state"], cut["passed"]) == ("scored", "truncated", False)
    assert (empty["cause"], empty["http_status"]) == (pd.NA, pd.NA)
    assert not any(isinstance(cell, float) and cell != cell for cell in frame.to_numpy().flat)
    assert frame["passed"].sum() == 77
    assert frame["value"].mean() == pytest.approx(77 / 78)


def test_every_column_has_the_type_that_the_page_promises(run: harness.Run) -> None:
    for columns, frame in ((ATTEMPTS, run.frame()), (TERMS, run.terms()), (VALUES, run.metrics())):
        assert {column.name: column.dtype for column in columns} == {
            str(name): str(dtype) for name, dtype in frame.dtypes.items()
        }
    assert list(run.frame()["status"].cat.categories) == ["scored", "unscored", "failed"]


def test_metrics_are_what_the_command_prints(
    run: harness.Run, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert call("run", "candidate", "--json", "--no-cache") == 0
    printed = json.loads(capsys.readouterr().out)["candidate"]["metrics"]
    metrics = run.metrics().set_index("metric")
    assert metrics["value"].to_dict() == pytest.approx(printed)
    terms = run.terms()
    gold = terms[(terms["section"] == "gold") & (terms["metric"] == "accuracy")]
    assert gold["num"].sum() / gold["den"].sum() == metrics["value"]["shop.gold.accuracy"]
    assert metrics["n"]["shop.gold.accuracy"] == len(gold) == 38


def test_a_sealed_baseline_loads_from_its_file(project_dir: Path) -> None:
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "v1") == 0
    sealed = harness.load_run("baselines/shop/v1.json")
    assert (sealed.target, len(sealed.frame())) == ("candidate", 80)
    live = harness.load_run(folder_of(project_dir, "candidate"))
    pd.testing.assert_frame_equal(sealed.frame(), live.frame())
    pd.testing.assert_frame_equal(sealed.metrics(), live.metrics())


def test_a_run_is_told_on_one_line_and_on_a_card(run: harness.Run) -> None:
    assert repr(run) == (f"<Run {run.run_id}: 80 planned, 78 scored, 1 unscored, 1 failed>")
    card = run._repr_html_()
    assert "Run of candidate" in card
    assert "shop.gold.accuracy" in card
    assert "1 empty" in card


def test_what_is_no_run_is_one_clear_error(project_dir: Path, run: harness.Run) -> None:
    with pytest.raises(harness.UsageError, match=r"none: no such run - give a folder"):
        harness.load_run("none")
    with pytest.raises(harness.UsageError, match="is no folder of a run - give a folder"):
        harness.load_run(project_dir)
    with pytest.raises(harness.UsageError, match=r"harness\.yaml: is no sealed baseline"):
        harness.load_run("harness.yaml")


def test_a_run_that_was_changed_since_is_refused(run: harness.Run) -> None:
    path = run.path / "attempts.jsonl"
    path.write_text(path.read_text().replace("value 4", "value 5"))
    with pytest.raises(harness.EvidenceError, match="was changed after the run was finished"):
        harness.load_run(run.path)


def test_a_run_may_be_named_by_its_header(run: harness.Run) -> None:
    assert harness.load_run(run.path / "run.json").run_id == run.run_id
