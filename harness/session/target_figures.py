"""What the answers of targets took, and how they rest on the passages that they were given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.config import Project
from harness.records.leaderboard import TargetFigures
from harness.records.run import RunRecord
from harness.records.suite import Suite, counted
from harness.records.summary import recorded_times
from harness.retrieval.grounded import recall, unsupported
from harness.targets.additions import documents_of
from harness.visible_text import one_line


def target_figures(run: RunRecord, suites: Sequence[Suite]) -> TargetFigures:
    """The figures of one run; passages are looked at where the suites hold the case."""
    times, spent = recorded_times(run.attempts), run.spending
    found = TargetFigures(
        target=run.header.target,
        ttft_p50=times.ttft_p50,
        ttft_p95=times.ttft_p95,
        tokens_in=_each(spent.tokens_in, spent.counted),
        tokens_out=_each(spent.tokens_out, spent.counted),
        per_thousand=spent.per_thousand,
    )
    return found if run.header.identity.retrieval is None else _with_passages(found, run, suites)


def _with_passages(
    figures: TargetFigures, run: RunRecord, suites: Sequence[Suite]
) -> TargetFigures:
    cases = {
        (suite.name, section.name, case.id): case
        for suite in suites
        for section, case in suite.cases()
    }
    rests: list[bool] = []
    recalls: list[float] = []
    for attempt in run.attempts:
        case = cases.get((*attempt.place, attempt.case))
        if case is None or attempt.status == "failed":
            continue
        given = [(passage.id, passage.text) for passage in attempt.passages]
        if case.sources and attempt.repeat == 0:
            recalls.append(recall(case.sources, given))
        if attempt.state == "ok":
            question, texts = case.messages[-1].content, [text for _, text in given]
            missing = unsupported(question, attempt.text or "", texts)
            if missing is not None:
                rests.append(not missing)
    return replace(
        figures,
        grounded=sum(rests) / len(rests) if rests else None,
        judged=len(rests),
        recall=sum(recalls) / len(recalls) if recalls else None,
        sourced=len(recalls),
    )


def source_lines(project: Project, suites: Sequence[Suite]) -> Iterator[tuple[str, bool]]:
    """A warning for each target whose documents hold not all that cases name as their sources.

    Raises:
        UsageError: the documents are not there, or are no text.
    """
    named = [
        (f"{suite.name}/{section.name}/{case.id}", source)
        for suite in suites
        for section, case in suite.cases()
        for source in case.sources
    ]
    for target, chosen in project.config.targets.items():
        if chosen.retrieval is None:
            continue
        held = [(one.id, one.whole) for one in documents_of(project, target).chunks]
        lost = [(path, source) for path, source in named if not recall([source], held)]
        if lost:
            path, source = lost[0]
            place = project.place(f"targets.{target}.retrieval.documents")
            what = f"{len(lost)} of {counted(len(named), 'source')} of cases are in no passage"
            yield f"{place}: {what}, the first is `{one_line(source, 80)}` of {path}", True


def _each(total: int | None, count: int) -> float | None:
    return None if total is None or not count else total / count
