"""Measure: put both arms to their servers in turns, and keep every block."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from harness.clock import SYSTEM_CLOCK, iso
from harness.config import Project
from harness.errors import EvidenceError, JournalError, UsageError
from harness.event_loop import run_async
from harness.files import digest_json, exclusive
from harness.latency.analyse import SPENT_A_LOOK, analyse_load, looks, whole_rounds
from harness.latency.arm_servers import ArmServers, MeasuredServers
from harness.latency.block import orders
from harness.latency.deployments import (
    begin_words,
    check_mode,
    check_servers,
    choose_mode,
    with_deployments,
)
from harness.latency.health import client_priority, garbage_frozen
from harness.latency.latency_rule import LatencyRule, decided
from harness.latency.lateness import allowed_at, extra, spoiled
from harness.latency.rounds import ArmPlan, Measuring, Wishes, wishes
from harness.records.latency import ARMS, LATENCY_PREFIX, Arm, LatencySettings, Measurement, Pace
from harness.records.load import Load
from harness.records.run import AdapterProof, Watcher
from harness.records.suite import Suite
from harness.run.few_shot import examples_of
from harness.run.plan import Selection, plan
from harness.run.provenance import host, packages
from harness.storage.working_files import MeasurementFolder
from harness.targets.adapter_proof import prove_all
from harness.targets.additions import asker
from harness.targets.client_stack import open_stack
from harness.targets.connection import stop_idle
from harness.targets.endpoint import Endpoint
from harness.targets.identity import check_listing, identify
from harness.targets.models import fetch_models

Rules = Sequence[LatencyRule]


@dataclass(frozen=True, slots=True)
class Contest:
    """Who is measured against whom, on which suites and how."""

    candidate: str
    baseline: str
    suites: tuple[Suite, ...]
    settings: LatencySettings
    alpha: float
    rules: Rules = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """What the rules are on, each once: `ttft_p95`."""
        return metrics_of(self.rules)


def metrics_of(rules: Rules) -> tuple[str, ...]:
    """What rules on latency are on, each once: `ttft_p95`."""
    return tuple(dict.fromkeys(rule.metric.removeprefix(LATENCY_PREFIX) for rule in rules))


def measure(
    project: Project, contest: Contest, watcher: Watcher, *, anew: bool = False
) -> MeasurementFolder:
    """The finished measurement; one that was broken off goes on with its next round, unless `anew`.

    Raises:
        UsageError: the two targets cannot be measured against each other, or a prompt cannot be
            asked.
        EvidenceError: the candidate's adapter has no effect, or vanishes.
        ServerError: the server does not start, refuses, or is gone.
    """
    names = (contest.candidate, contest.baseline)
    several = len(check_servers(project, *names, contest.settings)) > 1
    suites = _chosen(project, contest)
    fetch_models(project, names, watcher)
    known = {name: run_async(identify(project, name, watcher.say)) for name in names}
    plans = {
        name: plan(project, name, suites, identity, Selection(repeats=1))
        for name, identity in known.items()
    }
    arms: dict[Arm, ArmPlan] = {}
    for arm in ARMS:
        planned = plans[contest.candidate if arm == "candidate" else contest.baseline]
        longest, own = contest.settings.max_tokens, planned.generation
        length = {"max_tokens": longest}
        if own.min_tokens is not None:
            length["min_tokens"] = min(own.min_tokens, longest)
        generation = own.model_copy(update=length)
        target = planned.target
        arms[arm] = ArmPlan(
            planned,
            generation,
            project.target(target).answers_as,
            examples_of(project, target),
            asker(project, target),
        )
    busy = JournalError(
        "another process measures here", where=str(project.measurements), hint="wait for its end"
    )
    # One at a time: two would measure each other.
    with exclusive(project.measurements / "lock", busy):
        header, why = _header(project, contest, arms), ""
        if several:
            stop_idle()  # what a gate has asked for answers takes memory that may be needed
            mode, why = choose_mode(project, *names, contest.settings)
            header = with_deployments(project, header, mode)
        folder, begun = _folder(project, header, anew=anew)
        if folder.header() is not None:
            watcher.say(f"latency: goes on with a measurement begun {begun.created}")
        if begun.servers is not None:
            why = check_mode(begun, header, why)
            watcher.say(begin_words(begun, folder.blocks(), why))
        servers = MeasuredServers(project, begun, folder, watcher.say)
        with servers.standing() as endpoints:
            opened = servers.opened(endpoints)
            run_async(_measure(project, contest, begun, folder, arms, opened, watcher))
    return folder


def _chosen(project: Project, contest: Contest) -> tuple[Suite, ...]:
    names = contest.settings.suites
    known = [suite.name for suite in contest.suites]
    for name in names:
        if name not in known:
            raise UsageError(
                f"no suite `{name}`",
                where=f"{project.file}: latency.suites",
                hint=f"there is {', '.join(known)}",
            )
    return tuple(suite for suite in contest.suites if not names or suite.name in names)


def _header(project: Project, contest: Contest, arms: dict[Arm, ArmPlan]) -> Measurement:
    """The header of a measurement that is about to begin; its id follows from its content."""
    candidate = arms["candidate"].plan
    generation = arms["baseline"].generation
    suites = candidate.suite_digests
    identities = {arm: one.plan.identity for arm, one in arms.items()}
    content = digest_json(
        [
            {arm: identity.model_dump(mode="json") for arm, identity in identities.items()},
            contest.settings.model_dump(mode="json"),
            [arms[arm].generation.model_dump(mode="json") for arm in ARMS],
            [arms[arm].plan.system_prompts for arm in ARMS],
            suites,
            [rule.model_dump(mode="json") for rule in contest.rules],
            contest.alpha,
        ]
    )
    name = f"{contest.candidate}-vs-{contest.baseline}"
    return Measurement(
        id=f"{name}-{content.removeprefix('sha256:')[:12]}",
        candidate=contest.candidate,
        baseline=contest.baseline,
        models={arm: identity.model for arm, identity in identities.items()},
        identities=identities,
        settings=contest.settings,
        generation=generation.model_dump(mode="json"),
        suites=suites,
        salted=False,
        fixed=False,
        alpha=contest.alpha,
        metrics=contest.metrics,
        config_digest=project.digest,
        packages=packages(candidate.identity),
        host=host(),
        created=iso(SYSTEM_CLOCK.utc()),
        nonce=secrets.token_hex(16),
    )


def measurements(
    project: Project, candidate: str, baseline: str
) -> list[tuple[MeasurementFolder, Measurement]]:
    """The pair's finished measurements, the newest first."""
    found = []
    for path in project.measurements.glob("*/[0-9]*/measurement.json"):
        folder = MeasurementFolder(path.parent)
        header = folder.header()
        # One that carries no seal is of an earlier version, and could hold anything.
        if header is None or not header.finished or header.sealed is None:
            continue
        if (header.candidate, header.baseline) == (candidate, baseline):
            found.append((folder, header))
    return sorted(found, key=lambda one: (one[1].created, one[1].id), reverse=True)


def _folder(
    project: Project, begun: Measurement, *, anew: bool
) -> tuple[MeasurementFolder, Measurement]:
    """The folder of the newest measurement with that content, a new one if that is finished."""
    place = project.measurements / begun.id
    numbers = sorted(int(path.name) for path in place.glob("[0-9]*") if path.name.isdigit())
    if numbers and not anew:
        newest = MeasurementFolder(place / f"{numbers[-1]:03d}")
        known = newest.header()
        if known is not None and not known.finished:
            return newest, known
    number = (numbers[-1] if numbers else 0) + 1
    id_ = f"{begun.id}/{number:03d}"
    return MeasurementFolder(project.measurements / id_), begun.model_copy(update={"id": id_})


async def _measure(
    project: Project,
    contest: Contest,
    begun: Measurement,
    folder: MeasurementFolder,
    arms: dict[Arm, ArmPlan],
    opened: AbstractAsyncContextManager[ArmServers],
    watcher: Watcher,
) -> None:
    async with opened as servers:
        proof, granted = await _examine(project, begun, arms, servers, watcher)
        update = {"adapter_proof": proof, "fixed": granted.fixed, "salted": granted.salted}
        header = begun.model_copy(update=update)
        if folder.blocks() and (begun.fixed, begun.salted) != (granted.fixed, granted.salted):
            raise EvidenceError(
                "the server no longer takes requests as it did when this measurement began",
                where=f"servers.{project.target(begun.baseline).server}",
                hint="begin anew with --no-cache",
            )
        folder.write_header(header)
        measuring = Measuring(arms, servers, SYSTEM_CLOCK, granted)
        priority = client_priority(header.settings.client_priority, watcher.say)
        with garbage_frozen(), priority:  # once: no block has to go through all that was loaded
            header = await measure_rounds(header, folder, measuring, contest.rules, watcher)
    await _check_files(project, header)
    folder.finish(header)


async def _examine(
    project: Project,
    begun: Measurement,
    arms: dict[Arm, ArmPlan],
    servers: ArmServers,
    watcher: Watcher,
) -> tuple[AdapterProof | None, Wishes]:
    """The proof that the candidate's adapter is applied, and what every server grants."""
    theirs = None
    async with servers.of("candidate") as server:
        proof = await _prove(project, arms, server.endpoint, watcher)
        if begun.servers is not None:
            theirs = await wishes(server, arms["candidate"], begun.settings)
    async with servers.of("baseline") as server:
        granted = await wishes(server, arms["baseline"], begun.settings)
    return proof, granted if theirs is None else granted & theirs


async def _check_files(project: Project, header: Measurement) -> None:
    """Refuse a measurement if the files that were hashed are not the files that were served."""
    candidate, baseline = header.identities["candidate"], header.identities["baseline"]
    for known, name in ((candidate, header.candidate), (baseline, header.baseline)):
        if known.weights is not None and await identify(project, name) != known:
            raise EvidenceError(
                f"the files of `{name}` changed while it was measured", hint="measure again"
            )


async def measure_rounds(
    header: Measurement,
    folder: MeasurementFolder,
    measuring: Measuring,
    rules: Rules,
    watcher: Watcher,
) -> Measurement:
    """The header after every round that is needed is in the folder.

    A load ends early when a look before its end decides every rule; the looks' share of alpha is
    spent whether they end anything or not.
    """
    settings = header.settings
    total = len(settings.loads) * settings.rounds
    done = 0
    await measuring.warm_up(settings)
    for place, load in enumerate(settings.loads):
        pace = header.pace(load)
        if pace is None:
            pace = await measuring.pace(load, settings)
            header = header.model_copy(update={"paces": (*header.paces, pace)})
            folder.write_header(header)
        have = {turn["baseline"].round for turn in whole_rounds(folder.blocks(), load)}
        open_ones = len(have) < settings.rounds and str(load) not in header.stopped
        if open_ones:
            late = await measuring.settle(header, place)
            if pace.late is None and late is not None:
                header = _with_pace(header, pace.model_copy(update={"late": late}))
                folder.write_header(header)
        for number, order in enumerate(orders(settings, place)):
            if number not in have and str(load) not in header.stopped:
                # Before a round, so that a look is not lost with the session that was to take it.
                if _look(header, load, len(have), folder, rules):
                    stopped = {**header.stopped, str(load): len(have)}
                    header = header.model_copy(update={"stopped": stopped})
                    folder.write_header(header)
                    watcher.say(f"latency at {load}: decided after {len(have)} rounds")
                else:
                    for block in await measuring.round(header, place, number, order):
                        folder.keep(block, place)
                    have.add(number)
            done += 1
            watcher.progress("latency", done, total, str(load))
        if str(load) not in header.stopped:
            await _measure_again(header, folder, measuring, place, watcher)
    return header


def _with_pace(header: Measurement, pace: Pace) -> Measurement:
    """The header with that pace in place of the one of the same load."""
    paces = tuple(pace if one.load == pace.load else one for one in header.paces)
    return header.model_copy(update={"paces": paces})


async def _measure_again(
    header: Measurement,
    folder: MeasurementFolder,
    measuring: Measuring,
    place: int,
    watcher: Watcher,
) -> None:
    """Measure rounds again in which the client was late, all arms together and in their order."""
    settings = header.settings
    load = settings.loads[place]
    limit, turns = allowed_at(header, load), orders(settings, place)
    while True:
        rounds = whole_rounds(folder.blocks(), load)
        lost = [turn["baseline"].round for turn in rounds if spoiled(turn, limit)]
        again = len(rounds) - settings.rounds
        if len(rounds) - len(lost) >= settings.rounds or again >= extra(settings.rounds):
            return
        watcher.say(f"latency at {load}: the client was late, a round is measured again")
        # One number is the round's that does not count. The order is that of a round it stands for.
        number = settings.rounds + 1 + again
        first = [one for one in lost if one < settings.rounds]
        order = turns[first[again % len(first)]] if first else turns[again % len(turns)]
        for block in await measuring.round(header, place, number, order):
            folder.keep(block, place)


def _look(
    header: Measurement, load: Load, rounds: int, folder: MeasurementFolder, rules: Rules
) -> bool:
    """Whether the load's rounds so far decide every rule, at a moment when that is looked at."""
    if not rules or rounds not in looks(header):
        return False
    level = header.alpha * SPENT_A_LOOK
    found = analyse_load(header, load, folder.blocks(), level, header.metrics)
    return not found.problems and decided(rules, found)


async def _prove(
    project: Project, arms: dict[Arm, ArmPlan], endpoint: Endpoint, watcher: Watcher
) -> AdapterProof | None:
    """The proof that the candidate's adapter is applied, None where it is none."""
    planned = arms["candidate"].plan
    if planned.identity.adapter is None:
        return None
    check = functools.partial(check_listing, project, planned.target, planned.identity)
    async with open_stack(endpoint, planned.generation, SYSTEM_CLOCK) as clients:
        return await prove_all(clients, planned, watcher.say, arms["candidate"].answers_as, check)
