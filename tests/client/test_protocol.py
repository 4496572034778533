"""What a request carries down the stack, and how its permit is settled."""

from __future__ import annotations

import pytest

from harness.client.protocol import (
    FREE_CAUSES,
    Answer,
    ChatRequest,
    Failed,
    Layer,
    Permit,
    Reply,
    RequestContext,
)
from harness.records.attempt import Failure, FailureCause, Timing, Usage
from tests.client.conftest import ask_for
from tests.manual_clock import ManualClock

USAGE = Usage(prompt_tokens=3, completion_tokens=2)
TIMING = Timing(sent=0.0, done=1.0)
Settled = list[tuple[Usage | None, bool]]


def permit(settled: Settled) -> Permit:
    return Permit(lambda usage, free: settled.append((usage, free)), given=0.0, cost=1.0)


def test_an_answer_settles_the_tokens_that_its_server_counted() -> None:
    settled: Settled = []
    permit(settled).settle(Answer("hi", None, "stop", USAGE, TIMING, 1, "m"))
    permit(settled).settle(Answer("hi", None, "stop", None, TIMING, 1, "m"))
    assert settled == [(USAGE, False), (None, False)]


@pytest.mark.parametrize(
    ("cause", "free"),
    [("connect", True), ("http", True), ("timeout", False), ("reset", False), ("stalled", False)],
)
def test_a_failure_is_free_only_where_nothing_can_have_been_generated(
    cause: FailureCause, free: bool
) -> None:
    settled: Settled = []
    permit(settled).settle(Failed(Failure(cause=cause, detail="x"), TIMING, 1))
    assert settled == [(None, free)]
    assert (cause in FREE_CAUSES) is free


def test_what_was_never_sent_is_free_and_a_try_without_a_reply_is_not() -> None:
    settled: Settled = []
    permit(settled).give_back()
    permit(settled).settle(None)
    assert settled == [(None, True), (None, False)]


def test_a_permit_is_taken_once() -> None:
    given = permit([])
    context = RequestContext(0.0, permit=given)
    assert context.take_permit() is given
    assert context.take_permit() is None


async def test_a_request_without_a_moment_of_its_own_is_due_now() -> None:
    class Inner(Layer):
        async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
            return Failed(Failure(cause="http", detail=str(context.intended)), None, 1)

    inner = Inner(ManualClock(5.0))
    replies = [await inner.ask(ask_for()), await inner.ask(ask_for(), intended=3.0)]
    assert [one.failure.detail for one in replies if isinstance(one, Failed)] == ["5.0", "3.0"]
