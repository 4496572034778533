"""What lm-eval makes of one task on one model, as a child writes it, and its cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from harness.records.attempt import Attempt, Term
from harness.records.base import Record
from harness.records.metric import Metric
from harness.records.suite import Case, Message
from harness.sections.work import CaseResult

_SHOWN = 2000


class Document(Record):
    """One document: the messages of its prompt, what is expected, and what came of it.

    `texts` are the requests' continuations with the log-likelihood of each, or the answers as they
    came. `values` has num and den of each metric by its name in the section; the value is num/den.
    """

    hash: str
    messages: tuple[Message, ...]
    target: str
    group: str | None = None
    choices: tuple[str, ...] = ()
    loglikelihoods: tuple[float, ...] = ()
    answers: tuple[str, ...] = ()
    filtered: dict[str, str] = Field(default_factory=dict)
    values: dict[str, tuple[float, float]] = Field(default_factory=dict)
    # How a server is to be asked.
    sampling: dict[str, Any] = Field(default_factory=dict)
    repeats: int = 1


class TaskResult(Record):
    """The documents of a task with lm-eval's own results.

    `results` and `errors` are lm-eval's value and standard error of each metric by its name in the
    section; it has no error of some. `judge` is the digest of what scored the documents: lm-eval's
    version, the task's configuration as it was resolved, and the content of its data.
    """

    task: str
    version: str
    lm_eval: str
    judge: str
    documents: tuple[Document, ...]
    results: dict[str, float] = Field(default_factory=dict)
    errors: dict[str, float] = Field(default_factory=dict)

    def line(self) -> str:
        """lm-eval's own results in a sentence."""
        parts = []
        for name, value in self.results.items():
            error = self.errors.get(name)
            parts.append(f"{name} {value:.4f}" + ("" if error is None else f" ± {error:.4f}"))
        return (
            f"{self.task} (version {self.version}, {len(self.documents)} documents): "
            f"{', '.join(parts)}"
        )


def read_result(path: Path) -> TaskResult | None:
    """The result in that file; None where there is none, or one of another form."""
    try:
        return TaskResult.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None


def case_ids(task: str, hashes: Iterable[str]) -> Iterator[str]:
    """The ids of a task's documents: one is the same whatever its place in the data.

    Documents that are equal are told apart by their order.
    """
    seen: Counter[str] = Counter()
    for each in hashes:
        seen[each] += 1
        number = f"-{seen[each]}" if seen[each] > 1 else ""
        yield f"{task}/{each[:16]}{number}"


def cases_of(result: TaskResult) -> Iterator[tuple[Case, Document]]:
    """Each document as a case, with its task as a tag."""
    ids = case_ids(result.task, (one.hash for one in result.documents))
    for name, document in zip(ids, result.documents, strict=True):
        expect: dict[str, Any] = {"target": document.target[:_SHOWN]}
        if document.choices:
            expect["choices"] = [choice.strip()[:_SHOWN] for choice in document.choices]
        yield (
            Case(
                id=name,
                group=name if document.group is None else document.group,
                messages=document.messages,
                expect=expect,
                tags=(result.task,),
            ),
            document,
        )


def scored(
    case: Case,
    document: Document,
    metrics: Iterable[Metric],
    judge: str,
    attempt: Attempt | None = None,
) -> CaseResult:
    """The case's result, with its part in every metric of the section that it has."""
    terms = {
        metric.name: Term(num=document.values[metric.name][0], den=document.values[metric.name][1])
        for metric in metrics
        if metric.name in document.values
    }
    first = next(iter(metrics), None)
    term = terms.get(first.name) if first is not None else None
    common: Mapping[str, Any] = {
        "attempt": attempt, "text": _text(document), "judge": judge,
        "reason": "; ".join(f"{name}: {text}" for name, text in document.filtered.items()),
    }  # fmt: skip
    if first is None or term is None:
        return CaseResult(case, **{**common, "reason": "lm-eval gives it no value"})
    value = term.num / term.den
    passed = bool(value) if first.is_share and value in (0.0, 1.0) else None
    return CaseResult(case, value, passed=passed, terms=terms, **common)


def _text(document: Document) -> str:
    """Both the choices with their log-likelihoods and the answers, a line each."""
    if not document.loglikelihoods:
        return "\n".join(document.answers)
    most = max(document.loglikelihoods)
    several = len(document.loglikelihoods) > 1
    lines = []
    for choice, likelihood in zip(document.choices, document.loglikelihoods, strict=True):
        mark = "» " if several and likelihood == most else ""
        lines.append(f"{mark}{choice.strip()[:_SHOWN]}: {likelihood:.4f} nats")
    return "\n".join(lines)
