"""Conversations of Python tests with live targets, and the connections of a session to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from harness.client.protocol import Answer, Failed, Reply
from harness.errors import EvidenceError, UsageError
from harness.files import make_folder
from harness.pytest_plugin.findings import ManagedEndpoint
from harness.pytest_plugin.session import SessionState
from harness.records.run import Watcher
from harness.records.server import ManagedServer
from harness.records.suite import Message
from harness.targets.connection import connect
from harness.targets.endpoint import Endpoint
from harness.targets.live_target import LiveTarget

Turn = Message | Mapping[str, str]
# A conversation and the reply to it.
Exchange = tuple[tuple[Message, ...], Reply]


class NoAnswer(EvidenceError):
    """A request of a test brought no answer, so that the test says nothing about the target."""

    def __init__(self, target: str, failed: Failed, more: int = 0) -> None:
        others = f" (and {more} more)" if more else ""
        what = f"`{target}` did not answer: {failed.failure.detail}{others}"
        super().__init__(what, hint=failed.failure.remedy or "")


@dataclass(frozen=True, slots=True, repr=False)
class ChatAnswer:
    """One answer; it prints as its text, and `in` looks into its text.

    `ttft`, `tta` and `seconds` count from the moment it was asked for: `ttft` to the first chunk
    with content or thinking, `tta` to the first with some of the answer.
    """

    text: str
    finish_reason: str
    reasoning: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    ttft: float | None = None
    seconds: float | None = None
    tta: float | None = None

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return repr(self.text)

    def __contains__(self, part: str) -> bool:
        return part in self.text


class ChatTarget:
    """A live target, with the system prompt that it has for a suite; called, it answers many.

    What it is asked and answers is added to `exchanges` where they are given. `before` puts the
    target's examples before a conversation, which is kept without them.
    """

    def __init__(
        self,
        live: LiveTarget,
        system: str | None,
        exchanges: list[Exchange] | None = None,
        before: Callable[[tuple[Message, ...]], tuple[Message, ...]] = lambda turns: turns,
    ) -> None:
        self._live = live
        self._system = system
        self._exchanges = exchanges
        self._before = before

    def __call__(
        self, prompts: Sequence[str | Sequence[Turn]], **sampling: Any
    ) -> list[ChatAnswer]:
        """The answers in the order of the prompts: texts, or lists of messages.

        Raises:
            NoAnswer: a request failed.
            UsageError: a prompt is empty, or a value of `sampling` is unknown or out of range.
        """
        before = () if self._system is None else (Message(role="system", content=self._system),)
        conversations = [(*before, *_conversation(prompt)) for prompt in prompts]
        replies = self._live.ask([self._before(one) for one in conversations], **sampling)
        if self._exchanges is not None:
            self._exchanges += zip(conversations, replies, strict=True)
        failed = [reply for reply in replies if isinstance(reply, Failed)]
        if failed:
            raise NoAnswer(self._live.target, failed[0], len(failed) - 1)
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

        `sampling` stands in place of the target's own `generation` settings.

        Raises:
            NoAnswer: the request failed; the message is not part of the conversation then.
            UsageError: the message is empty, or a value of `sampling` is out of range.
        """
        turns = [*self._messages, *_conversation(text)]
        (answer,) = self._chat_target([turns], **sampling)
        self._messages = turns
        if answer.text:
            self._messages.append(Message(role="assistant", content=answer.text))
        return answer

    def again(self) -> None:
        """Forget all turns: the next message begins a new conversation."""
        self._messages = []


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
        tta=answer.timing.tta,
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
        self._targets: dict[str, LiveTarget] = {}

    def target(self, name: str) -> LiveTarget:
        """The live target of that name.

        Raises:
            UsageError: there is no such target, or it is a sealed baseline.
            ServerError: its server does not start, or cannot be reached.
        """
        if name not in self._targets:
            order = self._state.options.order
            concurrency = order.concurrency if order else None
            live = LiveTarget(self._state.project, name, self._endpoint(name), concurrency)
            self._targets[name] = self._stack.enter_context(live)
        return self._targets[name]

    def started(self) -> dict[str, ManagedEndpoint]:
        """The managed servers that run here, for other processes to ask."""
        return {
            name: ManagedEndpoint(urls=endpoint.urls, api_key=endpoint.api_key or "")
            for name, endpoint in self._endpoints.items()
            if isinstance(self._state.project.config.servers[name], ManagedServer)
        }

    def close(self) -> None:
        """Close every connection, and stop what was started."""
        self._stack.close()

    def _endpoint(self, target: str) -> Endpoint:
        server = self._state.project.target(target).server
        if server not in self._endpoints:
            managed = isinstance(self._state.project.config.servers[server], ManagedServer)
            known = (self._running or {}).get(server)
            if known is not None:
                self._endpoints[server] = Endpoint(known.urls, known.api_key)
            elif managed and self._running is not None:
                raise UsageError(
                    f"the server of `{target}` was not started for this session",
                    hint=f"name it: --target {target}",
                )
            else:
                self._endpoints[server] = self._connect(server)
        return self._endpoints[server]

    def _connect(self, server: str) -> Endpoint:
        """The endpoint of a server, started here where it is managed."""
        state, project = self._state, self._state.project
        on_it = [name for name in state.asked_targets if project.target(name).server == server]
        log = project.root / ".harness" / "pytest" / f"{server}.log"
        make_folder(log.parent)
        return self._stack.enter_context(connect(project, server, on_it, log, self._watcher.say))
