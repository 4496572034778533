"""What lm-eval builds is asked as it would ask it, or refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import UsageError
from harness.lm_eval.documents import requested, until_cut
from harness.records.suite import Message

ONE = {"task": "t", "judge": "j", "group_by": None, "where": "s"}
TASK = SimpleNamespace(VERSION=1, doc_to_target=lambda doc: doc["answer"])
CHAT = '[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]'


def request(number: int = 0, index: int = 0, context: str = CHAT, **settings: Any) -> Any:
    return SimpleNamespace(
        doc_id=number, idx=index, args=(context, settings), doc={"answer": "a"}, repeats=2
    )


def test_a_chat_is_messages_and_settings_are_ours() -> None:
    found = requested(ONE, TASK, [request(until=["\n", ""], do_sample=False)] * 2, "0.4.13")
    (document,) = found.documents
    assert document.messages == (
        Message(role="system", content="Be brief."), Message(role="user", content="Why?"),
    )  # fmt: skip
    assert document.sampling == {"temperature": 0.0, "max_tokens": 256, "stop": ["\n"]}
    assert document.repeats == 2


def test_sampling_is_kept_where_the_task_samples() -> None:
    asked = request(do_sample=True, temperature=0.7, top_p=0.9, max_gen_toks=32, until="x")
    (document,) = requested(ONE, TASK, [asked], "0.4.13").documents
    assert document.sampling == {
        "temperature": 0.7, "top_p": 0.9, "max_tokens": 32, "stop": ["x"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "one", "what"),
    [
        ([request(num_beams=4)], ONE, "sets `num_beams`"),
        ([request(), request(index=1)], ONE, "several things about a document"),
        ([request()], {**ONE, "group_by": "passage"}, "have no `passage`"),
    ],
)
def test_what_cannot_be_asked(asked: list[Any], one: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        requested(one, TASK, asked, "0.4.13")


def test_an_answer_ends_where_lm_eval_ends_it() -> None:
    assert until_cut("4\nQ: 5", {"until": ["Q:", "\n"]}) == "4"
