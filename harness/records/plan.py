"""A plan: everything one target will be asked, put together from the cases as it is wanted."""

from __future__ import annotations

import bisect
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any, overload

from harness.files import digest_bytes, digest_json
from harness.records.suite import Case, Message, Section
from harness.records.target import Generation, Identity

_KEY = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One planned request; `key` is the digest of all that its answer depends on."""

    key: str
    suite: str
    section: str
    case: Case
    repeat: int
    messages: tuple[Message, ...]
    seed: int

    @property
    def path(self) -> str:
        """The case's full name `<suite>/<section>/<case>`."""
        return f"{self.suite}/{self.section}/{self.case.id}"


@dataclass(frozen=True, slots=True)
class Part:
    """The cases to ask of one section, by their places in it, under a system prompt."""

    suite: str
    section: Section
    system_prompt: str | None
    places: Sequence[int]

    def cases(self) -> Iterator[Case]:
        """The cases, in the section's order."""
        if len(self.places) == len(self.section.cases):
            yield from self.section.cases
        else:
            for place in self.places:
                yield self.section.cases[place]


class PlannedRequests(Sequence[PlannedRequest]):
    """Every request of a plan in the order of its cases, the repeats of a case one after another.

    Only the keys are held, 32 bytes each in `keys`; the rest is read from the suites again.
    """

    __slots__ = ("_ends", "_keys", "_parts", "_repeats", "_seed")

    def __init__(self, parts: Sequence[Part], generation: Generation, keys: bytes) -> None:
        self._parts = parts
        self._repeats = generation.repeats
        self._seed = generation.seed
        self._keys = keys
        self._ends = list(accumulate(len(part.places) * self._repeats for part in parts))

    @property
    def counts(self) -> dict[tuple[str, str], int]:
        """The number of requests of each section that has any."""
        found: Counter[tuple[str, str]] = Counter()
        for part in self._parts:
            found[part.suite, part.section.name] += len(part.places) * self._repeats
        return {place: count for place, count in found.items() if count}

    @property
    def digest(self) -> str:
        """The digest of all keys, whatever their order."""
        return digest_bytes(b"".join(sorted(map(self._raw, range(len(self))))))

    def each_key(self) -> Iterator[str]:
        """The keys alone, in order: no case is read for them."""
        return map(self._key, range(len(self)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[PlannedRequest]:
        number = 0
        for part in self._parts:
            for case in part.cases():
                messages = conversation(case, part.system_prompt)
                for repeat in range(self._repeats):
                    yield self._ask(number, part, case, messages, repeat)
                    number += 1

    @overload
    def __getitem__(self, index: int) -> PlannedRequest: ...

    @overload
    def __getitem__(self, index: slice) -> list[PlannedRequest]: ...

    def __getitem__(self, index: int | slice) -> PlannedRequest | list[PlannedRequest]:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        number = range(len(self))[index]
        at = bisect.bisect_right(self._ends, number)
        part = self._parts[at]
        begin = self._ends[at - 1] if at else 0
        place, repeat = divmod(number - begin, self._repeats)
        case = part.section.cases[part.places[place]]
        return self._ask(number, part, case, conversation(case, part.system_prompt), repeat)

    def _raw(self, number: int) -> bytes:
        return self._keys[number * _KEY : (number + 1) * _KEY]

    def _key(self, number: int) -> str:
        return f"sha256:{self._raw(number).hex()}"

    def _ask(
        self, number: int, part: Part, case: Case, messages: tuple[Message, ...], repeat: int
    ) -> PlannedRequest:
        key, name, seed = self._key(number), part.section.name, self._seed + repeat
        return PlannedRequest(key, part.suite, name, case, repeat, messages, seed)


class RequestList(tuple[PlannedRequest, ...]):
    """Requests that are all held, as those of a section's later rounds are."""

    __slots__ = ()

    @property
    def counts(self) -> dict[tuple[str, str], int]:
        """The number of requests of each section."""
        return dict(Counter((ask.suite, ask.section) for ask in self))

    @property
    def digest(self) -> str:
        """The digest of all keys, whatever their order."""
        return digest_bytes("".join(sorted(self.each_key())).encode())

    def each_key(self) -> Iterator[str]:
        """The keys alone, in order."""
        return (ask.key for ask in self)


def conversation(case: Case, system_prompt: str | None) -> tuple[Message, ...]:
    """The case's messages as they are sent: a system message of its own stands."""
    if system_prompt and case.messages[0].role != "system":
        return (_system(system_prompt), *case.messages)
    return case.messages


def prompt_digest(messages: Sequence[Message], fields: Mapping[str, Any]) -> str:
    """The digest of a conversation and of the fields that it is sent with, where there are any."""
    turns = [message.model_dump() for message in messages]
    return digest_json([turns, fields] if fields else turns)


@lru_cache(maxsize=16)
def _system(prompt: str) -> Message:
    return Message(role="system", content=prompt)


@dataclass(frozen=True, slots=True)
class Plan:
    """The requests of one target, with the run they belong to.

    They are `scored` where the answer to each gives the score of a case. `pool` holds all that the
    suites could ask of it, whatever was selected, without keys: probes are taken from it.
    """

    run_id: str
    target: str
    identity: Identity
    generation: Generation
    system_prompts: dict[str, str | None]
    suite_digests: dict[str, str]
    requests: PlannedRequests | RequestList
    selection: dict[str, str]
    pool: Sequence[PlannedRequest]
    scored: bool = True
