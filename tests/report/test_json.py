"""`verdict.json`."""

from __future__ import annotations

import json
import os
from pathlib import Path

from harness.records.verdict import Verdict
from harness.report.json import render_json
from tests.report.fixtures import pair
from tests.report.hostile import hostile_pair

GOLDEN = Path(__file__).parents[1] / "golden"


def test_the_file_is_the_golden_one_and_reads_back_as_the_verdict() -> None:
    made, _ = pair("BLOCK")
    text = render_json(made)
    golden = GOLDEN / "verdict.json"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert Verdict.model_validate_json(text) == made


def test_keys_come_in_the_documented_order() -> None:
    data = json.loads(render_json(pair("PROMOTE")[0]))
    assert list(data)[:11] == [
        "schema_version", "verdict", "candidate", "baseline", "alpha", "rules",
        "new_critical_failures", "accounting", "hashes", "harness_version", "created",
    ]  # fmt: skip
    assert list(data["rules"][0])[:12] == [
        "metric", "require", "outcome", "candidate", "baseline", "estimate", "ci_low", "ci_high",
        "p_value", "n", "groups", "reason",
    ]  # fmt: skip
    assert list(data["accounting"]) == ["planned", "scored", "unscored", "failed"]
    assert list(data["hashes"]) == ["suites", "config", "candidate", "baseline"]


def test_a_lone_surrogate_survives_as_an_escape() -> None:
    text = render_json(hostile_pair()[0])
    assert text.isascii()
    assert json.loads(text)["candidate"].endswith("\ud800")
