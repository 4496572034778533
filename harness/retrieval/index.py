"""An index of passages by BM25, made once for the same documents and kept."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import UsageError
from harness.files import digest_json, make_folder, storage_error
from harness.records.attempt import Passage
from harness.retrieval.documents import Chunk, Documents
from harness.scorers.normalize import words
from harness.version import installed_versions

PACKAGES = ("bm25s", "pystemmer")


@dataclass(frozen=True, slots=True)
class Index:
    """Passages, ready to be searched."""

    chunks: tuple[Chunk, ...]
    ranking: Any  # bm25s has no types

    def search(self, question: str, k: int) -> tuple[Passage, ...]:
        """At most the `k` passages that share a word with the question, the best first.

        The score is that of BM25 as Lucene counts it (Robertson and Zaragoza 2009; k1 1.5,
        b 0.75). Of equals the one that comes first in the documents is first.
        """
        asked = [word for word in _terms(question) if word in self.ranking.vocab_dict]
        if not asked:
            return ()
        scores = self.ranking.get_scores(asked)
        best = np.argsort(-scores, kind="stable")[:k]
        return tuple(
            Passage(id=one.id, score=round(float(scores[place]), 4), text=one.whole)
            for place, one in ((place, self.chunks[place]) for place in best)
            if scores[place] > 0.0
        )


def open_index(documents: Documents, cache_folder: Path) -> Index:
    """The index of the documents: the kept one, or one made now and kept.

    One of other documents, or of another version of what makes it, is not found under its name;
    one that cannot be read is made again.

    Raises:
        UsageError: the packages are not installed.
        StorageError: it cannot be kept.
    """
    bm25s, _ = _packages()
    made_by = installed_versions(PACKAGES)
    name = digest_json([documents.digest, made_by]).removeprefix("sha256:")[:24]
    folder = cache_folder / name
    ranking = _kept(bm25s, folder, len(documents.chunks))
    if ranking is None:
        ranking = bm25s.BM25(method="lucene")
        ranking.index([_terms(chunk.whole) for chunk in documents.chunks], show_progress=False)
        _keep(ranking, folder)
    return Index(documents.chunks, ranking)


def _kept(bm25s: Any, folder: Path, count: int) -> Any:
    """The ranking in the folder; None where there is none of so many passages."""
    try:
        found = bm25s.BM25.load(folder, show_progress=False)
        return found if found.scores["num_docs"] == count else None
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is made again
        return None


def _keep(ranking: Any, folder: Path) -> None:
    """Put the ranking into the folder, whole or not at all; another process may do the same."""
    try:
        make_folder(folder.parent)
        begun = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
        try:
            ranking.save(begun, show_progress=False)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(begun, folder)
        except OSError:
            if not folder.is_dir():
                raise
        finally:
            shutil.rmtree(begun, ignore_errors=True)
    except OSError as error:
        raise storage_error(error, folder) from None


def _terms(text: str) -> list[str]:
    """What a text is searched by: the stems of its words that say something, in English."""
    bm25s, stemmer = _packages()
    left_out = bm25s.stopwords.STOPWORDS_EN
    stems: Sequence[str] = stemmer.stemWords([word for word in words(text) if word not in left_out])
    return list(stems)


@cache
def _packages() -> tuple[Any, Any]:
    """The module `bm25s`, and a stemmer of Snowball's."""
    try:
        import bm25s
        import Stemmer
    except ImportError as error:
        raise UsageError(
            f"`retrieval` needs the package `{error.name}`", hint="pip install 'harness[retrieval]'"
        ) from None
    return bm25s, Stemmer.Stemmer("english")
