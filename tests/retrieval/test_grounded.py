"""Whether answers rest on their passages, on lines that a person judged; and recall."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.retrieval.grounded import recall, unsupported

HERE = Path(__file__).parent
PASSAGES = ["Tickets\n- A day ticket costs £7.40. Ask Ms Ferrant.", "The boat sails at 08:15."]


def judged(file: str) -> tuple[float, float]:
    """Precision and recall of `grounded` on a file's lines."""
    found: list[tuple[bool, bool]] = []
    for line in (HERE / file).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for question, answer, label in row["answers"]:
            found.append((unsupported(question, answer, row["passages"]) == [], label))
    said = [label for grounded, label in found if grounded]
    meant = [grounded for grounded, label in found if label]
    return sum(said) / len(said), sum(meant) / len(meant)


@pytest.mark.parametrize(
    ("file", "precision", "share"),
    [("supported.jsonl", 0.91, 0.88), ("held_out.jsonl", 0.84, 0.95)],
)
def test_it_agrees_with_a_person(file: str, precision: float, share: float) -> None:
    """As docs/without-training.md says; the second file was not looked at while it was written."""
    found = judged(file)
    assert found[0] >= precision
    assert found[1] >= share


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        ("A day ticket costs £7.40.", []),
        ("£7.40!", []),
        ("A day ticket costs £9.40.", ["9.4"]),
        ("Ask Mr Dolan.", ["dolan", "mr"]),
        ("The boat sails at 8:15 am.", []),
        ("The boat sails at 9:15 am.", ["9:15"]),
        ("Write to desk@alder.example.", ["desk@alder.example"]),
        ("Refunds need a stamped receipt.", ["receipt", "refund", "stamped"]),
        ("Thank you! I am glad to help.", None),
        ("Sorry, I can't help with that.", None),
    ],
)
def test_what_is_missing_is_named(answer: str, missing: list[str] | None) -> None:
    assert unsupported("What does it cost?", answer, PASSAGES) == missing


def test_the_questions_own_words_need_no_passage_and_its_numbers_do() -> None:
    question = "Do you take my old kayak for 30 days?"
    assert unsupported(question, "Your kayak: a ticket costs £7.40.", PASSAGES) == []
    assert unsupported(question, "Yes, for 30 days, at £7.40.", PASSAGES) == ["30"]


GIVEN = [("docs/fees.md#late-fees/2", "Late fees\nIt costs 5 euros  a day."), ("a.md", "Other.")]


@pytest.mark.parametrize(
    ("sources", "share"),
    [
        (["docs/fees.md"], 1.0),
        (["docs/fees.md#late-fees"], 1.0),
        (["docs/fees.md#late"], 0.0),
        (["docs/fee"], 0.0),
        (["costs 5 euros a day"], 1.0),
        (["a.md", "b.md"], 0.5),
    ],
)
def test_a_source_is_a_document_a_section_or_words(sources: list[str], share: float) -> None:
    assert recall(sources, GIVEN) == share
