"""What a suite's Python tests may ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.pytest_plugin.chat import AskAll, Chat
from harness.pytest_plugin.running_test import OwnScore, RunningTest, running_test_of
from harness.run.llm_judge import Opinion


@pytest.fixture
def chat(request: pytest.FixtureRequest) -> Chat:
    """A conversation with the target under test: `chat("Hello")` is one turn of it."""
    return Chat(_running(request).chat_target())


@pytest.fixture
def ask_all(request: pytest.FixtureRequest) -> AskAll:
    """Many questions to the target at once: `ask_all(["Hello", "Good evening"])`."""
    return AskAll(_running(request).chat_target())


@pytest.fixture
def base_chat(request: pytest.FixtureRequest) -> Chat:
    """A conversation with the baseline, where it is a live target."""
    return Chat(_running(request).baseline_chat())


@pytest.fixture
def judge(request: pytest.FixtureRequest) -> Callable[[object, str], Opinion]:
    """What the configuration's `judge` says: `judge(reply, "It is polite.")` is met or not.

    The answer is fenced, and the judge's reply is read strictly.
    """
    return _running(request).judge


@pytest.fixture
def score(request: pytest.FixtureRequest) -> OwnScore:
    """Give the test a score of its own: `score(0.5, reason="half of it")`."""
    return _running(request).mark


def _running(request: pytest.FixtureRequest) -> RunningTest:
    found = running_test_of(request.node)
    if found is None:
        raise pytest.UsageError(
            f"harness: `{request.fixturename}` is for the tests of a suite: name the file as "
            "`tests:` of a section in suite.yaml, and a --target"
        )
    return found
