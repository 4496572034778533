"""The Protocol of scorers, and their two results: a judgement, or unscored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.records.attempt import Term
from harness.records.metric import Metric
from harness.records.suite import Case

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A scored answer: its value, whether that is good enough, and its metric terms.

    The value is one that the section's first metric can have. `passed` is None for a grade, where
    no value is good enough by itself. `terms` holds one `Term` for each metric the case says
    something about; `label` is a short name of what the answer was, `reason` the evidence for it
    in one sentence.

    Raises:
        ValueError: a value that is not finite.
    """

    value: float
    passed: bool | None = None
    terms: dict[str, Term] = field(default_factory=dict)
    label: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"a judgement's value must be finite, got {self.value}")


@dataclass(frozen=True, slots=True)
class Unscored:
    """An answer that this scorer cannot judge, and why; never a stand-in for a bad answer.

    `label` is UNDETERMINED where the scorer has read the answer, and its text does not tell.
    """

    reason: str
    label: str = ""


class Scorer(Protocol):
    """Scores the answers of a section; it keeps no state between answers.

    What a suite writes for it is checked by pydantic models, where the class has them:
    `settings_model` for the keys of a section besides `cases`, `scorer` and `metrics`, and
    `expect_model` for a case's `expect`. `harness schema suite` shows the settings to editors. What
    models cannot say, the methods `check_section(settings)` and `check_case(case, settings)` can:
    each raises ValueError with `key: what is wrong`. A scorer without any of these takes whatever
    it is given.

    More are looked for: `measured`, how often it was found to be wrong and on what, which the
    report prints; `score_filtered(answer, case, settings)`, the judgement of an answer
    that a content filter stopped, which is unscored otherwise; and `lint(case, settings)` and
    `lint_section(cases, settings)`, pairs of a code and a sentence for what `harness lint` is to
    say of a case, and of all cases of a section. `section_metrics(settings)` are the metrics of a
    section, where they follow from its settings; `forbids` is set where an answer that says nothing
    may rightly pass; `plugins()` are the classes that score for it and come from other packages.
    """

    @property
    def name(self) -> str:
        """The name that a suite's `scorer:` asks for."""
        ...

    @property
    def metrics(self) -> Sequence[str | Metric]:
        """Every metric that the scorer can give a term for; a name alone is that of a share."""
        ...

    def score(self, answer: str, case: Case, settings: Settings) -> Judgement | Unscored:
        """The judgement of the answer, or why it cannot be scored.

        An exception or an exit means that the scorer itself is broken, and so does anything else
        than these two: the answer is then unscored.
        """
        ...
