from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from harness.records.base import explain
from harness.records.suite import Case


def test_a_prompt_is_short_for_one_user_message_and_a_case_is_its_own_group() -> None:
    case = Case.model_validate({"id": " a ", "prompt": "Hi {{ name }}"})
    assert (case.id, case.group) == ("a", "a")
    assert [(one.role, one.content) for one in case.messages] == [("user", "Hi {{ name }}")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ({"id": "a"}, "messages: missing key"),
        ({"id": " ", "prompt": "x"}, "id: must not be blank"),
        ({"id": "a\nb", "prompt": "x"}, "id: must not hold control characters"),
        ({"id": "a", "prompt": ""}, "messages.0.content: "),
        ({"id": "a", "prompt": "x", "messages": []}, "give `prompt` or `messages`, not both"),
        ({"id": "a", "prompt": "x", "colour": "red"}, "colour: unknown key"),
        ({"id": "a", "messages": [{"role": "assistant", "content": "x"}]},
         "messages: the last message must be the user's"),
        ({"id": "a", "prompt": "x", "critical": "maybe"}, "critical: "),
    ],
)  # fmt: skip
def test_a_case_that_cannot_be_asked_says_why(line: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Case.model_validate(line)
    assert explain(caught.value).startswith(problem)
