"""Documents as passages: what is in each, what it is called, and what is refused."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.retrieval.documents import Chunk, read_documents

TEXT = """Before all headings.

# Shop

## Returns & refunds

- Items can be returned.
- The refund comes
  within a week.

## Opening

```
# no heading
```

## Opening

Closed.
"""


def read(folder: Path, words: int = 60) -> tuple[Chunk, ...]:
    return read_documents(folder, words, "harness.yaml").chunks


def test_a_passage_is_of_one_section_and_is_called_by_it(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "shop.md").write_text(TEXT)
    (tmp_path / ".hidden").write_bytes(b"\xff")
    found = {chunk.id: chunk.whole for chunk in read(tmp_path)}
    assert found == {
        "deep/shop.md": "Before all headings.",
        "deep/shop.md#returns--refunds": "Returns & refunds\n- Items can be returned.\n"
        "- The refund comes\n  within a week.",
        "deep/shop.md#opening": "Opening\n```\n# no heading\n```",
        "deep/shop.md#opening-1": "Opening\nClosed.",
    }


def test_blocks_are_joined_as_long_as_they_fit(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("# T\n\none two\n\nthree four\n\nfive six seven\n")
    ids = [(chunk.id, chunk.text) for chunk in read(tmp_path, words=4)]
    assert ids == [("a.txt#t/1", "one two\nthree four"), ("a.txt#t/2", "five six seven")]


def test_a_long_paragraph_is_cut_at_its_sentences(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One two. Three four. Five six seven eight nine ten.")
    assert [one.text for one in read(tmp_path, words=4)] == [
        "One two. Three four.", "Five six seven eight", "nine ten.",
    ]  # fmt: skip


@given(st.lists(st.text("ab.\n-1) ", max_size=40), max_size=4), st.integers(1, 7))
def test_no_word_of_a_text_is_lost_and_no_passage_is_too_long(texts: list[str], words: int) -> None:
    with TemporaryDirectory() as folder:
        for number, text in enumerate(texts):
            (Path(folder) / f"{number}.md").write_text(f"begin {text}")
        found = read(Path(folder), words) if texts else ()
    assert all(len(chunk.text.split()) <= words for chunk in found)
    ids = [chunk.id for chunk in found]
    assert len(set(ids)) == len(ids)
    kept = [word for chunk in found for word in chunk.text.split()]
    assert kept == [word for text in texts for word in f"begin {text}".split()]


def test_one_file_is_enough_and_its_digest_is_of_its_text(tmp_path: Path) -> None:
    file = tmp_path / "facts.md"
    file.write_text("# A\nOne.\n")
    first = read_documents(file, 60, "here")
    assert [chunk.id for chunk in first.chunks] == ["facts.md#a"]
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "facts.md").write_text("# A\nOne.\n")
    assert read_documents(tmp_path / "moved", 60, "there").digest == first.digest
    file.write_text("# A\nTwo.\n")
    assert read_documents(file, 60, "here").digest != first.digest
    assert read_documents(tmp_path / "moved", 59, "there").digest != first.digest


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("x.pdf", b"%PDF-1.7\xff\xfe", "x.pdf` is not text in UTF-8"),
        ("x.bin", b"a\0b", "x.bin` is not text in UTF-8"),
        ("x.md", b"\n# only a heading\n", "holds no text"),
        (".keep", b"", "holds no text"),
    ],
)
def test_what_is_no_text_is_refused_in_a_line(
    tmp_path: Path, name: str, data: bytes, what: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError) as refused:
        read_documents(tmp_path, 60, "harness.yaml: targets.rag.retrieval.documents")
    assert what in refused.value.line
    assert "targets.rag" in refused.value.line
    assert "\n" not in refused.value.line


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder or file"):
        read(tmp_path / "docs")
