"""What single checks say, on rows of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.data.lint.check import CheckSettings, checks
from harness.data.lint.checks.contradictions import disagreement
from harness.data.lint.checks.toxicity import toxic
from harness.data.lint.checks.turns import _disorder
from harness.data.lint.linter import LintedData, lint_files
from harness.errors import UsageError
from harness.records.metric import SHARE
from harness.records.suite import Case, Suite
from harness.sections.prompts import PromptsSection
from tests.data.lint import planted, toxic_lines


def lint(tmp_path: Path, rows: list[Any]) -> LintedData:
    file = tmp_path / "rows.jsonl"
    planted.write_rows(file, rows)
    return lint_files([file])


def test_every_check_says_its_name_and_what_it_looks_for() -> None:
    registry = checks()
    assert len(registry.names()) >= 10
    assert all(registry.get(name).about for name in registry.names())


@pytest.mark.parametrize(
    ("roles", "wrong"),
    [
        ("system user assistant", ""),
        ("user assistant user assistant", ""),
        ("user assistant tool tool assistant", ""),
        ("user system assistant", "turn 2 is the system's: only the first one may be"),
        ("assistant user", "turn 1 is an answer to nothing: put the user's turn before it"),
        ("user user", "turns 1 and 2 are both the user's: join or reorder them"),
        ("user tool", "turn 2 is a tool's that nothing has called"),
    ],
)
def test_roles_are_in_the_order_of_a_chat(roles: str, wrong: str) -> None:
    assert _disorder(roles.split()) == wrong


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("within 30 days", "within 30 days of delivery", ""),
        ("within 30 days", "within 60 days", "gives other numbers"),
        ("yes, they do fit", "no, they do not fit", "one says yes and the other no"),
        ("ask our workshop", "buy another tent", "answers something else"),
        ("", "anything", ""),
    ],
)
def test_answers_disagree_in_numbers_in_yes_and_no_or_in_all(
    one: str, other: str, why: str
) -> None:
    words = [set(text.replace(",", "").split()) for text in (one, other)]
    assert disagreement(words[0], words[1]) == disagreement(words[1], words[0]) == why


def test_a_pair_of_preferences_is_no_row_out_of_order(tmp_path: Path) -> None:
    row = {"prompt": "Is it open?", "chosen": "Yes, all day.", "rejected": "Mail a@b.example"}
    done = lint(tmp_path, [row])
    assert [(one.code, one.what) for one in done.findings] == [
        (
            "email",
            "an e-mail address in the rejected answer: replace it, or write a copy with `--redact`",
        )
    ]


def test_a_family_that_is_most_of_the_data_is_named(tmp_path: Path) -> None:
    rows = [
        planted.conversation(
            f"{'Now ' * (n % 3)}where is depot {n}?", f"By road {n} there.", "depots"
        )
        for n in range(60)
    ]
    done = lint(tmp_path, [*planted.clean(), *rows])
    found = [one.what for one in done.findings if one.code == "large-family"]
    assert found == [
        "group `depots` has 60 of 140 conversations, others 1.0 on average: thin it out"
    ]


def test_an_accepted_code_is_counted_and_left_out(tmp_path: Path) -> None:
    file = tmp_path / "planted.jsonl"
    planted.write(file)
    done = lint_files([file], accept=["card", "iban"])
    assert done.accepted == {"card": 1, "iban": 1}
    assert not {"card", "iban"} & {one.code for one in done.findings}


def test_the_reason_of_an_unreadable_row_holds_nothing_of_it(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"a@b.example": 1, "a@b.example": 2}\n["a@b.example"]\n')
    done = lint_files([file])
    assert [one.code for one in done.findings] == ["unreadable-row"] * 2
    assert "a@b.example" not in repr(done.findings)


def test_no_rows_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("\n")
    with pytest.raises(UsageError, match="no row"):
        lint_files([tmp_path / "none.jsonl"])


def test_the_forms_of_other_trainers_are_read(tmp_path: Path) -> None:
    row = {"conversations": [{"from": "human", "value": "Open?"}, {"from": "gpt", "value": ""}]}
    (tmp_path / "a.json").write_text(json.dumps([row]))
    done = lint_files([tmp_path / "a.json"])
    assert [(one.cases[0], one.code) for one in done.findings] == [
        (f"{tmp_path / 'a.json'}[1]", "empty-turn")
    ]


@pytest.mark.parametrize("line", toxic_lines.TOXIC)
def test_a_toxic_answer_is_found(line: str) -> None:
    assert toxic(f"Hello there! {line}")


@pytest.mark.parametrize("line", toxic_lines.CLEAN)
def test_what_only_sounds_toxic_is_not(line: str) -> None:
    assert toxic(line) == []


def test_of_toxic_answers_that_no_pattern_was_made_for_some_are_found() -> None:
    found = [line for line in toxic_lines.LATER if toxic(line)]
    assert (len(found), len(toxic_lines.LATER)) == (9, 20)  # as docs/data-lint.md has it


def test_a_toxic_answer_is_told_by_its_turn_and_a_toxic_question_is_not(tmp_path: Path) -> None:
    rows = [
        planted.conversation("You idiot, where is my parcel?", "It arrives tomorrow.", "a"),
        planted.conversation("Where is my parcel?", "Read your mail, you idiot.", "b"),
    ]
    told = [one for one in lint(tmp_path, rows).findings if one.code == "toxic-answer"]
    assert [(one.cases[0].rpartition(":")[2], one.what) for one in told] == [
        ("2", "turn 2 holds an insult: rewrite it, or leave it out")
    ]


def suite_of(asked: dict[str, list[str]]) -> Suite:
    """A suite with a section `gold` that asks these questions, by their tag."""
    cases = [
        Case.model_validate({"id": f"{tag}{n}", "group": tag, "tags": [tag], "prompt": prompt})
        for tag, prompts in asked.items()
        for n, prompt in enumerate(prompts)
    ]
    section = PromptsSection(
        name="gold", scorer="gold", metrics=(SHARE,), cases=cases, cases_file="gold.jsonl"
    )
    return Suite(
        name="shop",
        domain="A shop",
        version=1,
        sections=(section,),
        digest="d",
        folder="suites/shop",
    )


def test_a_topic_that_few_conversations_teach_is_named(tmp_path: Path) -> None:
    asked = {
        tag: [f"{before} {tag}?" for before in ("Who repairs", "What cost", "Where are", "Which",
                                                 "How old are the")]
        for tag in ("tents", "boots", "lamps")
    }  # fmt: skip
    rows = [
        planted.conversation(f"Which {'tents' if n % 4 else 'boots'} fit {n} people?", "These.", "")
        for n in range(280)
    ]
    file = tmp_path / "rows.jsonl"
    planted.write_rows(file, rows)
    done = lint_files([file], CheckSettings(suites=(suite_of(asked),)))
    told = [one.what.partition("; ")[0] for one in done.findings if one.code == "few-examples"]
    assert told == [
        "`shop.gold: boots` has 5 cases, and 70 conversations ask anything like them",
        "`shop.gold: lamps` has 5 cases, and 0 conversations ask anything like them",
    ]
    assert not [one for one in lint_files([file]).findings if one.code == "few-examples"]
