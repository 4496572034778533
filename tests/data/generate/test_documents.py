"""Passages of documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.data.generate.documents import group_of, passages
from harness.errors import UsageError

WORDS = "Every parcel leaves the warehouse within two days and has a number that you get by mail."


def test_passages_are_under_their_heading_and_each_text_is_there_once(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(f"# Shipping\n\n{WORDS}\n\n# Returns\n\n{WORDS} It is free.\n")
    (tmp_path / "b.txt").write_text(f"{WORDS} It is free of charge.\n")
    (tmp_path / "c.md").write_text(f"# Shipping\n\n{WORDS}\n")  # the same text again
    found = passages(tmp_path)
    assert [one.id for one in found] == ["a.md#shipping", "a.md#returns", "b.txt"]
    assert found[0].whole == f"Shipping\n{WORDS}"
    assert len({group_of(one) for one in found}) == 3


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.pdf", b"%PDF \xff", "is not text in UTF-8"),
        ("a.md", b"Too short.", "holds no passage of 15 words"),
        ("a.md", b" ", "holds no text"),
    ],
)
def test_what_holds_no_passage_is_one_line(
    tmp_path: Path, name: str, data: bytes, what: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError) as error:
        passages(tmp_path)
    assert what in str(error.value)
