"""The proof that a server applies an adapter, and that it is still the adapter of earlier runs.

Names cannot tell one adapter from another that was loaded in its place; answers can.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from harness.client.dialect import ServerDescription
from harness.client.protocol import ChatClient
from harness.config import Project
from harness.errors import AdapterNotApplied
from harness.records.plan import Plan, prompt_digest
from harness.records.run import AdapterProof, Probe
from harness.storage import runs_of
from harness.targets.client_stack import ClientStack
from harness.targets.probes import (
    TOLERANCES,
    Logprobs,
    choose_probes,
    compare,
    draw_probes,
    gap_between,
    gaps_between,
    logprobs,
)
from harness.targets.replica_check import check_replicas

ALONE = 4  # probes that are put to the adapter once more, one by one


async def prove_all(
    clients: ClientStack,
    planned: Plan,
    say: Callable[[str], None],
    answers_as: str | None = None,
    check: Callable[[ServerDescription], None] = lambda _: None,
) -> AdapterProof | None:
    """The proof for an adapter, the weakest of all replicas; None where there is no adapter.

    Several replicas are first compared; one that cannot be reached is left out. `check` may refuse
    a replica's description before a request goes to its adapter.

    Raises:
        EvidenceError: a replica serves something else than another.
        AdapterNotApplied: as for `prove`, with the replica's address where there are several.
        ServerError: no replica can be reached, or a probe failed.
    """
    several = len(clients.replicas) > 1
    is_adapter = planned.identity.adapter is not None
    if not several and not is_adapter:
        return None
    described = await check_replicas(clients, planned, say, answers_as)
    if not is_adapter:
        return None
    proofs = []
    for replica, description in described:
        try:
            check(description)
            proofs.append(await prove(replica.client, description, planned))
        except AdapterNotApplied as error:
            where = replica.address if several else error.where
            raise AdapterNotApplied(error.what, where=where, hint=error.hint) from None
    return min(proofs, key=lambda proof: proof.differing / proof.probes)


async def prove(client: ChatClient, server: ServerDescription, planned: Plan) -> AdapterProof:
    """The proof that the plan's model, an adapter, is applied on the server.

    The probes are prompts of the suites. Some are the same in every proof, so that proofs can be
    held against each other, some are drawn anew. They go to both models all at once, then one by
    one, a few of them to the adapter: what answers of one model differ by is noise, in which a
    batch with others is thus included. Only log-probabilities of generated tokens are asked for:
    prompt log-probabilities break LoRA servers.

    Raises:
        AdapterNotApplied: the server does not list the adapter under a base that it lists, or
            answers most probes as the base does.
        ServerError: a probe failed, or brought no log-probabilities.
    """
    adapter = planned.identity.model
    base = _base_of(adapter, server)
    chosen = choose_probes(planned.pool)
    prompts = [*chosen, *draw_probes(planned.pool, chosen)]
    fields = planned.generation.probe_fields()
    ask = functools.partial(logprobs, client, fields=fields)
    first = await ask(base, prompts)
    again = await ask(base, prompts, at_once=False)
    adapted = await ask(adapter, prompts)
    alone = await ask(adapter, prompts[:ALONE], at_once=False)
    own = [gap for gap in gaps_between(adapted[:ALONE], alone) if gap <= TOLERANCES.contradiction]
    found = compare((first, again), adapted, TOLERANCES.repeated)
    if not found.conclusive:
        raise AdapterNotApplied(
            f"`{base}` contradicts itself on {found.forked} of {len(prompts)} probes, so nothing "
            "can be proven",
            hint="the server is not deterministic at temperature 0",
        )
    proof = AdapterProof(
        model=adapter,
        parent=base,
        adapter=planned.identity.adapter or "",
        probes=len(found.gaps),
        forked=found.forked,
        differing=found.differing,
        largest_gap=found.largest,
        noise=max(found.noise, *own),
        fingerprint=tuple(
            Probe(
                prompt=prompt_digest(prompt.messages, fields),
                drawn=place >= len(chosen),
                base=base_answer,
                adapter=adapter_answer,
            )
            for place, (prompt, base_answer, adapter_answer) in enumerate(
                zip(prompts, first, adapted, strict=True)
            )
        ),
    )
    if not proof.applied:
        raise AdapterNotApplied(
            f"`{adapter}` answers {proof.probes - proof.differing} of {proof.probes} probes "
            f"exactly as its base does (largest difference {proof.largest_gap:.2g} nats, "
            f"noise {found.noise:.2g})",
            hint="the adapter is empty or was not applied; train it again or check its files",
        )
    return proof


def _base_of(adapter: str, server: ServerDescription) -> str:
    """The base under which the server lists the adapter, and which it lists too."""
    entry = server.model(adapter)
    base = entry.parent if entry is not None else None
    if base is None or server.model(base) is None:
        listed = ", ".join(f"`{model.id}`" for model in server.models)
        raise AdapterNotApplied(
            f"the server does not list `{adapter}` as an adapter of a base (it lists {listed})",
            hint="the server's log says why it was dropped",
        )
    return base


def earlier_proofs(project: Project, plan: Plan, freshness: int) -> list[tuple[AdapterProof, str]]:
    """The proofs with a fingerprint of the runs whose answers stand beside the plan's.

    Each comes with the time at which its run was begun. All of them count: they need not share a
    prompt with each other.
    """
    return [
        (header.adapter_proof, header.created)
        for _, header in reversed(runs_of(project.runs, plan.target))
        if header.identity == plan.identity
        and header.freshness == freshness
        and header.adapter_proof is not None
        and header.adapter_proof.fingerprint
    ]


def check_unchanged(now: AdapterProof, then: AdapterProof, since: str) -> None:
    """Return if base and adapter answer the probes that both proofs share as they did.

    The base may differ as it does in another batch. What it does differ by is then the noise that
    the adapter is held to, or what either was seen to differ by from itself. Half of the probes
    decide.

    Raises:
        AdapterNotApplied: another base or another adapter answers, or the two changed places.
    """
    known = {probe.prompt: probe for probe in then.fingerprint}
    pairs = [(probe, known[probe.prompt]) for probe in now.fingerprint if probe.prompt in known]
    if not pairs:
        return
    if _changed_places(pairs):
        raise _changed(f"`{now.model}` and its base `{now.parent}` changed places", since)
    noise = max(now.noise, then.noise)
    drifts = [gap_between(probe.base, old.base) for probe, old in pairs]
    threshold = TOLERANCES.threshold(TOLERANCES.rebatched, noise)
    moved = sum(drift > threshold for drift in drifts)
    if 2 * moved >= len(pairs):
        raise _changed(f"another model answers as `{now.parent}`, the base of `{now.model}`", since)
    noise = max(noise, *(drift for drift in drifts if drift <= threshold), 0.0)
    threshold = TOLERANCES.threshold(TOLERANCES.repeated, noise)
    moved = sum(gap_between(probe.adapter, old.adapter) > threshold for probe, old in pairs)
    if 2 * moved >= len(pairs):
        raise _changed(f"another adapter answers as `{now.model}`", since)


def _changed_places(pairs: Sequence[tuple[Probe, Probe]]) -> bool:
    """Whether each answers most probes more like the other's earlier answers than its own."""
    crossed = sum(
        _nearer(probe.base, old.adapter, old.base) and _nearer(probe.adapter, old.base, old.adapter)
        for probe, old in pairs
    )
    return 2 * crossed > len(pairs)


def _nearer(answer: Logprobs, other: Logprobs, own: Logprobs) -> bool:
    return gap_between(answer, other) < gap_between(answer, own) / 2


def _changed(what: str, since: str) -> AdapterNotApplied:
    return AdapterNotApplied(
        f"since the run begun {since} {what}",
        hint="serve what was served then, or ask everything again with --no-cache",
    )
