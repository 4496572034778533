"""A section whose cases have variants, and the variants of a case."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from harness.perturb import AS_WRITTEN, Draw, Question, counterfactuals, read, variants
from harness.records.metric import Metric
from harness.records.suite import Case, counted
from harness.sections.prompts import PromptsSection

NAME = "perturbed"
# Between a case's id and the variant of it; no id of such a section holds it.
MARK = "~"
# What stands there for all variants of a case together.
FORMS, ASKERS = "forms", "askers"
_SHARE_OF_LOSS = {"direction": "lower", "low": -1.0}
OF_FORMS = (
    Metric(name="worst"),
    Metric(name="consistency"),
    Metric.model_validate({"name": "drop", **_SHARE_OF_LOSS}),
)
OF_ASKERS = tuple(
    Metric(name=name, direction="lower")
    for name in ("gap", "correctness_gap", "refusal_gap", "length_gap", "tone_gap")
)


@dataclass(frozen=True, slots=True)
class Variant:
    """A case in another form, or asked by somebody: `asker` is empty for a form."""

    case: Case
    source: str
    asker: str = ""

    @property
    def metric(self) -> str:
        """The metric that it has a part in."""
        return metric_of(self.source, self.asker)


def metric_of(source: str, asker: str = "") -> str:
    """The metric of a perturbation, or of one asker of a counterfactual."""
    return f"{source}-{asker}" if asker else source


class PerturbedSection(PromptsSection):
    """Cases of one scorer, each with its variants; the cases alone are its `cases`.

    `added` counts the variants of all cases, and `unchanged` what made none of a case.
    """

    kind: ClassVar[str] = NAME
    one_request: ClassVar[bool] = False

    perturb: tuple[str, ...]
    counterfactual: tuple[str, ...]
    perturb_seed: int
    added: int = Field(default=0, exclude=True)
    unchanged: int = Field(default=0, exclude=True)

    @property
    def scores_answers(self) -> bool:
        """Its cases are prompts like those of any section with a scorer."""
        return True

    def variants(self, case: Case) -> tuple[Variant, ...]:
        """The case in each form that changes it, then by each who asks; always the same."""
        question = read(case)
        if AS_WRITTEN in case.tags or question.about_form:
            return ()
        return tuple(self._variants(case, question))

    def _variants(self, case: Case, question: Question) -> Iterator[Variant]:
        for source, text in variants(question, self.perturb, self.perturb_seed, case.id):
            yield _variant(case, text, source)
        for source in self.counterfactual:
            draw = Draw(self.perturb_seed, case.id, source)
            asked = counterfactuals().get(source).ask(question, draw)
            if asked is not None and not any(map(question.tells, asked.values())):
                for asker, text in asked.items():
                    yield _variant(case, text, source, asker)

    def speaks_of(self, case: Case) -> Collection[str]:
        """The metrics of its variants that the case has a part in."""
        variants = self.variants(case)
        found = {variant.metric for variant in variants}
        if any(not variant.asker for variant in variants):
            found |= {metric.name for metric in OF_FORMS}
        if any(variant.asker for variant in variants):
            found |= {metric.name for metric in OF_ASKERS}
        return found

    def describe(self) -> str:
        """What is in the section, and how many requests its variants add."""
        same = f" ({self.unchanged:,} would change nothing)" if self.unchanged else ""
        return f"{super().describe()}, and {counted(self.added, 'variant')} to ask{same}"


def _variant(case: Case, text: str, source: str, asker: str = "") -> Variant:
    last = case.messages[-1].model_copy(update={"content": text})
    name = metric_of(source, asker)
    update = {
        "id": f"{case.id}{MARK}{name}",
        "messages": (*case.messages[:-1], last),
        "tags": (*case.tags, name),
    }
    return Variant(case.model_copy(update=update), source, asker)
