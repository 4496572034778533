"""The index: what it finds, in which order, and that it is made once for the same documents."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.retrieval import index as module
from harness.retrieval.documents import read_documents
from harness.retrieval.index import Index, open_index

FACTS = """# Facts

Tents are waterproof.

Returned tents are refunded within a week.

Lamps need two batteries.

Lamps need two batteries.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "facts.md").write_text(FACTS)
    return tmp_path


def made(folder: Path) -> Index:
    return open_index(read_documents(folder / "docs", 7, "here"), folder / "cache")


def test_the_passage_with_the_rarer_words_is_first(folder: Path) -> None:
    first, second = made(folder).search("When will my tent be refunded?", 4)
    assert first.text == "Facts\nReturned tents are refunded within a week."
    assert second.text == "Facts\nTents are waterproof."
    assert first.score > second.score > 0.0


def test_no_more_than_k_are_found_and_equals_keep_their_order(folder: Path) -> None:
    found = made(folder).search("lamps", 1)
    assert [one.id for one in found] == ["facts.md#facts/3"]
    assert [one.id for one in made(folder).search("lamps", 9)] == [
        "facts.md#facts/3", "facts.md#facts/4",
    ]  # fmt: skip


@pytest.mark.parametrize("question", ["", "the of and", "Zanzibar?"])
def test_a_question_without_a_known_word_finds_nothing(folder: Path, question: str) -> None:
    assert made(folder).search(question, 3) == ()


def test_it_is_made_once_for_the_same_documents(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(folder).search("tent", 2)
    bm25s, _ = module._packages()
    monkeypatch.setattr(bm25s.BM25, "index", None)  # what would make it again
    assert made(folder).search("tent", 2) == first
    (folder / "docs" / "facts.md").write_text(FACTS + "\nTents are blue.\n")
    with pytest.raises(TypeError):
        made(folder)


def test_an_index_of_another_version_is_made_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(folder).search("tent", 2)
    monkeypatch.setattr(module, "installed_versions", lambda names: {"bm25s": "9.9"})
    assert made(folder).search("tent", 2) == first
    assert len(list((folder / "cache").iterdir())) == 2


@pytest.mark.parametrize("name", ["data.csc.index.npy", "params.index.json", "vocab.index.json"])
def test_a_damaged_index_is_made_again(folder: Path, name: str) -> None:
    first = made(folder).search("tent", 2)
    (kept,) = (folder / "cache").iterdir()
    (kept / name).write_bytes(b"no index")
    assert made(folder).search("tent", 2) == first
    assert (kept / name).read_bytes() != b"no index"


def test_without_its_packages_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "bm25s":
            raise ImportError("no module", name="bm25s")
        return usual(name, *rest)

    module._packages.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"pip install 'harness\[retrieval\]'"):
        made(folder)
