"""What single checks say, on rows of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.data.lint.check import checks
from harness.data.lint.checks.contradictions import disagreement
from harness.data.lint.checks.turns import _disorder
from harness.data.lint.linter import LintedData, lint_files
from harness.errors import UsageError
from tests.data.lint import planted


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
