"""The ledger: a side for each group, for good, and rows that stand on the wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.ledger import (
    LEDGER,
    Entry,
    Header,
    Ledger,
    Side,
    check_training,
    open_ledger,
    read_ledger,
)
from harness.errors import UsageError

AT = "2026-01-01T00:00:00Z"


def ledger(share: float = 0.5, salt: str = "salt-of-tests") -> Ledger:
    return Ledger(Path("nowhere"), Header(salt=salt, suite_share=share))


def entry(group: str, side: Side, question: str, state: str = "accepted") -> Entry:
    return Entry.model_validate(
        {"group": group, "side": side, "state": state, "questions": [question], "at": AT}
    )


@given(st.text(min_size=1), st.floats(0.01, 0.99))
def test_a_side_depends_on_salt_and_name_alone(name: str, share: float) -> None:
    assert ledger(share).side_of(name) == ledger(share).side_of(name)


def test_sides_are_drawn_by_the_share_and_another_salt_draws_others() -> None:
    names = [f"q-{number}" for number in range(4000)]
    sides = [ledger(0.25).side_of(name) for name in names]
    # Six standard errors of a share of 4,000.
    assert abs(sides.count("suite") / 4000 - 0.25) < 6 * (0.25 * 0.75 / 4000) ** 0.5
    assert sides != [ledger(0.25, "another-salt").side_of(name) for name in names]


def test_what_is_added_is_read_again(tmp_path: Path) -> None:
    assert read_ledger(tmp_path) is None
    first = open_ledger(tmp_path, 0.5)
    side = first.side_of("a")
    first.add([entry("a", side, "How?", "proposed"), entry("a", side, "How?")])
    again = open_ledger(tmp_path, 0.9)
    assert again.header == first.header
    assert again.groups == {"a": entry("a", side, "How?")}


def test_a_line_that_moves_a_group_is_refused(tmp_path: Path) -> None:
    first = open_ledger(tmp_path, 0.5)
    side = first.side_of("a")
    first.add([entry("a", side, "How?")])
    path = tmp_path / LEDGER
    other = "training" if side == "suite" else "suite"
    path.write_text(path.read_text() + entry("a", other, "How?").model_dump_json() + "\n")
    with pytest.raises(UsageError, match=f"`a` is for {side}, and this line moves it") as error:
        read_ledger(tmp_path)
    assert error.value.where.endswith("ledger.jsonl:3")


@pytest.mark.parametrize(
    "text", ["{", '{"group": "a"}', '{"salt": "longenough", "suite_share": 2}']
)
def test_a_damaged_ledger_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / LEDGER).parent.mkdir()
    (tmp_path / LEDGER).write_text(text + "\n")
    with pytest.raises(UsageError, match="is no line of a ledger"):
        read_ledger(tmp_path)


def test_rows_on_the_wrong_side_are_found_by_question_and_by_group() -> None:
    known = ledger()
    known.groups = {
        "a": entry("a", "suite", "Where is my parcel?"),
        "b": entry("b", "training", "Do you sell socks?"),
        "c": entry("c", "suite", "Not taken up yet?", "proposed"),
        "d": entry("d", "suite", "Dismissed?", "dismissed"),
    }
    rows = [
        ("1", "x", ["where is MY parcel"]),
        ("2", "a", ["Another wording"]),
        ("3", "x", ["Do you sell socks?"]),
        ("4", "x", ["Not taken up yet?"]),
        ("5", "x", ["Dismissed?"]),
        ("6", "x", ["Something else?"]),
    ]
    assert [one.place for one in known.misplaced(rows, "training")] == ["1", "2"]
    assert [one.place for one in known.misplaced(rows, "suite")] == ["3"]


def test_a_row_on_the_wrong_side_is_one_line(tmp_path: Path) -> None:
    known = open_ledger(tmp_path, 0.5)
    name = next(f"q-{n}" for n in range(99) if known.side_of(f"q-{n}") == "suite")
    known.add([entry(name, "suite", "Where is my parcel?")])
    check_training(tmp_path, [("d.jsonl:1", "x", ["Who are you?"])])
    with pytest.raises(UsageError) as error:
        check_training(tmp_path, [("d.jsonl:7", "x", ["Where is my parcel?"])])
    assert error.value.line == (
        f"d.jsonl:7: stands in training, and its group `{name}` was given to suite - take it out: "
        "what data/ledger.jsonl has decided stays so"
    )
