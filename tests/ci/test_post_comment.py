"""One comment on a request, whatever happens on the way to it."""

from __future__ import annotations

import pytest

from harness.ci.change_request import find_request, put_comment
from harness.ci.http_api import Refused
from harness.errors import ServerError
from tests.ci.fake_forge import BOT, PERSON, FakeForge, Fault
from tests.manual_clock import ManualClock

MARK = "<!-- harness gate good * harness.yaml -->"
FIRST, SECOND = f"{MARK}\n### first\n", f"{MARK}\n### second\n"


def put(environment: dict[str, str], body: str, clock: ManualClock | None = None) -> str:
    return put_comment(find_request(environment), body, clock or ManualClock()).how


@pytest.mark.parametrize("which", ["github", "gitlab"])
def test_a_second_run_updates_the_comment_of_the_first(
    which: str, forge: FakeForge, request: pytest.FixtureRequest
) -> None:
    environment = request.getfixturevalue(which)
    assert put(environment, FIRST) == "posted"
    assert put(environment, SECOND) == "updated"
    assert put(environment, SECOND) == "unchanged"
    assert forge.bodies(5) == [SECOND]


def test_the_merge_request_of_a_fork_is_in_the_project_it_goes_to(
    forge: FakeForge, gitlab: dict[str, str]
) -> None:
    put(gitlab, FIRST)
    assert ("POST", "/projects/3/merge_requests/5/notes") in forge.asked


def test_the_comment_is_found_on_a_later_page(forge: FakeForge, github: dict[str, str]) -> None:
    for number in range(230):
        forge.write(5, f"remark {number}", PERSON)
    forge.write(5, FIRST, BOT)
    assert put(github, SECOND) == "updated"
    assert forge.bodies(5)[-1] == SECOND
    assert len(forge.bodies(5)) == 231


def test_another_gate_has_a_comment_of_its_own(forge: FakeForge, github: dict[str, str]) -> None:
    other = FIRST.replace("good", "better")
    put(github, FIRST)
    assert put(github, other) == "posted"
    assert forge.bodies(5) == [FIRST, other]


def test_a_person_who_copies_the_marker_keeps_the_comment(
    forge: FakeForge, github: dict[str, str]
) -> None:
    forge.write(5, FIRST, PERSON)
    assert put(github, SECOND) == "posted"
    assert forge.bodies(5) == [FIRST, SECOND]


def test_a_person_s_token_finds_the_person_s_comment(
    forge: FakeForge, github: dict[str, str]
) -> None:
    forge.user = PERSON
    forge.write(5, FIRST, BOT)
    assert [put(github, body) for body in (FIRST, SECOND)] == ["posted", "updated"]


def test_a_comment_that_vanishes_meanwhile_is_posted(
    forge: FakeForge, github: dict[str, str]
) -> None:
    forge.write(5, FIRST, BOT)
    forge.faults = [Fault("PATCH", 404)]
    assert put(github, SECOND) == "posted"


def test_a_failing_server_is_asked_again(forge: FakeForge, github: dict[str, str]) -> None:
    forge.faults = [Fault("GET", 502), Fault("POST", 500)]
    clock = ManualClock()
    assert put(github, FIRST, clock) == "posted"
    assert forge.bodies(5) == [FIRST]
    assert clock.now() == 3.0


def test_a_post_that_was_taken_and_not_confirmed_is_not_repeated(
    forge: FakeForge, github: dict[str, str]
) -> None:
    forge.faults = [Fault("POST", 502, after_the_deed=True)]
    assert put(github, FIRST) == "unchanged"
    assert forge.bodies(5) == [FIRST]


def test_a_server_that_asks_for_time_gets_it(forge: FakeForge, github: dict[str, str]) -> None:
    forge.faults = [Fault("POST", 403, {"Retry-After": "17"})]
    clock = ManualClock()
    assert put(github, FIRST, clock) == "posted"
    assert clock.now() == 17.0


def test_a_server_that_asks_for_an_hour_does_not_get_it(
    forge: FakeForge, github: dict[str, str]
) -> None:
    forge.faults = [Fault("POST", 429, {"Retry-After": "3600"})]
    with pytest.raises(Refused, match="429 no"):
        put(github, FIRST)
    assert forge.wrote("POST") == 1


def test_a_server_that_goes_on_failing_is_an_error(
    forge: FakeForge, github: dict[str, str]
) -> None:
    forge.faults = [Fault("POST", 500) for _ in range(9)]
    with pytest.raises(ServerError, match="500 no"):
        put(github, FIRST)
    assert forge.wrote("POST") == 4


def test_a_token_that_only_reads_is_refused_at_once(
    forge: FakeForge, github: dict[str, str]
) -> None:
    forge.faults = [Fault("POST", 403)]
    with pytest.raises(Refused, match="403 no"):
        put(github, FIRST)
    assert forge.wrote("POST") == 1
