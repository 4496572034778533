"""`perplexity`: how likely a model holds the assistant's words of given conversations."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationError

from harness.errors import SuiteError, UsageError
from harness.files import digest_json, make_folder
from harness.records.attempt import Term
from harness.records.base import Record, explain
from harness.records.metric import Metric
from harness.records.suite import Case, Message, Section, Title, titles_of
from harness.sections.work import CaseResult, SectionJob, SectionWork
from harness.suites.source import LoadedSection, SectionSource, why
from harness.weights.child import Bounds, Child
from harness.weights.identity import Weights, weights_of
from harness.weights.perplexity import Likelihood, read_likelihoods

NATS = Metric(name="nats_per_token", unit="nats/token", direction="lower", high=None)
BITS = Metric(name="bits_per_byte", unit="bits/byte", direction="lower", high=None)
METRICS = (NATS, Metric(name="next_token_accuracy"), BITS)
_HOUR = 3600.0

MetricName = Literal["nats_per_token", "next_token_accuracy", "bits_per_byte"]


class PerplexityKeys(Record):
    """The keys of a section of conversations whose answers are given."""

    perplexity: str = Field(min_length=1)
    metrics: tuple[MetricName, ...] | None = Field(default=None, min_length=1)
    # The most tokens before one that is predicted, where the model's own limit is not meant.
    window: int | None = Field(default=None, ge=2)
    # How long all of it may take, and how many GiB of the machine's memory.
    seconds: float = Field(default=_HOUR, gt=0.0)
    memory: float | None = Field(default=None, gt=0.0)
    title: Title | dict[str, Title] | None = None


class _Line(Record):
    """A conversation of a validation file; what it needs not is left out."""

    messages: tuple[Message, ...] = Field(min_length=1)
    id: str | None = None
    group: str | None = None
    tags: tuple[str, ...] = ()


class PerplexitySection(Section):
    """Conversations of which a case has all turns up to its last answer, which is expected."""

    kind: ClassVar[str] = "perplexity"
    judged_again: ClassVar[tuple[str, str]] = (
        "conversations",
        "write `metrics: [bits_per_byte]` in the section, which no tokenizer changes",
    )
    another_judge: ClassVar[str] = "another tokenizer or chat template read"

    scorer: str = "likelihood"
    file: str
    window: int | None
    bounds: Bounds = Field(exclude=True)

    def locate(self, folder: Path, wanted: Any) -> dict[str, tuple[Path, int | None]]:
        """The file of conversations."""
        return dict.fromkeys(wanted, (folder / self.file, None))


class PerplexityKind:
    """Reads sections of conversations, and loads a target's weights to score them."""

    name = "perplexity"
    key = "perplexity"
    keys = PerplexityKeys
    needs_baseline = False

    def load(self, source: SectionSource) -> LoadedSection:
        """The section, each of its conversations with an answer of the assistant.

        Raises:
            SuiteError: one line that names file and key, or file and line.
        """
        written = source.read(PerplexityKeys)
        known = {metric.name: metric for metric in METRICS}
        metrics = tuple(known[name] for name in dict.fromkeys(written.metrics or known))
        path = source.path(written.perplexity, "perplexity")
        cases = _cases(source, path, written.perplexity)
        memory = None if written.memory is None else int(written.memory * 1024**3)
        try:
            titles = titles_of(written.title, metrics)
        except ValueError as error:
            raise SuiteError(f"title: {error}", where=source.place("title")) from None
        section = source.build(
            PerplexitySection,
            metrics=metrics,
            cases=cases,
            file=written.perplexity,
            window=written.window,
            bounds=Bounds(written.seconds, memory),
            titles=titles,
        )
        part = {
            "metrics": sorted(metric.name for metric in metrics),
            "window": written.window,
            "chats": sorted(digest_json(case.model_dump(mode="json")) for case in cases),
        }
        return LoadedSection(section, part, files=(written.perplexity,))

    def run(self, work: SectionWork) -> None:
        """Return when the likelihoods of every job's conversations are kept.

        Jobs on one base are one child process. What it has finished when it is ended is taken up
        again, and so is what any earlier run found of the same weights and the same conversation.

        Raises:
            UsageError: a target has no weights here, or a template refuses a conversation.
            InfrastructureError: the weights do not fit, or the child exceeds its bounds.
        """
        _check_libraries(work.jobs[0])
        sides = [_Side.of(work, job) for job in work.jobs]
        for group in _by_base(sides).values():
            missing = [one for one in group if one.missing]
            if missing:
                _start(work, missing)
        for side in sides:
            found = read_likelihoods(side.file)
            work.keep(
                side.job,
                [_result(side.job, case, found[key]) for key, case in side.cases.items()],
            )


def _check_libraries(job: SectionJob) -> None:
    """Refuse work for which libraries are missing, before any weights are read."""
    missing = [name for name in ("torch", "transformers", "peft") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"{'.'.join(job.place)} needs {' and '.join(missing)}, not installed here",
            hint="`make setup` on a machine without a GPU, else pip install -e '.[benchmarks]'",
        )


class _Side:
    """A job with its weights, the file of its likelihoods, and its cases by their keys there."""

    def __init__(self, job: SectionJob, weights: Weights, template: str | None, file: Path) -> None:
        self.job, self.weights, self.template, self.file = job, weights, template, file
        self.cases = {_key(job, case): case for case in job.cases}

    @classmethod
    def of(cls, work: SectionWork, job: SectionJob) -> _Side:
        """The side of a job; its weights are read and hashed."""
        weights = weights_of(work.project, job.target)
        server = work.project.config.servers[work.project.target(job.target).server]
        args = getattr(server, "args", {})
        given = args.get("chat-template", args.get("chat_template"))
        template = None if given is None else _template(str(given))
        section = _section(job)
        name = digest_json([weights.key, section.window, _settings(job)]).removeprefix("sha256:")
        folder = work.project.root / ".harness" / "cache" / "perplexity"
        return cls(job, weights, template, folder / f"{name[:32]}.jsonl")

    @property
    def missing(self) -> list[str]:
        """The keys of the cases that have no likelihood yet."""
        known = read_likelihoods(self.file)
        return [key for key in self.cases if key not in known]

    def order(self) -> dict[str, Any]:
        """The side as plain JSON, for the order to a child."""
        chats = [
            {"key": key, "messages": _turns(self.job, self.cases[key])} for key in self.missing
        ]
        named = {"name": self.job.target, "adapter": self.weights.adapter}
        return {**named, "file": str(self.file), "chats": chats}


def _by_base(sides: Sequence[_Side]) -> Mapping[str, list[_Side]]:
    found: defaultdict[str, list[_Side]] = defaultdict(list)
    for side in sides:
        weights = side.weights
        same = [weights.base_digest, weights.dtype, side.template, _settings(side.job)]
        found[digest_json([*same, _section(side.job).window])].append(side)
    return found


def _start(work: SectionWork, sides: Sequence[_Side]) -> None:
    first = sides[0]
    section = _section(first.job)
    make_folder(first.file.parent)
    order = {
        "base": first.weights.base,
        "dtype": first.weights.dtype,
        "trust_remote_code": first.weights.trust_remote_code,
        "template": first.template,
        "template_settings": _settings(first.job),
        "window": section.window,
        "sides": [side.order() for side in sides],
    }
    stored = max(side.weights.stored for side in sides)
    Child(
        module="harness.weights.perplexity",
        order=order,
        folder=work.project.root / ".harness" / "work",
        name="perplexity",
        bounds=section.bounds,
        stored=stored,
    ).run(work.watcher)


def _section(job: SectionJob) -> PerplexitySection:
    assert isinstance(job.section, PerplexitySection)
    return job.section


def _settings(job: SectionJob) -> dict[str, Any]:
    return dict(job.generation.chat_template_kwargs or {})


def _template(given: str) -> str:
    """The chat template that a server is given: a file, or the template itself."""
    if "{" in given:
        return given
    try:
        return Path(given).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"the chat template {given} cannot be read: {why(error)}") from None


def _turns(job: SectionJob, case: Case) -> list[dict[str, str]]:
    asked = [turn.model_dump() for turn in job.conversation(case)]
    return [*asked, {"role": "assistant", "content": str(case.expect["answer"])}]


def _key(job: SectionJob, case: Case) -> str:
    return digest_json(_turns(job, case))


def _result(job: SectionJob, case: Case, found: Likelihood) -> CaseResult:
    values = {
        "nats_per_token": found.nats / found.tokens,
        "next_token_accuracy": found.right / found.tokens,
        "bits_per_byte": found.nats / math.log(2) / found.bytes,
    }
    names = [metric.name for metric in job.section.metrics]
    terms = {name: Term(num=values[name], den=1.0) for name in names}
    # Sides that were read as other tokens have only their bytes in common.
    read_as = None if names == [BITS.name] else found.read_as
    text = (
        f"{found.tokens} tokens: {values['nats_per_token']:.4f} nats each, "
        f"{found.right} predicted, {values['bits_per_byte']:.4f} bits a byte"
    )
    return CaseResult(case, values[names[0]], terms=terms, judge=read_as, text=text)


def _cases(source: SectionSource, path: Path, name: str) -> tuple[Case, ...]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise source.no_such_file(name, "perplexity") from None
    except (OSError, ValueError) as error:
        what = f"perplexity: cannot read `{name}`: {why(error)}"
        raise SuiteError(what, where=source.place("perplexity")) from None
    cases = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            case = _case(line, f"{path}:{number}")
            source.take(case.id, path, number)
            cases.append(case)
    if not cases:
        hint = 'add one JSON line a conversation: {"messages": [...]}'
        raise SuiteError("holds no conversation", where=str(path), hint=hint)
    return tuple(cases)


def _case(line: str, where: str) -> Case:
    """The case of a line: all turns up to the last answer, and that answer."""
    try:
        data = json.loads(line)
        written = _Line.model_validate(data)
    except ValidationError as error:
        raise SuiteError(explain(error, _Line), where=where) from None
    except ValueError as error:
        raise SuiteError(f"is no JSON: {error}", where=where) from None
    answers = [n for n, turn in enumerate(written.messages) if turn.role == "assistant"]
    if not answers:
        raise SuiteError("no turn of this conversation is the assistant's", where=where)
    before = written.messages[: answers[-1]]
    name = written.id or f"chat-{digest_json(data).removeprefix('sha256:')[:12]}"
    try:
        return Case(
            id=name,
            group=written.group or name,
            messages=before,
            expect={"answer": written.messages[answers[-1]].content},
            tags=written.tags,
        )
    except ValidationError as error:
        raise SuiteError(explain(error), where=where) from None
