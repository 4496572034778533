"""How steady a judge was and what may have swayed it, from terms that its scores carry beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from harness.records.attempt import Attempt, Score, Term

# Terms beside the section's metric. Pairs of verdicts by one judge on the same question that
# differ, of all such pairs; comparisons that came out otherwise the other way round, of all; times
# that the first of two was chosen, of all choices; and whether a judge is kin of the target.
NOISE, ORDER, FIRSTS, KIN = "judge_noise", "judge_order", "judge_firsts", "judge_kin"
FEWEST = 10  # answers, below which nothing is said of a pattern in them
_STRONG = 0.3  # correlation with length
_LOPSIDED = 0.75  # share of decisions for the longer answer
_NONE = Term(num=0.0, den=0.0)

Scored = Sequence[tuple[Score, Attempt]]


def terms_of_tie(metric: str, *, kin: bool | None) -> dict[str, Term]:
    """The terms of a tie that no judge was asked for; whether a judge is kin may be unknown."""
    known = _NONE if kin is None else kin_term(kin=kin)
    tie = Term(num=0.5, den=1.0)
    return {metric: tie, NOISE: _NONE, ORDER: _NONE, FIRSTS: _NONE, KIN: known}


def kin_term(*, kin: bool) -> Term:
    """Whether a judge is kin of the target whose answer it judged."""
    return Term(num=float(kin), den=1.0)


def signs_of(
    candidate: Scored, baseline: Scored, judges: Sequence[str], *, pairwise: bool
) -> Iterator[tuple[str, str]]:
    """A code and words for each; no code where the verdicts cannot be trusted at all."""
    sides = {"candidate": _rated(candidate), "baseline": _rated(baseline)}
    who = f"the judge `{judges[0]}`" if len(judges) == 1 else f"the jury of {len(judges)}"
    scores = [score for side in sides.values() for score, _ in side]
    yield from _no_discrimination(who, sides, pairwise=pairwise)
    for name, side in sides.items():
        if _sum(KIN, (score for score, _ in side))[0]:
            yield "judge-kin", f"{who} is the {name} or has its base: it may favour its own family"
    changed, pairs = _sum(NOISE, scores)
    if pairs:
        yield (
            "judge-noise",
            f"asked the same again, {who} gave another verdict in {_of(changed, pairs)}",
        )
    changed, compared = _sum(ORDER, scores)
    if compared:
        what = f"{who} changed its verdict with the order of the answers in "
        what += f"{_of(changed, compared)} comparisons, which count as ties"
        firsts, choices = _sum(FIRSTS, scores)
        if choices:
            what += f"; it chose the answer shown first in {_of(firsts, choices)} choices"
        yield "judge-order", what
    yield from _length(who, sides, baseline, pairwise=pairwise)


def _rated(side: Scored) -> list[tuple[Score, Attempt]]:
    return [(score, attempt) for score, attempt in side if score.value is not None]


def _sum(name: str, scores: Iterable[Score]) -> tuple[float, float]:
    terms = [score.terms[name] for score in scores if name in score.terms]
    return sum(term.num for term in terms), sum(term.den for term in terms)


def _of(some: float, every: float) -> str:
    return f"{some:g} of {every:g} ({100 * some / every:.0f} %)"


def _no_discrimination(
    who: str, sides: dict[str, list[tuple[Score, Attempt]]], *, pairwise: bool
) -> Iterator[tuple[str, str]]:
    """One verdict for everything is that of a judge that tells nothing apart."""
    if pairwise:
        asked = [score for score, _ in sides["candidate"] if _sum(ORDER, [score])[1]]
        flips, compared = _sum(ORDER, asked)
        if len(asked) >= FEWEST and all(score.value == 0.5 for score in asked):
            how = "by the order that they stand in" if flips == compared else "as ties"
            yield "", f"{who} judged all {len(asked)} pairs {how}, so it tells nothing apart"
        return
    values = [score.value for side in sides.values() for score, _ in side]
    if len(values) >= FEWEST and len(set(values)) == 1:
        what = f"{who} judged all {len(values)} answers of both sides alike ({values[0]:g})"
        yield "", f"{what}, so it tells nothing apart"


def _length(
    who: str, sides: dict[str, list[tuple[Score, Attempt]]], baseline: Scored, *, pairwise: bool
) -> Iterator[tuple[str, str]]:
    if pairwise:
        texts = {(score.case, score.repeat): attempt.text or "" for score, attempt in baseline}
        longer = [
            (len(attempt.text or "") > len(texts[score.case, score.repeat]))
            == ((score.value or 0.0) > 0.5)
            for score, attempt in sides["candidate"]
            if score.value != 0.5
            and (score.case, score.repeat) in texts
            and len(attempt.text or "") != len(texts[score.case, score.repeat])
        ]
        if len(longer) >= FEWEST and not 1 - _LOPSIDED < np.mean(longer) < _LOPSIDED:
            won = f"the longer answer won {_of(sum(longer), len(longer))} decisions"
            yield "judge-length", f"{won} of {who}"
        return
    found = {}
    for name, side in sides.items():
        lengths = np.array([len(attempt.text or "") for _, attempt in side], dtype=np.float64)
        values = np.array([score.value for score, _ in side], dtype=np.float64)
        if values.size >= FEWEST and lengths.std() and values.std():
            found[name] = float(np.corrcoef(lengths, values)[0, 1])
    if any(abs(r) >= _STRONG for r in found.values()):
        shown = ", ".join(f"{r:+.2f} ({name})" for name, r in found.items())
        yield "judge-length", f"the verdicts of {who} go with the length of answers: r = {shown}"
