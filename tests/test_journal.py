from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import EvidenceError, JournalError
from harness.journal import RunFolder, runs_of
from harness.records.attempt import Attempt, Failure


def answered(key: str, text: str = "hi") -> Attempt:
    return Attempt(key=key, suite="s", section="g", case=key, repeat=0, status="answered",
                   text=text, finish_reason="stop")  # fmt: skip


def failed(key: str) -> Attempt:
    return Attempt(key=key, suite="s", section="g", case=key, repeat=0, status="failed",
                   failure=Failure(cause="reset", detail="gone"))  # fmt: skip


def write(folder: RunFolder, *attempts: Attempt) -> None:
    with folder.writing() as journal:
        for attempt in attempts:
            journal.append(attempt.model_dump_json(exclude_none=True))


def test_an_answer_outlives_failures_before_and_after_it(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "r")
    write(folder, failed("a"), answered("a", "first"), failed("a"), answered("a", "second"))
    assert folder.attempts()["a"].text == "first"


@given(cut=st.integers(min_value=0), texts=st.lists(st.text(), min_size=1, max_size=5))
@settings(max_examples=60)
def test_a_journal_cut_at_any_byte_loses_at_most_the_line_it_is_cut_in(
    tmp_path_factory: pytest.TempPathFactory, cut: int, texts: list[str]
) -> None:
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    attempts = [answered(f"k{i}", text) for i, text in enumerate(texts)]
    write(folder, *attempts)
    path = folder.path / "attempts.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: cut % (len(whole) + 1)])
    complete = path.read_bytes().count(b"\n")
    assert list(folder.attempts()) == [f"k{i}" for i in range(complete)]
    write(folder, answered("after"))
    assert set(folder.attempts()) == {f"k{i}" for i in range(complete)} | {"after"}


def test_damage_before_the_end_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write(folder, answered("a"), answered("b"))
    path = tmp_path / "attempts.jsonl"
    path.write_bytes(b'{"key": \n' + path.read_bytes())
    with pytest.raises(JournalError, match=r"attempts\.jsonl:1: damaged line"):
        folder.attempts()


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with folder.writing(), pytest.raises(JournalError, match="another process"):
        write(folder, answered("a"))


def test_loading_what_is_not_there(tmp_path: Path) -> None:
    assert RunFolder(tmp_path).header() is None
    assert runs_of(tmp_path, "t") == []
    with pytest.raises(EvidenceError, match="no finished run"):
        RunFolder(tmp_path).load()


def test_a_journal_begun_anew_keeps_the_old_one_aside(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write(folder, answered("a"))
    with folder.writing(anew=True) as journal:
        journal.append(answered("b").model_dump_json())
    assert set(folder.attempts()) == {"b"}
    assert (tmp_path / "attempts.replaced-1.jsonl").read_text().count("\n") == 1
