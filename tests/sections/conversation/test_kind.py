"""Conversations: what a user writes, what each turn is asked, and what comes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_project
from harness.errors import SuiteError
from harness.receipt.dsse import ReceiptRejected
from harness.receipt.evidence import OfCase, RecordedLine, read_evidence
from harness.receipt.recompute import Checked, check_scores, sealed_suites
from harness.records.recording import RecordedCase
from harness.records.verdict import Verdict
from harness.sections.conversation.section import ConversationSection
from harness.sections.section_kinds import load_suites
from harness.storage import RunFolder
from tests.cli.builders import call
from tests.shop import suite_yaml, write_lines

PRICES = {"tent": 5, "kayak": 9, "bike": 7, "stove": 3, "map": 1, "rope": 2}


def scripted() -> list[dict[str, Any]]:
    """Each asks for a price, then says something, then what two cost together."""
    return [
        {
            "id": f"rent-{thing}",
            "turns": [
                {"user": f"What does a {thing} cost?", "expect": {"answers": [str(price)]}},
                {"user": "I see."},
                {"user": "And two of them?", "expect": {"answers": [str(2 * price)]}},
            ],
            "critical": thing == "tent",
        }
        for thing, price in PRICES.items()
    ]


def played() -> list[dict[str, Any]]:
    return [
        {
            "id": f"rent-{thing}",
            "prompt": "Hello!",
            "user": {"persona": "a camper in a hurry", "goal": f"the price of a {thing}"},
            "expect": {"answers": [str(price)]},
        }
        for thing, price in PRICES.items()
    ]


def write(folder: Path, cases: list[dict[str, Any]], **keys: Any) -> None:
    """The shop's project with a section `talk` of these conversations in place of `gold`."""
    written = suite_yaml()
    written["sections"] = {
        "talk": {"kind": "conversation", "cases": "talk.jsonl", "scorer": "gold", **keys},
        "scope": written["sections"]["scope"],
    }
    (folder / "suites/shop/suite.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    write_lines(folder / "suites/shop/talk.jsonl", cases)
    config = yaml.safe_load((folder / "harness.yaml").read_text())
    config["targets"]["shopper"] = {"server": "main", "model": "base"}
    config["gate"]["rules"] = [
        {"metric": "shop.talk.success", "require": "no_worse_than_baseline", "margin": 0.9},
        {"metric": "shop.scope.answer_rate", "require": "no_worse_than_baseline", "margin": 0.9},
    ]
    (folder / "harness.yaml").write_text(yaml.safe_dump(config))


def section() -> ConversationSection:
    (suite,) = load_suites(load_project(Path("harness.yaml")))
    found = suite.sections[0]
    assert isinstance(found, ConversationSection)
    return found


def recorded(target: str) -> dict[str, RecordedCase]:
    runs = [RunFolder(run).recording() for run in Path(".harness/runs").glob(f"{target}-*")]
    (recording,) = [one for one in runs if one is not None]
    return {one.case.id: one for one in recording.sections[0].cases}


def plays(body: dict[str, Any]) -> bool:
    """Whether the request is to the simulated user."""
    return bool(body["messages"][0]["content"].startswith("You play a person"))


def price_list(mock: Any, lost: str = "") -> None:
    """Who remembers what was asked first knows the price of two; the candidate forgets one."""
    usual = mock.answer

    def answer(body: dict[str, Any]) -> str:
        said = [turn["content"] for turn in body["messages"] if turn["role"] == "user"]
        if plays(body) or said[0].split()[0] not in ("What", "Hello!"):
            return usual(body)
        thing = next((name for name in PRICES if name in " ".join(said)), "")
        if said[-1] == "And two of them?":
            forgotten = body["model"] == "candidate" and thing == lost
            return f"Two cost {99 if forgotten else 2 * PRICES[thing]}."
        if said[-1] == "I see.":
            return "Fine."
        return f"It costs {PRICES[thing]}, says {body['model']}." if thing else "Fine."

    mock.answer = answer


def test_a_turn_is_asked_with_what_the_target_itself_said(project_dir: Path, mock: Any) -> None:
    write(project_dir, scripted())
    price_list(mock, lost="bike")
    assert call("gate", "candidate") in (0, 1, 4)
    last = [
        body["messages"]
        for body in mock.server.requests
        if body["model"] == "candidate" and body["messages"][-1]["content"] == "And two of them?"
        and "bike" in body["messages"][1]["content"]
    ]  # fmt: skip
    assert [(turn["role"], turn["content"]) for turn in last[0]] == [
        ("system", "You are the shop's assistant."),
        ("user", "What does a bike cost?"),
        ("assistant", "It costs 7, says candidate."),
        ("user", "I see."),
        ("assistant", "Fine."),
        ("user", "And two of them?"),
    ]


def test_a_wrong_turn_is_seen_in_the_turn_and_in_the_conversation(
    project_dir: Path, mock: Any
) -> None:
    write(project_dir, scripted())
    price_list(mock, lost="bike")
    call("gate", "candidate")
    ours, theirs = recorded("candidate"), recorded("base")
    assert set(ours) == {f"rent-{thing}{part}" for thing in PRICES for part in ("", "~1", "~3")}
    assert ours["rent-bike~1"].score.passed
    assert not ours["rent-bike~3"].score.passed
    assert (ours["rent-bike"].score.value, ours["rent-bike"].score.label) == (0.0, "1 of 2")
    assert ours["rent-bike"].score.reason == "not as expected: turn 3"
    assert (theirs["rent-bike"].score.value, theirs["rent-bike"].score.label) == (1.0, "2 of 2")
    assert list(ours["rent-bike"].score.terms) == ["success"]
    assert "accuracy" in ours["rent-bike~3"].score.terms
    assert ours["rent-tent"].score.critical
    assert not ours["rent-tent~1"].score.critical
    verdict = Verdict.model_validate_json(
        (project_dir / "reports/candidate-vs-base/verdict.json").read_bytes()
    )
    assert verdict.accounting.planned == 40 + 3 * len(PRICES)
    page = (project_dir / "reports/candidate-vs-base/report.html").read_text()
    assert "Assistant: It costs 7, says candidate." in page.replace("<ins>", "").replace(
        "</ins>", ""
    )


def test_what_was_answered_before_a_failure_is_not_asked_again(
    project_dir: Path, mock: Any
) -> None:
    write(project_dir, scripted())
    price_list(mock)
    usual = mock.answer

    def breaks(body: dict[str, Any]) -> str:
        if body["messages"][-1]["content"] == "And two of them?":
            raise RuntimeError
        return usual(body)

    mock.answer = breaks
    call("run", "base")
    failed = recorded("base")
    assert failed["rent-tent~1"].score.passed
    assert failed["rent-tent~3"].score.status == "failed"
    assert failed["rent-tent"].score.status == "unscored"
    assert failed["rent-tent"].score.reason.startswith("turn 3: http")
    mock.answer, asked = usual, len(mock.server.requests)
    assert call("run", "base") == 0
    again = mock.server.requests[asked:]
    assert [one["messages"][-1]["content"] for one in again] == ["And two of them?"] * len(PRICES)
    assert recorded("base")["rent-tent"].score.passed
    asked = len(mock.server.requests)
    assert call("gate", "candidate") == 0
    assert call("gate", "candidate", "--stored") == 0
    base = [one for one in mock.server.requests[asked:] if one["model"] == "base"]
    assert not base


def test_an_answer_without_words_ends_the_conversation(project_dir: Path, mock: Any) -> None:
    write(project_dir, scripted())
    price_list(mock)
    usual = mock.answer
    mock.answer = lambda body: "" if body["messages"][-1]["content"] == "I see." else usual(body)
    call("run", "base")
    found, reason = recorded("base"), "turn 2 was answered with nothing"
    assert (found["rent-tent"].score.status, found["rent-tent"].score.reason) == (
        "unscored", reason
    )  # fmt: skip
    assert found["rent-tent~3"].score.reason == f"not asked: {reason}"
    assert found["rent-tent~1"].score.passed


def test_a_receipt_works_conversations_out_again(
    project_dir: Path, mock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project_dir, scripted())
    price_list(mock)
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate") == 0
    capsys.readouterr()
    assert call("verify", str(project_dir / "baselines/candidate.unsigned.intoto.jsonl")) == 0
    assert "not scored again" not in capsys.readouterr().out
    records = (project_dir / "baselines/candidate.evidence.jsonl").read_bytes().splitlines()
    evidence = read_evidence(records, "evidence")

    def check(*cases: OfCase) -> Checked:
        with sealed_suites(evidence, "evidence") as suites:
            return check_scores(cases, evidence, suites, "evidence", whole=True)

    assert check(*evidence.cases) == (len(evidence.cases), 0)
    for name in ("rent-bike", "rent-bike~3"):
        line = next(
            one for one in evidence.cases
            if isinstance(one, RecordedLine) and (one.side, one.case.case.id) == ("candidate", name)
        )  # fmt: skip
        lost = line.case.score.model_copy(update={"value": 0.5})
        forged = line.model_copy(update={"case": line.case.model_copy(update={"score": lost})})
        others = [one for one in evidence.cases if one is not line]
        with pytest.raises(ReceiptRejected, match=f"{name} does not follow from its answers"):
            check(*others, forged)


def shopper(body: dict[str, Any]) -> str:
    """A user who asks for the price once, and leaves when it was told."""
    goal = next(name for name in PRICES if name in body["messages"][0]["content"])
    heard = body["messages"][-1]["content"]
    return "[END]" if "costs" in heard else f"What about the {goal}?"


def test_a_simulated_user_plays_until_its_goal_is_met(project_dir: Path, mock: Any) -> None:
    write(project_dir, played(), user={"target": "shopper", "max_turns": 4})
    price_list(mock)
    usual = mock.answer
    mock.answer = lambda body: shopper(body) if plays(body) else usual(body)
    assert call("gate", "candidate") == 0
    found = recorded("candidate")
    assert set(found) == {f"rent-{thing}" for thing in PRICES}
    bike = found["rent-bike"]
    assert (bike.score.value, bike.score.label) == (1.0, "ended after 2")
    assert bike.score.reason == "as expected in turn 2"
    assert bike.attempt.text == (
        "User: Hello!\n\nAssistant: Fine.\n\nUser: What about the bike?\n\n"
        "Assistant: It costs 7, says candidate."
    )
    heard = next(body for body in mock.server.requests if plays(body))
    assert [turn["role"] for turn in heard["messages"]] == ["system", "user", "assistant", "user"]
    assert "a camper in a hurry" in heard["messages"][0]["content"]
    asked = len(mock.server.requests)
    assert call("gate", "candidate") == 0
    assert len(mock.server.requests) == asked


def test_a_persona_that_never_ends_stops_at_the_most_turns(project_dir: Path, mock: Any) -> None:
    write(project_dir, played(), user={"target": "shopper", "max_turns": 3})
    mock.answer = lambda body: "Hm, and then?" if plays(body) else "Fine."
    call("run", "base")
    found = recorded("base")["rent-map"]
    assert (found.score.value, found.score.label) == (0.0, "never ended after 3")


def test_a_simulated_user_without_words_is_no_answer_of_the_target(
    project_dir: Path, mock: Any
) -> None:
    write(project_dir, played(), user={"target": "shopper"})
    mock.answer = lambda body: "" if plays(body) else "Fine."
    call("run", "base")
    found = recorded("base")["rent-map"]
    assert (found.score.status, found.score.reason) == (
        "unscored", "the simulated user said nothing"
    )  # fmt: skip


def turned(**keys: Any) -> list[dict[str, Any]]:
    return [{"id": "a", **keys}]


@pytest.mark.parametrize(
    ("cases", "keys", "line"),
    [
        (turned(prompt="Hi"), {}, "must have `turns`"),
        (turned(turns=[]), {}, "turns: must be a list of turns"),
        (turned(turns=[{"usr": "Hi"}]), {}, "turns: turn 1 must have `user`"),
        (turned(turns=[{"user": "Hi", "expect": "x"}]), {}, "turn 1: expect: must be a mapping"),
        (turned(turns=[{"user": "Hi"}]), {}, "nothing is expected after any of them"),
        (turned(turns=[{"user": "Hi", "expect": {"answer": []}}]), {}, "answer: unknown key"),
        (turned(turns=[{"user": "Hi"}], prompt="Hi"), {}, "give `turns` or `prompt`, not both"),
        (turned(prompt="Hi", expect={}), {"user": {"target": "shopper"}}, "persona"),
        (
            turned(prompt="Hi", user={"persona": "p"}, expect={"answers": ["1"]}),
            {"user": {"target": "shopper"}},
            "user.goal: missing key",
        ),
        (scripted(), {"user": {"target": "shopper"}}, "the section's `user` writes them"),
        (played(), {"user": {"target": "shoper"}}, "no target `shoper`; did you mean"),
        (scripted(), {"user": {"target": "shopper", "max_turns": 0}}, "max_turns"),
        (scripted(), {"kind": "prompts"}, "are for a section of `kind: conversation`"),
        (scripted(), {"metrics": ["succes"]}, "has no `succes`"),
        ([{**scripted()[0], "id": "a~1"}], {}, "the id holds `~`"),
    ],
)
def test_bad_input_is_one_line(
    project_dir: Path, cases: list[dict[str, Any]], keys: dict[str, Any], line: str
) -> None:
    write(project_dir, cases, **keys)
    with pytest.raises(SuiteError) as error:
        load_suites(load_project(Path("harness.yaml")))
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_the_turns_and_the_success_are_metrics_unless_one_is_asked_for(project_dir: Path) -> None:
    write(project_dir, scripted())
    assert [one.name for one in section().metrics] == ["accuracy", "f1", "success"]
    write(project_dir, scripted(), metrics=["success"], title="Served")
    assert [one.name for one in section().metrics] == ["success"]
    assert section().titles == {"success": "Served"}
    write(project_dir, played(), user={"target": "shopper"})
    assert [one.name for one in section().metrics] == ["success"]


def test_lint_power_and_schema_know_conversations(
    project_dir: Path, mock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project_dir, scripted())
    assert call("lint") == 0
    assert call("power") == 0
    assert "shop.talk.success" in capsys.readouterr().out
    assert call("schema", "suite") == 0
    assert '"const": "conversation"' in json.dumps(json.loads(capsys.readouterr().out))
