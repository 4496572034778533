"""Passages of documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.data.generate.documents import LONGEST, passages
from harness.errors import UsageError

WORDS = "Every parcel leaves the warehouse within two days and has a number that you get by mail."


def test_passages_are_under_their_heading_and_have_their_line(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(f"# Shipping\n\n{WORDS}\n\n# Returns\n\n{WORDS} It is free.\n")
    (tmp_path / "b.txt").write_text(f"{WORDS} It is free of charge.\n")
    (tmp_path / "c.md").write_text(f"# Shipping\n\n{WORDS}\n")  # the same text again
    found = passages(tmp_path)
    assert [Path(one.place).name for one in found] == ["a.md:1", "a.md:5", "b.txt:1"]
    assert found[0].text == f"Shipping\n\n{WORDS}"
    assert len({one.group for one in found}) == 3


def test_no_word_of_a_long_document_is_lost_and_no_passage_is_endless(tmp_path: Path) -> None:
    lines = [f"Rule {n} says that item {n} of the list is kept for {n} days by the desk." for n in
             range(200)]  # fmt: skip
    (tmp_path / "a.txt").write_text("\n".join(lines))
    found = passages(tmp_path / "a.txt")
    assert "\n".join(one.text for one in found).split("\n") == lines
    assert max(len(one.text.split()) for one in found) < LONGEST + 20


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.pdf", b"%PDF", "holds no document - one ends with .md"),
        ("a.md", b"Too short.", "holds no passage of 15 words"),
        ("a.md", b"\xff\xfe\x00", "not UTF-8 at byte 0"),
    ],
)
def test_what_holds_no_passage_is_one_line(
    tmp_path: Path, name: str, data: bytes, what: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError) as error:
        passages(tmp_path)
    assert what in str(error.value)
