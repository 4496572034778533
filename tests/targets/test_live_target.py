"""A live line to a target on a real server, and the judge behind one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.client.protocol import Answer, Failed
from harness.config import load_project
from harness.errors import EvidenceError, UsageError
from harness.event_loop import run_async
from harness.records.plan import Plan
from harness.records.suite import Message
from harness.run.llm_judge import opinion
from harness.run.plan import plan
from harness.sections.section_kinds import load_suites
from harness.targets.connection import connect
from harness.targets.identity import identify
from harness.targets.live_target import LiveTarget
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply


class Silent:
    def say(self, text: str) -> None: ...

    def progress(self, stage: str, done: int, total: int, detail: str) -> None: ...


@contextmanager
def line(folder: Path, target: str = "candidate") -> Iterator[LiveTarget]:
    project = load_project(folder / "harness.yaml")
    with ExitStack() as stack:
        endpoint = stack.enter_context(
            connect(project, "main", [target], folder / "log", lambda _: None)
        )
        yield stack.enter_context(LiveTarget(project, target, endpoint))


def said(*texts: str) -> list[list[Message]]:
    return [[Message(role="user", content=text)] for text in texts]


def test_many_are_asked_at_once_and_come_in_order(project_dir: Path, mock: ThreadedMock) -> None:
    with line(project_dir) as talking:
        replies = talking.ask(said(*(f"What is fact {number}?" for number in range(20))))
    assert [reply.text for reply in replies if isinstance(reply, Answer)] == [
        f"It is value {number}." for number in range(20)
    ]
    assert {body["model"] for body in mock.server.requests} == {"candidate"}


def test_it_works_under_a_running_event_loop(project_dir: Path) -> None:
    async def main() -> list[Any]:
        with line(project_dir) as talking:
            return talking.ask(said("What is fact 1?"))

    assert isinstance(asyncio.run(main())[0], Answer)


def test_sampling_is_the_targets_unless_given(project_dir: Path, mock: ThreadedMock) -> None:
    with line(project_dir) as talking:
        talking.ask(said("What is fact 1?"))
        talking.ask(said("What is fact 1?"), temperature=0.7, max_tokens=5)
        with pytest.raises(UsageError, match="temperature"):
            talking.ask(said("What is fact 1?"), temperature=-1.0)
        with pytest.raises(UsageError, match="warmth: unknown key"):
            talking.ask(said("What is fact 1?"), warmth=1.0)
    usual, own = mock.server.requests
    assert (usual["temperature"], usual["max_tokens"]) == (0.0, 128)
    assert (own["temperature"], own["max_tokens"]) == (0.7, 5)


def test_what_a_server_does_is_a_failure_and_no_exception(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = lambda body: MockReply("out of order", status=500)
    with line(project_dir) as talking:
        (reply,) = talking.ask(said("What is fact 1?"))
    assert isinstance(reply, Failed)
    assert (reply.failure.cause, reply.failure.status) == ("http", 500)


class TestCheck:
    def planned(self, folder: Path) -> Plan:
        project = load_project(folder / "harness.yaml")
        identity = run_async(identify(project, "candidate"))
        return plan(project, "candidate", load_suites(project), identity)

    def test_the_planned_target_is_let_pass(self, project_dir: Path) -> None:
        with line(project_dir) as talking:
            talking.check(self.planned(project_dir), None, Silent())

    def test_another_is_not(self, project_dir: Path) -> None:
        planned = self.planned(project_dir)
        other = planned.identity.model_copy(update={"server_version": "another"})
        with (
            line(project_dir) as talking,
            pytest.raises(EvidenceError, match="no longer what it was"),
        ):
            talking.check(replace(planned, identity=other), None, Silent())


class TestOpinion:
    def test_the_answer_is_fenced_and_the_reply_read(
        self, project_dir: Path, mock: ThreadedMock
    ) -> None:
        mock.answer = lambda body: json.dumps({"met": False, "reason": "rude"})
        with line(project_dir, "base") as talking:
            first = opinion(talking, "Go away. {requirement}", "Is it polite?", "a shop")
            opinion(talking, "Go away.", "Is it polite?", "a shop")
        assert (first.met, first.reason) == (False, "rude")
        prompts = [body["messages"][-1]["content"] for body in mock.server.requests]
        fences = [[part for part in text.split("\n") if part.startswith("=====[")]
                  for text in prompts]  # fmt: skip
        assert all(len(set(fence)) == 1 and len(fence) == 2 for fence in fences)
        assert fences[0] != fences[1]
        assert "Go away. {requirement}" in prompts[0]

    def test_a_judge_that_fails_is_no_opinion(self, project_dir: Path, mock: ThreadedMock) -> None:
        mock.answer = lambda body: "It is fine, I think."
        with (
            line(project_dir, "base") as talking,
            pytest.raises(EvidenceError, match="cannot be read"),
        ):
            opinion(talking, "Hello.", "Is it polite?", "a shop")
