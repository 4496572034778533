"""Logs in any form, without personal data, with what was said of the answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from harness.data.collect.requests import Columns, LoggedRequest, read_log, users


def write(path: Path, rows: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def chat(*turns: str, **more: Any) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {
        "messages": [{"role": roles[n % 2], "content": text} for n, text in enumerate(turns)],
        **more,
    }


def test_no_personal_data_is_left_anywhere(tmp_path: Path) -> None:
    rows = [chat("I am jo.doe@example.org", "Write to jo.doe@example.org", "ok?", "yes",
                 fixed="Ask jo.doe@example.org", rejectable="x")]  # fmt: skip
    rows.append({"messages": [{"role": "tool", "content": "jo.doe@example.org"}]})
    log = read_log([write(tmp_path / "l.jsonl", rows)], Columns(correction="fixed"))
    assert "jo.doe" not in repr(log)
    assert log.requests[0].turns[0][1] == "I am <EMAIL_1>"
    assert log.requests[0].correction == "Ask <EMAIL_1>"
    assert log.rejected.total() == 1


def test_a_question_of_several_people_is_one_question(tmp_path: Path) -> None:
    rows = [chat(f"Write to {name}@example.org?", "Yes.") for name in ("jo", "ann", "jo")]
    log = read_log([write(tmp_path / "l.jsonl", rows)])
    assert {one.turns[0][1] for one in log.requests} == {"Write to <EMAIL_1>?"}


def test_a_column_in_which_no_row_has_anything_is_told(tmp_path: Path) -> None:
    rows = [chat("Hi?", "Hello.", score=0, better="", meta={"user": "a"}), chat("Hi?", "Hello.")]
    columns = Columns(rating="score", correction="better", user="meta.usr")
    log = read_log([write(tmp_path / "l.jsonl", rows)], columns)
    assert log.empty_columns == ("better", "meta.usr")


@pytest.mark.parametrize(
    ("rating", "low", "bad"),
    [
        (False, 0.0, True), (True, 0.0, False), (-1, 0.0, True), (0, 0.0, True), (1, 0.0, False),
        (2, 2.0, True), ("1", 2.0, True), ("thumbs_down", 0.0, True), ("Down", 0.0, True),
        ("up", 0.0, False), (None, 0.0, False), ("", 0.0, False), ([], 0.0, False),
    ],
)  # fmt: skip
def test_a_rating_is_bad_by_number_word_or_truth(
    tmp_path: Path, rating: object, low: float, bad: bool
) -> None:
    path = write(tmp_path / "l.jsonl", [chat("Hi?", "Hello.", meta={"stars": rating})])
    (one,) = read_log([path], Columns(rating="meta.stars", low=low)).requests
    assert one.rated_down == bad


def test_forms_that_hold_a_better_or_a_bad_answer_say_so(tmp_path: Path) -> None:
    pair = write(tmp_path / "p.jsonl", [{"prompt": "Q?", "chosen": "Good.", "rejected": "Bad."}])
    marked = write(
        tmp_path / "k.jsonl",
        [
            {"prompt": "Q?", "completion": text, "label": text == "Good."}
            for text in ("Good.", "Bad.")
        ],
    )
    (one,) = read_log([pair]).requests
    assert (one.answer, one.correction, one.rated_down) == ("Bad.", "Good.", False)
    assert [one.rated_down for one in read_log([marked]).requests] == [False, True]


def test_scores_of_traces_may_be_in_a_file_of_their_own(tmp_path: Path) -> None:
    seen = write(tmp_path / "o.jsonl", [
        {"id": f"o{n}", "traceId": f"t{n}", "type": "GENERATION", "input": "Q?", "output": "A."}
        for n in range(3)
    ])  # fmt: skip
    scores = write(tmp_path / "s.jsonl", [
        {"traceId": "t1", "name": "user", "value": 0}, {"traceId": "t2", "name": "user", "value": 1}
    ])  # fmt: skip
    for files in ([seen, scores], [scores, seen]):
        assert [one.rated_down for one in read_log(files).requests] == [False, True, False]


def test_the_turns_before_the_answer_begin_and_end_with_the_users(tmp_path: Path) -> None:
    row = chat("One?", "A.", "Two?", "B.")
    row["messages"].insert(0, {"role": "system", "content": "Be kind."})
    (one,) = read_log([write(tmp_path / "l.jsonl", [row])]).requests
    assert one.asked_turns == ("One?", "A.", "Two?")
    assert one.answer == "B."


def test_who_is_not_known_is_somebody_of_their_own() -> None:
    requests = [LoggedRequest("a", (), user=user) for user in ("x", "", "x", "")]
    assert len(set(users(requests))) == 3
