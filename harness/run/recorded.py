"""Results of Python tests that an earlier run holds, where nothing that they rest on changed.

A run is one of a version of its suites. The results of a section outlast a change elsewhere in the
suite: of another section's cases or settings, say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.records.plan import Plan
from harness.records.recording import RecordedSection, Recording
from harness.records.run import RunHeader, RunRecord
from harness.records.suite import Section, Suite
from harness.records.target import Generation
from harness.storage import RunFolder, runs_of

Place = tuple[str, str]


def with_recorded(
    planned: Plan, folder: RunFolder, run: RunRecord, suites: Sequence[Suite]
) -> RunRecord:
    """The run with the results that it lacks and an earlier one holds, which are kept with it.

    Where an earlier one holds results that do not count any more, the run says what changed.

    Raises:
        JournalError: a recording is damaged, or another process is writing this run.
        StorageError: the folder cannot be written.
    """
    held = {each.place for each in run.taken}
    wanted = {
        (suite.name, section.name): section
        for suite in suites
        for section in suite.worked
        if section.parts and (suite.name, section.name) not in held
    }
    if not wanted:
        return run
    taken: dict[Place, RecordedSection] = {}
    lapsed: dict[Place, str] = {}
    for origin, section, found in _earlier(planned, folder, run.header, wanted):
        place = found.place
        if place in taken:
            continue
        why = _changed(section, found)
        if why:
            lapsed.setdefault(place, why)
        else:
            taken[place] = _of_run(found, origin)
    if taken:
        sections = tuple(taken.values())
        folder.record(Recording(freshness=run.header.freshness, sections=sections))
        run = folder.load()
    return run.without({place: why for place, why in lapsed.items() if place not in taken})


def _earlier(
    planned: Plan, folder: RunFolder, header: RunHeader, wanted: dict[Place, Section]
) -> Iterator[tuple[str, Section, RecordedSection]]:
    """What runs of the target that were asked alike hold of the sections, the newest first.

    Each with the name of its run.
    """
    for other, known in runs_of(folder.path.parent, planned.target):
        if other.path == folder.path or known.freshness != header.freshness:
            continue
        if known.identity != planned.identity or not _sampled_alike(planned.generation, known):
            continue
        recording = other.recording()
        if recording is None or recording.freshness != known.freshness:
            continue
        for found in recording.sections:
            place = found.place
            asked = known.system_prompts.get(place[0]) == planned.system_prompts.get(place[0])
            if place in wanted and asked and place not in recording.unfinished:
                yield known.run_id, wanted[place], found


def _of_run(found: RecordedSection, origin: str) -> RecordedSection:
    """The results with the run that their answers come from."""
    cases = tuple(
        case.model_copy(
            update={
                "attempt": case.attempt.model_copy(
                    update={"reused_from": case.attempt.reused_from or origin}
                )
            }
        )
        for case in found.cases
    )
    return found.model_copy(update={"cases": cases})


def _sampled_alike(own: Generation, known: RunHeader) -> bool:
    other = Generation.model_validate(known.generation)
    return (own.sampling(), own.seed, own.repeats) == (
        other.sampling(), other.seed, other.repeats,
    )  # fmt: skip


def _changed(section: Section, found: RecordedSection) -> str:
    """What the results rest on that is another now; empty where all of it is the same."""
    if not found.parts:
        return "recorded on another version of the suite, all of which its tests may read"
    if found.metrics != section.metrics:
        return "recorded for other metrics"
    names = sorted({*found.parts, *section.parts})
    changed = [name for name in names if found.parts.get(name) != section.parts.get(name)]
    return f"recorded with another {', '.join(changed[:3])}" if changed else ""
