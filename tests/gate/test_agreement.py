from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.gate.agreement import too_little_agreement
from harness.gate.compare import compare
from tests.builders import make_run, recorded, shop


@pytest.mark.parametrize(
    ("least", "known", "said"),
    [
        (None, {}, ""),
        (0.6, {"mean": 0.6}, ""),
        (0.6, {"mean": 0.59}, "people agree too little on shop.people.mean"),
        (0.6, {"other": 0.9}, "how far people agree on shop.people.mean is not known"),
    ],
)
def test_a_rule_goes_by_people_who_agree(
    tmp_path: Path, least: float | None, known: dict[str, float], said: str
) -> None:
    project, suites = shop(tmp_path)
    candidate, baseline = (make_run(project, suites, name) for name in ("candidate", "base"))
    section = recorded("people", a=1.0).model_copy(update={"agreement": known})
    comparison = compare(replace(candidate, taken=(section,)), baseline, suites)
    found = too_little_agreement(comparison, "shop.people.mean", least)
    assert found.startswith(said)
    assert bool(found) == bool(said)
