"""What the chain of a journal and the log of journals notice, on files written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import JournalError
from harness.records.run import FileSeal, Link
from harness.storage.journal_chain import (
    JournalLog,
    check_beginning,
    check_chain,
    extended,
    seal_of,
)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "runs/r/attempts.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("one\n")
    return path


def grown(journal: Path, text: str) -> None:
    with journal.open("a") as file:
        file.write(text)


def test_each_segment_is_chained_to_those_before(journal: Path) -> None:
    chain = extended((), "r", seal_of(journal))
    assert extended(chain, "r", seal_of(journal)) == chain, "nothing was added"
    grown(journal, "two\n")
    chain = extended(chain, "r", seal_of(journal))
    assert [link.size for link in chain] == [4, 8]
    grown(journal, "of a process that runs")
    check_chain(chain, "r", journal)
    with pytest.raises(JournalError, match="the chain of the journal's segments is broken"):
        check_chain(chain, "another", journal)
    forged = Link(size=4, digest=seal_of(journal).digest, link=chain[0].link)
    with pytest.raises(JournalError, match="is broken"):
        check_chain((forged, *chain[1:]), "r", journal)
    journal.write_text("One\ntwo\n")
    with pytest.raises(JournalError, match="was changed after it was written"):
        check_chain(chain, "r", journal)


def test_a_beginning_that_is_too_short_is_another(journal: Path) -> None:
    check_beginning(journal, FileSeal(size=0, digest=seal_of(journal, 0).digest))
    with pytest.raises(JournalError, match="was changed"):
        check_beginning(journal, FileSeal(size=9, digest=seal_of(journal).digest))


def test_the_log_knows_what_was_written_here(journal: Path) -> None:
    log = JournalLog(journal.parent.parent)
    assert not log.whole("r", journal), "nothing is known of it"
    journal.unlink()
    log.note("r", journal, opened=True)
    journal.write_text("one\n")
    assert not log.whole("r", journal)
    log.note("r", journal)
    assert log.whole("r", journal)
    grown(journal, "laid there\n")
    assert not log.whole("r", journal)
    log.note("r", journal, opened=True)
    grown(journal, "two\n")
    log.note("r", journal)
    last = log.last("r")
    assert last is not None
    assert (last.foreign, last.size) == (11, 19)
    assert not log.whole("r", journal)
    journal.write_text("")
    log.note("r", journal, opened=True)
    log.note("r", journal)
    assert log.whole("r", journal), "it began anew"


def test_what_a_crash_left_was_written_here_and_what_was_fetched_was_not(journal: Path) -> None:
    log = JournalLog(journal.parent.parent)
    journal.write_text("")
    log.note("r", journal, opened=True)
    grown(journal, "before the power went\n")
    log.note("r", journal, opened=True)
    log.note("r", journal)
    assert log.whole("r", journal)
    journal.write_text("one of the same length\n"[:22])
    log.note("r", journal, fetched=True)
    assert not log.whole("r", journal)


def test_a_journal_that_is_gone_was_written_here_all_the_same(journal: Path) -> None:
    log = JournalLog(journal.parent.parent)
    for opened in (True, False):
        log.note("r", journal, opened=opened)
    assert not log.whole("r", journal)
    journal.unlink()
    log.note("r", journal)
    assert log.whole("r", journal)


def test_the_log_is_read_from_a_place_on_and_by_run(journal: Path) -> None:
    log = JournalLog(journal.parent.parent)
    assert (log.size, log.states("r"), log.last("r")) == (0, [], None)
    log.note("r", journal)
    before = log.size
    log.note("other", journal)
    log.note("r", journal, opened=True)
    assert [state.open for state in log.states("r", begin=before)] == [True]
    assert [state.open for state in log.states("r", end=before)] == [False]
    log.path.write_text('{"run": "r", "damaged"}\n')
    with pytest.raises(JournalError, match=r"journals.jsonl:1: .* delete that line"):
        log.last("r")


def test_what_a_power_cut_took_binds_nobody(journal: Path) -> None:
    log = JournalLog(journal.parent.parent)
    journal.unlink()
    log.note("r", journal, opened=True)
    journal.write_text("one\n")
    log.note("r", journal)
    log.note("r", journal, opened=True)
    grown(journal, "two\nthree\n")
    log.note("r", journal, opened=True)
    journal.write_text("one\ntwo\n")
    finished = log.finished("r")
    assert finished is not None
    assert finished.size == 4
    log.note("r", journal, opened=True)
    log.note("r", journal)
    assert log.whole("r", journal)
    journal.write_text("")
    log.note("r", journal, opened=True)
    assert log.finished("r") is None
