"""Compliance: whether an answer keeps the rules of a section and of its case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Self

from pydantic import Field, model_validator

from harness.files import canonical_json
from harness.records.attempt import UNDETERMINED, Term
from harness.records.base import Record
from harness.records.suite import Case
from harness.scorers.compliance.packs import Pack, rules_of, with_lists
from harness.scorers.compliance.rule import AnyRule, Exchange, Finding, Rule, Wordings, kinds
from harness.scorers.protocol import Judgement, Settings, Unscored
from harness.scorers.scope import Language
from harness.validation import KeyProblem, nearest

OVERALL = "compliance"


class ComplianceSettings(Record):
    """A section's settings: packs of rules, rules of its own, and lists that their phrases name.

    `leave_out` names rules of the packs that are not wanted; `language` is that of the answers,
    which is guessed from each without it.
    """

    packs: tuple[Pack, ...] = ()
    leave_out: tuple[str, ...] = ()
    lists: dict[str, Wordings] = Field(default_factory=dict)
    rules: tuple[AnyRule, ...] = ()
    language: Language | None = None

    @model_validator(mode="before")
    @classmethod
    def _share_lists(cls, data: Any) -> Any:
        return with_lists(data) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        packed = [rule.name for pack in self.packs for rule in rules_of(pack)]
        for place, name in enumerate(self.leave_out):
            if name not in packed:
                raise KeyProblem(
                    f"no rule `{name}` in `packs`{nearest(name, packed)}", "leave_out", place
                )
        names = [OVERALL, *packed]
        for place, rule in enumerate(self.rules):
            if rule.name in names:
                raise KeyProblem(f"`{rule.name}` is taken", "rules", place, "name")
            names.append(rule.name)
        return self

    @property
    def all(self) -> tuple[Rule, ...]:
        """Every rule of the section, those of packs first."""
        packed = (rule for pack in dict.fromkeys(self.packs) for rule in rules_of(pack))
        return (*(rule for rule in packed if rule.name not in self.leave_out), *self.rules)


class ComplianceExpect(Record):
    """What a case adds: rules of its own, and which of the section's it calls for or leaves out.

    `customer` is whose records the answer may speak of.
    """

    rules: tuple[AnyRule, ...] = ()
    applies: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    customer: str | None = None


class ComplianceScorer:
    """Gives `compliance`, the share of answers that keep every rule, and the same for each rule."""

    name = "compliance"
    measured = (
        "on 86 labelled answers in plain words that its authors wrote, its packs find 96 % of the "
        "broken rules and 99 % of what they find is broken; of 102 in words chosen to be unlike "
        "them they found 25 %"
    )
    metrics = (OVERALL,)
    settings_model = ComplianceSettings
    expect_model = ComplianceExpect
    # An answer that says nothing breaks few rules, so that such a case is no weak one.
    forbids = True

    def section_metrics(self, settings: Settings) -> Sequence[str]:
        """`compliance`, and the name of each rule of the section."""
        return (OVERALL, *(rule.name for rule in _settings(settings).all))

    def plugins(self) -> Sequence[type]:
        """The classes of rules that may be at work."""
        return [kinds().get(name).model for name in kinds().names()]

    def check_case(self, case: Case, settings: Settings) -> None:
        """Nothing, where the case has a rule to keep and names rules that there are.

        Raises:
            ValueError: it names a rule that there is not, or has none to keep.
        """
        expect, section = _expect(case), _settings(settings).all
        names = [rule.name for rule in section]
        for key in ("applies", "leave_out"):
            for place, name in enumerate(getattr(expect, key)):
                if name not in names:
                    what = f"the section has no rule `{name}`{nearest(name, names)}"
                    raise KeyProblem(what, key, place)
        for place, rule in enumerate(expect.rules):
            if rule.name in names:
                raise KeyProblem(f"`{rule.name}` is taken", "rules", place, "name")
        if not _rules(case, settings):
            raise KeyProblem("neither the section nor the case has a rule", "rules")

    def score(self, answer: str, case: Case, settings: Settings) -> Judgement | Unscored:
        """The judgement; passed where every rule is kept, else `reason` lists those broken.

        Unscored where no rule is broken and one cannot be told.
        """
        section = _settings(settings)
        exchange, applies = Exchange(case, answer, section.language), _expect(case).applies
        rules = _rules(case, settings)
        found = [(rule, rule.judge(exchange, applies=rule.name in applies)) for rule in rules]
        own = {rule.name for rule in section.all}
        broken, unknown = _reasons(found, "broken"), _reasons(found, "unknown")
        if not broken and unknown:
            return Unscored(unknown, UNDETERMINED)
        # Both sides of a pair need a term of each rule; one that cannot be told weighs nothing.
        terms = {
            rule.name: Term(num=float(one.state == "kept"), den=float(one.state != "unknown"))
            for rule, one in found
            if rule.name in own and one.state != "idle"
        }
        terms[OVERALL] = Term(num=float(not broken), den=1.0)
        called = sum(finding.state != "idle" for _, finding in found)
        reason = broken or f"keeps all {called} rules that have a part"
        label = "violates" if broken else "complies"
        return Judgement(float(not broken), not broken, terms, label, reason)

    def lint_section(self, cases: Sequence[Case], settings: Settings) -> Iterator[tuple[str, str]]:
        """A code and a sentence for each rule that no answer to these cases can break."""
        for rule in _settings(settings).all:
            named = [case for case in cases if rule.name in _expect(case).applies]
            left = [case for case in cases if rule.name not in _expect(case).leave_out]
            why = "" if named else rule.unreachable(left) if left else "every case leaves it out"
            if why:
                yield "idle-rule", f"rule `{rule.name}` has no case that could break it: {why}"


def _reasons(found: Sequence[tuple[Rule, Finding]], state: str) -> str:
    return "; ".join(f"{rule.name}: {one.reason}" for rule, one in found if one.state == state)


def _settings(settings: Settings) -> ComplianceSettings:
    return _read_settings(canonical_json(dict(settings)))


def _expect(case: Case) -> ComplianceExpect:
    return _read_expect(canonical_json(case.expect))


def _rules(case: Case, settings: Settings) -> tuple[Rule, ...]:
    expect = _expect(case)
    kept = (rule for rule in _settings(settings).all if rule.name not in expect.leave_out)
    return (*kept, *expect.rules)


# What is written is read once for all answers that are judged by it.


@lru_cache(maxsize=64)
def _read_settings(written: str) -> ComplianceSettings:
    return ComplianceSettings.model_validate_json(written)


@lru_cache(maxsize=1024)
def _read_expect(written: str) -> ComplianceExpect:
    return ComplianceExpect.model_validate_json(written)
