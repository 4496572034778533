"""A stretch of a text that holds personal data or a secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

# What is told by how it is written; a person's name is not.
WrittenKind = Literal[
    "secret", "email", "iban", "card", "national-id", "ip-address", "mac-address", "phone"
]
Kind = Literal[WrittenKind, "person"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Span:
    """From where to where it stands, in characters, and what it is; never the text itself."""

    begin: int
    end: int
    kind: Kind
