"""Answers found in rendered text, without a tokenizer: templates are functions here."""

from __future__ import annotations

import pytest

from harness.errors import RecipeError
from harness.training.assistant_spans import (
    PROBE,
    Ending,
    Rendered,
    Turns,
    find_answers,
    picture,
    render_probe,
    tokens_within,
)


def turns(*contents: str) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": text} for n, text in enumerate(contents)]


def plain(given: Turns, prompt: bool) -> str:
    text = "".join(f"<{turn['role'][0]}>{turn['content'].strip()}</>\n" for turn in given)
    return text + ("<a>" if prompt else "")


ENDING = Ending("</>\n", 3)


def learnt(rendered: Rendered) -> list[str]:
    return [rendered.text[begin:end] for begin, end in rendered.spans]


def test_every_answer_of_one_text_is_found_with_its_end() -> None:
    (found,) = find_answers(plain, turns("Q", "A ", "Q</>", "<a>B"), ENDING)
    assert found.text == "<u>Q</>\n<a>A</>\n<u>Q</></>\n<a><a>B</>\n"
    assert learnt(found) == ["A</>", "<a>B</>"]


def test_a_template_that_changes_earlier_answers_gives_an_example_an_answer() -> None:
    def thinks(given: Turns, prompt: bool) -> str:
        last = len(given) - 1
        shown = [
            {**turn, "content": ("(thought)" if n == last else "") + turn["content"]}
            if turn["role"] == "assistant"
            else turn
            for n, turn in enumerate(given)
        ]
        return plain(shown, prompt)

    first, second = find_answers(thinks, turns("Q", "A", "R", "B"), ENDING)
    assert (first.text, learnt(first)) == ("<u>Q</>\n<a>(thought)A</>\n", ["(thought)A</>"])
    assert second.text == "<u>Q</>\n<a>A</>\n<u>R</>\n<a>(thought)B</>\n"
    assert learnt(second) == ["(thought)B</>"]


def test_what_a_template_writes_after_the_last_turn_only_is_no_change() -> None:
    def closes(given: Turns, prompt: bool) -> str:
        return plain(given, prompt) + ("" if prompt else "<eos>")

    (found,) = find_answers(closes, turns("Q", "A", "R", "B"), Ending("</>\n<eos>", 3))
    assert learnt(found) == ["A</>", "B</>"]
    assert found.text.endswith("B</>\n<eos>")


def test_an_end_that_the_last_answer_alone_has_gives_an_example_an_answer() -> None:
    def returns(given: Turns, prompt: bool) -> str:
        text = plain(given, prompt)
        return text if prompt else text.removesuffix("</>\n") + "<return>"

    found = find_answers(returns, turns("Q", "A", "R", "B"), Ending("<return>", 8))
    assert [learnt(one) for one in found] == [["A<return>"], ["B<return>"]]


def test_a_prompt_that_is_not_how_the_answer_begins_is_refused() -> None:
    def opens(given: Turns, prompt: bool) -> str:
        return plain(given, prompt) + ("<think>\n" if prompt else "")

    with pytest.raises(RecipeError) as caught:
        find_answers(opens, turns("Q", "A"), ENDING)
    assert caught.value.what == (
        r"the template ends a prompt with '<think>\n', and writes 'A</>\n' there before an answer "
        "that is given"
    )
    assert "enable_thinking: false" in caught.value.hint


def test_a_system_prompt_that_goes_once_there_is_an_answer_stays() -> None:
    def asks(given: Turns, prompt: bool) -> str:
        system, *rest = given
        if prompt:
            last = {**rest[-1], "content": f"{system['content']} {rest[-1]['content']}"}
            rest = [*rest[:-1], last]
        return plain(rest, False)

    system = {"role": "system", "content": "Be kind."}
    found = find_answers(asks, [system, *turns("Q", "A", "Q", "B")], ENDING)
    assert [one.text for one in found] == [
        "<u>Be kind. Q</>\n<a>A</>\n",
        "<u>Q</>\n<a>A</>\n<u>Be kind. Q</>\n<a>B</>\n",
    ]
    assert [learnt(one) for one in found] == [["<a>A</>"], ["<a>B</>"]]
    assert all(one.as_server for one in found)


@pytest.mark.parametrize(
    ("answer", "ending", "says"),
    [(" ", ENDING, "leaves nothing"), ("A", Ending("<end>", 5), "and others with '<end>'")],
)
def test_an_answer_without_words_or_end_is_refused(answer: str, ending: Ending, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        find_answers(plain, turns("Q", answer), ending)


def test_words_that_nothing_asked_for_are_refused() -> None:
    given = [{"role": "assistant", "content": "Hello."}, *turns("Q", "A")]
    with pytest.raises(RecipeError, match="begins with the assistant's words"):
        find_answers(plain, given, ENDING)


def test_the_probe_stands_where_the_last_answer_does() -> None:
    text, end = render_probe(plain, turns("Q", "A", "R", "B"))
    assert text == f"<u>Q</>\n<a>A</>\n<u>R</>\n<a>{PROBE}</>\n"
    assert text[end:] == "</>\n"
    with pytest.raises(RecipeError, match="0 times"):
        render_probe(lambda given, prompt: "fixed", turns("Q", "A"))


def test_a_token_counts_where_it_is_wholly_within_a_span() -> None:
    offsets = [(0, 2), (2, 4), (4, 4), (4, 6), (6, 8)]
    assert tokens_within(offsets, [(2, 5)]) == [False, True, False, False, False]
    assert tokens_within(offsets, [(0, 2), (4, 8)]) == [True, False, False, True, True]


def test_a_picture_marks_what_is_learnt_and_cuts_within_what_is_long() -> None:
    parts = [("Q", False), ("", False), ("A", True), ("</>", True), ("0123456789", False)]
    assert picture(parts) == "Q⟦A</>⟧0123456789"
    assert picture(parts, around=2) == "Q⟦A</>⟧01 … 89"
