"""The engine's benchmark, on a handful of cases: that it asks, counts and prints."""

import pytest

from benchmarks import engine, oracle


@pytest.mark.parametrize("delay", ["5", "0"])
def test_every_client_asks_every_case(delay: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--cases", "12", "--delay", delay, "--concurrency", "4", "--repeat", "1"]
    assert engine.main(given) == 0
    printed = capsys.readouterr().out
    rows = [line.split(" | ") for line in printed.splitlines() if line.startswith("| ")]
    assert [row[0].strip("| ") for row in rows] == ["client", "---", *engine.CLIENTS]
    assert {len(row) for row in rows} == {9}
    assert rows[3][2] == "1.00"
    assert "12 cases, concurrency 4" in printed
    assert "`harness --help`" in printed


def test_a_client_that_asks_too_little_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = engine.project
    monkeypatch.setattr(engine, "project", lambda folder, url, _, most: whole(folder, url, 3, most))
    with engine.oracle(0.0) as url, pytest.raises(SystemExit, match="3 requests, not 5"):
        engine.measure(engine.OURS, url, 5, 2)


def test_an_answer_is_one_stream_of_sixteen_pieces() -> None:
    said = oracle.pieces()
    assert len(said) == oracle.WORDS
    assert said[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert said[-1].endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert b"".join(said).count(b'"content": "word') == oracle.WORDS
