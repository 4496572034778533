"""The HTML reports: each is one file that loads nothing and runs only its own script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.chain.hop import Hop
from harness.records.mutation import MutationReport
from harness.report import forest, history_drawing
from harness.report.cases import CaseText
from harness.report.content import ReportContent
from harness.report.data_content import DataContent
from harness.report.history_text import HistoryContent
from harness.report.latency_content import LatencyContent
from harness.report.latency_drawings import draw_latency
from harness.report.leaderboard_content import LeaderboardContent
from harness.report.leaderboard_drawing import GAP_LAYOUTS, render_gaps
from harness.report.rendering import render_page
from harness.report.run_page import RunPage
from harness.report.runs import provenance, system_prompts
from harness.training.curves import Training

_SCRIPTS = ("entries.js", "filter.js", "links.js", "keys.js")
_STYLES = ("report.css", "cases.css")
# A browser takes seconds for the elements of many thousand cases. Of a longer list all but the
# first cases of each group stand in `noscript`: markup to a browser that runs no scripts, and to
# one that does a single text, from which the page's script makes the cases that are asked for.
_WHOLE, _FIRST = 1_000, 100
# A longer list of tags is of no use; rarer ones are found by searching.
_TAGS = 500
_WORST = 5


@dataclass(frozen=True, slots=True)
class CaseList:
    """How a page lists the cases, and the names that its filter offers.

    The first cases of each group, `first` of them, are elements at once. `sections` and `tags` give
    each name its place among the filter's choices, from 1 on. `worst` has each case once, `cut`
    says whether a text of any case is not whole.
    """

    first: int
    sections: dict[str, int]
    tags: dict[str, int]
    critical: bool
    worst: tuple[CaseText, ...]
    cut: bool

    def mark(self, case: CaseText) -> str:
        """The filter's data of a case: `section;tags;critical;number`, in numbers.

        The number is there only where a case is asked more than once.
        """
        tags = " ".join(str(self.tags[tag]) for tag in case.tags if tag in self.tags)
        number = case.number if case.repeat else ""
        return f"{self.sections[case.section]};{tags};{int(case.critical)};{number}"


def build_case_list(report: ReportContent) -> CaseList:
    """The layout of the report's cases; a list of up to 1,000 is open throughout."""
    cases = [case for group in report.groups for case in group.cases]
    names = [section.name for section in report.sections]
    sections = dict.fromkeys([*names, *(case.section for case in cases)])
    tags = Counter(tag for case in cases for tag in case.tags)
    failures = report.group("new_failure")
    return CaseList(
        first=_FIRST if len(cases) > _WHOLE else _WHOLE,
        sections={name: place for place, name in enumerate(sections, 1)},
        tags={name: place for place, name in enumerate(sorted(dict(tags.most_common(_TAGS))), 1)},
        critical=any(case.critical for case in cases),
        worst=failures.once[:_WORST] if failures else (),
        cut=any(clip.more for case in cases for clip in case.clips),
    )


def render_html(report: ReportContent, training: Training | None = None) -> str:
    """The report on a verdict; its policy allows only its own style and script blocks.

    It shows the candidate's `training` where that is known.
    """
    latency = report.latency
    return render_page(
        "report.html.j2",
        _STYLES,
        _SCRIPTS,
        report=report,
        verdict=report.verdict,
        latency=latency,
        listing=build_case_list(report),
        prompts=system_prompts(report.comparison),
        provenance=provenance(report.comparison),
        training=training,
        drawings=draw_latency(latency) if latency else (),
        slices=[
            [
                forest.render_slices({report.verdict.candidate: rule}, layout, number)
                for layout in forest.SLICES
            ]
            for number, rule in enumerate(report.sliced)
        ],
        forest=[
            forest.render_forest(report.rules, layout) for layout in (forest.WIDE, forest.NARROW)
        ],
    )


def render_latency_html(latency: LatencyContent) -> str:
    """A measurement of latency as a page of its own, without any script."""
    return render_page(
        "latency_page.html.j2", _STYLES, latency=latency, drawings=draw_latency(latency)
    )


def render_history_html(content: HistoryContent) -> str:
    """The page on a suite's history, without any script."""
    frames = [history_drawing.Frame(content, layout) for layout in history_drawing.LAYOUTS]
    return render_page(
        "history.html.j2",
        ("report.css", "history.css"),
        content=content,
        lanes=[history_drawing.render_verdicts(frame) for frame in frames],
        drawings=[
            [history_drawing.render_course(frame, place) for frame in frames]
            for place in range(len(content.courses))
        ],
    )


def render_run_html(page: RunPage, training: Training | None = None) -> str:
    """The page of one run, without any script; with its adapter's training where it is known."""
    return render_page("run.html.j2", _STYLES, page=page, training=training)


def render_chain_html(hops: Sequence[Hop]) -> str:
    """The page on a chain, without any script."""
    return render_page("chain.html.j2", ("report.css", "leaderboard.css"), hops=hops)


def render_mutants_html(report: MutationReport) -> str:
    """The page on a candidate's mutants, without any script."""
    return render_page("mutants.html.j2", ("report.css", "leaderboard.css"), report=report)


def render_data_html(content: DataContent) -> str:
    """The page on training data, without any script."""
    return render_page("data.html.j2", ("report.css", "leaderboard.css"), content=content)


def render_leaderboard_html(content: LeaderboardContent) -> str:
    """The page that shows several candidates side by side, without any script."""
    return render_page(
        "leaderboard.html.j2",
        ("report.css", "leaderboard.css"),
        content=content,
        slices=[
            [forest.render_slices(results, layout, number) for layout in forest.SLICES]
            for number, results in enumerate(content.sliced)
        ],
        gaps=[render_gaps(content, layout) for layout in GAP_LAYOUTS],
    )
