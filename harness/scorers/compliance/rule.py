"""A rule of compliance: what every kind of rule can do, and where kinds are found.

A kind is a subclass of `Rule` in a file of its own, declared under the entry-point group
`harness.compliance_rules`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    PrivateAttr,
    SerializeAsAny,
    model_validator,
)
from pydantic_core import CoreSchema

from harness.plugins import PluginRegistry
from harness.records.base import Record
from harness.records.suite import NAME_PATTERN, Case
from harness.scorers.compliance.phrases import Phrase, compiled
from harness.scorers.compliance.text import Claim, Text, read
from harness.scorers.refusal.languages import guess
from harness.scorers.scope import Language
from harness.validation import KeyProblem, nearest, validate_as

ENTRY_POINT_GROUP = "harness.compliance_rules"
LONGEST_QUOTE = 120
State = Literal["kept", "broken", "unknown", "idle"]
Wordings = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of an answer: `idle` where it has no part, and in words why."""

    state: State
    reason: str = ""


class Exchange:
    """A case and the answer to it, as rules read them."""

    def __init__(self, case: Case, answer: str, language: Language | None = None) -> None:
        self.case, self.answer = case, read(answer)
        self._language = language

    @cached_property
    def asked(self) -> Text:
        """What the user has said, in all turns."""
        return read("\n".join(self.said_by("user")))

    @cached_property
    def language(self) -> str:
        """The code of the answer's language, guessed where it is not given; empty if unknown."""
        return self._language or guess(self.answer.raw, self.asked.raw)

    def said_by(self, *roles: str) -> list[str]:
        """The turns of the case by these roles."""
        return [turn.content for turn in self.case.messages if turn.role in roles]


class Rule(Record):
    """One rule; `kind` says of which kind, and `name` is that of its metric.

    `language` is the one that its phrases are in: an answer in another one cannot be told.
    """

    name: str = Field(pattern=NAME_PATTERN)
    kind: str
    language: Language | None = None
    lists: dict[str, Wordings] = Field(default_factory=dict)

    _sought: dict[str, tuple[Phrase, ...]] = PrivateAttr(default_factory=dict)
    # The fields that hold phrases.
    PHRASES: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _phrases_can_be_read(self) -> Self:
        for key in self.PHRASES:
            try:
                self.phrases(key)
            except KeyProblem as wrong:
                raise KeyProblem(wrong.what, key, *wrong.keys) from None
        return self

    def phrases(self, key: str) -> tuple[Phrase, ...]:
        """The phrases of a field, as they are sought."""
        if key not in self._sought:
            self._sought[key] = compiled(getattr(self, key), self.lists)
        return self._sought[key]

    def judge(self, exchange: Exchange, *, applies: bool) -> Finding:
        """What the rule says of the answer; `applies` where the case itself calls for it."""
        foreign = self.language is not None and exchange.language != self.language
        found = self.check(exchange, applies=applies)
        if foreign and found.state not in {"broken", "idle"}:
            return Finding("unknown", f"the answer is not in the rule's language ({self.language})")
        return found

    def check(self, exchange: Exchange, *, applies: bool) -> Finding:
        """The same, of an answer in the rule's language."""
        raise NotImplementedError(f"the kind of rule `{self.kind}` cannot judge")

    def unreachable(self, cases: Sequence[Case]) -> str:
        """Why no answer to any of the cases can break the rule; empty where one can."""
        del cases
        return ""


def quoted(claim: Claim) -> str:
    """The words of a claim as a reason shows them."""
    return f"`{claim.said[:LONGEST_QUOTE]}`"


def found(claims: Sequence[Claim], what: str) -> Finding:
    """The finding where claims break a rule: certain ones first, doubtful ones cannot be told."""
    for claim in sorted(claims, key=lambda one: bool(one.doubt)):
        if claim.doubt:
            return Finding("unknown", f"{what} {quoted(claim)}, but {claim.doubt}")
        return Finding("broken", f"{what} {quoted(claim)}")
    return Finding("kept")


@cache
def kinds() -> PluginRegistry[Any]:
    """Every kind of rule that an installed distribution declares."""
    return PluginRegistry("kind of compliance rule", ENTRY_POINT_GROUP, make=_Kind)


class _Kind:
    """A class of rules under the name that its `kind` allows."""

    def __init__(self, loaded: Any) -> None:
        if not (isinstance(loaded, type) and issubclass(loaded, Rule)):
            raise TypeError("is no subclass of harness.scorers.compliance.Rule")
        self.model: type[Rule] = loaded
        self.name = str(get_args(loaded.model_fields["kind"].annotation)[0])


def _parse(given: Any) -> Any:
    """A rule of the kind that its `kind` names."""
    if not isinstance(given, Mapping):
        return given
    kind = given.get("kind")
    if not isinstance(kind, str):
        return validate_as(Rule, {key: given[key] for key in given if key in {"kind", "name"}})
    if kind not in kinds().names():
        raise KeyProblem(f"no kind of rule `{kind}`{nearest(kind, kinds().names())}", "kind")
    return validate_as(kinds().get(kind).model, given)


class _OfAnyKind:
    """The JSON schema of a rule: that of any kind there is."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        models = (kinds().get(name).model for name in kinds().names())
        return {"anyOf": [handler(model.__pydantic_core_schema__) for model in models]}


AnyRule = Annotated[SerializeAsAny[Rule], BeforeValidator(_parse), _OfAnyKind]
