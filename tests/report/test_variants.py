from __future__ import annotations

from dataclasses import replace

from harness.report.variants import variant_rows
from tests.report.fixtures import pair


def test_rows_are_of_the_cases_that_have_the_variant_and_a_score_of_both() -> None:
    _, comparison = pair("BLOCK")
    gold = [case for case in comparison.cases if case.section == "gold"][:12]
    variants = [
        replace(case, case=f"{case.case}~typos", change="not_comparable" if n == 0 else case.change)
        for n, case in enumerate(gold)
    ]
    metric = comparison.metrics["support.gold.accuracy"]
    with_typos = replace(
        comparison,
        cases=(*comparison.cases, *variants),
        metrics={**comparison.metrics, "support.gold.typos": metric},
    )
    (row,) = variant_rows(with_typos, 0.05)
    kept = [case for case in gold[1:] if case.change != "not_comparable"]
    assert (row.name, row.cases) == ("support.gold.typos", len(kept))
    assert row.candidate == row.candidate_clean
    assert row.baseline == row.baseline_clean
    assert variant_rows(comparison, 0.05) == ()
