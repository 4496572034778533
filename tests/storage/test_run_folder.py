from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import EvidenceError, HarnessError, JournalError
from harness.records.attempt import Attempt, Failure, Score, Term
from harness.records.run import RunHeader
from harness.storage import RunFolder, newest_finished, runs_of


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


def test_a_run_of_its_suites_goes_before_a_newer_one_for_a_section_alone(tmp_path: Path) -> None:
    assert newest_finished(tmp_path, "t") is None
    folder = RunFolder(tmp_path / "t-b")
    write(folder, answered("a"))
    later = {"sections": [], "created": "2026-02-01T00:00:00Z"}
    folder.write_header(RunHeader.model_validate(HEADER | later))
    folder.finish([], None, "2026-02-01T00:00:00Z")
    newest = newest_finished(tmp_path, "t")
    assert newest is not None
    assert newest.path == folder.path
    whole = finished(RunFolder(tmp_path / "t-a"), answered("a"))
    newest = newest_finished(tmp_path, "t")
    assert newest is not None
    assert newest.path == whole.path


def test_a_header_that_cannot_be_read_is_in_the_way_of_its_own_target_alone(
    tmp_path: Path,
) -> None:
    name = "t-0123456789ab"
    finished(RunFolder(tmp_path / name), answered("a"))
    damaged = tmp_path / "t-v2-0123456789ab" / "run.json"
    damaged.parent.mkdir()
    damaged.write_text('{"run_id": ')
    assert [folder.path.name for folder, _ in runs_of(tmp_path, "t")] == [name]
    for breaks in (lambda: damaged.write_text("{}"), lambda: (damaged.unlink(), damaged.mkdir())):
        breaks()
        assert len(runs_of(tmp_path, "t")) == 1
        with pytest.raises(HarnessError, match=r"t-v2-0123456789ab/run\.json: "):
            runs_of(tmp_path, "t-v2")


def test_a_header_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(JournalError) as caught:
        RunFolder(tmp_path).header()
    assert caught.value.what.startswith("is no header of a run: run_id: missing key")
    assert caught.value.where == str(tmp_path / "run.json")
    assert caught.value.hint == (
        "put it back as it was, or delete the run's folder and run with --no-cache"
    )


def test_a_journal_begun_anew_keeps_the_old_one_aside(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write(folder, answered("a"))
    with folder.writing(lambda: True) as journal:
        journal.append(answered("b").model_dump_json())
    assert set(folder.attempts()) == {"b"}
    assert (tmp_path / "attempts.replaced-1.jsonl").read_text().count("\n") == 1


def scored(attempt: Attempt, value: float = 1.0) -> Score:
    return Score(key=attempt.key, suite="s", section="g", case=attempt.case, repeat=0, group="x",
                 critical=False, status="scored", state="ok", value=value, passed=value == 1.0,
                 terms={"accuracy": Term(num=value, den=1.0)})  # fmt: skip


def finished(folder: RunFolder, *attempts: Attempt, scorers: str | None = "v1") -> RunFolder:
    write(folder, *attempts)
    folder.write_header(RunHeader.model_validate(HEADER))
    folder.finish(((scored(one), one) for one in attempts), scorers, "2026-01-01T00:00:00Z")
    return folder


HEADER = {
    "run_id": "t-1", "target": "t", "generation": {"repeats": 1}, "system_prompts": {},
    "identity": {"server": "x", "server_version": "1", "model": "m"}, "suites": {"s": "d"},
    "selection": {}, "planned": 2, "config_digest": "c", "created": "2026-01-01T00:00:00Z",
    "sections": [{"suite": "s", "section": "g", "scorer": "gold", "metrics": ["accuracy"],
                  "planned": 2}],
}  # fmt: skip


def test_a_finished_run_says_in_its_header_what_it_amounts_to(tmp_path: Path) -> None:
    folder = finished(RunFolder(tmp_path), answered("a"), answered("b"))
    run = folder.load()
    assert run.header.summary == run.summary
    assert run.summary.accounting.scored == 2
    assert run.summary.metrics == {"s.g.accuracy": 1.0}
    assert [one.key for one in run.attempts] == [one.key for one in run.scores] == ["a", "b"]
    assert list(run.attempts) == list(run.attempts), "records can be gone through again"


def test_what_was_scored_stands_until_scorers_or_files_change(tmp_path: Path) -> None:
    folder = finished(RunFolder(tmp_path), answered("a"), answered("b"))
    assert folder.scored_by("v1")
    assert not folder.scored_by("v2")
    assert not folder.scored_by(None)
    path = tmp_path / "scores.jsonl"
    whole = path.read_text()
    path.write_text(whole.replace("1.0", "0.0"))
    assert not folder.scored_by("v1")
    with pytest.raises(JournalError, match=r"scores\.jsonl: was changed after the run"):
        list(folder.load().scores)
    path.write_text(whole)
    assert folder.scored_by("v1")
    with folder.writing():
        assert not folder.scored_by("v1")
    with pytest.raises(EvidenceError, match="no finished run"):
        folder.load()


def test_scorers_that_nothing_is_known_of_never_count_as_the_same(tmp_path: Path) -> None:
    folder = finished(RunFolder(tmp_path), answered("a"), scorers=None)
    assert not folder.scored_by(None)


def test_a_reader_keeps_what_it_opened(tmp_path: Path) -> None:
    """As somebody does who looks at scores while the run that makes them ends."""
    folder = finished(RunFolder(tmp_path), answered("a"), answered("b"))
    before = folder.scores()
    folder.finish([(scored(answered("b"), 0.0), answered("b"))], "v2", "2026-01-02T00:00:00Z")
    assert [one.value for one in before.values()] == [1.0, 1.0]
    assert [one.value for one in folder.scores().values()] == [0.0]


def test_scores_are_there_while_the_run_is_under_way(tmp_path: Path) -> None:
    folder = finished(RunFolder(tmp_path), answered("a"))
    with folder.writing(), folder.scoring() as scores:
        assert not folder.scores()
        scores.append(scored(answered("b")).model_dump_json())
        assert set(folder.scores()) == {"b"}
