"""Tone: the share of a brand's voice checks that an answer holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.records.score import Term
from harness.records.suite import Case
from harness.scorers.normalize import first_of, words
from harness.scorers.patterns import SlowPattern, found
from harness.scorers.protocol import Judgement, Settings, Unscored
from harness.scorers.settings import count, known_keys, pattern, phrases

LONGEST_QUOTE = 200  # a pattern may match a whole answer; a reason is a sentence


@dataclass(frozen=True, slots=True)
class _Check:
    """Something that must, or must not, be in an answer: any of the phrases, or the pattern."""

    name: str
    wanted: bool
    phrases: tuple[str, ...] = ()
    regex: str = ""

    def complaint(self, answer: str, said: list[str]) -> str:
        """Why the check does not hold; empty where it holds.

        Raises:
            SlowPattern: the pattern took too long to tell.
        """
        hit = found(self.regex, answer) if self.regex else first_of(said, self.phrases)
        if (hit is not None) == self.wanted:
            return ""
        return (
            f"{self.name}: missing"
            if self.wanted
            else f"{self.name}: says `{(hit or '')[:LONGEST_QUOTE]}`"
        )


@dataclass(frozen=True, slots=True)
class _Rubric:
    checks: tuple[_Check, ...]
    min_words: int | None
    max_words: int | None

    @property
    def size(self) -> int:
        return len(self.checks) + (self.min_words is not None) + (self.max_words is not None)


class ToneScorer:
    """Gives `adherence`: the share of the section's and the case's own checks that hold."""

    name = "tone"
    metrics = ("adherence",)

    def check_section(self, settings: Settings) -> None:
        """Nothing, where the settings are at most a readable `rubric`.

        Raises:
            ValueError: `key: what is wrong`.
        """
        known_keys(settings, ("rubric",))
        if "rubric" in settings:
            _read_rubric(settings["rubric"])

    def check_case(self, case: Case, settings: Settings) -> None:
        """Nothing, where `expect` can be read and there is at least one check in all.

        Raises:
            ValueError: `key: what is wrong`.
        """
        rubric = _read_rubric(settings.get("rubric", {}))
        if not rubric.size + len(_read_case(case)):
            raise ValueError("must: neither the section's rubric nor the case has a check")

    def score(self, answer: str, case: Case, settings: Settings) -> Judgement | Unscored:
        """The judgement; passed where every check holds, else `reason` lists those broken.

        Unscored where the pattern of a check took too long to tell.
        """
        rubric = _read_rubric(settings.get("rubric", {}))
        checks = (*rubric.checks, *_read_case(case))
        said = words(answer)
        try:
            broken = [text for check in checks if (text := check.complaint(answer, said))]
        except SlowPattern as slow:
            return Unscored(str(slow))
        length = len(answer.split())
        if rubric.max_words is not None and length > rubric.max_words:
            broken.append(f"{length} words, at most {rubric.max_words}")
        if rubric.min_words is not None and length < rubric.min_words:
            broken.append(f"{length} words, at least {rubric.min_words}")
        total = rubric.size + len(checks) - len(rubric.checks)
        value = (total - len(broken)) / total
        reason = f"broken: {'; '.join(broken)}" if broken else f"all {total} checks hold"
        label = "off-voice" if broken else "on-voice"
        return Judgement(value, not broken, {"adherence": Term(num=value, den=1.0)}, label, reason)


def _read_rubric(rubric: Any) -> _Rubric:
    if not isinstance(rubric, Mapping):
        raise ValueError("rubric: must hold `must`, `must_not`, `min_words` or `max_words`")
    try:
        known_keys(rubric, ("must", "must_not", "min_words", "max_words"))
    except ValueError as error:
        raise ValueError(f"rubric.{error}") from None
    checks = []
    for key, wanted in (("must", True), ("must_not", False)):
        listed = rubric.get(key, [])
        if not isinstance(listed, list | tuple):
            raise ValueError(f"rubric.{key}: must be a list of checks")
        checks += [
            _read_check(item, f"rubric.{key}[{place}]", wanted) for place, item in enumerate(listed)
        ]
    least, most = (
        count(rubric[key], f"rubric.{key}") if key in rubric else None
        for key in ("min_words", "max_words")
    )
    if least is not None and most is not None and least > most:
        raise ValueError("rubric.min_words: is more than max_words")
    return _Rubric(tuple(checks), least, most)


def _read_check(item: Any, key: str, wanted: bool) -> _Check:
    if not isinstance(item, Mapping):
        raise ValueError(f"{key}: must be `{{name: …, any: […]}}` or `{{name: …, regex: …}}`")
    try:
        known_keys(item, ("name", "any", "regex"))
    except ValueError as error:
        raise ValueError(f"{key}.{error}") from None
    name = item.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"{key}.name: must be text")
    if ("any" in item) == ("regex" in item):
        raise ValueError(f"{key}: give either `any` or `regex`")
    if "any" in item:
        return _Check(name, wanted, phrases=phrases(item["any"], f"{key}.any"))
    return _Check(name, wanted, regex=pattern(item["regex"], f"{key}.regex"))


def _read_case(case: Case) -> list[_Check]:
    known_keys(case.expect, ("must", "must_not"))
    return [
        _Check(f"`{phrase}`", wanted, phrases=(phrase,))
        for key, wanted in (("must", True), ("must_not", False))
        if key in case.expect
        for phrase in phrases(case.expect[key], key)
    ]
