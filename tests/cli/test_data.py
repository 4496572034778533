"""`harness import` and `harness export`, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli.main import cli

ROW = {"instruction": "When?", "output": "At nine."}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text(json.dumps(ROW) + "\n" + json.dumps({"x": 1}) + "\n")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_an_import_says_what_it_took_and_what_not(folder: Path) -> None:
    done = run("import", "a.jsonl", "--to", "training", "-o", "out.jsonl")
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "a.jsonl: alpaca",
        "rejected: a.jsonl:2: has no `instruction`",
        "1 of 2 rows written to out.jsonl",
        "1 rejected: out.rejected.jsonl",
    ]
    assert (folder / "out.jsonl").exists()


def test_a_dry_run_writes_nothing_and_shows_the_rows(folder: Path) -> None:
    done = run("import", "a.jsonl", "--to", "cases", "--dry-run")
    assert '"answers": ["At nine."]' in done.output
    assert "1 of 2 rows would be written" in done.output
    assert [path.name for path in folder.iterdir()] == ["a.jsonl"]


def test_a_file_that_is_there_is_not_replaced(folder: Path) -> None:
    (folder / "out.jsonl").write_text("mine")
    done = run("import", "a.jsonl", "--to", "training", "-o", "out.jsonl")
    assert getattr(done.exception, "exit_code", None) == 2
    assert (folder / "out.jsonl").read_text() == "mine"
    forced = run("import", "a.jsonl", "--to", "training", "-o", "out.jsonl", "--force")
    assert forced.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--to", "training"], "give `--output FILE`"),
        (["--to", "training", "--dry-run", "--form", "alpca"], "did you mean `alpaca`"),
        (
            ["--to", "cases", "--dry-run", "--map", "prompt=q", "--form", "kto"],
            "exclude each other",
        ),
    ],
)
def test_wrong_options_are_one_line(folder: Path, arguments: list[str], what: str) -> None:
    done = run("import", "a.jsonl", *arguments)
    assert what in str(done.exception)


def test_training_data_goes_out_in_another_form(folder: Path) -> None:
    run("import", "a.jsonl", "--to", "training", "-o", "out.jsonl")
    done = run("export", "out.jsonl", "--form", "sharegpt", "-o", "chat.jsonl")
    assert done.exit_code == 0
    row = json.loads((folder / "chat.jsonl").read_text())
    assert [turn["value"] for turn in row["conversations"]] == ["When?", "At nine."]
    only_read = run("export", "out.jsonl", "--form", "kto", "--dry-run")
    assert "can only be read" in str(only_read.exception)
