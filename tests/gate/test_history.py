"""Gates of a suite from what is left of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from harness.clock import iso
from harness.errors import EvidenceError
from harness.files import digest_json
from harness.gate.compare import compare
from harness.gate.history import history, past_gate
from harness.gate.judge import gate
from harness.gate.seal import Baseline, seal, sealed_baselines
from harness.records.history import PastGate, Promotion, Values
from harness.records.rule import Policy
from harness.records.verdict import RuleResult, Verdict
from tests.builders import make_run, shop
from tests.gate.test_judge import BETTER, NOW
from tests.report.history_fixtures import FIRST, GOLD, kept, result, verdict

LATER = FIRST + timedelta(days=3)


def test_gates_come_in_the_order_of_time() -> None:
    found = history("support", [kept(verdict(LATER)), kept(verdict(candidate="other"))], [], [])
    assert [gate.created for gate in found.gates] == [iso(FIRST), iso(LATER)]


def test_a_gate_that_is_told_twice_is_taken_once() -> None:
    given = verdict()
    found = history("support", [kept(given), kept(given)], [given], [])
    assert len(found.gates) == 1
    other = verdict(candidate="other")
    assert len(history("support", [kept(given)], [other], []).gates) == 2


def test_the_same_evidence_with_the_same_outcome_is_one_gate_at_its_latest() -> None:
    again = [kept(verdict(LATER)), kept(verdict())]
    assert [gate.created for gate in history("support", again, [], []).gates] == [iso(LATER)]
    more = {"support.a.f1": Values(candidate=0.5)}
    (gate,) = history("support", [kept(verdict(), **more)], [verdict(LATER)], []).gates
    assert (gate.created, gate.metrics["support.a.f1"].candidate) == (iso(LATER), 0.5)
    measured = result("latency.ttft_p95", "ratio_at_most", 1.1, (0.04, 0.04))
    slower = result("latency.ttft_p95", "ratio_at_most", 1.1, (0.041, 0.04))
    timed = [kept(verdict(LATER, (measured,))), kept(verdict(rules=(slower,)))]
    assert len(history("support", timed, [], []).gates) == 2


def test_the_promoted_one_stands_for_the_same_evidence() -> None:
    def sealed(name: str) -> Promotion:
        return Promotion(name=name, sealed=iso(FIRST + timedelta(days=1)))

    lines = [promoted_gate(verdict(), sealed(name)) for name in ("v1", "v2", "v1")]
    (gate,) = history("support", [kept(verdict()), *lines, kept(verdict(LATER))], [], []).gates
    assert gate.created == iso(FIRST)
    assert gate.promotions == (sealed("v1"), sealed("v2"))


def test_a_bare_verdict_has_the_version_of_the_suites_it_was_given_on() -> None:
    combined = digest_json({"support": "sha256:one"})
    known, unknown = verdict(suites=combined), verdict(LATER, suites="sha256:x")
    first, second = history("support", [], [known, unknown], [], [{"support": "sha256:one"}]).gates
    assert (first.suite_version, second.suite_version) == ("sha256:one", "sha256:x")


def test_another_suite_s_gates_and_rules_are_left_out() -> None:
    rules = (
        result(GOLD, "at_least", 0.8, (0.9, 0.5)),
        result("other.gold.accuracy", "at_least", 0.8, (0.9, 0.5)),
        result("latency.ttft_p95", "ratio_at_most", 1.1, (0.04, 0.04)),
        RuleResult(require="no_new_critical_failures", outcome="pass", reason="none"),
    )
    (held,) = history("support", [], [verdict(rules=rules)], []).gates
    assert [rule.metric for rule in held.rules] == [GOLD, "latency.ttft_p95", None]
    assert history("third", [kept(verdict())], [verdict(rules=rules)], []).gates == ()


def test_metrics_without_a_rule_come_after_the_ruled_ones() -> None:
    more = {"support.a.f1": Values(candidate=0.5), "other.a.f1": Values(candidate=0.5)}
    found = history("support", [kept(verdict(), **more)], [], [])
    assert found.metrics() == (GOLD, "support.a.f1")


def promoted_gate(given: Verdict, promotion: Promotion) -> PastGate:
    return kept(given).model_copy(update={"promotion": promotion})


def promoted(tmp_path: Path) -> tuple[Baseline, Path]:
    project, suites = shop(tmp_path)
    candidate = make_run(project, suites, "candidate")
    compared = compare(candidate, make_run(project, suites, "base"), suites)
    given = gate(compared, Policy.model_validate({"baseline": "base", "rules": [BETTER]}), NOW)
    seal(candidate, given, "v1", project.baselines, iso(LATER))
    (one,) = sealed_baselines("shop", project.baselines)
    return one, project.baselines


def test_a_sealed_baseline_brings_its_gate_and_marks_it(tmp_path: Path) -> None:
    one, _ = promoted(tmp_path)
    (alone,) = history("shop", [], [], [one]).gates
    assert [(made.name, made.sealed) for made in alone.promotions] == [("v1", iso(LATER))]
    assert alone.suite_version == one.header.suites["shop"]
    assert alone.metrics["shop.scope.f1"] == Values(candidate=1.0)
    assert alone.metrics["shop.gold.accuracy"] == Values(candidate=1.0, baseline=0.25)


def test_a_kept_gate_is_marked_and_keeps_its_numbers(tmp_path: Path) -> None:
    one, _ = promoted(tmp_path)
    project, suites = shop(tmp_path / "2")
    runs = (make_run(project, suites, name) for name in ("candidate", "base"))
    compared = compare(*runs, suites)
    (held,) = history("shop", [past_gate(one.verdict, compared, suites)], [], [one]).gates
    assert len(held.promotions) == 1
    assert held.metrics["shop.scope.f1"].baseline == 0.0


def test_a_baseline_in_another_suite_s_folder_is_refused(tmp_path: Path) -> None:
    _, folder = promoted(tmp_path)
    (folder / "shop").rename(folder / "third")
    with pytest.raises(EvidenceError, match="is a baseline of suite `shop`"):
        sealed_baselines("third", folder)
