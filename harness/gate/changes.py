"""What was changed in suites and policy between two gates of one candidate."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.records.attempt import Attempt, Score
from harness.records.history import PastGate
from harness.records.run import RunRecord
from harness.records.target import Generation
from harness.records.verdict import EvidenceWarning

MOST = 10  # versions of suites or policy that a gate is held against; changes that each tells
NAMED = 5
_Pair = tuple[Score, Attempt | None]


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier gate of the candidate; `run` is None where its answers are gone."""

    gate: PastGate
    run: RunRecord | None

    @property
    def words(self) -> str:
        """The gate in words."""
        verdict = self.gate.verdict
        return f"the gate of {verdict.created} ({verdict.verdict})"


def earlier_versions(gates: Iterable[PastGate], now: PastGate) -> tuple[PastGate, ...]:
    """The last gate on each other version of suites or policy since the last promotion.

    They are gates of the same candidate, by its name or by what it is, newest first.
    """
    found: dict[tuple[Any, ...], PastGate] = {}
    for gate in gates:
        if gate.policy is None or not _same_candidate(gate, now):
            continue
        if gate.promotion is not None:
            found.clear()
            continue
        found.pop(_version(gate), None)
        found[_version(gate)] = gate
    found.pop(_version(now), None)
    return tuple(reversed(found.values()))[:MOST]


def _same_candidate(one: PastGate, other: PastGate) -> bool:
    named = one.verdict.candidate == other.verdict.candidate
    if one.asked is None or other.asked is None:
        return named
    return named or one.asked.identity == other.asked.identity


def _version(gate: PastGate) -> tuple[Any, ...]:
    rules = {key: value for key, value in (gate.policy or {}).items() if key != "baseline"}
    return tuple(sorted(gate.suites.items())), repr(sorted(rules.items()))


def change_warnings(
    earlier: Sequence[Earlier], now: PastGate, run: RunRecord
) -> Iterator[EvidenceWarning]:
    """What the gate has otherwise than earlier ones of this candidate, the newest first.

    What several of them had is told once, of the newest. A gate on a part of the suites tells
    nothing.
    """
    told: set[str] = set()
    for one in () if run.header.selection else earlier:
        if one.run is not None and one.run.header.selection:
            continue
        for warning in (*_of_suites(one, now, run), *_of_policy(one, now)):
            said = warning.what.rpartition(" since ")[0]
            if (key := f"{warning.place}: {said}") not in told:
                told.add(key)
                yield warning


def _of_suites(one: Earlier, now: PastGate, run: RunRecord) -> Iterator[EvidenceWarning]:
    before = one.gate.suites
    changed = sorted(
        name for name in {*before, *now.suites} if before.get(name) != now.suites.get(name)
    )
    found: dict[str, list[str]] = {}
    if changed and one.run is not None:
        found = _changes(one.run, run, set(changed))
    for name in changed:
        whole = name not in before or name not in now.suites
        what = found.get(name, []) if not whole else []
        what = what or [_unknown(name, one, now)]
        for each in what:
            yield EvidenceWarning(
                code="suite-changed", place=name, what=f"{each} since {one.words}"
            )


def _unknown(name: str, one: Earlier, now: PastGate) -> str:
    if name not in now.suites:
        pairs = _by_place(one.run, {name}).values() if one.run is not None else ()
        then = f" (then {_outcomes(list(pairs))})" if pairs else ""
        return f"the whole suite is gone{then}"
    if name not in one.gate.suites:
        return "the suite is new"
    if one.run is None:
        return "the suite was changed, and the answers that would show how are gone,"
    return "the suite was changed, but no case, critical mark, question or outcome of an answer,"


def _changes(before: RunRecord, now: RunRecord, names: set[str]) -> dict[str, list[str]]:
    """What was changed in the suites, by their names."""
    old, new = _by_place(before, names), _by_place(now, names)
    gone, added, uncritical, reworded, rejudged = (defaultdict[str, list[_Pair]](list)
                                                   for _ in range(5))  # fmt: skip
    comparable = _asked_alike(before, now)
    tested = {case.score.key for case in before.recorded}  # whose keys are those of the run
    # Tests without results are in their suite all the same.
    untold = {*before.unrecorded, *now.unrecorded}
    for place, pair in old.items():
        score, attempt = pair
        if score.place in untold:
            continue
        if place not in new:
            gone[score.suite].append(pair)
            continue
        score_now, attempt_now = new[place]
        if score.critical and not score_now.critical:
            uncritical[score.suite].append(pair)
        if comparable and score.key not in tested and score.key != score_now.key:
            reworded[score.suite].append(pair)
        elif _text(attempt) == _text(attempt_now) and score.passed != score_now.passed:
            rejudged[score.suite].append(pair)
    for place, pair in new.items():
        if place not in old and pair[0].place not in untold:
            added[pair[0].suite].append(pair)
    told: defaultdict[str, list[str]] = defaultdict(list)
    for found, one, many in (
        (gone, "case is gone", "cases are gone"),
        (uncritical, "case is no longer critical", "cases are no longer critical"),
        (reworded, "case is asked in other words", "cases are asked in other words"),
        (rejudged, "answer is judged differently", "answers are judged differently"),
        (added, "case is new", "cases are new"),
    ):
        for suite, pairs in found.items():
            words = one if len(pairs) == 1 else many
            outcome = "" if found is added else f" (then {_outcomes(pairs)})"
            told[suite].append(f"{len(pairs)} {words}{outcome}: {_named(pairs)}")
    return told


def _by_place(run: RunRecord, names: set[str]) -> dict[tuple[str, str, int], _Pair]:
    attempts = {attempt.key: attempt for attempt in run.attempts if attempt.suite in names}
    return {
        (score.section, score.path, score.repeat): (score, attempts.get(score.key))
        for score in run.scores
        if score.suite in names
    }


def _asked_alike(before: RunRecord, now: RunRecord) -> bool:
    """Whether a case whose key differs must have other messages."""
    settings = [Generation.model_validate(run.header.generation) for run in (before, now)]
    same = [(each.sampling(), each.seed) for each in settings]
    return before.header.identity == now.header.identity and same[0] == same[1]


def _text(attempt: Attempt | None) -> str | None:
    return None if attempt is None else attempt.text


def _outcomes(pairs: Sequence[_Pair]) -> str:
    """The last outcomes in words: `2 failed, 1 passed`."""
    words = {True: "passed", False: "failed"}
    counts = Counter(
        score.status if score.status != "scored" or score.passed is None else words[score.passed]
        for score, _ in pairs
    )
    return ", ".join(f"{count} {what}" for what, count in counts.most_common())


def _named(pairs: Sequence[_Pair]) -> str:
    """Some of the cases, those that failed first."""
    first = sorted(pairs, key=lambda pair: (pair[0].passed is not False, not pair[0].critical))
    names = list(dict.fromkeys(f"{score.section}/{score.case}" for score, _ in first))
    more = ", …" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _of_policy(one: Earlier, now: PastGate) -> Iterator[EvidenceWarning]:
    before, after = one.gate.policy or {}, now.policy or {}
    changes = [
        f"{key} was {_value(before.get(key))} and is {_value(after.get(key))}"
        for key in sorted({*before, *after} - {"rules", "baseline"})
        if before.get(key) != after.get(key)
    ]
    # What is gone or new with a whole suite is told of the suite.
    suites = set(one.gate.suites) ^ set(now.suites)
    kept = [
        [rule for rule in policy.get("rules", ()) if not _on(rule, suites)]
        for policy in (before, after)
    ]
    changes += _of_rules(*kept)
    if len(changes) > MOST:
        more = len(changes) - MOST + 1
        changes[MOST - 1 :] = [f"{more} more settings and rules differ"]
    for each in changes:
        yield EvidenceWarning(
            code="policy-changed", place="policy", what=f"{each} since {one.words}"
        )


def _on(rule: Mapping[str, Any], suites: Container[str]) -> bool:
    return str(rule.get("metric") or "").partition(".")[0] in suites


def _of_rules(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    old, new = _by_name(before), _by_name(after)
    for name in old | new:
        if name not in new:
            yield f"rule {name} is gone"
        elif name not in old:
            yield f"rule {name} is new"
        else:
            keys = sorted({*old[name], *new[name]})
            for key in keys:
                was, is_ = old[name].get(key), new[name].get(key)
                if was != is_:
                    yield f"rule {name}: {key} was {_value(was)} and is {_value(is_)}"


def _by_name(rules: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The rules by metric and kind, numbered where some have the same."""
    found: dict[str, Mapping[str, Any]] = {}
    for rule in rules:
        name = " ".join(str(rule[key]) for key in ("metric", "require") if rule.get(key))
        number = sum(known.split(" #")[0] == name for known in found)
        found[f"{name} #{number + 1}" if number else name] = rule
    return found


def _value(value: Any) -> str:
    """A setting in words; the policy's defaults are not written down."""
    return (
        "the default" if value is None else f"{value:g}" if isinstance(value, float) else f"{value}"
    )
