"""A chain's words, and its page, in which no text is active."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from harness.chain.causes import Finding
from harness.chain.hop import Hop, MetricResult, ProbeResult
from harness.report.chain_text import (
    chain_conclusion,
    hop_details,
    hop_metrics,
    nats_words,
    probe_words,
    worst_outcome,
)
from harness.report.html import render_chain_html
from harness.report.json import render_chain_json
from tests.report.hostile import HOSTILE

PROBES = ProbeResult("same", 8, 0, 8, 0.5, 0.02, 0.04, 1e-5)
METRIC = MetricResult("shop.gold.accuracy", "different", 0.9, 0.7, -0.2, -0.3, -0.1, 0.05)
SAME = Hop("adapter", "merged", "same", PROBES, (), ())
BROKEN = Hop(
    "merged", "far", "different", replace(PROBES, outcome="different", beyond=6),
    (METRIC, replace(METRIC, metric="shop.gold.f1", outcome="same")),
    (Finding("template", "`far` refuses the conversation system"), Finding("precision", "x")),
    ("context 64 → 32 tokens",),
)  # fmt: skip
UNSURE = replace(
    SAME, before="far", after="last", outcome="cannot tell",
    probes=replace(PROBES, allowed=None, median=None, outcome="cannot tell", beyond=2),
    metrics=(replace(METRIC, outcome="cannot tell", estimate=None, reason="no value"),),
)  # fmt: skip


def test_the_whole_chain_is_what_its_worst_hop_is() -> None:
    assert worst_outcome([SAME]) == "same"
    assert chain_conclusion([SAME]) == "the same model at the only hop"
    assert worst_outcome([SAME, UNSURE]) == "cannot tell"
    assert chain_conclusion([SAME, UNSURE]) == "cannot tell at far → last: more cases would tell"
    assert worst_outcome([SAME, BROKEN, UNSURE]) == "different"
    expected = "the chain breaks at merged → far: likeliest cause template"
    assert chain_conclusion([SAME, BROKEN, UNSURE]) == expected


def test_the_words_of_a_hop() -> None:
    assert probe_words(BROKEN.probes) == "6 of 8 beyond"
    assert nats_words(BROKEN.probes) == "0.02, most 0.04 (0.5 allowed)"
    assert hop_metrics(BROKEN.metrics) == "1 no worse, 1 worse"
    assert list(hop_details(BROKEN)) == [
        "template: `far` refuses the conversation system",
        "precision: x",
        "shop.gold.accuracy: worse: 0.900 → 0.700, difference -0.200 [-0.300, -0.100], margin 0.05",
        "note: context 64 → 32 tokens",
    ]


def test_the_words_of_a_hop_without_numbers() -> None:
    assert (probe_words(UNSURE.probes), nats_words(UNSURE.probes)) == ("2 of 8 by other texts", "–")
    assert (hop_metrics(()), list(hop_details(SAME))) == ("–", [])
    assert list(hop_details(UNSURE)) == ["shop.gold.accuracy: cannot tell: no value"]


def test_the_page_and_the_data_hold_the_chain() -> None:
    page = render_chain_html([SAME, BROKEN, UNSURE])
    assert chain_conclusion([SAME, BROKEN]) in page
    assert page.count("</table>") == 3
    assert page.count("Nothing differs") == 1, "and not where it cannot be told"
    assert "<code>far</code> refuses" in page
    data = json.loads(render_chain_json([SAME, BROKEN]))
    assert (data["schema_version"], data["hops"][1]["cause"]) == (1, "template")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_is_active_in_the_page(text: str) -> None:
    hop = replace(
        BROKEN, before=text, findings=(Finding("template", text),), notes=(text,),
        metrics=(replace(METRIC, metric=text, estimate=None, reason=text),),
    )  # fmt: skip
    plain, page = render_chain_html([BROKEN]), render_chain_html([hop])
    page.encode()
    tags = re.compile(r"<[a-z0-9]+")
    assert set(tags.findall(page)) <= set(tags.findall(plain))
