"""`benchmark`: tasks of lm-eval, every document of them a case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.errors import SuiteError
from harness.lm_eval.section import (
    BenchmarkKeys,
    BenchmarkSection,
    BenchmarkTask,
    Means,
    Settings,
)
from harness.lm_eval.task_files import TaskFile, TaskFinder, placed
from harness.lm_eval.task_metrics import TaskMetric, task_metrics
from harness.lm_eval.work import BenchmarkWork
from harness.records.base import Record
from harness.records.metric import Metric
from harness.records.suite import titles_of
from harness.sections.work import SectionWork
from harness.suites.source import LoadedSection, SectionSource


class BenchmarkKind:
    """Reads sections of lm-eval tasks, and has lm-eval run them."""

    name = "benchmark"
    key = "lm_eval"
    keys = BenchmarkKeys
    needs_baseline = False

    def load(self, source: SectionSource) -> LoadedSection:
        """The section, with the digests of its tasks' files, read without lm-eval.

        Raises:
            SuiteError: one line that names file and key.
        """
        keys = source.read(BenchmarkKeys)
        finder = TaskFinder(source.folder, source.place("lm_eval"))
        given = (keys.lm_eval,) if isinstance(keys.lm_eval, str) else keys.lm_eval
        files = [task for one in given for task in finder.find(one)]
        _check(source, keys, files)
        metrics, of_task = _metrics(source, keys, files)
        settings = Settings(**_part(keys, Settings))
        include = tuple(dict.fromkeys(str(task.path.parent.absolute()) for task in files))
        section = source.build(
            BenchmarkSection,
            metrics=metrics,
            titles=_titles(source, keys, metrics),
            tasks=tuple(_task(task, include, of_task[task.name]) for task in files),
            left_out=tuple(dict.fromkeys(one for task in files for one in task_metrics(task)[1])),
            settings=settings,
            means=Means(**_part(keys, Means)),
            place=source.where,
        )
        part = {
            "lm_eval": {task.name: task.digest for task in files},
            "metrics": [metric.model_dump() for metric in metrics],
            "settings": settings.model_dump(mode="json"),
        }
        own = {path for task in files for path in (task.path, *task.data)}
        inside = [path for path in own if path.parent == source.folder]
        return LoadedSection(section, part, files=tuple(sorted(path.name for path in inside)))

    def run(self, work: SectionWork) -> None:
        """Return when the results of every section are kept.

        Raises:
            UsageError: a task's data, a setting, or weights that cannot be loaded.
            InfrastructureError: the work broke off; tasks that were finished are kept.
        """
        BenchmarkWork(work).run()


def _part(keys: BenchmarkKeys, model: type[Record]) -> dict[str, Any]:
    return {name: getattr(keys, name) for name in model.model_fields}


def _task(
    task: TaskFile, include: tuple[str, ...], metrics: Mapping[str, TaskMetric]
) -> BenchmarkTask:
    data = placed(task.config, task.path.parent)
    return BenchmarkTask(
        name=task.name,
        include=include,
        overrides={**task.overrides, **({} if data is None else {"dataset_kwargs": data})},
        hub=task.hub,
        digest=task.digest,
        metrics={name: (one.name, one.filter) for name, one in metrics.items()},
    )


def _check(source: SectionSource, keys: BenchmarkKeys, files: list[TaskFile]) -> None:
    """Refuse what lm-eval, or a server, would not do as the section says."""

    def wrong(key: str, what: str, hint: str) -> SuiteError:
        return SuiteError(f"{key}: {what}", where=source.place(key), hint=hint)

    names = [task.name for task in files]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise wrong("lm_eval", f"task `{doubled}` is there twice", "name it once")
    if keys.limit is not None and keys.limit > 1 and keys.limit != int(keys.limit):
        raise wrong("limit", "is neither a number of documents nor a share", "e.g. 300 or 0.1")
    if keys.limit == 1 and len(files) == 1:
        raise wrong("limit", "one document is no evidence of a difference", "e.g. 300 or 0.1")
    if keys.via == "server" and keys.apply_chat_template is False:
        what = "a server's chat route always applies the chat template"
        raise wrong("apply_chat_template", what, "leave it out, or via: weights")
    if keys.multiturn and not keys.chat:
        raise wrong("fewshot_as_multiturn", "needs a chat", "apply_chat_template: true")
    for task in files:
        if task.config.get("unsafe_code") and not keys.unsafe_code:
            what = f"task `{task.name}` runs code that the model writes"
            raise wrong("lm_eval", what, "allow it with `unsafe_code: true`, in a sandbox only")
        if keys.num_fewshot and task.config.get("num_fewshot") == 0:
            what = f"task `{task.name}` says that it has none, and lm-eval keeps to that"
            raise wrong("num_fewshot", what, "leave it out, or take it out of the task's file")
        if keys.via == "server" and task.output_type != "generate_until":
            raise wrong(
                "via",
                f"task `{task.name}` ({task.output_type}) needs log-probabilities of prompts, "
                "which a vLLM with LoRA computes wrongly or dies of",
                "via: weights",
            )


def _metrics(
    source: SectionSource, keys: BenchmarkKeys, files: list[TaskFile]
) -> tuple[tuple[Metric, ...], dict[str, dict[str, TaskMetric]]]:
    """The section's metrics, one that all tasks have first, and those of each task."""
    found, absent = {}, set[str]()
    for task in files:
        kept, left_out = task_metrics(task)
        found[task.name] = {one.metric.name: one for one in kept}
        absent |= set(left_out)
    known = {name: one.metric for each in found.values() for name, one in each.items()}
    without = f"; of {', '.join(sorted(absent))} no document has a value" if absent else ""
    given = {one if isinstance(one, str) else one.name: one for one in keys.metrics or ()}
    for name in given:
        if name not in known:
            what = f"metrics: these tasks have no `{name}`; they have {', '.join(known)}{without}"
            raise SuiteError(what, where=source.place("metrics"))
    chosen = {
        name: one if isinstance(one := given.get(name), Metric) else known[name]
        for name in given or known
    }
    shared = [name for name in chosen if all(name in each for each in found.values())]
    if not shared:
        raise SuiteError(
            f"lm_eval: these tasks have no metric in common{without}",
            where=source.place("lm_eval"),
            hint="put them into sections of their own",
        )
    ordered = sorted(chosen, key=lambda name: name != shared[0])
    parts = {
        task: {name: each[name] for name in ordered if name in each} for task, each in found.items()
    }
    return tuple(chosen[name] for name in ordered), parts


def _titles(
    source: SectionSource, keys: BenchmarkKeys, metrics: tuple[Metric, ...]
) -> dict[str, str]:
    try:
        return titles_of(keys.title, metrics)
    except ValueError as error:
        raise SuiteError(f"title: {error}", where=source.place("title")) from None
