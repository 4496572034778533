"""Proposals: what is proposed, what a person edits, and what is made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.data.collect.groups import Collected, group_requests
from harness.data.collect.proposals import (
    Applied,
    Proposal,
    apply_proposals,
    between,
    entries_of,
    propose,
    write_proposals,
)
from harness.data.collect.requests import Log, LoggedRequest
from harness.data.ledger import Ledger, Side, open_ledger, read_ledger
from harness.errors import UsageError
from harness.records.suite import Case
from harness.training.data_files import Conversation

THINGS = ("socks", "tents", "lamps", "ropes", "maps", "boots", "stoves", "kayaks", "bells", "axes")


def asked(text: str, answer: str = "Yes, we do.", **more: object) -> LoggedRequest:
    return LoggedRequest("log", (("user", text), ("assistant", answer)), **more)  # type: ignore[arg-type]  # fields by name


def collected(ledger: Ledger, *more: LoggedRequest) -> Collected:
    requests = [asked(f"How heavy are {thing}?") for thing in THINGS for _ in range(3)]
    return group_requests(Log([*requests, *more]), (), ledger)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger that knows the proposals in the file of the folder."""
    found = open_ledger(tmp_path, 0.5)
    # Whatever the salt is, both sides are there.
    object.__setattr__(found.header, "salt", "a salt for tests")
    proposals = propose(collected(found), found, least=3, most=50)
    write_proposals(tmp_path / "p.yaml", proposals)
    found.add(entries_of(proposals, found))
    return found


def edit(tmp_path: Path, **keys: Any) -> list[dict[str, Any]]:
    """Set keys of all proposals in the file; an answer only where none is asked otherwise."""
    path = tmp_path / "p.yaml"
    data = yaml.safe_load(path.read_text())
    for row in data["groups"]:
        row.update(keys)
    path.write_text(yaml.safe_dump(data))
    return list(data["groups"])


def apply(tmp_path: Path, ledger: Ledger) -> Applied:
    paths = tmp_path / "cases.jsonl", tmp_path / "training.jsonl"
    return apply_proposals(tmp_path / "p.yaml", ledger, *paths, "Ada")


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_rare_questions_are_proposed_only_for_another_reason(tmp_path: Path) -> None:
    known = open_ledger(tmp_path, 0.5)
    more = asked("Why is it raining?"), asked("Who painted this?", correction="Vermeer did.")
    found = propose(collected(known, *more), known, least=3, most=50)
    questions = {one.asked[0]: one for one in found}
    assert "Why is it raining?" not in questions
    assert questions["Who painted this?"].answer == "Vermeer did."
    assert questions["Who painted this?"].given == ("Yes, we do.",)
    assert len(propose(collected(known), known, least=3, most=4)) == 4


def test_each_side_gets_what_it_reads(tmp_path: Path, ledger: Ledger) -> None:
    proposals = edit(tmp_path, accept=True, answer="Two kilos.")
    sides = {row["group"]: row["side"] for row in proposals}
    done = apply(tmp_path, ledger)
    assert (done.suite, done.training) == (
        list(sides.values()).count("suite"), list(sides.values()).count("training")
    )  # fmt: skip
    assert min(done.suite, done.training) > 0
    for row in rows(tmp_path / "cases.jsonl"):
        case = Case.model_validate(row)
        assert sides[case.group] == "suite"
        assert case.expect == {"answers": ["Two kilos."]}
    for row in rows(tmp_path / "training.jsonl"):
        conversation = Conversation.model_validate(row)
        assert sides[conversation.group] == "training"
        assert conversation.messages[-1].content == "Two kilos."
    again = read_ledger(tmp_path)
    assert again is not None
    assert {one.state for one in again.groups.values()} == {"accepted"}
    assert {one.by for one in again.groups.values()} == {"Ada"}


def test_a_second_call_adds_nothing(tmp_path: Path, ledger: Ledger) -> None:
    edit(tmp_path, accept=True, answer="Two kilos.")
    apply(tmp_path, ledger)
    before = (tmp_path / "cases.jsonl").read_text()
    assert apply(tmp_path, ledger) == Applied()
    # As after a crash between the files and the ledger.
    for name in ledger.groups:
        ledger.groups[name] = ledger.groups[name].model_copy(update={"state": "proposed"})
    apply(tmp_path, ledger)
    assert (tmp_path / "cases.jsonl").read_text() == before


def test_what_was_taken_up_or_dismissed_is_not_proposed_again(
    tmp_path: Path, ledger: Ledger
) -> None:
    assert len(propose(collected(ledger), ledger, least=3, most=50)) == len(THINGS)
    edit(tmp_path, accept=False)
    assert apply(tmp_path, ledger).dismissed == len(THINGS)
    assert propose(collected(ledger), ledger, least=3, most=50) == []


def test_what_a_suite_asks_already_is_the_suites_and_joins_its_group(tmp_path: Path) -> None:
    known = open_ledger(tmp_path, 0.01)  # nearly all that is drawn is for training
    case = Case.model_validate(
        {"id": "heavy-1", "group": "heavy", "prompt": "How heavy are socks?"}
    )
    found = collected(known, asked("How heavy are socks?", correction="Two kilos."))
    (group,) = [one for one in found.groups if "socks" in one.asked()[0][0]]
    group.cases, group.of_suite = [f"shop/gold/{case.id}"], case.group
    (one,) = [one for one in propose(found, known, least=3, most=50) if one.joins]
    assert (one.side, one.joins) == ("suite", "heavy")
    write_proposals(tmp_path / "p.yaml", [one.model_copy(update={"accept": True})])
    known.add(entries_of([one], known))
    apply(tmp_path, known)
    (row,) = rows(tmp_path / "cases.jsonl")
    assert row["group"] == "heavy"
    again = read_ledger(tmp_path)
    assert again is not None
    assert again.side_of(one.group) == "suite"


def test_what_a_person_has_not_decided_is_left(tmp_path: Path, ledger: Ledger) -> None:
    assert apply(tmp_path, ledger).left == len(THINGS)
    assert not (tmp_path / "cases.jsonl").exists()


def flipped(row: dict[str, Any]) -> Side:
    return "training" if row["side"] == "suite" else "suite"


def test_a_group_cannot_be_moved_and_nothing_is_written(tmp_path: Path, ledger: Ledger) -> None:
    proposals = edit(tmp_path, accept=True, answer="Two kilos.")
    proposals[-1]["side"] = flipped(proposals[-1])
    (tmp_path / "p.yaml").write_text(yaml.safe_dump({"groups": proposals}))
    with pytest.raises(UsageError, match="cannot be moved to") as error:
        apply(tmp_path, ledger)
    assert "p.yaml:" in error.value.where
    assert not (tmp_path / "cases.jsonl").exists()
    assert not (tmp_path / "training.jsonl").exists()


def test_an_accepted_group_without_an_answer_is_one_line(tmp_path: Path, ledger: Ledger) -> None:
    edit(tmp_path, accept=True)
    with pytest.raises(UsageError, match="is accepted and has no answer"):
        apply(tmp_path, ledger)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"accept": "perhaps"}, "accept"),
        ({"asked": []}, "asked"),
        ({"side": "both"}, "side"),
        ({"other": 1}, "other"),
        ({"accept": True, "answer": "x", "asked": [["one", "two"]]}, "last message must be"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_file_that_is_none_is_one_line(
    tmp_path: Path, ledger: Ledger, keys: dict[str, Any], message: str
) -> None:
    edit(tmp_path, **keys)
    with pytest.raises(UsageError, match=message):
        apply(tmp_path, ledger)
    assert not (tmp_path / "training.jsonl").exists()


def test_several_turns_become_a_conversation(tmp_path: Path) -> None:
    known = open_ledger(tmp_path, 0.5)
    turns = (("user", "A lamp?"), ("assistant", "Which?"), ("user", "The red one"),
             ("assistant", "No."))  # fmt: skip
    found = group_requests(Log([LoggedRequest("log", turns, correction="It costs 3.")]), (), known)
    (one,) = propose(found, known, least=1, most=9)
    assert one.asked == (("A lamp?", "Which?", "The red one"),)
    write_proposals(tmp_path / "p.yaml", [one.model_copy(update={"accept": True})])
    known.add(entries_of([one], known))
    apply(tmp_path, known)
    (row,) = rows(tmp_path / ("cases.jsonl" if one.side == "suite" else "training.jsonl"))
    assert [turn["content"] for turn in row["messages"]][:3] == list(one.asked[0])


def test_requests_between_groups_of_both_sides_are_told(tmp_path: Path, ledger: Ledger) -> None:
    sides = {entry.side: entry for entry in ledger.groups.values()}
    known = [
        Proposal(group=one.group, side=one.side, asked=one.questions) for one in sides.values()
    ]
    found = collected(ledger)
    assert list(between(found)) == []
    group = found.groups[0]
    group.known = [ledger.groups[one.group] for one in known]
    assert list(between(found)) == [group]
