"""`harness augment`: what it says, and that nothing is replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.data.ledger import open_ledger
from tests.cli.builders import call
from tests.data.test_augment import QUESTIONS, chat


def test_counts_are_said_and_a_file_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [*map(chat, QUESTIONS), {"messages": []}]
    Path("d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert call("augment", "d.jsonl", "-o", "out.jsonl", "--by", "casing") == 0
    shown = capsys.readouterr().out
    assert "casing: 3\nrejected: d.jsonl:4: " in shown
    assert shown.endswith(
        "1 rejected: out.rejected.jsonl\n3 conversations and 3 variants in out.jsonl\n"
    )
    assert call("augment", "d.jsonl", "-o", "out.jsonl") == 2
    assert "out.jsonl: is there already" in capsys.readouterr().err
    assert call("augment", "d.jsonl", "-o", "out.jsonl", "--force", "--by", "typo") == 2
    assert "--by: no perturbation `typo`" in capsys.readouterr().err


def writer(mock: Any, written: Any) -> None:
    """Let `candidate` write that, and `base` judge: a text with `trap` in it is never right."""

    def answer(body: dict[str, Any]) -> str:
        said = body["messages"][-1]["content"]
        if body["model"] == "candidate":
            return written if isinstance(written, str) else json.dumps(written)
        if "mumble" in said:
            return "Maybe."
        return json.dumps({"yes": "trap" not in said})

    mock.answer = answer


def test_paraphrases_are_written_by_a_target_and_checked_by_a_judge(
    project_dir: Path, mock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("d.jsonl").write_text(json.dumps(chat("What does a tent cost for 3 days?")) + "\n")
    written = [
        "For 3 days, what is the price of a tent?", "What is the price for 4 days?",
        "Is 3 days a trap?", "I mumble 3 days.", "What does a tent cost for 3 days?",
    ]  # fmt: skip
    writer(mock, written)
    asked = ("augment", "d.jsonl", "-o", "out.jsonl", "--generator", "candidate", "--variants", "5")
    assert call(*asked, "--judge", "base") == 0
    shown = capsys.readouterr()
    assert "1 conversation and 1 variant in out.jsonl" in shown.out
    for line in ("another number or name: 1", "another question: 1", "the judge says neither: 1",
                 "the same words: 1"):  # fmt: skip
        assert f"dropped: {line}" in shown.out
    source, made = (json.loads(line) for line in Path("out.jsonl").read_text().splitlines())
    assert (made["derived"], made["group"]) == ("paraphrase", source["group"])
    assert made["messages"][-2]["content"] == written[0]
    assert made["messages"][-1] == source["messages"][-1]
    before = len(mock.server.requests)
    assert call(*asked, "--judge", "base", "--force") == 0
    assert len(mock.server.requests) == before, "all of it is kept"
    assert call(*asked, "--force") == 0
    assert "judges what it writes itself" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "dropped"),
    [("As a language model I cannot.", "no list of strings: 1"), ([1], "no list of strings: 1")],
)
def test_what_is_no_list_is_dropped_and_counted(
    project_dir: Path, mock: Any, capsys: pytest.CaptureFixture[str], written: Any, dropped: str
) -> None:
    Path("d.jsonl").write_text(json.dumps(chat("What does a tent cost?")) + "\n")
    writer(mock, written)
    asked = ("augment", "d.jsonl", "-o", "out.jsonl", "--generator", "candidate")
    assert call(*asked, "--judge", "base") == 0
    shown = capsys.readouterr().out
    assert f"dropped: {dropped}" in shown
    assert "1 conversation and 0 variants" in shown


PASSAGES = """# Renting

A tent costs 12 dollars for a day, and members of the club get the second day for free at the desk.

# Cleaning

Boots are cleaned at the desk for 5 dollars, which takes about 2 days in summer and 4 in winter.
"""


@pytest.mark.parametrize("share", ["0.001", "0.999"])
def test_drafts_come_from_documents_and_a_person_accepts_them(
    project_dir: Path, mock: Any, capsys: pytest.CaptureFixture[str], share: str
) -> None:
    Path("docs.md").write_text(PASSAGES)
    Path("data").mkdir()
    Path("data/ledger.jsonl").write_text(f'{{"salt": "any salt", "suite_share": {share}}}\n')
    good = {"question": "What is the price of a tent for one day?", "answer": "It is 12 dollars."}
    drafts = [
        good,
        {"question": "What is the price of a yak?", "answer": "It is 99 dollars."},
        {"question": "Is a tent a trap?", "answer": "It is 12 dollars."},
        {"question": "What is fact 3?", "answer": "It is 12 dollars."},  # a case of the suite asks
        {"question": "What's the price of a tent for one day", "answer": "12 dollars."},
    ]
    writer(mock, drafts)
    asked = ("augment", "--from-documents", "docs.md", "-o", "drafts.yaml")
    assert call(*asked, "--generator", "candidate", "--judge", "base", "--variants", "5") == 0
    shown = capsys.readouterr().out
    for line in ("a number or name that the passage lacks: 6", "not in the passage: 1",
                 "asks what a suite asks: 1", "asks what another draft asks: 1"):  # fmt: skip
        assert f"dropped: {line}" in shown
    assert "1 draft from 2 passages in drafts.yaml: " in shown
    (draft,) = yaml.safe_load(Path("drafts.yaml").read_text())["groups"]
    assert (draft["asked"], draft["answer"]) == ([good["question"]], good["answer"])
    assert "A tent costs 12 dollars" in draft["passage"]
    assert draft["source"] == "docs.md#renting"
    Path("drafts.yaml").write_text(
        Path("drafts.yaml").read_text().replace("accept: null", "accept: true")
    )
    assert call("collect", "--apply", "drafts.yaml", "--by", "Ada") == 0
    name, other = ("cases", "training") if share == "0.999" else ("training", "cases")
    assert not Path(f"data/collected-{other}.jsonl").exists()
    (row,) = map(json.loads, Path(f"data/collected-{name}.jsonl").read_text().splitlines())
    assert row["group"] == draft["family"]
    (placed,) = open_ledger(Path(), 0.5).misplaced(
        [("here", draft["family"], ["Something else?"])],
        "training" if name == "cases" else "suite",
    )
    assert placed.place == "here"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--from-documents", "docs.md"), "needs `--generator TARGET`"),
        (("--from-documents", "docs.md", "--generator", "candidat"), "no target `candidat`"),
        (("d.jsonl", "--from-documents", "docs.md"), "goes without files"),
        ((), "name a file of training data, or `--from-documents`"),
        (("d.jsonl", "--generator", "nobody"), "no target `nobody`"),
    ],
)
def test_what_is_wrong_is_one_line(
    project_dir: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], what: str
) -> None:
    Path("docs.md").write_text(PASSAGES)
    Path("d.jsonl").write_text(json.dumps(chat("What does a tent cost?")) + "\n")
    assert call("augment", *arguments, "-o", "out.jsonl") == 2
    assert what in capsys.readouterr().err
    assert not Path("out.jsonl").exists()


def test_a_target_with_examples_of_its_own_writes_and_judges_nothing(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("d.jsonl").write_text(json.dumps(chat("What does a tent cost?")) + "\n")
    config = yaml.safe_load(Path("harness.yaml").read_text())
    config["targets"]["base"]["few_shot"] = "d.jsonl"
    Path("harness.yaml").write_text(yaml.safe_dump(config))
    asked = ("augment", "d.jsonl", "-o", "out.jsonl", "--generator", "candidate")
    assert call(*asked, "--judge", "base") == 2
    said = capsys.readouterr().err
    assert "targets.base.few_shot: `base` is shown examples of its own" in said
    assert not Path("out.jsonl").exists()


def test_a_generator_that_answers_nothing_ends_it(
    project_dir: Path, mock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("d.jsonl").write_text(json.dumps(chat("What does a tent cost?")) + "\n")

    def broken(_: Any) -> str:
        raise RuntimeError

    mock.answer = broken
    assert call("augment", "d.jsonl", "-o", "out.jsonl", "--generator", "candidate") == 3
    assert "`candidate` answered none of 1 requests: HTTP 500" in capsys.readouterr().err
    assert not Path("out.jsonl").exists()
