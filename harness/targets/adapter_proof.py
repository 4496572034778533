"""Prove: show that the server answers with the adapter applied, before anything is scored."""

from __future__ import annotations

from collections.abc import Callable

from harness.client.models import ServerDescription
from harness.client.protocol import ChatClient
from harness.errors import AdapterNotApplied
from harness.records.plan import Plan
from harness.records.run import AdapterProof
from harness.targets.client_stack import Dialled
from harness.targets.fingerprint import fingerprint
from harness.targets.probes import NOISE_FACTOR, gap_between, logprobs, spread
from harness.targets.replica_check import agree

# Below this many nats two log-probabilities are taken for equal, whatever the noise says.
RESOLUTION = 1e-5


async def prove_all(
    dialled: Dialled,
    planned: Plan,
    say: Callable[[str], None],
    answers_as: str | None = None,
    check: Callable[[ServerDescription], None] = lambda _: None,
) -> AdapterProof | None:
    """The proof for an adapter, the weakest of all replicas; None where there is no adapter.

    Several replicas are first shown to serve the same; one that cannot be reached is left out.
    `check` may refuse what a replica says of itself before its adapter is asked anything.

    Raises:
        EvidenceError: a replica serves something else than another.
        AdapterNotApplied: as for `prove`, with the replica's address where there are several.
        ServerError: no replica can be reached, or a probe failed.
    """
    several = len(dialled.replicas) > 1
    is_adapter = planned.identity.adapter is not None
    if not several and not is_adapter:
        return None
    described = await agree(dialled, planned, say, answers_as)
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

    Each probe, a prompt of the plan, goes to the base twice and to the adapter once; what differs
    between the two askings of the base is noise. Only log-probabilities of generated tokens are
    asked for: prompt log-probabilities break LoRA servers.

    Raises:
        AdapterNotApplied: the server does not list the adapter under a base that it lists, or
            answers most probes as the base does.
        ServerError: a probe failed, or brought no log-probabilities.
    """
    adapter = planned.identity.model
    entry = server.model(adapter)
    base = entry.parent if entry is not None else None
    if base is None or server.model(base) is None:
        listed = ", ".join(f"`{model.id}`" for model in server.models)
        raise AdapterNotApplied(
            f"the server does not list `{adapter}` as an adapter of a base (it lists {listed})",
            hint="the server's log says why it was dropped",
        )
    prompts = spread(planned.asks)
    first = await logprobs(client, base, prompts)
    again = await logprobs(client, base, prompts)
    adapted = await logprobs(client, adapter, prompts)
    twice = [gap_between(one, two) for one, two in zip(first, again, strict=True)]
    moved = [gap_between(one, two) for one, two in zip(first, adapted, strict=True)]
    usable = [gap for gap, base_gap in zip(moved, twice, strict=True) if not base_gap.forked]
    forked = len(prompts) - len(usable)
    if 3 * forked > len(usable):
        raise AdapterNotApplied(
            f"`{base}` contradicts itself on {forked} of {len(prompts)} probes, so nothing can "
            "be proven",
            hint="the server is not deterministic at temperature 0",
        )
    noise = max(gap.nats for gap in twice)
    threshold = max(RESOLUTION, NOISE_FACTOR * noise)
    proof = AdapterProof(
        model=adapter,
        parent=base,
        adapter=planned.identity.adapter or "",
        probes=len(usable),
        forked=forked,
        differing=sum(gap.forked or gap.nats > threshold for gap in usable),
        largest_gap=max(gap.nats for gap in usable),
        noise=noise,
        fingerprint=fingerprint(prompts, first, adapted),
    )
    if not proof.applied:
        raise AdapterNotApplied(
            f"`{adapter}` answers {proof.probes - proof.differing} of {proof.probes} probes "
            f"exactly as its base does (largest difference {proof.largest_gap:.2g} nats, "
            f"noise {noise:.2g})",
            hint="the adapter is empty or was not applied; train it again or check its files",
        )
    return proof
