"""A chain from its first link to its last: each asked, then each hop judged."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from harness.chain import metrics as hop_metrics
from harness.chain.causes import Finding, gaps, share_beyond
from harness.chain.files import precision, read_files
from harness.chain.hop import MARGIN, Hop, MetricResult, judge
from harness.chain.link import Answers, Link, LinkFiles, Seen
from harness.chain.observe import Asking, Probes, observe
from harness.config import Project
from harness.errors import AdapterNotApplied, UsageError
from harness.event_loop import run_async
from harness.files import make_folder
from harness.records.run import RunRecord, Watcher
from harness.records.server import ManagedServer, RemoteServer
from harness.records.server_url import is_local
from harness.records.suite import Message, Suite
from harness.run.plan import Selection, probe_conversations
from harness.run.resume import Reuse
from harness.sections.evaluate import Evaluation
from harness.targets.connection import connect
from harness.targets.endpoint import BASE, Endpoint, model_name, serve_spec
from harness.targets.identity import identify
from harness.targets.models import fetch_models
from harness.targets.probes import TOLERANCES


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """What may differ at a hop: nats of an answer, a share of a metric's range; and the level.

    Without `suites` the probes alone are judged.
    """

    nats: float = MARGIN
    margin: float = hop_metrics.MARGIN
    alpha: float = 0.05
    suites: bool = True
    selection: Selection = field(default_factory=Selection)
    reuse: Reuse = "stored"


def examine(
    project: Project,
    targets: Sequence[str],
    suites: tuple[Suite, ...],
    settings: ChainSettings,
    watcher: Watcher,
) -> list[Hop]:
    """The hops of the chain, in its order.

    Raises:
        UsageError: fewer than two links, one twice, or a name, file or model that is not there.
        ServerError: a server does not start, or a link does not answer.
        AdapterNotApplied: the first link's own adapter changes nothing.
    """
    check_names(project, targets)
    fetch_models(project, targets, watcher)
    _check_there(project, targets, watcher)
    links = _links(project, targets, suites, watcher)
    first = links[0]
    if first.seen.refused:
        raise UsageError(
            f"the chain begins with `{first.target}`, which refuses the suites' conversations: "
            f"{first.seen.refused}",
            hint=f"`harness doctor {first.target}` says what to write",
        )
    runs: dict[str, RunRecord | AdapterNotApplied] = {}
    if settings.suites:
        # A link that refuses the suites' conversations has no answers to compare.
        taken = [link.target for link in links if not link.seen.refused]
        runs = {name: _run(project, name, suites, settings, watcher) for name in taken}
    lost = runs.get(first.target)
    if isinstance(lost, AdapterNotApplied):
        raise lost
    base: Answers | None = first.seen.base
    if base is not None and share_beyond(gaps(base, first.seen.first), TOLERANCES.repeated) == 0.0:
        raise AdapterNotApplied(
            f"the chain begins with `{first.target}`, which answers as its base does",
            hint="begin with a link whose adapter is applied",
        )
    hops = []
    for before, after in pairwise(links):
        base = base or after.seen.base
        compared = _metrics(runs, before, after, suites, settings, len(links) - 1)
        hop = judge(before, after, base, compared, settings.nats)
        hops.append(_with_proof(hop, runs.get(after.target)))
    return hops


def check_names(project: Project, targets: Sequence[str]) -> None:
    """Return if these can be the links of a chain.

    Raises:
        UsageError: fewer than two, one twice, or one that is no target.
    """
    for name in targets:
        project.target(name)
    if len(targets) < 2:
        raise UsageError("a chain has two links at least", hint="name them in their order")
    twice = next((name for name in targets if targets.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"`{twice}` is in the chain twice", hint="name each link once")


def _check_there(project: Project, targets: Sequence[str], watcher: Watcher) -> None:
    """Return if the links at urls are there, before a server of ours is started for minutes."""
    for name in targets:
        if not isinstance(project.config.servers[project.target(name).server], ManagedServer):
            with suppress(AdapterNotApplied):  # is found again, and named, at its hop
                run_async(identify(project, name, watcher.say))


def _with_proof(hop: Hop, run: RunRecord | AdapterNotApplied | None) -> Hop:
    """The hop, where the run's own proof found that the adapter is not applied."""
    if not isinstance(run, AdapterNotApplied):
        return hop
    others = tuple(one for one in hop.findings if one.cause != "adapter not applied")
    return replace(
        hop,
        outcome="different",
        findings=(Finding("adapter not applied", run.what), *others),
    )


def _links(
    project: Project, targets: Sequence[str], suites: Sequence[Suite], watcher: Watcher
) -> list[Link]:
    """The links in their order; each server is started once, for all of its links."""
    probes = probe_conversations(project, targets[0], suites)
    long: tuple[Message, ...] | None = None
    found: dict[str, Link] = {}
    for server in dict.fromkeys(project.target(name).server for name in targets):
        names = [name for name in targets if project.target(name).server == server]
        log = project.root / ".harness" / f"chain-{server}.log"
        make_folder(log.parent)
        with connect(project, server, names, log, watcher.say) as endpoint:
            for name in names:
                watcher.say(f"{name}: asking {len(probes)} probes")
                files, kind = _files(project, name)
                asking = _asking(project, name, probes, files, long)
                seen, long = run_async(observe(endpoint, asking, watcher.say))
                found[name] = _link(project, name, endpoint, seen, files, kind)
    return [found[name] for name in targets]


def _asking(
    project: Project,
    target: str,
    probes: Probes,
    files: LinkFiles,
    long: tuple[Message, ...] | None,
) -> Asking:
    chosen = project.target(target)
    managed = isinstance(project.config.servers[chosen.server], ManagedServer)
    return Asking(
        model=model_name(project, target),
        settings=project.generation(target),
        answers_as=chosen.answers_as,
        probes=probes,
        base=BASE if managed and chosen.adapter is not None else None,
        long=long,
        context=files.context,
    )


def _files(project: Project, target: str) -> tuple[LinkFiles, str | None]:
    """What the files of a link on a server of ours say, and the precision."""
    chosen = project.target(target)
    server = project.config.servers[chosen.server]
    if not isinstance(server, ManagedServer):
        return LinkFiles(), None
    spec = serve_spec(project, chosen.server, [target], Path(os.devnull))
    kwargs = project.generation(target).chat_template_kwargs or {}
    files = read_files(spec.model, spec.adapters.get(target), spec.args, kwargs)
    return files, precision(spec.model, spec.args, ())


def _link(
    project: Project,
    target: str,
    endpoint: Endpoint,
    seen: Seen,
    files: LinkFiles,
    kind: str | None,
) -> Link:
    chosen = project.target(target)
    server = project.config.servers[chosen.server]
    if isinstance(server, ManagedServer):
        return Link(target, files, seen, chosen.adapter is not None, kind)
    root = _root(endpoint, chosen.model or "") if isinstance(server, RemoteServer) else None
    adapter = chosen.adapter is not None or seen.base is not None
    if root is not None and not adapter:
        files = read_files(root, None, {}, project.generation(target).chat_template_kwargs or {})
    names = (chosen.model or "", str(root or ""), target)
    return Link(target, files, seen, adapter, precision(root, None, names))


def _root(endpoint: Endpoint, model: str) -> Path | None:
    """The folder that a server on this machine says it serves."""
    if not all(is_local(urlsplit(url).hostname or "") for url in endpoint.urls):
        return None
    entry = run_async(endpoint.describe()).model(model)
    root = Path(entry.root) if entry is not None and entry.root else None
    return root if root is not None and root.is_absolute() and root.is_dir() else None


def _run(
    project: Project,
    target: str,
    suites: tuple[Suite, ...],
    settings: ChainSettings,
    watcher: Watcher,
) -> RunRecord | AdapterNotApplied:
    """The link's run of the suites, or that its adapter is not applied."""
    try:
        asked = Evaluation(project, suites, watcher, settings.selection, settings.reuse)
        return asked.run([target])[target]
    except AdapterNotApplied as error:
        return error


def _metrics(
    runs: dict[str, RunRecord | AdapterNotApplied],
    before: Link,
    after: Link,
    suites: tuple[Suite, ...],
    settings: ChainSettings,
    hops: int,
) -> tuple[MetricResult, ...]:
    ours, theirs = runs.get(before.target), runs.get(after.target)
    if not isinstance(ours, RunRecord) or not isinstance(theirs, RunRecord):
        return ()
    return hop_metrics.compare_metrics(ours, theirs, suites, settings.alpha, hops, settings.margin)
