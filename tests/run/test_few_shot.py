"""Examples before a conversation: which are drawn, for whom, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.config import load_project
from harness.errors import UsageError
from harness.records.suite import Message
from harness.run.few_shot import Examples, examples_of
from tests.shop import config


def row(group: str, asked: str) -> dict[str, object]:
    turns = [("system", "Other."), ("user", asked), ("assistant", f"As {group} says.")]
    return {"group": group, "messages": [{"role": r, "content": c} for r, c in turns]}


ROWS = [
    row("returns/1", "Can I send the blue tent back?"),
    row("returns/2", "Who pays for the parcel?"),
    row("hours", "When does the shop open on Monday?"),
    row("hours", "Are you open at noon?"),
    row("tone", "My lamp broke on the first day."),
]


def drawn(folder: Path, k: int = 2, seed: int = 0, rows: object = None) -> Examples:
    lines = [json.dumps(one) for one in (ROWS if rows is None else rows)]  # type: ignore[attr-defined]  # a list
    (folder / "shots.jsonl").write_text("\n".join(lines))
    settings = config("http://unused")
    settings["targets"]["base"]["few_shot"] = {"file": "shots.jsonl", "k": k, "seed": seed}
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    found = examples_of(load_project(folder / "harness.yaml"), "base")
    assert found is not None
    return found


def asked(found: Examples, question: str, group: str = "other") -> list[str]:
    turns = (Message(role="system", content="S"), Message(role="user", content=question))
    sent = found.put_before(turns, group, "shop/gold/g1")
    assert [sent[0].content, sent[-1].content] == ["S", question]
    return [turn.content for turn in sent[1:-1]]


def test_they_stand_between_the_system_message_and_the_question(tmp_path: Path) -> None:
    shown = asked(drawn(tmp_path), "What is fact 1?")
    assert len(shown) == 4
    assert all(answer.startswith("As ") for answer in shown[1::2])
    assert "Other." not in shown


def test_none_is_of_the_cases_group_and_two_are_never_of_one(tmp_path: Path) -> None:
    for seed in range(8):
        shown = asked(drawn(tmp_path, k=2, seed=seed), "What is fact 1?", group="returns")
        assert set(shown[1::2]) == {"As hours says.", "As tone says."}


@pytest.mark.parametrize(
    "question",
    [
        "My lamp broke on the first day.",
        "my lamp broke on the first day",
        "My lamp broke first day",
    ],
)
def test_none_asks_what_the_case_asks(tmp_path: Path, question: str) -> None:
    shown = asked(drawn(tmp_path, k=3), question)
    assert "My lamp broke on the first day." not in shown


def test_the_seed_draws_and_neither_the_order_of_lines_nor_another_case_does(
    tmp_path: Path,
) -> None:
    first = asked(drawn(tmp_path), "What is fact 1?")
    assert asked(drawn(tmp_path, rows=ROWS[::-1]), "Where is fact 2?") == first
    draws = {tuple(asked(drawn(tmp_path, seed=seed), "What?")) for seed in range(12)}
    assert len(draws) > 1


def test_too_few_are_refused_in_a_line_that_names_the_case(tmp_path: Path) -> None:
    found = drawn(tmp_path, k=1, rows=[row("hours", "A?"), row("hours/2", "B?")])
    with pytest.raises(UsageError) as refused:
        asked(found, "What is fact 1?", group="hours")
    assert "has 0 of the 1 examples that shop/gold/g1 is to be shown" in refused.value.line
    assert "targets.base.few_shot" in refused.value.line


def test_a_file_that_is_not_there_or_holds_no_conversation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"shots.jsonl:1: .*messages"):
        drawn(tmp_path, rows=[{"group": "a"}])
    (tmp_path / "shots.jsonl").unlink()
    with pytest.raises(UsageError, match=r"no such file: `shots\.jsonl`"):
        examples_of(load_project(tmp_path / "harness.yaml"), "base")


@given(st.integers(1, 3), st.integers(0, 50), st.sampled_from(["returns", "hours", "tone", "x"]))
def test_what_is_drawn_is_as_many_as_asked_for(k: int, seed: int, group: str) -> None:
    with TemporaryDirectory() as folder:
        found = drawn(Path(folder), k, seed)
    groups = 4 - {"returns": 2, "x": 0}.get(group, 1)
    if k > groups:
        with pytest.raises(UsageError):
            asked(found, "What is fact 1?", group)
    else:
        shown = asked(found, "What is fact 1?", group)
        assert len(shown) == 2 * k
        assert not any(f"As {group}" in text for text in shown)
