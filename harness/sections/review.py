"""`review`: the answers of another section as people judged them; no server is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from harness.errors import EvidenceError, SuiteError
from harness.labels.files import project_labels
from harness.labels.usable import usable
from harness.labels.weights import group_weights
from harness.records.attempt import Term
from harness.records.base import Record
from harness.records.label import CORRECT, PREFERRED_OVER, Label
from harness.records.metric import Metric
from harness.records.run import RunRecord
from harness.records.suite import NAME_PATTERN, Section, Suite, Title, counted, titles_of
from harness.sections.evidence import LABELS
from harness.sections.rater_agreement import agreement_of, ratings_of
from harness.sections.work import CaseResult, SectionWork
from harness.storage import RunFolder
from harness.suites.source import LoadedSection, SectionSource
from harness.validation import nearest

# It becomes a part of a metric's name.
_Name = Annotated[str, Field(pattern=NAME_PATTERN)]
TaskName = Literal["label", "grade", "prefer"]
Measurement = Literal["nominal", "ordinal", "interval"]
POINTS = ("very poor", "poor", "fair", "good", "very good")


class Example(Record):
    """An answer with the level that it should get, which shows how a scale is meant."""

    answer: str = Field(min_length=1)
    value: float
    why: str = ""


class Criterion(Record):
    """One thing that people grade an answer by: its levels, 1 the first, and how to use them."""

    title: str = ""
    levels: tuple[str, ...] = Field(default=POINTS, min_length=2, max_length=9)
    measurement: Measurement = "ordinal"
    instructions: str = ""
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _examples_on_the_scale(self) -> Criterion:
        for example in self.examples:
            if example.value not in range(1, len(self.levels) + 1):
                raise ValueError(
                    f"an example has the value {example.value:g}; levels: 1 to {len(self.levels)}"
                )
        return self


DEFAULT_CRITERIA = {
    "relevance": Criterion(instructions="Does the answer deal with what was asked?"),
    "accuracy": Criterion(instructions="Is what the answer says true?"),
    "tone": Criterion(instructions="Does the answer sound as this assistant should?"),
    "natural-language": Criterion(
        title="natural language", instructions="Does the answer read as a person would write it?"
    ),
    "helpfulness": Criterion(instructions="Can the user go on with this answer?"),
}


class ReviewKeys(Record):
    """The keys of a section of people's judgements."""

    graded: str = Field(min_length=1)
    task: TaskName = "grade"
    criteria: dict[_Name, Criterion] | None = Field(default=None, min_length=1)
    at_least: float | None = None
    instructions: str = ""
    examples: tuple[Example, ...] = ()
    title: Title | dict[str, Title] | None = None
    optional: bool = False


class ReviewSection(Section):
    """What people say of the answers of the section `graded` of the same suite."""

    kind: ClassVar[str] = "review"

    scorer: str = "people"
    graded: str
    task: TaskName
    criteria: dict[str, Criterion] = Field(default_factory=dict)
    at_least: float | None = None
    instructions: str = ""
    examples: tuple[Example, ...] = ()

    @property
    def answers_of(self) -> str:
        """The section whose answers people judge."""
        return self.graded

    def describe(self) -> str:
        """What is judged, in a few words."""
        return f"what people say of the answers of {self.graded}"

    def missing(self, place: str) -> tuple[str, str]:
        """The message for a run whose answers nobody has judged yet."""
        hint = (
            "people grade them with `harness review`, its --export writes a file for `labels:` of "
            "the configuration, and a gate reads it"
        )
        return f"what people say, of {place}", hint


class ReviewKind:
    """Reads sections that people judge, and their labels; no server is asked.

    A gate does it: `harness run` makes the answers that people are to judge.
    """

    name = "review"
    key = "graded"
    keys = ReviewKeys
    needs_baseline = True

    def load(self, source: SectionSource) -> LoadedSection:
        """The section, with all that it writes as its part of the suite's digest.

        Raises:
            SuiteError: one line that names file and key.
        """
        written = source.read(ReviewKeys)
        others = [name for name in source.yaml.data["sections"] if name != source.name]
        if written.graded not in others:
            raise SuiteError(
                f"graded: no section `{written.graded}`{nearest(written.graded, others)}",
                where=source.place("graded"),
            )
        if written.criteria is not None and written.task != "grade":
            raise SuiteError(
                f"criteria: the task `{written.task}` has none", where=source.place("criteria")
            )
        criteria = (written.criteria or DEFAULT_CRITERIA) if written.task == "grade" else {}
        metrics = _metrics(source, written, criteria)
        try:
            titles = titles_of(written.title, metrics)
        except ValueError as error:
            raise SuiteError(f"title: {error}", where=source.place("title")) from None
        kept = written.model_dump(exclude={"title", "criteria"})
        section = source.build(
            ReviewSection, **kept, criteria=criteria, metrics=metrics, titles=titles
        )
        digest = written.model_dump(mode="json", exclude={"title"}, exclude_defaults=True)
        return LoadedSection(section, digest, "reviews")

    def run(self, work: SectionWork) -> None:
        """Return when the judgements of each job's answers are kept.

        Raises:
            UsageError: the project's files of labels cannot be read.
            EvidenceError: nobody has judged the answers of a target, and the section is not
                optional.
        """
        labels = project_labels(work.project)
        baseline = None if work.gate is None else work.gate.baseline
        for job in work.jobs:
            section = job.section
            assert isinstance(section, ReviewSection)
            run = RunFolder(work.project.runs / job.run.run_id).load()
            found = usable(labels, (job.suite,), (run,), work.project.config.targets)
            own = [
                label for label in found.by_run[0]
                if label.place == (job.suite.name, section.graded)
            ]  # fmt: skip
            results = judged(section, job.suite, run, own, baseline)
            what, hint = section.missing(".".join(job.place))
            lost = "".join(f"; {count} {why}" for why, count in found.left_out.items())
            if section.optional and lost:
                answers = counted(len(results), "answer")
                work.watcher.say(f"{job.target}: {answers} of {what}{lost}")
            if not results and section.optional:
                continue
            if not results:
                raise EvidenceError(f"`{job.target}` has nothing of {what}{lost}", hint=hint)
            work.rests_on(job, LABELS)
            work.keep(job, results, agreement(section, job.suite, labels, baseline))


def judged(
    section: ReviewSection,
    suite: Suite,
    run: RunRecord,
    labels: Sequence[Label],
    baseline: str | None,
) -> list[CaseResult]:
    """The value of each answer that people judged: the mean of its raters, criterion by criterion.

    Each counts as many times as the sample holds too few like it. The win rate is that against the
    baseline's answers; the baseline's own is one half.
    """
    graded = next(one for one in suite.sections if one.name == section.graded)
    cases = {
        # Critical cases decide a rule of their own, and no rule goes by what is optional.
        case.id: case.model_copy(update={"critical": case.critical and not section.optional})
        for case in graded.cases
    }
    texts = {
        (one.case, one.repeat): one.text or ""
        for one in run.attempts
        if one.place == (suite.name, section.graded)
    }
    by_answer: defaultdict[tuple[str, int], list[Label]] = defaultdict(list)
    for label in labels:
        if label.value is not None and _counts(section, label, baseline):
            by_answer[label.case, label.repeat].append(label)
    told = [label for each in by_answer.values() for label in each]
    weights = group_weights(told, {case.id: case.group for case in graded.cases})
    least = min(weights.values(), default=1.0)
    found = []
    for (case, repeat), given in sorted(by_answer.items()):
        means = _means(section, given, run.header.target == baseline)
        value = sum(means.values()) / len(means)
        weight = weights[cases[case].group] / least
        raters = counted(len({label.rater for label in given}), "rater")
        found.append(
            CaseResult(
                case=cases[case],
                value=value,
                passed=None if section.at_least is None else value >= section.at_least,
                terms=_terms(section, means, value, weight),
                reason=f"{', '.join(f'{one} {mean:.2g}' for one, mean in means.items())}; {raters}",
                repeat=repeat,
                text=texts[case, repeat],
            )
        )
    return found


def agreement(
    section: ReviewSection, suite: Suite, labels: Sequence[Label], baseline: str | None
) -> dict[str, float]:
    """Krippendorff's alpha by metric, of all that people said of the section's answers.

    The answers of all targets count, as people grade them side by side. The mean of several
    criteria has the lowest alpha of them; one that cannot be told is left out.
    """
    by_criterion: defaultdict[str, list[Label]] = defaultdict(list)
    for label in labels:
        twin = section.task == "prefer" and label.target == baseline
        if label.place != (suite.name, section.graded) or twin:
            continue
        if _counts(section, label, baseline):
            by_criterion[label.criterion].append(label)
    found = {}
    for name, given in by_criterion.items():
        level = section.criteria[name].measurement if name in section.criteria else "ordinal"
        if known := agreement_of(ratings_of(given), level):
            found[name] = known.estimate
    if not found or len(found) < len(section.criteria):
        whole = {}
    else:
        whole = {
            metric.name: min(found.values())
            for metric in section.metrics
            if not metric.name.startswith("mean_")
        }
    return whole | {f"mean_{name}": found[name] for name in found if len(section.criteria) > 1}


def _counts(section: ReviewSection, label: Label, baseline: str | None) -> bool:
    """Whether the section reads the label."""
    if section.task == "grade":
        return label.criterion in section.criteria
    if section.task == "label":
        return label.criterion == CORRECT
    over = label.criterion.startswith(PREFERRED_OVER)
    return over and (label.target == baseline or label.criterion == f"{PREFERRED_OVER}{baseline}")


def _means(section: ReviewSection, given: Sequence[Label], even: bool) -> dict[str, float]:
    """The mean of the raters by criterion; a baseline is as good as itself, which is one half."""
    if section.task == "prefer" and even:
        return {"win_rate": 0.5}
    values: defaultdict[str, list[float]] = defaultdict(list)
    once = {(label.rater, label.criterion): label for label in given}  # whichever samples have it
    for label in once.values():
        assert label.value is not None
        values["win_rate" if section.task == "prefer" else label.criterion].append(label.value)
    return {name: sum(each) / len(each) for name, each in values.items()}


def _terms(
    section: ReviewSection, means: Mapping[str, float], value: float, weight: float
) -> dict[str, Term]:
    terms = {"win_rate" if section.task == "prefer" else "mean": value}
    if section.at_least is not None:
        terms["share_at_least"] = float(value >= section.at_least)
    if len(section.criteria) > 1:
        terms |= {f"mean_{name}": mean for name, mean in means.items()}
    return {name: Term(num=weight * each, den=weight) for name, each in terms.items()}


def _metrics(
    source: SectionSource, written: ReviewKeys, criteria: Mapping[str, Criterion]
) -> tuple[Metric, ...]:
    """The metrics of a section, the first of them that of an answer's value."""
    if written.at_least is not None and written.task != "grade":
        what = f"at_least: the task `{written.task}` has no levels"
        raise SuiteError(what, where=source.place("at_least"))
    if written.task == "prefer":
        return (Metric(name="win_rate"),)
    if written.task == "label":
        return (Metric(name="mean"),)
    counts = {len(one.levels) for one in criteria.values()}
    if len(counts) > 1:
        raise SuiteError(
            "criteria: they have different numbers of levels, so that they have no mean",
            where=source.place("criteria"),
            hint="give each scale a section of its own",
        )
    low, high = 1.0, float(counts.pop())
    if written.at_least is not None and not low < written.at_least <= high:
        what = f"at_least: {written.at_least:g} is not above {low:g} and at most {high:g}"
        raise SuiteError(what, where=source.place("at_least"))
    names = ["mean", *(f"mean_{name}" for name in criteria if len(criteria) > 1)]
    means = [Metric(name=name, unit="points", low=low, high=high) for name in names]
    share = [Metric(name="share_at_least")] if written.at_least is not None else []
    return (means[0], *share, *means[1:])
