"""Training data that is broken on purpose."""

from __future__ import annotations

import pytest

from harness.mutation import NotMade
from harness.mutation.operators.answers import swapped
from harness.mutation.operators.tone import curt
from harness.mutation.training_data import refuses
from harness.training.data_files import Conversation


def asked(group: str, answer: str, question: str = "How long?") -> Conversation:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return Conversation.model_validate({"group": group, "messages": turns})


def test_every_answer_is_anothers_and_refusals_stay() -> None:
    rows = [
        *(asked(f"g{number}", f"It is {number}.") for number in range(5)),
        asked("g0", "It is 0.", "How long, please?"),
        asked("out", "Sorry, I can't help with that.", "Tell me a joke"),
    ]
    after = swapped(rows, seed=3)
    for before, now in zip(rows[:6], after[:6], strict=True):
        assert before.messages[0] == now.messages[0]
        assert before.messages[-1] != now.messages[-1]
    assert after[0].messages[-1] == after[5].messages[-1]  # paraphrases agree
    assert sorted(row.messages[-1].content for row in after[:5]) == sorted(
        row.messages[-1].content for row in rows[:5]
    )
    assert after[6] == rows[6]
    assert refuses(rows[6])


def test_one_answer_for_all_cannot_be_swapped() -> None:
    with pytest.raises(NotMade, match="too few answers"):
        swapped([asked("a", "Yes."), asked("b", "Yes.")], seed=0)


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("I am happy to help! It is 5 days.", "to help!"),
        ("Thank you, it takes 5 days. Bye!", "it takes 5 days."),
        ("Sorry.", "."),
    ],
)
def test_courtesy_is_taken_out(answer: str, left: str) -> None:
    assert curt(answer) == left
