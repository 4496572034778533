"""The truth table's benchmark: its server says what it wrote, and errors are counted right."""

import json
import urllib.request

import pytest

from benchmarks import latency_truth, oracle
from benchmarks.bare import Seen


def test_an_error_is_what_the_client_says_minus_what_the_server_did() -> None:
    writes = {"7": [10.5, 11.0, 12.0, 14.0]}
    seen = Seen("7", due=10.0, sent=10.25, chunks=[11.125, 12.0, 14.25], done=14.375)
    found = latency_truth.compare([seen], writes)
    assert found.ttft == [(11.125 - 10.0) - (11.0 - 10.5)]
    assert found.e2e == [(14.375 - 10.0) - (14.0 - 10.5)]
    assert found.gap == [0.875 - 1.0, 2.25 - 2.0]
    assert (found.lag, found.wrong) == ([0.25], 0)


def test_an_answer_with_other_chunks_is_wrong_and_has_no_error() -> None:
    found = latency_truth.compare([Seen("7", 0.0, 0.0, [1.0], 2.0)], {"7": [0.0, 1.0, 2.0]})
    assert (found.wrong, found.ttft) == (1, [])


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [latency_truth.percentile(values, share) for share in (0.0, 0.5, 0.99, 1.0)] == [
        1.0,
        50.0,
        99.0,
        100.0,
    ]


@pytest.mark.parametrize("more", [[], ["--open"]])
def test_every_client_is_measured(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--concurrency", "2", "--cases", "6", "--repeat", "1", *more]
    assert latency_truth.main(given) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][2:]
    names = [row.split(" | ")[0].strip("| ") for row in rows]
    assert names == ([latency_truth.OURS] if more else [latency_truth.OURS, *latency_truth.LOOPS])


def test_the_server_tells_when_it_wrote_what() -> None:
    body = {"request_id": "a-1", "stream_options": {"continuous_usage_stats": True}}
    with latency_truth.oracle() as (url, _):
        ask = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(body).encode())
        with urllib.request.urlopen(ask) as response:
            said = response.read().decode()
        with urllib.request.urlopen(f"{url}/writes") as response:
            (moments,) = json.load(response).items()
        with urllib.request.urlopen(f"{url}/writes") as response:
            assert json.load(response) == {}
    name, (came, *wrote) = moments
    assert name == "a-1"
    assert len(wrote) == oracle.WORDS
    assert wrote == sorted(wrote)
    assert wrote[0] - came >= latency_truth.FIRST
    assert wrote[-1] - came >= latency_truth.LAST
    events = [json.loads(line[6:]) for line in said.splitlines() if line.startswith("data: {")]
    counts = [event["usage"]["completion_tokens"] for event in events]
    assert counts == [0, *range(1, oracle.WORDS + 1), oracle.WORDS, oracle.WORDS]


def test_words_may_go_together_and_the_role_ahead() -> None:
    script = oracle.Script(first=1.0, last=4.0, words=7, together=2, role=0.25)
    assert script.offsets == [0.25, 1.0, 2.0, 3.0, 4.0]
    role, *said = oracle.pieces(script)
    assert role.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"word" not in role
    assert [piece.count(b"word") for piece in said] == [2, 2, 2, 1]
    assert b'"usage"' not in said[0]
    assert b'"completion_tokens": 7' in said[-1]
