"""A choice: who of several candidates that pass is left, and why, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations

from harness.records.recommendation import Advantage, Choice
from harness.records.verdict import Verdict

Pair = tuple[str, str]


def choose(
    passing: Sequence[str], found: Sequence[Advantage], unknown: Collection[Pair] = ()
) -> tuple[Choice, tuple[str, ...]]:
    """What kind of choice there is among those that pass, and whom it names.

    `unknown` are the pairs that were not compared, each in the order of `passing`.
    """
    if not passing:
        return "none", ()
    left = remaining(passing, found)
    if _torn(left, found):
        return "trade_off", ()
    if _untold(left, unknown):
        return "not_compared", ()
    return ("one" if len(left) == 1 else "equal"), left


def remaining(passing: Sequence[str], found: Sequence[Advantage]) -> tuple[str, ...]:
    """Those that no other is above.

    One is above another that it beats in a metric and that beats it in none, and above those that
    the other is above. Where that leads back to itself, nobody of the circle is above the rest.
    """
    wins = {(one.better, one.worse) for one in found}
    above = {(better, worse) for better, worse in wins if (worse, better) not in wins}
    for middle in passing:
        over = [first for first, second in above if second == middle]
        under = [second for first, second in above if first == middle]
        above |= {(first, second) for first in over for second in under}
    beaten = {worse for better, worse in above if (worse, better) not in above}
    return tuple(name for name in passing if name not in beaten)


def _untold(left: Sequence[str], unknown: Collection[Pair]) -> list[Pair]:
    """The pairs that were not compared among those, and of a single one with anybody."""
    if len(left) == 1:
        return [pair for pair in unknown if left[0] in pair]
    return [pair for pair in combinations(left, 2) if pair in unknown]


def _torn(left: Collection[str], found: Sequence[Advantage]) -> set[str]:
    """Those of them that are better and worse than each other."""
    among = [one for one in found if one.better in left and one.worse in left]
    return {name for one in among for name in (one.better, one.worse)}


def reason(
    choice: Choice,
    verdicts: Mapping[str, Verdict],
    found: Sequence[Advantage],
    unknown: Collection[Pair],
) -> str:
    """Why the choice is what it is, in one sentence."""
    if choice == "none":
        counted = Counter(verdict.verdict for verdict in verdicts.values())
        told = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
        return f"the policy promotes none of {len(verdicts)}: {told}"
    passing = promoted(verdicts)
    left = remaining(passing, found)
    beaten = [_beaten(name, found) for name in passing if name not in left]
    if choice == "one":
        only = f", alone of {len(verdicts)}" if len(verdicts) > 1 and not beaten else ""
        first = [f"`{left[0]}` passes every rule{only}"]
    elif choice == "trade_off":
        first = list(_trade_off(left, found))
    elif choice == "equal":
        either = "either" if len(left) == 2 else "any"
        first = [f"{listed(left)} pass every rule and cannot be told apart: take {either}"]
    elif len(left) == 1:
        others = [name for pair in _untold(left, unknown) for name in pair if name != left[0]]
        first = [f"`{left[0]}` passes every rule and was not compared with {listed(others)}"]
    elif all(pair in unknown for pair in combinations(left, 2)):
        first = [f"{listed(left)} pass every rule and were not compared"]
    else:
        told = "none was found better than another, and some of them were not compared"
        first = [f"{listed(left)} pass every rule, {told}"]
    return "; ".join((*first, *beaten))


def promoted(verdicts: Mapping[str, Verdict]) -> list[str]:
    """The candidates that the policy promotes, in their order."""
    return [name for name, verdict in verdicts.items() if verdict.verdict == "PROMOTE"]


def _trade_off(left: Sequence[str], found: Sequence[Advantage]) -> Iterator[str]:
    torn = _torn(left, found)
    yield (
        f"{listed([name for name in left if name in torn])} pass every rule, and each is worse "
        "than another on a metric with a rule"
    )
    yield "the policy does not say which metric counts more"
    rest = [name for name in left if name not in torn]
    if rest:
        verbs = ("passes", "was") if len(rest) == 1 else ("pass", "were")
        yield f"{listed(rest)} {verbs[0]} too and {verbs[1]} found neither better nor worse"


def _beaten(name: str, found: Sequence[Advantage]) -> str:
    better = {one.worse for one in found if one.better == name}
    by = next(one for one in found if one.worse == name and one.better not in better)
    return f"`{name}` passes too and is worse than `{by.better}` in {by.metric}"


def listed(names: Sequence[str]) -> str:
    """Names in words: `a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}" if len(quoted) > 1 else quoted[0]
