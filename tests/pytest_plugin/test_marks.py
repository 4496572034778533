from __future__ import annotations

import pytest

from harness.pytest_plugin.names import marker


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("faq", "faq"),
        ("multi-turn", "multi-turn"),
        ("v1.2", "v1.2"),
        ("two words", "two_words"),
        ("é(1)", "é_1_"),
        ("a:b", "a_b"),
        ("skip", "tag_skip"),
        ("critical", "tag_critical"),
        ("rule", "tag_rule"),
        ("not", "tag_not"),
        ("None", "tag_None"),
        ("_private", "tag__private"),
        ("-", "tag_-"),
        ("", "tag_"),
    ],
)
def test_a_marker_can_be_spelt_and_is_nobody_elses(word: str, name: str) -> None:
    assert marker(word, {"skip", "timeout"}) == name
