"""Conversations of Python tests with live targets, and the connections of a session to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.client.protocol import Answer, Failed, Reply
from harness.errors import EvidenceError, UsageError
from harness.pytest_plugin.session import SessionState
from harness.pytest_plugin.xdist import ManagedEndpoint
from harness.records.run import Watcher
from harness.records.server import ManagedServer
from harness.records.suite import Message
from harness.targets.endpoint import Endpoint
from harness.targets.live_target import LiveTarget

Turn = Message | Mapping[str, str]
# A conversation and the reply to it.
Exchange = tuple[tuple[Message, ...], Reply]


class NoAnswer(EvidenceError):
    """A request of a test brought no answer, so that the test says nothing about the target."""

    def __init__(self, target: str, failed: Failed, more: int = 0) -> None:
        others = f" (and {more} more)" if more else ""
        super().__init__(f"`{target}` did not answer: {failed.failure.detail}{others}")
        self.failed = failed


@dataclass(frozen=True, slots=True, repr=False)
class ChatAnswer:
    """One answer; it prints as its text, and `in` looks into its text.

    `ttft` and `seconds` count from the moment it was asked for, `ttft` to the first chunk with
    content.
    """

    text: str
    finish_reason: str
    reasoning: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    ttft: float | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return repr(self.text)

    def __contains__(self, part: str) -> bool:
        return part in self.text


class ChatTarget:
    """A live target, with the system prompt that it has for a suite."""

    def __init__(
        self, line: LiveTarget, system: str | None, exchanges: list[Exchange] | None = None
    ) -> None:
        self._line = line
        self._system = system
        self._exchanges = exchanges

    def ask(self, conversations: Sequence[Sequence[Message]], sampling: Any) -> list[ChatAnswer]:
        """The answers, in the order of the conversations.

        Raises:
            NoAnswer: a request failed.
            UsageError: a value of `sampling` is out of range, or unknown.
        """
        before = () if self._system is None else (Message(role="system", content=self._system),)
        whole = [(*before, *conversation) for conversation in conversations]
        replies = self._line.ask(whole, **sampling)
        if self._exchanges is not None:
            self._exchanges += zip(whole, replies, strict=True)
        failed = [reply for reply in replies if isinstance(reply, Failed)]
        if failed:
            raise NoAnswer(self._line.target, failed[0], len(failed) - 1)
        return [_chat_answer(reply) for reply in replies if isinstance(reply, Answer)]


class Chat:
    """A conversation with a target: every call is a turn, and the target hears all before it."""

    def __init__(self, chat_target: ChatTarget) -> None:
        self._chat_target = chat_target
        self._messages: list[Message] = []

    @property
    def messages(self) -> tuple[Message, ...]:
        """The turns so far, without the system prompt."""
        return tuple(self._messages)

    def __call__(self, text: str, **sampling: Any) -> ChatAnswer:
        """The target's answer to one more message.

        `sampling` stands in place of the target's own `temperature`, `top_p`, `max_tokens` and
        `seed`.

        Raises:
            NoAnswer: the request failed; the message is not part of the conversation then.
            UsageError: the message is empty, or a value of `sampling` is out of range.
        """
        asked = (*self._messages, *_conversation(text))
        (answer,) = self._chat_target.ask([asked], sampling)
        self._messages = [*asked]
        if answer.text:
            self._messages.append(Message(role="assistant", content=answer.text))
        return answer

    def again(self) -> None:
        """Forget all turns: the next message begins a new conversation."""
        self._messages = []


class AskAll:
    """Many questions at once, each a conversation of its own."""

    def __init__(self, chat_target: ChatTarget) -> None:
        self._chat_target = chat_target

    def __call__(
        self, prompts: Sequence[str | Sequence[Turn]], **sampling: Any
    ) -> list[ChatAnswer]:
        """The answers in the order of the prompts: texts, or lists of messages.

        Raises:
            NoAnswer: a request failed.
            UsageError: a prompt is empty, or a value of `sampling` is out of range.
        """
        return self._chat_target.ask([_conversation(prompt) for prompt in prompts], sampling)


def _conversation(prompt: str | Sequence[Turn]) -> tuple[Message, ...]:
    turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    try:
        found = tuple(Message.model_validate(turn) for turn in turns)
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"no conversation: {prompt!r}"[:200],
            hint="give a text, or messages with `role` and `content`",
        ) from error
    if not found or found[-1].role != "user":
        raise UsageError("a conversation must end with a message of the user's")
    return found


def _chat_answer(answer: Answer) -> ChatAnswer:
    usage = answer.usage
    return ChatAnswer(
        text=answer.text,
        finish_reason=answer.finish_reason,
        reasoning=answer.reasoning,
        prompt_tokens=None if usage is None else usage.prompt_tokens,
        completion_tokens=None if usage is None else usage.completion_tokens,
        ttft=answer.timing.ttft,
        seconds=answer.timing.e2e,
    )


class LiveTargets:
    """Connections by target, each opened when it is first asked for, all closed at the end.

    A managed server is started once, and serves every target of the session that is on it.
    `running` are those that another process has started.
    """

    def __init__(
        self,
        state: SessionState,
        watcher: Watcher,
        running: Mapping[str, ManagedEndpoint] | None = None,
    ) -> None:
        self._state = state
        self._watcher = watcher
        self._running = running
        self._stack = ExitStack()
        self._endpoints: dict[str, Endpoint] = {}
        self._lines: dict[str, LiveTarget] = {}

    def line(self, target: str) -> LiveTarget:
        """The line to a target.

        Raises:
            UsageError: there is no such target, or it is a sealed baseline.
            ServerError: its server does not start, or cannot be reached.
        """
        if target not in self._lines:
            endpoint = self._endpoint(target)
            project = self._state.project
            order = self._state.options.order
            line = LiveTarget(project, target, endpoint, order.concurrency if order else None)
            self._lines[target] = self._stack.enter_context(line)
        return self._lines[target]

    def started(self) -> dict[str, ManagedEndpoint]:
        """The managed servers that run here, for other processes to ask."""
        servers = self._state.project.config.servers
        return {
            name: ManagedEndpoint(urls=endpoint.urls, api_key=endpoint.api_key or "")
            for name, endpoint in self._endpoints.items()
            if isinstance(servers[name], ManagedServer)
        }

    def close(self) -> None:
        """Close every connection, and stop what was started."""
        self._stack.close()

    def _endpoint(self, target: str) -> Endpoint:
        project = self._state.project
        server = project.target(target).server
        if server not in self._endpoints:
            known = None if self._running is None else self._running.get(server)
            if known is not None:
                self._endpoints[server] = Endpoint(known.urls, known.api_key)
            elif self._running is not None and self._is_managed(server):
                raise UsageError(
                    f"the server of `{target}` was not started for this session",
                    hint=f"name it: --target {target}",
                )
            else:
                live = self._state.live(target, self._log(target), self._watcher.say)
                self._endpoints[server] = self._stack.enter_context(live)
        return self._endpoints[server]

    def _is_managed(self, server: str) -> bool:
        return isinstance(self._state.project.config.servers[server], ManagedServer)

    def _log(self, target: str) -> Path:
        folder = self._state.project.root / ".harness" / "pytest"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self._state.project.target(target).server}.log"
