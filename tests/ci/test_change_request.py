"""Which request a job runs for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.ci.change_request import Nothing, find_request
from harness.errors import UsageError

EVENTS: list[tuple[Any, int | None]] = [
    ({"pull_request": {"number": 8}}, 8),
    ({"issue": {"number": 9, "pull_request": {"url": "…"}}}, 9),
    ({"issue": {"number": 9}}, None),
    ({"ref": "refs/heads/main"}, None),
    ({"pull_request": {"number": "8"}}, None),
    ({"pull_request": 8}, None),
    ([], None),
]


@pytest.mark.parametrize(("event", "number"), EVENTS, ids=json.dumps)
def test_the_event_says_which_pull_request(
    event: Any, number: int | None, github: dict[str, str]
) -> None:
    Path(github["GITHUB_EVENT_PATH"]).write_text(json.dumps(event))
    if number is None:
        with pytest.raises(Nothing, match="no pull request"):
            find_request(github)
    else:
        assert find_request(github).number == number


def test_a_given_number_outranks_the_event(github: dict[str, str]) -> None:
    assert find_request(github, 77).number == 77


def test_a_job_without_an_event_file_runs_for_no_request(github: dict[str, str]) -> None:
    with pytest.raises(Nothing, match="no pull request"):
        find_request({**github, "GITHUB_EVENT_PATH": "/nowhere"})


def test_a_branch_of_gitlab_is_no_merge_request(gitlab: dict[str, str]) -> None:
    with pytest.raises(Nothing, match="no merge request"):
        find_request({**gitlab, "CI_MERGE_REQUEST_IID": ""})


@pytest.mark.parametrize(
    ("which", "name"), [("github", "GITHUB_TOKEN"), ("gitlab", "GITLAB_TOKEN")]
)
def test_a_job_without_a_token_is_told_which(
    which: str, name: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(Nothing, match=f"{name} is not set"):
        find_request({**request.getfixturevalue(which), name: " "})


def test_a_token_that_would_break_a_header_is_not_sent(github: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="GITHUB_TOKEN: holds what no token can hold") as caught:
        find_request({**github, "GITHUB_TOKEN": "abc\r\nX: y"})
    assert "abc" not in str(caught.value)


def test_elsewhere_it_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no job of GitHub or GitLab"):
        find_request({})
