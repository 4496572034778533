"""The conversations by which template and tokenizer are told apart."""

from __future__ import annotations

import pytest

from harness.chain.conversations import TESTS, long_prompt


def test_two_differ_in_their_words_alone() -> None:
    short, words = TESTS["short"], TESTS["words"]
    assert [turn.role for turn in short] == [turn.role for turn in words] == ["user"]
    assert len(words[0].content) > 20 * len(short[0].content)


@pytest.mark.parametrize("tokens", [100, 3000])
def test_a_long_prompt_is_about_as_long_as_asked(tokens: int) -> None:
    """Here a filler of eight sentences takes 48 tokens, and what stands around it 10."""
    (turn,) = long_prompt(tokens, short=10, filler=58)
    assert 10 + 6 * turn.content.count("lamp") == pytest.approx(tokens, abs=6)


def test_a_server_that_counts_nothing_more_for_more_words_ends_no_loop() -> None:
    (turn,) = long_prompt(10, short=50, filler=50)
    assert turn.content.count("lamp") == 1
