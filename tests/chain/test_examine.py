"""Planted faults, each named at its hop, and clean chains, in which nothing is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.chain.hop import Hop
from tests.chain.conftest import Examine
from tests.chain.tiny_model import (
    ADAPTED,
    BASE,
    TinyModel,
    doubled,
    last_turn,
    refuses_system,
    relabelled,
    renamed,
    syllables,
    without_system,
)

MERGED = ADAPTED
INT8 = replace(ADAPTED, bits=8)

FAULTS: dict[str, tuple[dict[str, TinyModel], int, str]] = {
    "roles with other names": (
        {"merged": MERGED, "int8": replace(INT8, template=renamed)}, 1, "template"),
    "a system prompt that is dropped": (
        {"merged": replace(MERGED, template=without_system), "int8": INT8}, 0, "template"),
    "a system prompt that is refused": (
        {"merged": MERGED, "q8_0": replace(INT8, template=refuses_system)}, 1, "template"),
    "a first token twice": (
        {"merged": MERGED, "int8": replace(INT8, template=doubled)}, 1, "template"),
    "earlier turns that are dropped": (
        {"merged": replace(MERGED, template=last_turn)}, 0, "template"),
    "a stop token that is missing": (
        {"merged": MERGED, "int8": INT8, "far": replace(INT8, ends=False)}, 2, "template"),
    "other cuts": (
        {"merged": MERGED, "int8": replace(INT8, tokenizer=syllables)}, 1, "tokenizer"),
    "too few bits": (
        {"merged": MERGED, "int2": replace(ADAPTED, bits=2)}, 1, "precision"),
    "a penalty that nobody asked for": (
        {"merged": MERGED, "int8": INT8, "far": replace(INT8, penalty=1.8)}, 2,
        "sampling default"),
    "a temperature that is always on": (
        {"merged": MERGED, "far": replace(MERGED, temperature=1.5)}, 1, "sampling default"),
    "the base without the adapter": (
        {"far": BASE}, 0, "adapter not applied"),
    "the base in a later link": (
        {"merged": MERGED, "int8": replace(BASE, bits=8)}, 1, "adapter not applied"),
    "half of the adapter": (
        {"merged": replace(MERGED, scale=0.25)}, 0, "wrong merge"),
    "another adapter": (
        {"merged": replace(MERGED, adapter="other"), "int8": INT8}, 0, "wrong merge"),
    "a prompt that is cut in silence": (
        {"merged": MERGED, "far": replace(MERGED, context=256, refuses_long=False)}, 1,
        "context cut"),
    "a context for short questions alone": (
        {"merged": MERGED, "far": replace(MERGED, context=48)}, 1, "context cut"),
    "a prompt that is too long": (
        {"merged": MERGED, "far": replace(MERGED, context=256)}, 1, "context cut"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_at_its_hop(fault: str, chained: Examine) -> None:
    links, at, cause = FAULTS[fault]
    hops = chained(links)
    broken = [number for number, hop in enumerate(hops) if hop.outcome == "different"]
    assert broken[0] == at, shown(hops)
    assert hops[at].cause == cause, shown(hops)


CLEAN: dict[str, dict[str, TinyModel]] = {
    "merged": {"merged": MERGED},
    "int8": {"merged": MERGED, "int8": INT8},
    "another server": {"merged": MERGED, "int8": INT8, "far": INT8},
    "longer context": {"merged": replace(MERGED, context=1024)},
    "penalties refused": {"merged": replace(MERGED, refused=("repetition_penalty",))},
    "tokens not counted": {"merged": replace(MERGED, usage=False), "int8": INT8},
    "no log-probabilities": {"merged": MERGED, "far": replace(MERGED, refused=("logprobs",))},
}


@pytest.mark.parametrize("chain", CLEAN)
def test_a_clean_chain_has_no_fault(chain: str, chained: Examine) -> None:
    hops = chained(CLEAN[chain])
    assert [hop.outcome for hop in hops] == ["same"] * len(hops), shown(hops)
    assert not any(hop.findings for hop in hops)


def test_other_tokens_of_the_same_number_are_seen_by_the_servers_route(chained: Examine) -> None:
    hops = chained({"merged": replace(MERGED, tokenizer=relabelled)})
    assert (hops[0].outcome, hops[0].cause) == ("different", "template")
    assert "other prompt tokens" in hops[0].findings[0].evidence


def test_other_weights_in_the_same_precision(chained: Examine, tmp_path: Path) -> None:
    """The files of a server on this machine tell the precision."""
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"dtype": "float32"}))
    links = {"one": MERGED, "two": replace(MERGED, scale=0.45)}
    hops = chained(links, {"one": folder, "two": folder})
    assert [hop.outcome for hop in hops] == ["same", "different"]
    assert hops[1].cause == "other weights"
    assert hops[1].probes.allowed == pytest.approx(0.1)


def shown(hops: list[Hop]) -> str:
    return json.dumps([hop.as_json() for hop in hops], indent=1)
