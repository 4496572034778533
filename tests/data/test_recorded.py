"""Files that the libraries of other tools wrote, see `recorded/README.md`."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.data.collect.requests import read_log
from harness.data.convert import convert
from harness.data.forms.langfuse import Langfuse
from harness.data.rows import read_rows

FOLDER = Path(__file__).with_name("recorded")
OPEN, SHIP, DOG = "When do you open?", "Do you ship to Norway?", "Can I bring my dog?"


@pytest.mark.parametrize(
    ("name", "form", "questions"),
    [
        ("inspect.json", "inspect", ["Which is the largest?\nA) the tent\nB) the cup", OPEN]),
        ("langfuse-items.jsonl", "langfuse", [OPEN, SHIP]),
        ("langfuse-observations.json", "langfuse", [OPEN, SHIP, DOG]),
        ("litellm.jsonl", "litellm", [OPEN, SHIP]),
        ("lm-eval.jsonl", "lm-eval", [OPEN, SHIP]),
        ("mlflow-dataset.csv", "mlflow", [OPEN, DOG, SHIP]),
        ("mlflow-dataset.jsonl", "mlflow", [OPEN, DOG, SHIP]),
        ("mlflow-traces.csv", "mlflow", [SHIP, OPEN]),
        ("mlflow-traces.jsonl", "mlflow", [SHIP, OPEN]),
        ("vllm.log", "vllm", ['When do you "open"?', "Do you ship to\nNorway?"]),
    ],
)
def test_a_form_is_read_as_its_library_writes_it(
    name: str, form: str, questions: list[str]
) -> None:
    done = convert([FOLDER / name], "cases", None)
    assert list(done.forms.values()) == [form]
    assert [row["messages"][-1]["content"] for row in done.first] == questions
    assert done.rejected == 0


def test_the_facts_that_mlflow_expects_are_all_expected() -> None:
    done = convert([FOLDER / "mlflow-dataset.csv"], "cases", None)
    assert done.first[-1]["expect"] == {"all_of": ["12 dollars"]}
    assert done.lost == {"tags": 1}


def test_a_correction_of_langfuse_is_the_better_answer() -> None:
    form = Langfuse()
    files = [FOLDER / "langfuse-scores.json", FOLDER / "langfuse-observations.json"]
    done = convert(files, "pairs", None, form=form)
    (pair,) = done.first
    assert pair["prompt"][-1]["content"] == DOG
    assert pair["chosen"][0]["content"] == "Only on a lead."
    assert pair["rejected"][0]["content"] == "Yes."


def test_a_correction_after_its_answer_is_refused() -> None:
    form = Langfuse()
    files = [FOLDER / "langfuse-observations.json", FOLDER / "langfuse-scores.json"]
    done = convert(files, "training", None, form=form)
    assert (done.written, done.rejected) == (3, 1)
    assert "give the scores before" in done.first_rejected[0].why


def test_scores_of_langfuse_say_which_answers_were_bad_and_what_is_better() -> None:
    files = [FOLDER / "langfuse-observations.json", FOLDER / "langfuse-scores.json"]
    found = {one.question: one for one in read_log(files).requests}
    assert [text for text, one in found.items() if one.rated_down] == [SHIP]
    assert {text: one.correction for text, one in found.items() if one.correction} == {
        DOG: "Only on a lead."
    }


def test_a_row_of_a_table_that_is_cut_within_an_object_is_no_question(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    rows = [row for _, row in read_rows(FOLDER / "mlflow-dataset.csv")]
    table.write_text('inputs,outputs\n"' + rows[0]["inputs"][:-4] + "\",x\n\"{'question': 'a'}\",x")
    done = convert([table], "training", None)
    assert (done.written, done.rejected) == (1, 1)
    assert "it may be cut off" in done.first_rejected[0].why
