"""What a server may cost and how fast it may be asked, as the server sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.client.limits import SPAN
from harness.records.run import RunHeader
from harness.storage import RunFolder
from harness.targets import endpoint
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.manual_clock import ManualClock
from tests.shop import answer

A_TOKEN = {"input": 1e6, "output": 1e6}  # a token costs 1


def limit(folder: Path, **settings: Any) -> None:
    path = folder / "harness.yaml"
    data = yaml.safe_load(path.read_text())
    data["servers"]["main"] |= settings
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def only_run(folder: Path) -> tuple[RunFolder, RunHeader]:
    (path,) = (folder / ".harness/runs").iterdir()
    header = RunFolder(path).header()
    assert header is not None
    return RunFolder(path), header


def test_a_spent_budget_stops_the_run_and_a_larger_one_finishes_it(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    limit(project_dir, price=A_TOKEN, max_cost=400.0)
    assert call("run", "base") == 3
    total, said = capsys.readouterr().err.splitlines()[-2:]
    assert said.startswith("error: servers.main: max_cost is 400: ")
    asked = len(mock.server.requests)
    assert total.startswith(f"base: has {asked} of 80 answers, which cost ")
    folder, header = only_run(project_dir)
    kept = folder.attempts().values()
    assert 2 <= asked < 80
    assert len(kept) == asked
    assert all(attempt.status == "answered" for attempt in kept)
    usages = [attempt.usage for attempt in kept if attempt.usage is not None]
    assert sum(usage.prompt_tokens + usage.completion_tokens for usage in usages) <= 400
    assert header.asking is not None
    assert (header.asking.answers, header.finished) == (asked, None)

    limit(project_dir, max_cost=1e9)
    assert call("run", "base") == 0
    assert len(mock.server.requests) == 80
    _, header = only_run(project_dir)
    assert header.asking is not None
    assert header.asking.answers == 80


def test_the_same_budget_again_goes_on_where_it_stopped(
    project_dir: Path, mock: ThreadedMock
) -> None:
    limit(project_dir, price=A_TOKEN, max_cost=800.0)
    codes = [call("run", "base")]
    while codes[-1] == 3 and len(codes) < 10:
        codes.append(call("run", "base"))
    assert codes[0] == 3
    assert codes[-1] == 0
    assert len(mock.server.requests) == 80


def test_targets_on_one_server_share_its_budget(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    limit(project_dir, price=A_TOKEN, max_cost=1e9)
    assert call("run", "base", "candidate", "--json") == 0
    spent = [run["spending"]["cost"] for run in json.loads(capsys.readouterr().out).values()]
    before = len(mock.server.requests)
    limit(project_dir, max_cost=spent[0] + spent[1] / 2)
    assert call("run", "base", "candidate", "--no-cache") == 3
    models = [body["model"] for body in mock.server.requests[before:]]
    assert models.count("base") == 80
    assert 0 < models.count("candidate") < 80


def test_no_minute_at_the_server_holds_more_requests_than_allowed(
    project_dir: Path, mock: ThreadedMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()  # moves only while the run waits for its turn
    monkeypatch.setattr(endpoint, "SYSTEM_CLOCK", clock)
    moments: list[float] = []

    def timed(body: dict[str, Any]) -> str:
        moments.append(clock.now())
        return answer(body)

    mock.answer = timed
    limit(project_dir, max_requests_per_minute=30)
    assert call("run", "base", "-j", "1") == 0
    assert moments == pytest.approx([0.0] * 30 + [SPAN] * 30 + [2 * SPAN] * 20)


def test_the_cost_of_each_target_is_told(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limit(project_dir, price={"input": 1.0, "output": 10.0})
    assert call("run", "base", "candidate", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    for run in told.values():
        spent = run["spending"]
        assert (spent["answers"], spent["counted"]) == (80, 80)
        assert spent["cost"] == pytest.approx((spent["tokens_in"] + 10 * spent["tokens_out"]) / 1e6)
        assert spent["per_thousand"] == pytest.approx(1000 * spent["cost"] / 80)
    assert call("run", "base") == 0
    shown = capsys.readouterr().out
    spent = told["base"]["spending"]
    assert f"  tokens {spent['tokens_in']:,} in, {spent['tokens_out']:,} out; cost 0.0" in shown
    assert " per 1,000 answers\n" in shown


def test_a_price_that_comes_later_holds_for_stored_answers(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base") == 0
    assert "; cost" not in capsys.readouterr().out
    limit(project_dir, price={"gpu_hour": 3.0})
    assert call("run", "base", "--json") == 0
    assert json.loads(capsys.readouterr().out)["base"]["spending"]["cost"] > 0.0
    assert len(mock.server.requests) == 80


def test_the_verdict_tells_the_cost_of_both(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limit(project_dir, price=A_TOKEN)
    assert call("gate", "candidate", "--json") == 0
    verdict = json.loads(capsys.readouterr().out)
    for key in ("spending", "baseline_spending"):
        assert verdict[key]["answers"] == 80
        assert verdict[key]["per_thousand"] > 0.0
