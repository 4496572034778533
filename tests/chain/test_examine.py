"""Planted faults, each named at its hop, and clean chains, in which nothing is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.chain.hop import Hop
from tests.chain.conftest import Examine
from tests.chain.planted import CLEAN, FAULTS, MERGED, Links, Planted
from tests.chain.tiny_model import ADAPTED, TinyModel, relabelled

# The shortest test is taken, all others are refused.
SHORT = Planted({"merged": MERGED, "far": {"context": 48}}, 1, "context cut")


def forms(links: Links) -> dict[str, TinyModel]:
    return {name: replace(ADAPTED, **changes) for name, changes in links.items()}


@pytest.mark.parametrize("fault", [*FAULTS, "a context for short questions alone"])
def test_a_fault_is_named_at_its_hop(fault: str, chained: Examine) -> None:
    planted = FAULTS.get(fault, SHORT)
    hops = chained(forms(planted.links))
    assert planted.named(hops), shown(hops)


@pytest.mark.parametrize("chain", CLEAN)
def test_a_clean_chain_has_no_fault(chain: str, chained: Examine) -> None:
    hops = chained(forms(CLEAN[chain]))
    assert [hop.outcome for hop in hops] == ["same"] * len(hops), shown(hops)
    assert not any(hop.findings for hop in hops)


@pytest.mark.parametrize("name", ["", "<|end|>"])
def test_a_server_may_tell_the_token_that_ends_an_answer(name: str, chained: Examine) -> None:
    links = {"merged": replace(ADAPTED, tells_end=name), "far": ADAPTED}
    hops = chained(links)
    assert [hop.outcome for hop in hops] == ["same", "same"], shown(hops)
    assert all(hop.probes.largest is not None and hop.probes.largest < 1e-6 for hop in hops)


def test_other_tokens_of_the_same_number_are_seen_by_the_servers_route(chained: Examine) -> None:
    hops = chained({"merged": replace(ADAPTED, cuts=relabelled)})
    assert (hops[0].outcome, hops[0].cause) == ("different", "template")
    assert "other prompt tokens" in hops[0].findings[0].evidence


def test_other_weights_in_the_same_precision(chained: Examine, tmp_path: Path) -> None:
    """The files of a server on this machine tell the precision."""
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"dtype": "float32"}))
    links = {"one": ADAPTED, "two": replace(ADAPTED, share=0.9)}
    hops = chained(links, {"one": folder, "two": folder})
    assert [hop.outcome for hop in hops] == ["same", "different"]
    assert hops[1].cause == "other weights"
    assert hops[1].probes.allowed == pytest.approx(0.1)


def shown(hops: list[Hop]) -> str:
    return json.dumps([hop.as_json() for hop in hops], indent=1)
