"""Parts of rows: whole sets, shares, and rows that are added later."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from harness.data.disjoint import DisjointSets
from harness.data.split.assign import Assigned, assign
from harness.data.split.rows import SplitRow
from harness.data.split.settings import SplitSettings

PARTS = {"train": 0.8, "validation": 0.1, "test": 0.1}
GROUPS = st.lists(st.integers(0, 30), min_size=1, max_size=60)


def row(
    number: int, group: str = "", *, source: str = "", stratum: str = "", time: float = 0.0
) -> SplitRow:
    name = f"row-{number}"
    return SplitRow(f"f:{number}", name, name, group, source, stratum, time)


def rows_of(groups: list[int], begin: int = 0) -> list[SplitRow]:
    return [row(begin + number, f"g{group}") for number, group in enumerate(groups)]


def divided(
    rows: list[SplitRow],
    settings: SplitSettings | None = None,
    known: dict[str, str] | None = None,
    until: tuple[float, ...] = (),
    joined: tuple[tuple[int, int], ...] = (),
) -> Assigned:
    sets = DisjointSets(len(rows))
    first: dict[str, int] = {}
    for number, one in enumerate(rows):
        if one.group:
            sets.join(first.setdefault(one.group, number), number)
    for pair in joined:
        sets.join(*pair)
    return assign(rows, sets, settings or SplitSettings(PARTS), known or {}, until)


def known_of(rows: list[SplitRow], done: Assigned) -> dict[str, str]:
    return {one.digest: part for one, part in zip(rows, done.parts, strict=True)}


@given(GROUPS, st.sampled_from(["", "stratify", "time"]))
def test_every_row_is_in_one_part_and_no_group_is_divided(groups: list[int], by: str) -> None:
    rows = [
        row(number, f"g{group}", stratum=str(group % 3), time=float(number))
        for number, group in enumerate(groups)
    ]
    settings = SplitSettings(PARTS, **{by: "column"}) if by else SplitSettings(PARTS)
    done = divided(rows, settings)
    assert set(done.parts) <= set(PARTS)
    for group in {one.group for one in rows}:
        assert len({part for one, part in zip(rows, done.parts, strict=True)
                    if one.group == group}) == 1  # fmt: skip


@given(GROUPS, GROUPS, st.sampled_from(["", "stratify", "time"]))
def test_added_rows_move_no_earlier_row(groups: list[int], more: list[int], by: str) -> None:
    rows = [row(number, f"g{group}", stratum=str(group % 3), time=float(number % 7))
            for number, group in enumerate([*groups, *more])]  # fmt: skip
    settings = SplitSettings(PARTS, **{by: "column"}) if by else SplitSettings(PARTS)
    first = rows[: len(groups)]
    before = divided(first, settings)
    known = known_of(first, before)
    after = divided(rows[::-1], settings, known, before.until)
    kept = known_of(rows[::-1], after)
    assert {digest: kept[digest] for digest in known} == known
    for group in {one.group for one in rows}:
        assert len({kept[one.digest] for one in rows if one.group == group}) == 1


@given(GROUPS, st.randoms())
def test_without_a_record_the_order_of_the_rows_and_other_groups_make_no_difference(
    groups: list[int], random: object
) -> None:
    rows = rows_of(groups)
    mixed = rows[::-1] + rows_of([99] * 3, begin=1000)
    alone, among = known_of(rows, divided(rows)), known_of(mixed, divided(mixed))
    assert {digest: among[digest] for digest in alone} == alone


def test_shares_are_met_as_closely_as_chance_lets_them() -> None:
    rows = rows_of(list(range(20_000)))
    counts = Counter(divided(rows).parts)
    for part, share in PARTS.items():
        # Six standard errors of a share of 20,000.
        assert abs(counts[part] / len(rows) - share) < 6 * (share * (1 - share) / len(rows)) ** 0.5


def test_another_salt_draws_another_split() -> None:
    rows = rows_of(list(range(200)))
    assert divided(rows).parts != divided(rows, SplitSettings(PARTS, salt="other")).parts


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from("ab")), min_size=1, max_size=80))
def test_each_stratum_has_its_shares_to_within_its_largest_set(
    drawn: list[tuple[int, str]],
) -> None:
    rows = [row(number, f"{stratum}{group}", stratum=stratum)
            for number, (group, stratum) in enumerate(drawn)]  # fmt: skip
    done = divided(rows, SplitSettings(PARTS, stratify="column"))
    for stratum in "ab":
        own = [part for one, part in zip(rows, done.parts, strict=True) if one.stratum == stratum]
        sizes = Counter(one.group for one in rows if one.stratum == stratum)
        for part, share in PARTS.items():
            largest = max(sizes.values(), default=0)
            assert own.count(part) <= share * len(own) + largest


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=60))
def test_by_time_no_part_holds_what_is_later_than_all_of_the_next(times: list[int]) -> None:
    rows = [row(number, time=float(time)) for number, time in enumerate(times)]
    done = divided(rows, SplitSettings(PARTS, time="column"))
    order = list(PARTS)
    by_time = sorted(zip((one.time for one in rows), done.parts, strict=True))
    assert [order.index(part) for _, part in by_time] == sorted(map(order.index, done.parts))


def test_by_time_a_group_counts_by_its_latest_row() -> None:
    rows = [row(number, time=float(number)) for number in range(9)]
    rows += [row(9, "late", time=0.0), row(10, "late", time=10.0)]
    done = divided(rows, SplitSettings({"train": 0.8, "test": 0.2}, time="column"))
    assert done.parts[9:] == ["test", "test"]
    assert "test" not in done.parts[:9]


def test_by_time_later_rows_go_by_the_known_times() -> None:
    rows = [row(number, time=float(number)) for number in range(10)]
    settings = SplitSettings({"train": 0.8, "test": 0.2}, time="column")
    before = divided(rows, settings)
    assert before.until == (7.0,)
    more = [*rows, row(10, time=3.0), row(11, time=99.0)]
    after = divided(more, settings, known_of(rows, before), before.until)
    assert after.parts[-2:] == ["train", "test"]


def test_a_new_row_between_two_parts_is_told_and_goes_with_its_group() -> None:
    rows = [row(0, "a"), row(1, "b"), row(2, "a"), row(3)]
    known = {"row-0": "train", "row-1": "test"}
    done = divided(rows, known=known, joined=((2, 1), (3, 2)))
    assert done.parts == ["train", "test", "train", "test"]
    assert done.bridges == [(2, ("train", "test")), (3, ("train", "test"))]
