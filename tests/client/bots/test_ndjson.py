from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.client.bots import ndjson
from harness.client.bots.ndjson import LineParser, LineTooLong

LINES = st.lists(st.binary(min_size=1).filter(lambda one: b"\n" not in one and one.strip()))


@settings(deadline=None)
@given(LINES, st.binary().filter(lambda one: b"\n" not in one), st.data())
def test_lines_do_not_depend_on_how_they_are_cut(
    lines: list[bytes], rest: bytes, data: st.DataObject
) -> None:
    whole = b"".join(line + b"\n" for line in lines) + rest
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    parser = LineParser()
    found = []
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        found += parser.feed(whole[begin:end])
    assert found == lines
    assert parser.rest() == rest.strip()


def test_blank_lines_are_no_events() -> None:
    assert LineParser().feed(b"\r\n\n{}\r\n \n") == [b"{}\r"]


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "MAX_LINE_BYTES", 10)
    parser = LineParser()
    parser.feed(b"12345\n12345678")
    with pytest.raises(LineTooLong):
        parser.feed(b"9012")
