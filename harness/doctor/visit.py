"""One address of a target while it is examined: whom to ask, and what is known so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from harness.client.dialect import Dialect, ServerDescription
from harness.client.protocol import Answer, ChatClient, ChatRequest
from harness.client.transport.exchange import Reached
from harness.config import Project
from harness.errors import HarnessError
from harness.records.attempt import Failure
from harness.records.http_server import HttpServer
from harness.records.target import Generation, Target
from harness.targets.chat_trial import short_question
from harness.targets.endpoint import Endpoint

LONGEST_WAIT = 60.0  # for one answer: a model that thinks may take its time


@dataclass(slots=True, eq=False)
class Visit:
    """A target at one address; each check adds what it has found for those after it.

    `reached` is how the connection stands, or why there is none, `described` what the server says
    of itself, or why it says nothing, and `answer` the answer to the first question.
    """

    project: Project
    target: str
    model: str
    endpoint: Endpoint
    url: str
    client: ChatClient
    settings: Generation
    reached: Reached | Failure | None = None
    described: ServerDescription | HarnessError | None = None
    answer: Answer | None = None
    dialect: Dialect = field(init=False)

    def __post_init__(self) -> None:
        self.dialect = self.endpoint.dialect_of(self.url)

    @property
    def chosen(self) -> Target:
        """The target as it is configured."""
        return self.project.target(self.target)

    @property
    def is_chatbot(self) -> bool:
        """Whether the server has a protocol of its own."""
        return isinstance(self.project.config.servers[self.chosen.server], HttpServer)

    @property
    def description(self) -> ServerDescription:
        """What the server says of itself, or nothing."""
        found = self.described
        return (
            found if isinstance(found, ServerDescription) else ServerDescription(lists_models=False)
        )

    def question(self, **changes: Any) -> ChatRequest:
        """One short question to the target, as a run would put it but for the changes."""
        asked = short_question(self.model, self.settings, self.chosen.answers_as)
        return replace(asked, **changes)


def patient(settings: Generation) -> Generation:
    """The target's settings for an examination: no retries, and no long waits."""
    limits = {
        "retries": 0,
        "connect_timeout": min(settings.connect_timeout, 10.0),
        "case_timeout": min(settings.case_timeout, LONGEST_WAIT),
    }
    return settings.model_copy(update=limits)
