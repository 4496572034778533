"""Children make what is not there yet, and what they have finished is never made again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import InfrastructureError
from harness.files import write_atomic
from harness.lm_eval import work
from harness.lm_eval.results import Document, TaskResult
from harness.records.suite import Message
from harness.weights.child import Child
from tests import stand_in_vllm
from tests.cli.builders import call
from tests.lm_eval.skills import SUITE, write_skills
from tests.serving.made import write_model

SECTIONS = {
    "sums": {"lm_eval": ["sums.yaml", "more.yaml"]},
    "more": {"lm_eval": "more.yaml", "num_fewshot": 3},
}


def document(place: int, right: bool) -> Document:
    """A document of two choices, of which the second is the right one."""
    return Document(
        hash=f"{place:02}" * 32, messages=(Message(role="user", content=f"Question {place}"),),
        target="b", choices=("a", "b"), loglikelihoods=(-2.0, -1.0 if right else -3.0),
        values={"acc": (float(right), 1.0), "acc_norm": (0.0, 1.0)},
    )  # fmt: skip


class FakeChild:
    """Stands for the child: writes the results of its tasks, and dies after `alive` of them."""

    def __init__(self) -> None:
        self.orders: list[list[str]] = []
        self.alive = 9
        self.documents = 2
        self.right = 1  # of so many documents, where it is not the candidate that is asked

    def run(self, child: Child, _watcher: Any) -> None:
        tasks = child.order["tasks"]
        self.orders.append([f"{one['task']} {one['num_fewshot']}" for one in tasks])
        for number, one in enumerate(tasks):
            if number == self.alive:
                raise InfrastructureError("the process was ended by signal 9")
            every = 1 if child.name == "candidate" else self.right
            made = [document(place, place % every == 0) for place in range(self.documents)]
            result = TaskResult(
                task=one["task"], version="1", lm_eval="0", judge=one["judge"],
                documents=tuple(made), results={"acc": 1.0}, errors={"acc": 0.0},
            )  # fmt: skip
            write_atomic(Path(one["out"]), result.model_dump_json(exclude_defaults=True))


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeChild:
    servers, targets = {}, {}
    for size, name in enumerate(("base", "candidate"), 1):
        write_model(tmp_path / name, hidden=8 * size)
        servers[name] = {"engine": "vllm", "model": name}
        targets[name] = {"server": name}
    write_skills(tmp_path, servers, targets, **SECTIONS)
    stand_in_vllm.use(stand_in_vllm.install(tmp_path / "stand-in"), monkeypatch)
    monkeypatch.chdir(tmp_path)
    fake = FakeChild()
    monkeypatch.setattr(Child, "run", lambda self, watcher: fake.run(self, watcher))
    return fake


def test_what_was_finished_before_the_end_is_kept(
    child: FakeChild, capsys: pytest.CaptureFixture[str]
) -> None:
    child.alive = 1
    assert call("run", "base") == 3
    assert "error: the process was ended by signal 9" in capsys.readouterr().err
    child.alive = 9
    assert call("run", "base") == 0
    assert "base: lm-eval's own more (version 1, 2 documents): acc 1.0000 ± 0.0000" in (
        capsys.readouterr().err
    )
    assert call("run", "base") == 0
    assert child.orders == [["sums None", "more None", "more 3"], ["more None", "more 3"]]


def test_no_cache_and_other_data_have_them_made_again(child: FakeChild, tmp_path: Path) -> None:
    assert call("run", "base") == 0
    assert call("run", "base", "--no-cache") == 0
    with (tmp_path / SUITE / "sums.jsonl").open("a") as file:
        file.write('{"question": "1 + 1 =", "choices": ["2", "3"], "answer": 0}\n')
    assert call("run", "base") == 0
    assert [len(each) for each in child.orders] == [3, 3, 3]


def test_one_group_is_too_few(
    child: FakeChild, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    child.documents = 1
    file = tmp_path / SUITE / "suite.yaml"
    written = yaml.safe_load(file.read_text())
    written["sections"] = {"sums": {"lm_eval": "sums.yaml"}}
    file.write_text(yaml.safe_dump(written))
    assert call("run", "base") == 2
    assert "have 1 group of documents, and an interval needs at least 2" in capsys.readouterr().err


def test_the_gate_and_all_that_follows_it(child: FakeChild, tmp_path: Path) -> None:
    child.documents, child.right = 40, 2
    assert call("gate", "candidate") == 0
    assert child.orders == [["sums None", "more None", "more 3"]] * 2
    folder = tmp_path / "reports/candidate-vs-base"
    assert {one.name for one in folder.iterdir()} == {
        "verdict.json", "report.html", "report.md", "junit.xml",
    }  # fmt: skip
    report = (folder / "report.md").read_text()
    assert "`skills.sums.acc`" in report
    page = (folder / "report.html").read_text()
    assert "target: b; choices: a, b" in page
    assert "3.0000" in page
    for command in (
        ("gate", "candidate", "--stored"), ("power", "candidate"), ("run", "base", "candidate"),
        ("compare", "candidate", "--output", "side"), ("report", "candidate"),
        ("promote", "candidate", "--name", "v1"), ("report", "--history"),
    ):  # fmt: skip
        assert call(*command) == 0, command
    assert "skills.more.acc" in (tmp_path / "side/compare.md").read_text()
    assert call("gate", "base", "--baseline", "sealed:v1") == 1
    assert len(child.orders) == 2, "all of it is on stored results"


def test_without_lm_eval_nothing_is_made(
    child: FakeChild, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(work, "_NEEDED", {"no_lm_eval": "lm-eval"})
    assert call("run", "base") == 2
    assert "a section of lm-eval tasks needs lm-eval - `make setup`" in capsys.readouterr().err
    assert child.orders == []
