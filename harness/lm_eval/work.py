"""The work of benchmark sections: what lacks results, the children that make them, the cases."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from harness.errors import SuiteError, UsageError
from harness.files import digest_json, make_folder, write_atomic
from harness.lm_eval.results import Document, TaskResult, cases_of, read_result, scored
from harness.lm_eval.section import BenchmarkSection, BenchmarkTask
from harness.machine_memory import GIB
from harness.model_files import chat_template_text
from harness.records.attempt import Attempt
from harness.records.server import ManagedServer
from harness.records.suite import Case
from harness.sections.work import CaseResult, SectionJob, SectionRequest, SectionWork
from harness.weights.child import Bounds, Child
from harness.weights.identity import weights_of

WORKER = "harness.lm_eval.worker"
_NEEDED = {"lm_eval": "lm-eval", "datasets": "datasets"}
_FOR_WEIGHTS = {"torch": "torch", "peft": "peft"}
_LIBRARIES = ("lm-eval", "datasets", "torch", "transformers", "peft")
_LEAST_GROUPS = 2
# States of an attempt whose text is an answer; lm-eval scores an answer that was cut off too.
_ANSWERS = ("ok", "truncated")

# A task of a job, with the file that its result is in or is to be written to.
Placed = tuple[SectionJob, BenchmarkTask, Path]
Asked = list[tuple[Case, Document, list[Attempt]]]


@dataclass(frozen=True, slots=True)
class BenchmarkWork:
    """The jobs of benchmark sections, target by target."""

    work: SectionWork

    def run(self) -> None:
        """Return when the results of each job are kept."""
        _check_installed({_section(job).settings.via for job in self.work.jobs})
        hubs = {task.hub for job in self.work.jobs for task in _section(job).tasks if task.hub}
        if hubs:
            self.work.watcher.say(f"lm-eval needs data from a hub: {', '.join(sorted(hubs))}")
        by_target: defaultdict[str, list[SectionJob]] = defaultdict(list)
        for job in self.work.jobs:
            by_target[job.target].append(job)
        for target, jobs in by_target.items():
            local = [job for job in jobs if _section(job).settings.via == "weights"]
            if local:
                self._by_weights(target, local)
            for job in jobs:
                if _section(job).settings.via == "server":
                    self._by_server(job)

    def _by_weights(self, target: str, jobs: Sequence[SectionJob]) -> None:
        """Keep the results of sections whose tasks one child runs, the weights loaded once."""
        weights = weights_of(self.work.project, target)
        server = self.work.project.config.servers[self.work.project.target(target).server]
        assert isinstance(server, ManagedServer)
        given = server.args.get("chat-template", server.args.get("chat_template"))
        template = chat_template_text(Path(weights.base), given) if isinstance(given, str) else None
        placed = [
            (job, task, self._file(job, task, [weights.key, job.run.freshness]))
            for job in jobs
            for task in _section(job).tasks
        ]
        means = _section(jobs[0]).means
        settings = {"batch_size": means.batch_size, "device": means.device}
        more = {"weights": weights.order(), "model": {**settings, "chat_template": template}}
        self._make(target, placed, more, weights.stored)
        for job in jobs:
            results = []
            for result in self._results(job, placed):
                for case, document in cases_of(result):
                    results.append(scored(case, document, job.section.metrics, result.judge))
            self._keep(job, results)

    def _by_server(self, job: SectionJob) -> None:
        """Keep the results of a section whose requests our own client sends."""
        tasks = _section(job).tasks
        built = [(job, task, self._file(job, task, ["requests"])) for task in tasks]
        self._make(job.target, built, {})
        asked = [self._ask(job, result) for result in self._results(job, built, tell=False)]
        answered = []
        for (_, task, file), some in zip(built, asked, strict=True):
            answers = {
                number: [attempt.text or "" for attempt in attempts]
                for number, (_, _, attempts) in enumerate(some)
                if all(attempt.state in _ANSWERS for attempt in attempts)
            }
            if answers:
                out = self._file(job, task, ["answers", file.stem, answers])
                write_atomic(out.with_suffix(".answers"), json.dumps(answers))
                answered.append((job, task, out))
        self._make(job.target, answered, {})
        found = {result.task: result for result in self._results(job, answered)}
        results: list[CaseResult] = []
        for task, some in zip(tasks, asked, strict=True):
            results += _paired(job, found.get(task.name), some)
        self._keep(job, results)

    def _ask(self, job: SectionJob, built: TaskResult) -> Asked:
        """The cases of a task with the attempts at each, one for each time that it is asked."""
        cases = list(cases_of(built))
        requests = [
            SectionRequest(job, case, document.messages, repeat, sampling=document.sampling)
            for case, document in cases
            for repeat in range(document.repeats)
        ]
        attempts = iter(self.work.ask(requests))
        return [
            (case, document, [next(attempts) for _ in range(document.repeats)])
            for case, document in cases
        ]

    def _file(self, job: SectionJob, task: BenchmarkTask, more: Sequence[Any]) -> Path:
        """Where the result of a task is, named by all that it depends on."""
        settings = _section(job).settings.model_dump(mode="json")
        own = [task.digest, task.metrics, settings, _versions(), *more]
        name = digest_json(own).removeprefix("sha256:")
        return self.work.project.root / ".harness" / "cache" / "lm-eval" / f"{name}.json"

    def _make(
        self, target: str, placed: Sequence[Placed], more: Mapping[str, Any], stored: int = 0
    ) -> None:
        """Return when each result is in its file; one child makes those that are not."""
        todo = [one for one in placed if read_result(one[2]) is None]
        if not todo:
            return
        means = [_section(job).means for job in {id(job): job for job, _, _ in todo}.values()]
        memory = min((one.memory for one in means if one.memory is not None), default=None)
        make_folder(todo[0][2].parent)
        Child(
            module=WORKER,
            order={**more, "tasks": [_order(*one) for one in todo]},
            folder=self.work.project.root / ".harness" / "lm-eval",
            name=target,
            bounds=Bounds(
                sum(one.timeout for one in means), None if memory is None else int(memory * GIB)
            ),
            stored=stored,
            hub=any(task.hub for _, task, _ in todo),
        ).run(self.work.watcher)

    def _results(
        self, job: SectionJob, placed: Sequence[Placed], *, tell: bool = True
    ) -> list[TaskResult]:
        """The results of a job's tasks, lm-eval's own numbers told to the watcher."""
        found = []
        for owner, task, file in placed:
            if owner is job:
                result = read_result(file)
                if result is None:
                    raise UsageError(f"the result of task `{task.name}` is gone", where=str(file))
                found.append(result)
                if tell:
                    self.work.watcher.say(f"{job.target}: lm-eval's own {result.line()}")
        return found

    def _keep(self, job: SectionJob, results: Sequence[CaseResult]) -> None:
        groups = len({result.case.group for result in results})
        if groups < _LEAST_GROUPS:
            raise SuiteError(
                f"the section's tasks have {groups} group of documents, and an interval needs "
                f"at least {_LEAST_GROUPS}",
                where=_section(job).place,
                hint="raise `limit`, or group by another key",
            )
        self.work.keep(job, results)


def _section(job: SectionJob) -> BenchmarkSection:
    return cast("BenchmarkSection", job.section)


def _order(job: SectionJob, task: BenchmarkTask, out: Path) -> dict[str, Any]:
    """The task in the order to a child."""
    section = _section(job)
    settings, answers = section.settings, out.with_suffix(".answers")
    limit = settings.limit
    return {
        "task": task.name,
        "where": section.place,
        "include": task.include,
        "overrides": task.overrides,
        "hub": task.hub,
        "metrics": task.metrics,
        "judge": digest_json([version("lm-eval"), task.digest]),
        "limit": limit if limit is None or limit < 1 else int(limit),
        "num_fewshot": settings.num_fewshot,
        "apply_chat_template": settings.chat,
        "fewshot_as_multiturn": settings.multiturn,
        "system_instruction": settings.system_instruction,
        "seed": settings.seed,
        "group_by": settings.group_by,
        "unsafe_code": settings.unsafe_code,
        "out": str(out.absolute()),
        "answers": str(answers.absolute()) if answers.is_file() else None,
    }


def _paired(job: SectionJob, result: TaskResult | None, some: Asked) -> list[CaseResult]:
    """The cases as they were asked, with the values of those that were answered."""
    found = iter(result.documents if result is not None else ())
    results = []
    for case, _, attempts in some:
        bad = next((one for one in attempts if one.state not in _ANSWERS), None)
        if bad is None:
            assert result is not None
            metrics = job.section.metrics
            results.append(scored(case, next(found), metrics, result.judge, attempts[0]))
        else:
            reason = bad.emptiness if bad.state == "empty" else bad.state
            first = attempts[0] if bad.repeat == 0 else bad.model_copy(update={"repeat": 0})
            results.append(CaseResult(case, reason=reason, attempt=first))
    return results


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def _check_installed(ways: Collection[str]) -> None:
    """Return if what answers tasks in these ways is installed."""
    needed = {**_NEEDED, **(_FOR_WEIGHTS if "weights" in ways else {})}
    missing = [name for module, name in needed.items() if find_spec(module) is None]
    if missing:
        raise UsageError(
            f"a section of lm-eval tasks needs {', '.join(missing)}",
            hint="`make setup` on a machine without a GPU, else pip install -e '.[benchmarks]'",
        )
