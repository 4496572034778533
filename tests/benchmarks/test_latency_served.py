"""Decisions on a real server: its two models, and a whole gate."""

from __future__ import annotations

import json
import urllib.request
from urllib.error import HTTPError

import pytest

from benchmarks import latency_served
from benchmarks.latency_arms import BASELINE, CANDIDATE, TOKENS, Behaviour
from benchmarks.latency_decisions import Row
from benchmarks.latency_oracle import started
from harness.records.latency import LatencySection
from tests.report.measured import load, section

ROW = Row("twice as slow", "ttft_p50", Behaviour(times=2.0), requests=40, rounds=10)


def ask(url: str, model: str) -> list[dict[str, object]]:
    body = {"model": model, "cache_salt": "a", "stream_options": {"continuous_usage_stats": True}}
    request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(body).encode())
    with urllib.request.urlopen(request) as response:
        said = response.read().decode()
    return [json.loads(line[6:]) for line in said.splitlines() if line.startswith("data: {")]


def test_each_model_answers_under_its_name_and_as_long_as_it_is_told() -> None:
    with started(Behaviour(length=2.0), seed=1, scale=0.01) as url:
        told = {model: ask(url, model) for model in (CANDIDATE, BASELINE)}
    for model, length in ((CANDIDATE, 2 * TOKENS), (BASELINE, TOKENS)):
        assert {event["model"] for event in told[model]} == {model}
        assert told[model][-1]["usage"] == {
            "prompt_tokens": 12, "completion_tokens": length, "total_tokens": 12 + length,
        }  # fmt: skip


def test_a_failing_model_answers_with_an_error_and_the_other_does_not() -> None:
    with started(Behaviour(failing=1.0), seed=1, scale=0.01) as url:
        with pytest.raises(HTTPError, match="500"):
            ask(url, CANDIDATE)
        assert ask(url, BASELINE)


def test_a_whole_gate_says_what_it_found_of_the_candidate() -> None:
    (outcome,), found = latency_served.gate([ROW], seed=1, scale=0.05)
    (metric,) = (one for one in found.loads[0].metrics if one.metric == ROW.metric)
    assert metric.n >= ROW.requests
    assert metric.ratio.estimate is not None
    # A busy machine hides how much slower it is, and spoils the measurement; neither is a pass.
    assert outcome != "pass"


def measured(*problems: str) -> LatencySection:
    return section(load(problems=problems))


def test_what_the_machine_spoiled_is_no_decision() -> None:
    tally = latency_served.Tally()
    latency_served.count(tally, [ROW], ["fail"], measured())
    late = "poisson:5/s: the client sent the control's requests late: by 3.1 ms at its p99"
    latency_served.count(tally, [ROW], ["invalid"], measured(late))
    found = tally.rows[ROW.words, ROW.metric]
    assert (found.outcomes, found.spoiled) == ({"fail": 1}, 1)
    assert tally.reasons == {"the client sent an arm's requests late": 1}


def test_what_the_candidates_failures_made_invalid_is_a_decision() -> None:
    tally = latency_served.Tally()
    late = "poisson:5/s: the client sent the control's requests late: by 3.1 ms at its p99"
    failed = "poisson:5/s: requests failed unequally: 50 of 1000 of the candidate's"
    latency_served.count(tally, [ROW], ["invalid"], measured(late, failed))
    found = tally.rows[ROW.words, ROW.metric]
    assert (found.outcomes, found.spoiled) == ({"invalid": 1}, 0)


@pytest.mark.parametrize(
    ("hits", "of", "told"),
    [(0, 10, "0 (0.00 to 0.31)"), (10, 10, "10 (0.69 to 1.00)"), (0, 0, "-")],
)
def test_a_share_has_an_exact_interval(hits: int, of: int, told: str) -> None:
    assert latency_served.share(hits, of) == told


@pytest.mark.parametrize(
    ("outcome", "code", "told"),
    [
        ("fail", 0, "| 3000 | 3 | 0 | 0 (0.00 to 0.71) | 3 (0.29 to 1.00) |"),
        ("pass", 1, "does not hold: 20 % slower, ttft_p50: pass in 3 of 3"),
    ],
)
def test_a_candidate_that_is_too_slow_must_never_pass(
    outcome: str,
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(latency_served, "gate", lambda *_: ([outcome], measured()))
    assert latency_served.main(["--gates", "3", "--only", "20 % slower"]) == code
    assert told in capsys.readouterr().out


def test_a_gate_that_may_not_end_in_time_is_not_begun(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(latency_served, "gate", lambda *_: (["pass"], measured()))
    assert latency_served.main(["--minutes", "0", "--only", "5 % slower"]) == 0
    assert "| 5 % slower | ttft_p50 | 3000 | 1 | 0 |" in capsys.readouterr().out
