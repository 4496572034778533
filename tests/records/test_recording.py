from __future__ import annotations

import pytest
from pydantic import ValidationError

from harness.records.recording import RecordedCase, RecordedSection, Recording
from tests.builders import recorded


def test_a_newer_section_takes_the_place_of_the_older() -> None:
    old = Recording(freshness=0, sections=(recorded("memory", a=1.0), recorded("manners", b=1.0)))
    new = Recording(freshness=0, sections=(recorded("memory", a=0.0, c=1.0),))
    merged = {each.section: each for each in old.merged(new).sections}
    assert merged == {"memory": new.sections[0], "manners": old.sections[1]}


@pytest.mark.parametrize("field", ["key", "suite", "section", "case"])
def test_a_score_of_another_case_is_refused(field: str) -> None:
    found = recorded("memory", a=1.0).cases[0]
    other = found.score.model_copy(update={field: "other"})
    with pytest.raises(ValidationError, match="do not belong together"):
        RecordedCase(case=found.case, attempt=found.attempt, score=other)


def test_a_section_holds_its_own_cases_once() -> None:
    cases = recorded("memory", a=1.0, b=0.0).cases
    place = {"suite": "shop", "metrics": ("accuracy",)}
    with pytest.raises(ValidationError, match="there twice"):
        RecordedSection(section="memory", cases=(cases[0], cases[0]), **place)
    with pytest.raises(ValidationError, match="of another section"):
        RecordedSection(section="manners", cases=cases, **place)


def begun(*sessions: str) -> Recording:
    return Recording(
        freshness=0, sections=(), begun=tuple(("shop", "memory", each) for each in sessions)
    )


def ended(session: str) -> Recording:
    section = recorded("memory", a=1.0).model_copy(update={"session": session})
    return Recording(freshness=0, sections=(section,))


def test_a_session_ends_what_itself_and_those_before_it_began() -> None:
    known = begun("broken-off").merged(begun("mine")).merged(begun("other"))
    mine = known.merged(ended("mine"))
    assert mine.begun == (("shop", "memory", "other"),)
    assert mine.merged(ended("other")).begun == ()


def test_what_another_began_after_it_is_not_ended_by_the_end_of_a_part() -> None:
    known = begun("mine").merged(ended("mine")).merged(begun("other"))
    assert known.unfinished == {("shop", "memory")}
    assert known.sections[0].session == "mine"


def test_what_names_no_session_is_read() -> None:
    old = {"freshness": 0, "sections": (), "begun": [["shop", "memory"]]}
    assert Recording.model_validate(old).unfinished == {("shop", "memory")}
