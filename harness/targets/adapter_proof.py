"""The proof that a server applies an adapter, with what later proofs are held against.

Names cannot tell one adapter from another that was loaded in its place; answers can.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from itertools import zip_longest

from harness.client.dialect import ServerDescription
from harness.client.protocol import ChatClient
from harness.config import Project
from harness.errors import AdapterNotApplied
from harness.records.plan import Plan, prompt_digest
from harness.records.run import AdapterProof, Probe, Said
from harness.storage import runs_of
from harness.targets.client_stack import ClientStack
from harness.targets.probes import (
    PROBES,
    TOLERANCES,
    choose_probes,
    compare,
    draw_probes,
    gaps_between,
    logprobs,
    mean_gap,
)
from harness.targets.replica_check import check_replicas

FURTHER = 4  # probes that are the same in every proof, besides those of other checks


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
    one: what answers of one model differ by is noise, in which a batch with others is thus
    included. Files that were hashed need no fingerprint: there the adapter is asked once. Only
    log-probabilities of generated tokens are asked for: prompt log-probabilities break LoRA
    servers.

    Raises:
        AdapterNotApplied: the server does not list the adapter under a base that it lists, or
            answers most probes as the base does.
        ServerError: a probe failed, or brought no log-probabilities.
    """
    adapter = planned.identity.model
    base = _base_of(adapter, server)
    chosen = choose_probes(planned.pool, PROBES + FURTHER)
    prompts = [*chosen, *draw_probes(planned.pool, chosen)]
    fields = planned.generation.probe_fields()
    ask = functools.partial(logprobs, client, fields=fields)
    first = await ask(base, prompts)
    again = await ask(base, prompts, at_once=False)
    adapted = await ask(adapter, prompts)
    known = planned.identity.weights is not None
    alone = [] if known else await ask(adapter, chosen, at_once=False)
    own = gaps_between(adapted[: len(alone)], alone)
    found = compare((first, again), adapted, TOLERANCES.repeated)
    steady = [gap for gap in gaps_between(first, again) if gap <= TOLERANCES.contradiction]
    # Half of the probes decide, so the mean of the noise tells more than its largest value.
    threshold = TOLERANCES.threshold(TOLERANCES.repeated, mean_gap(steady))
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
        differing=sum(gap > threshold for gap in found.gaps),
        largest_gap=found.largest,
        noise=max(found.noise, *(gap for gap in own if gap <= TOLERANCES.contradiction), 0.0),
        fingerprint=_fingerprint(
            [prompt_digest(prompt.messages, fields) for prompt in prompts],
            len(chosen),
            (first, again),
            (adapted, alone),
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


def _fingerprint(
    prompts: Sequence[str],
    common: int,
    base: tuple[Sequence[Said], Sequence[Said]],
    adapter: tuple[Sequence[Said], Sequence[Said]],
) -> tuple[Probe, ...]:
    """The probes, the first `common` of which are asked in every proof; both ask twice."""
    return tuple(
        Probe(
            prompt=prompt,
            drawn=place >= common,
            base=said[0],
            base_again=said[1],
            adapter=said[2],
            adapter_again=said[3],
        )
        for place, (prompt, *said) in enumerate(zip_longest(prompts, *base, *adapter))
    )


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
