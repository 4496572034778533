from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.client.thinking import USUAL_TAGS, first_of_answer, split_thinking, tell_apart


@pytest.mark.parametrize(
    ("text", "answer", "thinking"),
    [
        ("<think>\nhm, 7?\n</think>\n\nIt is 8.", "It is 8.", "hm, 7?"),
        ("  <think>a</think>b", "b", "a"),
        ("so it is 7?\n</think>\nIt is 8.", "It is 8.", "so it is 7?"),  # opened by the template
        ("<think>and then, and then", "", "and then, and then"),  # cut off while it thought
        ("<think>\n\n</think>\n\nIt is 8.", "It is 8.", ""),
        ("<think>a</think>First.\n<think>b</think>Then.", "First.\nThen.", "a\nb"),
        ("[THINK]a[/THINK]b", "b", "a"),
        ("◁think▷a◁/think▷b", "b", "a"),
        ("<|begin_of_thought|>a<|end_of_thought|>b", "b", "a"),
        (
            (
                "<|channel|>analysis<|message|>Is it 7?<|end|><|start|>assistant<|channel|>final"
                "<|message|>It is 8.<|return|>"
            ),
            "It is 8.",
            "Is it 7?",
        ),
        (
            "<|channel|>commentary to=functions.find <|constrain|>json<|message|>{}<|call|>",
            "",
            "{}",
        ),
        ("<|channel|>analysis<|channel|>final<|message|>It is 8.", "It is 8.", ""),
        ("analysisIs it 7? No.assistantfinalIt is 8.", "It is 8.", "Is it 7? No."),
    ],
)
def test_thinking_is_told_apart_from_the_answer(text: str, answer: str, thinking: str) -> None:
    assert split_thinking(text) == (answer, thinking)


@pytest.mark.parametrize(
    "text",
    [
        "It is 8.",
        " with spaces \n",
        "Wrap it in `<think>` and `</think>` to hide it.",
        'The tags "<think>" and "</think>" hide it.',
        "I think <b>so</b>.",
        "analysis of blood takes two days",
    ],
)
def test_an_answer_without_thinking_stays_as_it_is(text: str) -> None:
    assert split_thinking(text) == (text, "")


def test_a_project_may_name_tags_of_its_own() -> None:
    text = "{{scratch}}7?{{end}}It is 8."
    assert split_thinking(text) == (text, "")
    assert split_thinking(text, [("{{scratch}}", "{{end}}")]) == ("It is 8.", "7?")


plain = st.text(
    st.characters(exclude_characters="<>[]◁▷|`'\"“”\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
)


@given(
    plain.filter(lambda text: not text.startswith("analysis")), plain, st.sampled_from(USUAL_TAGS)
)
def test_what_is_split_is_what_was_put_together(
    answer: str, thinking: str, tags: tuple[str, str]
) -> None:
    opening, closing = tags
    expected = (answer.strip(), thinking.strip())
    assert split_thinking(f"{opening}{thinking}{closing}{answer}") == expected
    assert split_thinking(f"{thinking}{closing}{answer}") == expected


@pytest.mark.parametrize(
    "repeated",
    ["<|channel|>a", "<|channel|>a<|message|>", "<|channel|>", "<|start|>a", "a", " ", "<think>\n"],
)
def test_a_text_that_is_made_to_be_slow_to_split_is_not(repeated: str) -> None:
    """A megabyte, which would take hours in time that grows with its square."""
    text = "<|channel|>" + repeated * (1_000_000 // len(repeated))
    assert len("".join(split_thinking(text))) <= len(text)


marked = st.one_of(
    st.sampled_from([tag for pair in USUAL_TAGS for tag in pair]),
    st.sampled_from(["\n", " ", "`", "analysis", "assistantfinal", "<|channel|>final<|message|>"]),
    st.text(max_size=4),
)


@given(st.lists(marked, max_size=12), st.randoms(use_true_random=False))
def test_a_stream_of_any_pieces_says_what_the_whole_text_says(
    parts: list[str], random: Random
) -> None:
    """The answer begins in the piece in which the whole text's answer has its first character."""
    text = "".join(parts)
    cuts = sorted(random.randrange(len(text) + 1) for _ in range(random.randrange(6)))
    pieces = [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]
    told = tell_apart(text)
    assert tell_apart("".join(pieces)) == told
    assert split_thinking(text) == (told.answer, told.thinking)
    piece = first_of_answer(pieces, told)
    assert (piece is None) == (not told.answer.strip()) == (told.begins is None)
    if piece is not None and told.begins is not None:
        assert text[told.begins] == told.answer.lstrip()[0]
        before = sum(map(len, pieces[:piece]))
        assert before <= told.begins < before + len(pieces[piece])


@given(plain, plain, plain.filter(str.strip), st.sampled_from(USUAL_TAGS))
def test_an_answer_begins_after_all_thinking_before_it(
    first: str, second: str, answer: str, tags: tuple[str, str]
) -> None:
    opening, closing = tags
    head = f"{opening}{first}{closing}\n<think>{second}</think>\n"
    blank = len(answer) - len(answer.lstrip())
    assert tell_apart(head + answer).begins == len(head) + blank
    assert tell_apart(f"{opening}{first}").begins is None


def test_an_answer_with_many_marks_of_several_kinds_is_told_apart_in_time() -> None:
    text = "<think>a</think>\n<thought>b</thought>c\n" * 20_000
    told = tell_apart(text)
    assert told.begins == text.index("c")
    assert told.answer.count("c") == 20_000
