"""Sealed baselines, one file per suite, and promotion: sealing a run with a valid verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.config import Project
from harness.errors import EvidenceError, PromotionRefused
from harness.files import write_atomic
from harness.gate.judge import Circumstances
from harness.gate.ledger import Entry, keep_earlier, note, sealed_place
from harness.gate.sealed_file import Baseline, read_sealed
from harness.records.attempt import Attempt
from harness.records.history import PromotionException
from harness.records.run import RunRecord
from harness.records.suite import Suite
from harness.records.target import SAMPLING
from harness.records.verdict import Verdict
from harness.run.rescore import header_on, scored_again
from harness.targets.identity import is_still


def seal(
    run: RunRecord,
    verdict: Verdict,
    name: str,
    folder: Path,
    moment: str,
    exception: PromotionException | None = None,
) -> list[Path]:
    """The files written: `<folder>/<suite>/<name>.json` for each suite of the run.

    Of every answer's chunk times only the first is kept: it gives the TTFT. What they replace is
    kept, and the ledger has a line for it.

    Raises:
        StorageError: a file cannot be written.
    """
    paths, seals = [], {}
    keep_earlier(folder, name)
    for suite in run.header.suites:
        record = sealed_record(run, verdict, name, suite, moment, exception)
        path = folder / suite / f"{name}.json"
        text = record.model_dump_json(exclude_none=True, indent=1) + "\n"
        write_atomic(path, text, access="public")  # it is committed
        paths.append(path)
        seals[suite] = record.seal
    note(folder, Entry(action="promote", name=name, moment=moment, seals=seals))
    return paths


def sealed_record(
    run: RunRecord,
    verdict: Verdict,
    name: str,
    suite: str,
    moment: str,
    exception: PromotionException | None = None,
) -> Baseline:
    """What is sealed of one suite of the run."""
    recorded = (item for item in run.recorded if item.score.suite == suite)
    record = Baseline(
        name=name,
        suite=suite,
        header=run.header.model_copy(update={"chain": (), "mac": None}),  # of files left behind
        attempts=tuple(slim(item) for item in run.attempts if item.suite == suite),
        scores=tuple(item for item in run.scores if item.suite == suite),
        recorded=tuple(
            item.model_copy(update={"attempt": slim(item.attempt)}) for item in recorded
        ),
        verdict=verdict,
        sealed=moment,
        exception=exception,
    )
    return record.model_copy(update={"seal": record.content_digest()})


def open_sealed(name: str, suites: Sequence[Suite], folder: Path) -> RunRecord:
    """The sealed run of that name on the given suites, put together from its files.

    Its answers are scored again, by the scorers that score the candidate's. Recorded results of
    Python tests are kept, because the tests need a live target.

    Raises:
        UsageError: a suite has no baseline of that name.
        EvidenceError: a file is damaged, was edited after it was sealed, is of another version of
            its suite, or is not that which the ledger names.
    """
    places = [sealed_place(folder, name, suite.name) for suite in suites]
    records = [read_sealed(place) for place in places]
    if len({record.header.run_id for record in records}) != 1:
        raise EvidenceError(
            f"the baselines called `{name}` come from different runs", where=str(folder)
        )
    for suite, record, place in zip(suites, records, places, strict=True):
        if record.header.suites.get(suite.name) != suite.digest:
            raise EvidenceError(
                f"was sealed on another version of suite `{suite.name}`",
                where=str(place),
                hint="promote a candidate on this version, or restore the suite",
            )
    attempts = {item.key: item for record in records for item in record.attempts}
    header = header_on(records[0].header, {suite.name for suite in suites})
    sections = {(suite.name, one.name): one for suite in suites for one in suite.sections}
    recorded = tuple(
        item.model_copy(update={"score": sections[item.score.place].as_baseline(item.score)})
        if item.score.place in sections
        else item
        for record in records
        for item in record.recorded
    )
    scores = (*scored_again(suites, attempts), *(item.score for item in recorded))
    return RunRecord(header, tuple(attempts.values()), scores, recorded)


def sealed_baselines(suite: str, folder: Path) -> tuple[Baseline, ...]:
    """Every baseline that was sealed of a suite, by name, on whichever version of it.

    Raises:
        EvidenceError: a file is damaged, was edited after it was sealed, or is of another suite.
    """
    found = []
    for path in sorted((folder / suite).glob("*.json")):
        record = read_sealed(path)
        if record.suite != suite or suite not in record.header.suites:
            raise EvidenceError(f"is a baseline of suite `{record.suite}`", where=str(path))
        found.append(record)
    return tuple(found)


def sealed_moments(name: str, suites: Sequence[str], folder: Path) -> dict[Path, str]:
    """When the baselines of that name were sealed, by file; empty where that cannot be read."""
    found = {}
    for path in (folder / suite / f"{name}.json" for suite in suites):
        if path.is_file():
            try:
                found[path] = read_sealed(path).sealed
            except EvidenceError:  # whoever replaces it need not read it
                found[path] = ""
    return found


def slim(attempt: Attempt) -> Attempt:
    """The attempt with the first of its chunk times alone: it gives the TTFT."""
    if attempt.timing is None:
        return attempt
    timing = attempt.timing.model_copy(update={"chunks": attempt.timing.chunks[:1]})
    return attempt.model_copy(update={"timing": timing})


# Settings that change answers or how many there are; the rest only changes how fast they come.
SETTINGS = (*SAMPLING, "seed", "repeats")


def promote(
    verdict: Verdict, again: Verdict, run: RunRecord, now: Circumstances, name: str, folder: Path
) -> list[Path]:
    """The sealed files, one a suite, of a candidate's run whose PROMOTE verdict still stands.

    The stored verdict must be what the same comparison leads to `again`, on the hashes of `now`.
    Sealed is the latter, in its own words.

    Raises:
        PromotionRefused: another verdict than PROMOTE, a hash or the harness version that no
            longer matches, or a second judgement that differs.
        StorageError: a file cannot be written.
    """
    hint = f"run `harness gate {verdict.candidate}` again"
    if verdict.verdict != "PROMOTE":
        raise PromotionRefused(
            f"the verdict on `{verdict.candidate}` is {verdict.verdict}: {verdict.reason}",
            hint="only PROMOTE can be promoted",
        )
    changed = verdict.hashes.differences(now.hashes)
    if changed:
        raise PromotionRefused(f"{', '.join(changed)} changed after the verdict", hint=hint)
    if verdict.harness_version != now.harness_version:
        raise PromotionRefused(
            f"the verdict is of harness {verdict.harness_version}, this is {now.harness_version}",
            hint=hint,
        )
    if again.verdict != "PROMOTE":
        raise PromotionRefused(
            f"judged again, the verdict is {again.verdict}: {again.reason}", hint=hint
        )
    if parts := verdict.contradictions(again):
        raise PromotionRefused(
            f"the stored records do not lead to this verdict: {', '.join(parts)} differ", hint=hint
        )
    given = again.model_copy(update={"hashes": verdict.hashes})
    return seal(run, given, name, folder, now.created, now.exception)


def check_run(project: Project, run: RunRecord) -> None:
    """Check that the run is of the target as it is configured and on disk now.

    Raises:
        PromotionRefused: other weights, another adapter, another model or other settings.
    """
    target = run.header.target
    hint = f"run `harness gate {target}` again"
    if not is_still(project, target, run.header.identity):
        raise PromotionRefused(f"`{target}` is no longer what was judged", hint=hint)
    current = project.generation(target).model_dump(mode="json")
    for name in SETTINGS:
        if run.header.generation.get(name) != current.get(name):
            raise PromotionRefused(
                f"`{target}` was judged with {name} {run.header.generation.get(name)}, "
                f"the configuration says {current.get(name)}",
                hint=hint,
            )
