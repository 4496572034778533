from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import EvidenceError, PromotionRefused, UsageError
from harness.gate.compare import compare
from harness.gate.judge import gate
from harness.gate.seal import open_sealed, promote
from harness.records.comparison import ComparisonRecord
from harness.records.rule import Policy
from harness.records.suite import Suite
from tests.builders import make_run, shop
from tests.gate.test_judge import BETTER, HASHES, NOW


def promoted(tmp_path: Path, policy: Policy) -> tuple[ComparisonRecord, tuple[Suite, ...]]:
    project, suites = shop(tmp_path)
    candidate, base = (make_run(project, suites, name) for name in ("candidate", "base"))
    comparison = compare(candidate, base, suites)
    verdict = gate(comparison, policy, NOW)
    promote(verdict, verdict, candidate, NOW, "v1", tmp_path / "baselines")
    return comparison, suites


POLICY = Policy.model_validate({"baseline": "base", "rules": [BETTER]})


def test_a_sealed_run_comes_back_as_it_was_judged(tmp_path: Path) -> None:
    comparison, suites = promoted(tmp_path, POLICY)
    run = open_sealed("v1", suites, tmp_path / "baselines")
    assert run.digest() == comparison.candidate.digest()
    assert run.scores == comparison.candidate.scores


def test_an_edit_by_hand_is_noticed(tmp_path: Path) -> None:
    _, suites = promoted(tmp_path, POLICY)
    path = tmp_path / "baselines/shop/v1.json"
    data = json.loads(path.read_text())
    data["scores"][0]["terms"]["accuracy"]["num"] = 0.0
    path.write_text(json.dumps(data))
    with pytest.raises(EvidenceError, match="was changed after it was sealed"):
        open_sealed("v1", suites, tmp_path / "baselines")
    with pytest.raises(UsageError, match="no such baseline"):
        open_sealed("v2", suites, tmp_path / "baselines")


@pytest.mark.parametrize("field", ["suites", "config", "candidate", "baseline"])
def test_a_hash_that_no_longer_matches_is_refused(tmp_path: Path, field: str) -> None:
    project, suites = shop(tmp_path)
    candidate, base = (make_run(project, suites, name) for name in ("candidate", "base"))
    comparison = compare(candidate, base, suites)
    verdict = gate(comparison, POLICY, NOW)
    later = replace(NOW, hashes=HASHES.model_copy(update={field: "other"}))
    with pytest.raises(PromotionRefused, match="changed after the verdict"):
        promote(verdict, verdict, candidate, later, "v1", tmp_path / "baselines")
    other_version = replace(NOW, harness_version="9.9.9")
    with pytest.raises(PromotionRefused, match=r"is of harness 0\.1\.0, this is 9\.9\.9"):
        promote(verdict, verdict, candidate, other_version, "v1", tmp_path / "baselines")
    assert not (tmp_path / "baselines").exists()


def test_any_verdict_but_promote_is_refused_even_if_it_was_edited(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    candidate, base = (make_run(project, suites, name) for name in ("candidate", "base"))
    comparison = compare(candidate, base, suites)
    strict = Policy.model_validate({"baseline": "base", "rules": [BETTER | {"by": 1.0}]})
    verdict = gate(comparison, strict, NOW)
    with pytest.raises(PromotionRefused, match="the verdict on `candidate` is BLOCK"):
        promote(verdict, verdict, candidate, NOW, "v1", tmp_path / "baselines")
    forged = verdict.model_copy(update={"verdict": "PROMOTE"})
    with pytest.raises(PromotionRefused, match="judged again, the verdict is BLOCK"):
        promote(forged, verdict, candidate, NOW, "v1", tmp_path / "baselines")
