"""The comparison of a server's replicas: all must serve the same model before any is used."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

from harness.client.dialect import ServerDescription
from harness.client.failures import busy, down
from harness.client.refused_fields import check_taken
from harness.errors import AdapterNotApplied, EvidenceError, ServerError
from harness.records.attempt import Failure
from harness.records.plan import Plan
from harness.targets.client_stack import ClientStack, Replica
from harness.targets.probes import TOLERANCES, Logprobs, answers, compare

_HINT = "serve the same files with the same version and options on all, or name two servers"

Described = list[tuple[Replica, ServerDescription]]


async def check_replicas(
    clients: ClientStack, planned: Plan, say: Callable[[str], None], answers_as: str | None = None
) -> Described:
    """Each replica's description, once they are known to serve the same.

    They name the same version and the same model, and greedy answers to a few prompts of the plan
    differ by no more than noise: the difference between two answers of the first one. A replica
    that cannot be reached is left out of `clients`, and `say` gets a line about it.

    Raises:
        EvidenceError: a replica serves something else, or nothing can be told.
        AdapterNotApplied: a replica does not list the plan's adapter.
        ServerError: none can be reached, or a probe failed.
    """
    described = await _describe(clients, say)
    if len(described) == 1:
        return described
    for replica, description in described[1:]:
        _compare_descriptions(planned, described[0], (replica, description))
    await _probe(clients, planned, say, answers_as)
    return [item for item in described if item[0] in clients.replicas]


async def _describe(clients: ClientStack, say: Callable[[str], None]) -> Described:
    replicas = clients.replicas
    found = await asyncio.gather(
        *(replica.describe() for replica in replicas), return_exceptions=True
    )
    described: Described = []
    errors: list[tuple[Replica, ServerError]] = []
    for replica, result in zip(replicas, found, strict=True):
        if isinstance(result, ServerError):
            errors.append((replica, result))
        elif isinstance(result, BaseException):
            raise result
        else:
            described.append((replica, result))
            clients.known[replica.address] = result
    if not described:
        raise errors[0][1]
    for replica, error in errors:
        _leave_out(clients, replica, error.what, say)
    return described


def _leave_out(
    clients: ClientStack, replica: Replica, why: str, say: Callable[[str], None]
) -> None:
    clients.leave_out(replica)
    say(f"{replica.address} is left out, {len(clients.replicas)} remain: {why}")


def _compare_descriptions(
    planned: Plan,
    first: tuple[Replica, ServerDescription],
    other: tuple[Replica, ServerDescription],
) -> None:
    """Refuse replicas that describe themselves differently."""
    name = planned.identity.model
    (reference, one), (replica, two) = first, other
    ours, theirs = one.model(name), two.model(name)
    if (ours is None) != (theirs is None):
        lacking, listed = (reference, one) if ours is None else (replica, two)
        kind = EvidenceError if planned.identity.adapter is None else AdapterNotApplied
        names = ", ".join(f"`{model.id}`" for model in listed.models)
        raise kind(
            f"does not list `{name}`, other replicas do (it lists {names})",
            where=lacking.address,
            hint="its log says why it was dropped",
        )
    pairs = [("version", one.version, two.version)]
    if ours is not None and theirs is not None:
        pairs += [
            (f"{key} of `{name}`", str(getattr(ours, key)), str(getattr(theirs, key)))
            for key in ("root", "parent", "max_model_len")
        ]
    for what, expected, found in pairs:
        if found != expected:
            raise EvidenceError(
                f"is no replica of {reference.address}: its {what} is {found}, not {expected}",
                where=replica.address,
                hint=_HINT,
            )


async def _probe(
    clients: ClientStack, planned: Plan, say: Callable[[str], None], answers_as: str | None
) -> None:
    """Refuse replicas that answer differently; leave out those that cannot be asked."""
    model = planned.identity.model
    ask = functools.partial(_ask, planned=planned, answers_as=answers_as)
    while True:
        first, *others = clients.replicas
        once = await ask(first)
        again = once if isinstance(once, Failure) else await ask(first)
        if not isinstance(once, Failure) and not isinstance(again, Failure):
            break
        assert isinstance(again, Failure)
        if not others:
            raise ServerError(f"a probe of `{model}` failed: {again.detail}", where=first.address)
        _leave_out(clients, first, again.detail, say)
    reference = (once, again)
    for replica, theirs in zip(others, await asyncio.gather(*map(ask, others)), strict=True):
        if isinstance(theirs, Failure):
            _leave_out(clients, replica, theirs.detail, say)
        else:
            _check(first, replica, reference, theirs, TOLERANCES.replica)

    async def check_again(replica: Replica) -> Failure | None:
        """Refuse a replica that came back with other weights; requests to the others go on."""
        theirs = await ask(replica)
        if isinstance(theirs, Failure):
            return theirs
        _check(first, replica, reference, theirs, TOLERANCES.rebatched)
        return None

    clients.checks.append(check_again)


async def _ask(
    replica: Replica, *, planned: Plan, answers_as: str | None
) -> list[Logprobs] | Failure:
    """The replica's answers, with log-probabilities where it gives them; or why it is not there."""
    found: list[Logprobs] | Failure = []
    for with_logprobs in (True, False):  # some servers refuse a request for log-probabilities
        found = await answers(replica.client, planned, answers_as, with_logprobs=with_logprobs)
        if not isinstance(found, Failure) or down(found) or busy(found):
            return found
    assert isinstance(found, Failure)
    check_taken(found, replica.address)
    what = f"a probe of `{planned.identity.model}` failed: {found.detail}"
    raise ServerError(what, where=replica.address)


def _check(
    first: Replica,
    other: Replica,
    reference: tuple[list[Logprobs], list[Logprobs]],
    theirs: list[Logprobs],
    tolerance: float,
) -> None:
    """Refuse a replica that is further from the first than the first from itself."""
    found = compare(reference, theirs, tolerance)
    if not found.conclusive:
        raise EvidenceError(
            f"contradicts itself on {found.forked} of {len(theirs)} probes, so nothing can be told "
            "of its replicas",
            where=first.address,
            hint="it is not deterministic at temperature 0; name one address",
        )
    if 2 * found.differing > len(found.gaps):
        raise EvidenceError(
            f"is no replica of {first.address}: it answers {found.differing} of "
            f"{len(found.gaps)} probes differently (largest difference {found.largest:.2g} nats, "
            f"noise {found.noise:.2g})",
            where=other.address,
            hint=_HINT,
        )
