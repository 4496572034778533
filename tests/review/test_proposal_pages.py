"""The pages where a person accepts proposals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from harness.data.collect.proposals import Proposal, read_proposals, write_proposals
from harness.errors import UsageError
from harness.review.proposal_pages import ProposalPages

BASE = "http://127.0.0.1"


def proposal(number: int, **given: Any) -> Proposal:
    usual = {"group": f"g{number}", "side": "suite", "asked": (f"What about {number}?",),
             "why": {"uncovered": 3}}  # fmt: skip
    return Proposal(**{**usual, **given})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "proposals.yaml"
    passage = {"passage": "A <b>tent</b> costs 12.", "source": "docs.md:1", "answer": "It is 12."}
    talk = ("Is it open?", "Which one?", "The desk.")
    write_proposals(path, [
        proposal(1), proposal(2, side="training", given=("No idea.",), asked=(talk,)),
        proposal(3, **passage),
    ])  # fmt: skip
    return path


class Person:
    def __init__(self, file: Path) -> None:
        pages = ProposalPages(file)
        self.client, self.home = TestClient(pages.asgi, base_url=BASE), pages.home
        self.answer = self.client.get(self.home)

    @property
    def place(self) -> str:
        return self.answer.url.path.rpartition("/")[2]

    def press(self, **form: str) -> None:
        self.answer = self.client.post(self.answer.url.path, data=form)


def test_proposals_are_accepted_changed_and_rejected_in_turn(file: Path) -> None:
    anna = Person(file)
    assert anna.place == "1"
    anna.press(**{"asked.0": "What about one?", "answer": "One it is.", "accept": "yes"})
    assert anna.place == "2"
    assert "Which one?" in anna.answer.text
    assert "No idea." in anna.answer.text
    anna.press(answer="", accept="no")
    assert anna.place == "3"
    assert "A &lt;b&gt;tent&lt;/b&gt; costs 12." in anna.answer.text
    anna.press(answer="It is 12.", accept="yes")
    assert anna.place == "done"
    assert "2 accepted, 1 rejected" in anna.answer.text
    first, second, third = read_proposals(file)
    assert (first.accept, first.asked, first.answer) == (True, ("What about one?",), "One it is.")
    assert (second.accept, second.asked) == (False, (("Is it open?", "Which one?", "The desk."),))
    assert (third.accept, third.passage) == (True, "A <b>tent</b> costs 12.")


def test_what_is_accepted_needs_an_answer_and_nothing_is_written_without(file: Path) -> None:
    before = file.read_bytes()
    anna = Person(file)
    anna.press(answer=" ", accept="yes")
    assert (anna.answer.status_code, file.read_bytes()) == (422, before)


def test_text_is_kept_without_a_decision_and_a_decision_can_be_taken_back(file: Path) -> None:
    anna = Person(file)
    anna.press(answer="Later.")
    assert anna.place == "1"
    anna.press(answer="Later.", accept="yes")
    anna.answer = anna.client.get(f"{anna.home}/1")
    anna.press(answer="Later.", accept="open")
    one = read_proposals(file)[0]
    assert (one.accept, one.answer) == (None, "Later.")


def test_only_the_link_opens_the_pages(file: Path) -> None:
    anna = Person(file)
    assert anna.client.get("/p/guess/1").status_code == 404
    other = {"sec-fetch-site": "cross-site"}
    sent = anna.client.post(f"{anna.home}/1", data={"accept": "no"}, headers=other)
    assert sent.status_code == 403
    assert anna.client.get(f"{anna.home}/9").status_code == 404
    assert read_proposals(file)[0].accept is None


def test_a_file_that_breaks_meanwhile_is_said_and_left(file: Path) -> None:
    anna = Person(file)
    file.write_text("groups: [1]")
    anna.press(answer="One.", accept="yes")
    assert anna.answer.status_code == 503
    assert file.read_text() == "groups: [1]"
    with pytest.raises(UsageError, match="groups"):
        ProposalPages(file)
