"""`harness data`: findings, exit codes, the page, the copy, and the look before a training."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.cli import train
from harness.data.lint.recipes import lint_recipe
from harness.errors import RecipeError
from harness.personal_data import find
from harness.training import load_recipe
from tests.cli.builders import call
from tests.data.lint import planted


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a file with planted faults."""
    monkeypatch.chdir(tmp_path)
    planted.write(Path("planted.jsonl"))
    return tmp_path


def test_an_error_is_1_and_warnings_alone_are_0(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("data", "planted.jsonl") == 1
    shown = capsys.readouterr()
    assert "planted.jsonl:84: error: empty-turn: turn 2 is empty: write or delete it" in shown.out
    assert "100 conversations: 7 errors, 17 warnings" in shown.err
    planted.write_rows(Path("warned.jsonl"), [*planted.clean(), planted.clean()[0]])
    assert call("data", "warned.jsonl") == 0
    assert call("data", "warned.jsonl", "--strict") == 1
    assert call("data", "warned.jsonl", "--strict", "--accept", "duplicate") == 0


def test_nothing_that_was_found_is_printed(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call("data", "planted.jsonl", "--all", "--html", "page.html")
    call("data", "planted.jsonl", "--json")
    shown = capsys.readouterr()
    page = Path("page.html").read_text()
    for secret in ("jo.doe", "901820", "4111", "0130", "ghp_"):
        assert secret not in shown.out + shown.err + page
    assert "the number of a payment card in turn 1 (user)" in page


def test_json_holds_place_code_level_and_what_to_do(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("data", "planted.jsonl", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["counts"]["card"] == 1
    (card,) = [one for one in found["findings"] if one["code"] == "card"]
    assert (card["where"], card["level"]) == ("planted.jsonl:98", "error")


def test_a_copy_holds_no_personal_data_and_is_never_written_over(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("data", "planted.jsonl", "--redact", "copy.jsonl") == 1  # for its other errors
    assert "replaced in copy.jsonl: card 1, email 1, iban 1, phone 1, secret 1" in (
        capsys.readouterr().out
    )
    copy = Path("copy.jsonl").read_text()
    assert "<EMAIL_1>" in copy
    assert not any(find(line) for line in copy.splitlines())
    assert call("data", "planted.jsonl", "--redact", "copy.jsonl") == 2
    assert call("data", "planted.jsonl", "--redact", "planted.jsonl", "--force") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "name a file, or `--recipe`"),
        ("nothing.jsonl", "no such file"),
        ("planted.jsonl --region XX", "no country `XX`"),
        ("planted.jsonl --base models/x", "with `--max-length`"),
    ],
)
def test_what_cannot_be_looked_at_is_2(
    data: Path, arguments: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("data", *arguments.split()) == 2
    assert said in capsys.readouterr().err


def recipe(extra: str = "") -> Path:
    path = Path("r.yaml")
    path.write_text(f"name: r\nbase: .harness/models/x\ndata: [d.jsonl]\nsteps: 1\n{extra}")
    card = planted.conversation("Charge 4111 1111 1111 1111.", "It is paid.", "x")
    planted.write_rows(Path("d.jsonl"), [*planted.clean(), card])
    return path


def test_a_training_stops_at_an_error_of_its_data(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "require_training", lambda: None)
    assert call("train", str(recipe())) == 2
    shown = capsys.readouterr().err
    assert "d.jsonl:81: card: the number of a payment card in turn 1 (user)" in shown
    assert "`lint_ignore: [card]`" in shown
    # Told so, it goes on to the next thing that is missing.
    for arguments in (("--no-lint", str(recipe())), (str(recipe("lint_ignore: [card]\n")),)):
        assert call("train", *arguments) == 2
        assert "no base model at .harness/models/x" in capsys.readouterr().err


def test_what_a_recipe_accepts_is_counted(project_dir: Path) -> None:
    with pytest.raises(RecipeError, match="payment card"):
        lint_recipe(load_recipe(recipe()), project_dir)
    accepted = lint_recipe(load_recipe(recipe("lint_ignore: [card]\n")), project_dir).accepted
    assert accepted == {"card": 1}


def test_what_a_spreadsheet_changed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(
        "question,answer\nWhich size?,1-Mar\nWhich card?,4.11E+15\nWhen?,On 1 March.\n"
    )
    columns = ("--map", "prompt=question", "--map", "answer=answer")
    assert call("import", "t.csv", "--to", "training", *columns, "-o", "t.jsonl") == 0
    assert "warning: t.csv:2: the answer has the form" in (shown := capsys.readouterr().out)
    assert "so have 1 other row" in shown
    assert call("data", "t.jsonl") == 0
    assert capsys.readouterr().out.count(": spreadsheet-value: ") == 2


def test_the_topics_of_a_suite_are_held_against_the_data(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planted.write_rows(Path("rows.jsonl"), planted.clean())
    assert call("data", "rows.jsonl", "--suite", "shop") == 0
    told = capsys.readouterr().out
    assert "few-examples: `shop.gold` has 40 cases, and 0 conversations ask anything like" in told
    assert call("data", "rows.jsonl", "--suite", "shopp") == 2
    assert "no suite `shopp` - there is shop" in capsys.readouterr().err


@pytest.mark.skipif(find_spec("presidio_analyzer") is not None, reason="Presidio is installed")
def test_names_need_what_finds_them(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("data", "planted.jsonl", "--names", "en_core_web_sm") == 2
    assert "found by Presidio, which is not installed - pip install 'harness[names]'" in (
        capsys.readouterr().err
    )
