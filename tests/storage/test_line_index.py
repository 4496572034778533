from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import JournalError
from harness.records.attempt import Attempt, Failure, FailureCause
from harness.storage import line_index
from harness.storage.line_index import stored

LINES = st.lists(
    st.tuples(
        st.sampled_from("abcd"), st.booleans(), st.text(max_size=20), st.none() | st.just("r")
    )
)


def line(key: str, fails: bool, text: str, origin: str | None = None) -> str:
    place = {"key": key, "suite": "s", "section": "g", "case": key, "repeat": 0}
    if fails:
        failure = Failure(cause="reset", detail=text)
        return Attempt(**place, status="failed", failure=failure).model_dump_json()
    return Attempt(**place, status="answered", text=text, reused_from=origin).model_dump_json()


@given(lines=LINES)
def test_the_first_answer_counts_or_else_the_last_failure(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, bool, str, str | None]]
) -> None:
    path = tmp_path_factory.mktemp("s") / "attempts.jsonl"
    path.write_text("".join(line(*one) + "\n" for one in lines))
    found = stored(path, Attempt, torn_tail=False)
    origins = set()
    for key in "abcd":
        mine = [one for one in lines if one[0] == key]
        answers = [one for one in mine if not one[1]]
        assert (key in found) == bool(mine)
        assert (key in found.failed) == bool(mine and not answers)
        if answers:
            origins.add(answers[0][3])
            assert found[key].text == answers[0][2]
        elif mine:
            assert found[key].failure == Failure(cause="reset", detail=mine[-1][2])
    assert found.origins == origins
    assert list(found) == list(dict.fromkeys(one[0] for one in lines))


def test_a_line_longer_than_one_read(tmp_path: Path) -> None:
    path = tmp_path / "attempts.jsonl"
    path.write_text("".join(line(key, False, key * 50_000) + "\n" for key in "ab"))
    found = stored(path, Attempt, torn_tail=False)
    assert [one.text for one in found.values()] == ["a" * 50_000, "b" * 50_000]


def test_records_are_kept_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "attempts.jsonl"
    lines = [line(key, False, key * 100) + "\n" for key in "abc"]
    path.write_text("".join(lines))
    monkeypatch.setattr(line_index, "_KEPT", len(lines[0]) + len(lines[1]))
    found = stored(path, Attempt, torn_tail=False)
    first, second = list(found.values()), list(found.values())
    assert first == second
    same = [one is other for one, other in zip(first, second, strict=True)]
    assert same == [True, True, False]


def test_no_file_is_no_record(tmp_path: Path) -> None:
    assert not stored(tmp_path / "none.jsonl", Attempt, torn_tail=False)


def test_a_record_that_is_none_is_noticed_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "attempts.jsonl"
    path.write_text(line("a", False, "x") + "\n" + json.dumps({"key": "b", "status": "?"}) + "\n")
    found = stored(path, Attempt, torn_tail=False)
    assert found["a"].text == "x"
    with pytest.raises(JournalError, match=r"attempts\.jsonl:2: damaged line"):
        found["b"]


def test_a_torn_tail_is_passed_over_only_where_it_is_expected(tmp_path: Path) -> None:
    path = tmp_path / "attempts.jsonl"
    path.write_text(line("a", False, "x") + "\n" + line("b", False, "x"))
    assert set(stored(path, Attempt, torn_tail=True)) == {"a"}
    with pytest.raises(JournalError, match="torn line"):
        stored(path, Attempt, torn_tail=False)


def test_the_file_is_closed_with_its_last_reader(tmp_path: Path) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    path = tmp_path / "attempts.jsonl"
    path.write_text(line("a", False, "x") + "\n")
    before = open_files()
    found = stored(path, Attempt, torn_tail=False)
    assert open_files() == before + 1
    del found
    assert open_files() == before
    path.write_text("{\n")
    with pytest.raises(JournalError):
        stored(path, Attempt, torn_tail=False)
    assert open_files() == before


def test_an_answer_has_the_failures_that_came_before_it(tmp_path: Path) -> None:
    path = tmp_path / "attempts.jsonl"
    place = {"key": "k", "suite": "s", "section": "g", "case": "k", "repeat": 0}
    busy = Failure(cause="http", status=429, detail="")
    lost = Attempt(**place, status="failed", retried=("503",), failure=busy)
    broken = Attempt(**place, status="failed", failure=Failure(cause="reset", detail=""))
    said = Attempt(**place, status="answered", text="a", retried=("408",))
    path.write_text("".join(f"{one.model_dump_json()}\n" for one in (lost, broken, said, lost)))
    assert stored(path, Attempt, torn_tail=False)["k"].retried == (
        "earlier 503",
        "earlier 429",
        "repeated reset",
        "408",
    )


def test_what_failed_in_several_runs_is_marked_unless_the_server_was_down(tmp_path: Path) -> None:
    def failed(*segments: str, cause: FailureCause = "reset") -> tuple[str, ...]:
        """Why `k` was asked again: a small letter is a failure, a capital an answer, C a copy."""
        path, sizes, texts = tmp_path / "attempts.jsonl", [], ""
        for segment in segments:
            for one in segment:
                made = line(one.lower(), one.islower(), "", "r" if one == "C" else None)
                texts += made.replace('"cause":"reset"', f'"cause":"{cause}"') + "\n"
            sizes.append(len(texts))
        path.write_text(texts)
        found = stored(path, Attempt, torn_tail=False, segments=sizes)["k"].retried
        return tuple(one.removesuffix(cause).strip() for one in found)

    assert failed("kA", "kB", "K") == ("earlier", "repeated")
    assert failed("kA", "kB", "kD", "K") == ("earlier", "repeated", "repeated")
    assert failed("kA", "kb", "kb", "K") == ("earlier", "earlier", "earlier")
    assert failed("kA", "kb", "Bk", "K") == ("earlier", "earlier", "repeated")
    assert failed("kb", "Ck", "K") == ("earlier", "earlier")
    assert failed("kb", "kb", "K", cause="stalled") == ("earlier", "repeated")
    assert failed("kabdefghij", "kabdefghij", "K", cause="stalled") == ("earlier", "earlier")
    assert failed("kabdefghijM", "kabdefghijN", "K", cause="stalled") == ("earlier", "repeated")
