"""Planted faults with hop and cause, and clean chains: the rows behind `docs/chain.md`.

A chain begins with the adapter; each later link is named with what is changed in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.chain.hop import Hop
from tests.chain.form import (
    doubled,
    last_turn,
    refuses_system,
    renamed,
    syllables,
    without_system,
)

Links = dict[str, dict[str, Any]]
MERGED: dict[str, Any] = {}
INT8 = {"bits": 8}
HALF = 256  # of the context


@dataclass(frozen=True, slots=True)
class Planted:
    """The fault is in the link after hop number `at`, counted from 0."""

    links: Links
    at: int
    cause: str

    def named(self, hops: list[Hop]) -> bool:
        """Whether the first hop that breaks is the fault's, with its cause."""
        broken = next((hop for hop in hops if hop.outcome == "different"), None)
        return broken is hops[self.at] and broken.cause == self.cause


FAULTS: dict[str, Planted] = {
    "roles with other names": Planted(
        {"merged": MERGED, "int8": {**INT8, "template": renamed}}, 1, "template"),
    "a system prompt that is dropped": Planted(
        {"merged": {"template": without_system}, "int8": INT8}, 0, "template"),
    "a system prompt that is refused": Planted(
        {"merged": MERGED, "q8_0": {**INT8, "template": refuses_system}}, 1, "template"),
    "a first token twice": Planted(
        {"merged": MERGED, "int8": {**INT8, "template": doubled}}, 1, "template"),
    "earlier turns that are dropped": Planted(
        {"merged": {"template": last_turn}}, 0, "template"),
    "a stop token that is missing": Planted(
        {"merged": MERGED, "int8": INT8, "far": {**INT8, "ends": False}}, 2, "template"),
    "text that is cut into other tokens": Planted(
        {"merged": MERGED, "int8": {**INT8, "cuts": syllables}}, 1, "tokenizer"),
    "too few bits": Planted(
        {"merged": MERGED, "int2": {"bits": 2}}, 1, "precision"),
    "a penalty that nobody asked for": Planted(
        {"merged": MERGED, "int8": INT8, "far": {**INT8, "penalty": 1.8}}, 2, "sampling default"),
    "a temperature that is always on": Planted(
        {"merged": MERGED, "far": {"temperature": 1.5}}, 1, "sampling default"),
    "the base without the adapter": Planted(
        {"far": {"share": 0.0}}, 0, "adapter not applied"),
    "the base in a later link": Planted(
        {"merged": MERGED, "int8": {**INT8, "share": 0.0}}, 1, "adapter not applied"),
    "half of the adapter": Planted(
        {"merged": {"share": 0.5}}, 0, "wrong merge"),
    "another adapter": Planted(
        {"merged": {"adapter": "other"}, "int8": {**INT8, "adapter": "other"}}, 0, "wrong merge"),
    "a prompt that is cut in silence": Planted(
        {"merged": MERGED, "far": {"context": HALF, "refuses_long": False}}, 1, "context cut"),
    "a prompt that is too long": Planted(
        {"merged": MERGED, "far": {"context": HALF}}, 1, "context cut"),
}  # fmt: skip

CLEAN: dict[str, Links] = {
    "merged": {"merged": MERGED},
    "merged, then in eight bits": {"merged": MERGED, "int8": INT8},
    "the same on another server": {"merged": MERGED, "int8": INT8, "far": INT8},
    "a longer context": {"merged": {"context": 1024}},
    "a server that refuses penalties": {"merged": {"refused": ("repetition_penalty",)}},
    "a server that counts no tokens": {"merged": {"usage": False}, "int8": INT8},
    "a server without log-probabilities": {"merged": MERGED, "far": {"refused": ("logprobs",)}},
}
