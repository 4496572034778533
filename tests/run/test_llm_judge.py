from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import EvidenceError
from harness.run.llm_judge import Opinion, parse_opinion


@given(st.booleans(), st.text())
def test_what_was_asked_for_is_read(met: bool, reason: str) -> None:
    found = parse_opinion(json.dumps({"met": met, "reason": reason}))
    assert found == Opinion(met=met, reason=reason)
    assert bool(found) is met


@pytest.mark.parametrize(
    "text",
    [
        "",
        "true",
        "Yes, it is met.",
        '{"met": "true", "reason": "x"}',
        '{"met": 1, "reason": "x"}',
        '{"met": true}',
        '{"met": true, "reason": "x", "score": 10}',
        'Sure! {"met": true, "reason": "x"}',
        '```json\n{"met": true, "reason": "x"}\n```',
        '[{"met": true, "reason": "x"}]',
        '{"met": true, "reason": "x"} {"met": false, "reason": "y"}',
        "[" * 100_000,
    ],
)
def test_nothing_is_guessed(text: str) -> None:
    with pytest.raises(EvidenceError, match="cannot be read"):
        parse_opinion(text)
