"""Tasks are found and read without lm-eval; what is wrong with one is said in a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SuiteError
from harness.lm_eval import task_files
from harness.lm_eval.task_files import TaskFile, TaskFinder, placed

TASK = """
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: data.jsonl}}}}
output_type: multiple_choice
process_docs: !function code.clean
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.yaml").write_text(TASK.format(name="one"))
    (tmp_path / "data.jsonl").write_text("{}\n")
    (tmp_path / "code.py").write_text("def clean(docs): return docs\n")
    (tmp_path / "two.yaml").write_text(
        "include: one.yaml\ntask: two\noutput_type: generate_until\n"
    )
    group = "group: all\ntask: [one, {task: two, num_fewshot: 2}]\ndescription: Think.\n"
    (tmp_path / "all.yaml").write_text(group)
    return tmp_path


def find(folder: Path, given: str) -> list[TaskFile]:
    return TaskFinder(folder, "suite.yaml:3").find(given)


def test_a_group_gives_its_settings_to_its_tasks(folder: Path) -> None:
    one, two = find(folder, "all.yaml")
    assert (one.name, one.output_type, one.overrides) == (
        "one", "multiple_choice", {"description": "Think."},
    )  # fmt: skip
    assert (two.name, two.output_type) == ("two", "generate_until")
    assert two.overrides == {"description": "Think.", "num_fewshot": 2}
    assert two.data == (folder / "data.jsonl",)
    kwargs = placed(two.config, folder)
    assert kwargs == {"data_files": {"test": str(folder / "data.jsonl")}}


@pytest.mark.parametrize("file", ["data.jsonl", "code.py", "one.yaml"])
def test_whatever_a_task_is_made_of_changes_its_digest(folder: Path, file: str) -> None:
    (before,) = find(folder, "two.yaml")
    text = (folder / file).read_text()
    (folder / file).write_text(text + ("doc_to_text: x\n" if file == "one.yaml" else "\n"))
    (after,) = find(folder, "two.yaml")
    assert before.digest != after.digest


def test_names_and_tags_of_lm_eval_are_found_in_its_files() -> None:
    (arc,) = find(Path(), "arc_easy")
    assert (arc.output_type, arc.hub) == ("multiple_choice", "allenai/ai2_arc")
    assert {one.name for one in find(Path(), "ai2_arc")} == {"arc_easy", "arc_challenge"}


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("arc_eazy", "lm-eval has no task `arc_eazy` - near it: `arc_easy`"),
        ("none.yaml", "no such file: `none.yaml`"),
        ("moved.yaml", "the data of task `moved` is not there: `gone.jsonl`"),
        ("list.yaml", "list.yaml cannot be read: it holds no keys"),
        ("round.yaml", "round.yaml cannot be read: it includes itself"),
        ("suite.yaml", "suite.yaml is no task: it has no `task:`"),
        ("squadv2", "`squadv2` is a task written in Python"),
    ],
)
def test_what_is_no_task(folder: Path, given: str, what: str) -> None:
    moved = TASK.format(name="moved").replace("data.jsonl", "gone.jsonl")
    (folder / "moved.yaml").write_text(moved)
    (folder / "list.yaml").write_text("[a]\n")
    (folder / "round.yaml").write_text("include: round.yaml\ntask: round\n")
    (folder / "suite.yaml").write_text("name: shop\n")
    with pytest.raises(SuiteError, match=r"suite\.yaml:3") as caught:
        find(folder, given)
    assert what in caught.value.line


def test_without_lm_eval_its_names_are_not_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_files, "_package", lambda: None)
    task_files._registered.cache_clear()
    with pytest.raises(SuiteError, match="lm-eval, which is not installed"):
        find(folder, "arc_easy")
    task_files._registered.cache_clear()
    assert len(find(folder, "all.yaml")) == 2
