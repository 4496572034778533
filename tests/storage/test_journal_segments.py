"""Lines of a journal between a machine and a store: in order, whole, and merged by key."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import JournalError
from harness.records.attempt import Attempt
from harness.storage.journal_segments import LocalJournal, Segment, checked, missing, segments
from harness.storage.remote_store import Store

SEGMENTS = st.builds(
    Segment,
    freshness=st.integers(0, 12),
    token=st.text("0123456789abcdef", min_size=8, max_size=8),
    number=st.integers(1, 120_000),
)
KEYS = st.sampled_from(["a", "b", "c"])
LINES = st.lists(st.tuples(KEYS, st.booleans()), max_size=8)


def line(key: str, answered: bool, text: str = "hi") -> bytes:
    place = {"key": key, "suite": "s", "section": "g", "case": key, "repeat": 0}
    given = (
        {"status": "answered", "text": text}
        if answered
        else {"status": "failed", "failure": {"cause": "reset", "detail": text}}
    )
    return Attempt.model_validate({**place, **given}).model_dump_json().encode() + b"\n"


def merge(path: Path, lines: list[bytes]) -> int:
    """How often the journal was about to change."""
    changes: list[None] = []
    LocalJournal(path).merge(checked(lines, "there"), lambda: changes.append(None))
    return len(changes)


@given(st.lists(SEGMENTS, unique=True, max_size=6))
def test_segments_are_found_again_in_their_order(found: list[Segment]) -> None:
    store = Store.open(f"memory://{uuid4().hex}")
    for one in found:
        store.write(f"run/{one.name}", b"")
    store.write("run/attempts/notes.txt", b"")
    store.write("run/attempts/1-xyz-00001.jsonl", b"")
    expected = sorted(found, key=lambda one: (one.freshness, one.token, one.number))
    assert segments(store, "run") == expected


@given(st.integers(1, 20), st.data())
def test_a_gap_is_told_and_a_missing_end_cannot_be(count: int, data: st.DataObject) -> None:
    whole = [Segment(0, "0123abcd", number) for number in range(1, count + 1)]
    kept = data.draw(st.lists(st.sampled_from(whole), unique=True, min_size=1))
    last = max(one.number for one in kept)
    assert set(missing(kept)) == {one for one in whole if one.number < last} - set(kept)


def test_gaps_are_those_of_one_process() -> None:
    found = [Segment(0, "0000000a", 2), Segment(1, "0000000a", 1), Segment(0, "0000000b", 1)]
    assert missing(found) == [Segment(0, "0000000a", 1)]


@pytest.mark.parametrize("bad", [b"{}\n", b"no json\n", line("b", True)[:-1], b"\xff\n"])
def test_a_damaged_line_is_named(bad: bytes) -> None:
    with pytest.raises(JournalError) as caught:
        list(checked([line("a", True), bad], "s3://b/attempts/1.jsonl"))
    assert caught.value.line == (
        "s3://b/attempts/1.jsonl:2: damaged - delete that file; what it held is asked again"
    )


@given(ours=LINES, theirs=LINES)
def test_the_first_answer_stays_and_a_failure_gives_way(
    tmp_path_factory: pytest.TempPathFactory,
    ours: list[tuple[str, bool]],
    theirs: list[tuple[str, bool]],
) -> None:
    path = tmp_path_factory.mktemp("runs") / "attempts.jsonl"
    merge(path, [line(*one, "ours") for one in ours])
    before = path.read_bytes()
    changes = merge(path, [line(*one, "theirs") for one in theirs])
    after = path.read_bytes()
    assert after.startswith(before)
    assert changes == (after != before)
    answered = {key for key, good in (*ours, *theirs) if good}
    assert LocalJournal(path).answered == answered
    kept = [Attempt.model_validate_json(one) for one in after.splitlines()]
    answers = [one.key for one in kept if one.status == "answered"]
    assert sorted(answers) == sorted(answered)
    assert {one.key for one in kept} == {key for key, _ in (*ours, *theirs)}


def test_merging_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    path = tmp_path / "attempts.jsonl"
    lines = [line("a", True), line("b", False)]
    assert merge(path, lines) == 1
    assert merge(path, lines) == 0


def test_a_torn_end_gives_way_to_what_is_merged(tmp_path: Path) -> None:
    path = tmp_path / "attempts.jsonl"
    path.write_bytes(line("a", True) + line("b", True)[:10])
    merge(path, [line("c", True)])
    assert path.read_bytes() == line("a", True) + line("c", True)
