"""Conversations of Python tests with a target, without a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from harness.client.protocol import Answer, Failed, Reply
from harness.errors import UsageError
from harness.pytest_plugin.chat import Chat, ChatTarget, Exchange, NoAnswer
from harness.records.attempt import Failure, Timing, Usage
from harness.records.suite import Message
from harness.targets.live_target import LiveTarget


class Parrot:
    """Answers with the last message in capitals; `boom` fails."""

    target = "candidate"

    def __init__(self) -> None:
        self.conversations: list[list[str]] = []
        self.sampling: list[dict[str, Any]] = []

    def ask(self, conversations: Sequence[Sequence[Message]], **sampling: Any) -> list[Reply]:
        self.conversations += [[turn.content for turn in turns] for turns in conversations]
        self.sampling.append(sampling)
        return [self.reply(turns[-1].content) for turns in conversations]

    def reply(self, text: str) -> Reply:
        timing = Timing(sent=0.0, chunks=(0.5,), done=1.0)
        if text == "boom":
            return Failed(Failure(cause="server_error", detail="out of order"), timing, 1)
        usage = Usage(prompt_tokens=3, completion_tokens=5)
        return Answer(text.upper(), None, "stop", usage, timing, 1, "candidate")


def target_of(parrot: Parrot, exchanges: list[Exchange] | None = None) -> ChatTarget:
    return ChatTarget(cast("LiveTarget", parrot), "Be kind.", exchanges)


def test_every_turn_is_sent_with_all_before_it() -> None:
    parrot, exchanges = Parrot(), list[Exchange]()
    chat = Chat(target_of(parrot, exchanges))
    assert "HELLO" in chat("hello", temperature=0.5)
    answer = chat("bye")
    assert (str(answer), repr(answer), answer.finish_reason) == ("BYE", "'BYE'", "stop")
    assert (answer.prompt_tokens, answer.completion_tokens, answer.ttft, answer.seconds) == (
        3, 5, 0.5, 1.0,
    )  # fmt: skip
    assert parrot.conversations == [["Be kind.", "hello"], ["Be kind.", "hello", "HELLO", "bye"]]
    assert parrot.sampling == [{"temperature": 0.5}, {}]
    assert [turn.role for turn in chat.messages] == ["user", "assistant"] * 2
    assert len(exchanges) == 2
    chat.again()
    assert chat.messages == ()


def test_a_request_that_failed_is_no_part_of_the_conversation() -> None:
    exchanges: list[Exchange] = []
    chat = Chat(target_of(Parrot(), exchanges))
    with pytest.raises(NoAnswer, match=r"`candidate` did not answer: out of order$"):
        chat("boom")
    assert (chat.messages, len(exchanges)) == ((), 1)


def test_many_questions_are_conversations_of_their_own() -> None:
    parrot = Parrot()
    ask_all = target_of(parrot)
    answers = ask_all(["a", [{"role": "user", "content": "b"}]])
    assert [answer.text for answer in answers] == ["A", "B"]
    assert parrot.conversations == [["Be kind.", "a"], ["Be kind.", "b"]]
    with pytest.raises(NoAnswer, match=r"out of order \(and 1 more\)"):
        ask_all(["boom", "a", "boom"])


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("", "no conversation"),
        ([], "must end with a message of the user's"),
        ([{"role": "assistant", "content": "Hello"}], "must end with a message of the user's"),
        ([{"role": "nobody", "content": "Hello"}], "no conversation"),
    ],
)
def test_what_is_no_conversation_is_refused(prompt: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        target_of(Parrot())([prompt])


def test_examples_stand_before_a_conversation_that_is_kept_without_them() -> None:
    parrot, exchanges = Parrot(), list[Exchange]()
    shown = Message(role="assistant", content="LIKE THIS")
    target = ChatTarget(
        cast("LiveTarget", parrot),
        "Be kind.",
        exchanges,
        lambda turns: (turns[0], shown, *turns[1:]),
    )
    Chat(target)("hello")
    assert parrot.conversations == [["Be kind.", "LIKE THIS", "hello"]]
    assert [turn.content for turn in exchanges[0][0]] == ["Be kind.", "hello"]
