"""Requests in groups: what covers them, why they are taken up, and the share with its interval."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import load_project
from harness.data.collect.groups import Collected, group_requests
from harness.data.collect.requests import Log, LoggedRequest
from harness.data.ledger import Entry, Header, Ledger
from harness.errors import UsageError
from harness.records.suite import Suite
from harness.sections.section_kinds import load_suites
from tests.shop import write_project

REFUSAL = "I'm sorry, but I can't help with that."


def asked(text: str, answer: str = "Yes, we do.", **more: object) -> LoggedRequest:
    return LoggedRequest("log", (("user", text), ("assistant", answer)), **more)  # type: ignore[arg-type]  # fields by name


@pytest.fixture
def suites(tmp_path: Path) -> tuple[Suite, ...]:
    """The shop's suite."""
    write_project(tmp_path, "http://localhost:9")
    return tuple(load_suites(load_project(tmp_path / "harness.yaml")))


def grouped(requests: list[LoggedRequest], suites: tuple[Suite, ...] = ()) -> Collected:
    return group_requests(Log(requests), suites, None)


def why(requests: list[LoggedRequest], suites: tuple[Suite, ...] = ()) -> dict[str, int]:
    (group,) = grouped(requests, suites).groups
    return group.why()


def test_what_is_asked_nearly_the_same_is_one_group_by_its_frequency() -> None:
    found = grouped([
        asked("Do you sell red socks?"), asked("Where is my parcel?"),
        asked("Please, where is my parcel?"), asked("WHERE IS MY PARCEL"),
    ])  # fmt: skip
    assert [len(one.requests) for one in found.groups] == [3, 1]
    assert found.groups[0].asked()[0] == ("Where is my parcel?",)


def test_a_group_has_its_name_from_what_is_asked_and_not_from_how_often() -> None:
    few = grouped([asked("Where is my parcel?")])
    many = grouped([asked("Where is my parcel?")] * 5 + [asked("Do you sell red socks?")])
    assert few.groups[0].name == many.groups[0].name


def test_what_a_case_asks_is_covered(suites: tuple[Suite, ...]) -> None:
    found = grouped([asked("what is fact 7"), asked("Where is my parcel?")], suites)
    covered = {" ".join(one.asked()[0]): one.cases for one in found.groups}
    assert covered["what is fact 7"] == ["shop/gold/g7"]
    assert covered["Where is my parcel?"] == []
    assert found.coverage is not None
    assert found.coverage.estimate == 0.5


def test_each_reason_is_counted(suites: tuple[Suite, ...]) -> None:
    question = "What is fact 7?"
    assert why([asked(question)], suites) == {}
    assert why([asked("Where is my parcel?")] * 2) == {"uncovered": 2}
    assert why([asked(question, correction="It is 7.")], suites) == {"corrected": 1}
    assert why([asked(question, rated_down=True)], suites) == {"rated down": 1}
    assert why([asked(question, REFUSAL)], suites) == {"refused in scope": 1}


def test_a_refusal_is_in_scope_where_most_others_were_answered() -> None:
    question = "Where is my parcel?"
    mixed = [asked(question, REFUSAL), *[asked(question)] * 2]
    assert why(mixed)["refused in scope"] == 1
    assert "refused in scope" not in why([asked(question, REFUSAL)] * 3)


def test_a_group_of_the_ledger_keeps_its_name_in_other_words() -> None:
    entry = Entry(group="q-old", side="suite", state="accepted",
                  questions=("Where is my parcel?",), at="2026-01-01T00:00:00Z")  # fmt: skip
    ledger = Ledger(Path("x"), Header(salt="12345678", suite_share=0.5), {"q-old": entry})
    found = group_requests(Log([asked("Please, where is my parcel?")]), (), ledger)
    assert [one.name for one in found.groups] == ["q-old"]
    assert found.groups[0].known == [entry]


def test_the_interval_counts_users_and_not_requests(suites: tuple[Suite, ...]) -> None:
    requests = [asked("What is fact 7?", user=f"u{n % 5}") for n in range(50)]
    requests += [asked("Where is my parcel?", user=f"v{n % 5}") for n in range(50)]
    by_user = grouped(requests, suites).coverage
    alone = grouped([asked(one.question) for one in requests], suites).coverage
    assert by_user is not None
    assert alone is not None
    assert by_user.groups == 10
    assert by_user.high - by_user.low > 2 * (alone.high - alone.low)


def test_one_user_alone_is_no_sample(suites: tuple[Suite, ...]) -> None:
    assert grouped([asked("What is fact 7?", user="u")] * 5, suites).coverage is None


def test_a_log_without_a_request_is_an_error() -> None:
    with pytest.raises(UsageError, match="the logs hold no request"):
        grouped([])
