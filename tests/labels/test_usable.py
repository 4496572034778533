from __future__ import annotations

from pathlib import Path

from harness.labels.files import answer_digest, cases_digest
from harness.labels.usable import usable
from tests.builders import make_run, shop
from tests.labels.builders import label


def test_labels_hold_for_their_answers_alone(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    run = make_run(project, suites, "candidate")
    first = next(one for one in run.attempts if one.section == "gold")
    gold = next(one for one in suites[0].sections if one.name == "gold")
    fits = label(
        cases=cases_digest(gold), case=first.case, answer=answer_digest(first.text), value=0.0
    )
    others = [
        fits.model_copy(update=update)
        for update in (
            {"section": "gone"},
            {"cases": "sha256:old"},
            {"case": "gone"},
            {"answer": "sha256:old"},
            {"target": "somebody"},
            {"suite": "elsewhere"},
            {"again": True, "value": 1.0},
        )
    ]
    found = usable([fits, *others, fits], suites, [run, run], ["candidate", "base"])
    assert found.by_run == ((fits,), (fits,))
    assert found.left_out == {
        "of a section that the suite does not have": 1,
        "of another version of the section's cases": 1,
        "of a case that was not asked": 1,
        "of an answer that has changed": 1,
        "of an unknown target": 1,
    }
