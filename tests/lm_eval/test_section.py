"""A chat's examples are turns of it, and a server is always sent a chat."""

from __future__ import annotations

from typing import Any

import pytest

from harness.lm_eval.section import Settings


@pytest.mark.parametrize(
    ("keys", "chat", "multiturn"),
    [
        ({}, False, False),
        ({"apply_chat_template": True}, True, True),
        ({"apply_chat_template": True, "fewshot_as_multiturn": False}, True, False),
        ({"via": "server"}, True, True),
    ],
)
def test_what_lm_eval_is_told_of_chats(keys: dict[str, Any], chat: bool, multiturn: bool) -> None:
    settings = Settings(**keys)
    assert (settings.chat, settings.multiturn) == (chat, multiturn)
