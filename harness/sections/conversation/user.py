"""A simulated user: what its model is sent, and what is made of its reply.

As in the user simulation of tau-bench (Yao et al. 2024), a model is told whom it plays and what
they want, sees the conversation with the roles exchanged, and says when it is over.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.records.suite import Message
from harness.sections.conversation.section import Role

END = "[END]"
_SYSTEM = """\
You play a person who writes to a chatbot. You are the person, never the chatbot.
Who you are: {persona}
What you want: {goal}
Write the person's next message and nothing else: one or two sentences, as people type.
Say one thing at a time, and tell nothing that you were not told. When you have what you want, or
when it is clear that you will not get it, write {end} and nothing else."""


def prompt(role: Role, dialogue: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation as the user's model sees it: what the chatbot said is said to it."""
    exchanged = {"user": "assistant", "assistant": "user"}
    turns = (
        Message.model_validate({"role": exchanged[turn.role], "content": turn.content})
        for turn in dialogue
        if turn.role in exchanged
    )
    system = _SYSTEM.format(persona=role.persona, goal=role.goal, end=END)
    # Chat templates want the other side to begin.
    begin = Message(role="user", content="(The chat is open.)")
    return (Message(role="system", content=system), begin, *turns)


def next_message(reply: str) -> str:
    """What the person writes next; empty where the conversation is over."""
    before, end, _ = reply.partition(END)
    return "" if end else before.strip()
