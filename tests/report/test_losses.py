from __future__ import annotations

from dataclasses import replace

from harness.records.verdict import RuleResult, SliceResult
from harness.report.forest import SLICES, render_slices
from harness.report.losses import joint_numbers, losses, slice_numbers, slices_note
from tests.report.fixtures import pair

LOST = SliceResult(
    metric="s.x.accuracy", tag="old", outcome="fail", candidate=0.5, baseline=1.0, estimate=-0.5,
    ci_low=-0.6, ci_high=-0.4, joint_low=-0.7, joint_high=-0.3, limit=-0.1, p_value=0.001, n=90,
    groups=80,
)  # fmt: skip
KEPT = LOST.model_copy(update={"tag": None, "outcome": "pass", "estimate": 0.0, "ci_low": -0.05})
RULE = RuleResult(
    require="no_slice_worse_than_baseline", outcome="fail", reason="r", slices=(LOST, KEPT)
)


def test_a_loss_is_told_with_its_cases_and_answers() -> None:
    verdict, comparison = pair("BLOCK")
    metric = "support.general.accuracy"
    failed = verdict.rules[0].model_copy(
        update={
            "metric": metric, "require": "no_worse_than_baseline", "outcome": "fail",
            "candidate": 0.6, "baseline": 0.9, "estimate": -0.3, "ci_low": -0.4, "ci_high": -0.2,
        }
    )  # fmt: skip
    kept = failed.model_copy(update={"outcome": "pass"})
    better = failed.model_copy(update={"require": "better_than_baseline"})
    given = verdict.model_copy(update={"rules": (failed, kept, better)})
    (loss,) = losses(given, comparison)
    assert loss.name == metric
    assert loss.amount == "90.0% → 60.0%, −30.0 points (−40.0 to −20.0 points)"
    lost = [case for case in comparison.cases
            if case.section == "general" and case.change == "new_failure"]  # fmt: skip
    assert loss.cases.startswith(f"{len(lost)} of ")
    assert [one.path for one in loss.examples] == [case.path for case in lost[:3]]


def test_a_loss_of_a_slice_is_of_the_cases_with_its_tag() -> None:
    verdict, comparison = pair("BLOCK")
    cases = [replace(case, tags=("old", case.case)) for case in comparison.cases]
    tagged = replace(comparison, cases=tuple(cases))
    rule = RULE.model_copy(
        update={"slices": (LOST.model_copy(update={"metric": "support.general.accuracy"}),)}
    )
    (loss,) = losses(verdict.model_copy(update={"rules": (rule,)}), tagged)
    assert loss.name == "support.general.accuracy[old]"
    assert loss.tags.startswith(loss.examples[0].path.rpartition("/")[2])
    assert "old" not in loss.tags


def test_a_slice_is_written_with_both_intervals() -> None:
    assert slice_numbers(LOST) == "−50.0 points (−60.0 to −40.0 points)"
    assert joint_numbers(LOST) == "−70.0 to −30.0 points"
    assert slices_note(RULE) == "1 lost more than the margin, 1 kept"
    assert (LOST.name, KEPT.name) == ("s.x.accuracy[old]", "s.x.accuracy")


def test_slices_are_drawn_by_candidate_where_there_are_several() -> None:
    alone = render_slices({"a": RULE}, SLICES[0])
    assert alone.count("s.x.accuracy[old]") == 2  # the row and the description
    both = render_slices({"a": RULE, "b": RULE}, SLICES[1], number=1)
    assert 'id="slices-1-narrow-title"' in both
    assert "s.x.accuracy[old], b: −50.0 points (−60.0 to −40.0 points)" in both
