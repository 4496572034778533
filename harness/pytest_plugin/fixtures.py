"""What a suite's Python tests may ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.pytest_plugin.marking import Mark
from harness.pytest_plugin.sitting import Sitting, sitting_of
from harness.pytest_plugin.talks import AskAll, Chat
from harness.run.llm_judge import Opinion


@pytest.fixture
def chat(request: pytest.FixtureRequest) -> Chat:
    """A conversation with the target under test: `chat("Hello")` is one turn of it."""
    return Chat(_sitting(request).talker())


@pytest.fixture
def ask_all(request: pytest.FixtureRequest) -> AskAll:
    """Many questions to the target at once: `ask_all(["Hello", "Good evening"])`."""
    return AskAll(_sitting(request).talker())


@pytest.fixture
def base_chat(request: pytest.FixtureRequest) -> Chat:
    """A conversation with the baseline, where it is a live target."""
    return Chat(_sitting(request).base_talker())


@pytest.fixture
def judge(request: pytest.FixtureRequest) -> Callable[[object, str], Opinion]:
    """What the configuration's `judge` says: `judge(reply, "It is polite.")` is met or not.

    The answer is fenced, and the judge's reply is read strictly.
    """
    return _sitting(request).judge


@pytest.fixture
def score(request: pytest.FixtureRequest) -> Mark:
    """Give the test a score of its own: `score(0.5, reason="half of it")`."""
    return _sitting(request).mark


def _sitting(request: pytest.FixtureRequest) -> Sitting:
    found = sitting_of(request.node)
    if found is None:
        raise pytest.UsageError(
            f"harness: `{request.fixturename}` is for the tests of a suite: name the file as "
            "`tests:` of a section in suite.yaml, and a --target"
        )
    return found
