"""Tasks on weights: lm-eval's own numbers, every command, and what was broken off goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.storage import RunFolder, runs_of
from harness.weights.child import Child
from tests import stand_in_vllm
from tests.cli.builders import call
from tests.e2e.micro import build_adapter, build_model
from tests.lm_eval.skills import SUITE, write_skills

pytestmark = pytest.mark.slow  # three processes import torch and lm-eval
THREADS = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


@dataclass
class Judged:
    """A project whose gate was run, its report, and the tasks of the children that it started."""

    folder: Path
    code: int
    said: str
    children: list[list[str]]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    folder = tmp_path_factory.mktemp("skills")
    build_adapter(build_model(folder / "model"), folder / "adapter")
    server = {"engine": "vllm", "model": "model", "args": {"dtype": "float32"}}
    targets = {"base": {"server": "own"}, "candidate": {"server": "own", "adapter": "adapter"}}
    write_skills(folder, {"own": server}, targets)
    children: list[list[str]] = []
    usual = Child.run

    def run(self: Child, watcher: Any) -> None:
        children.append([one["task"] for one in self.order["tasks"]])
        usual(self, watcher)

    with pytest.MonkeyPatch.context() as patch, pytest.MonkeyPatch.context() as own:
        for name, value in THREADS.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        stand_in_vllm.use(stand_in_vllm.install(folder / "stand-in"), patch)
        own.setattr(Child, "run", run)
        code = call("gate", "candidate")
        text = (folder / "reports/candidate-vs-base/report.md").read_text()
        yield Judged(folder, code, text, children)


def scores(folder: Path, target: str) -> dict[str, dict[str, Any]]:
    """The terms of each case of a target's run, by section and case."""
    (found, _), *_ = runs_of(folder / ".harness/runs", target)
    loaded = RunFolder(found.path).load()
    return {f"{one.section}/{one.case}": one.terms for one in loaded.scores}


def test_one_child_loads_the_weights_of_each_target(judged: Judged) -> None:
    assert judged.children == [["sums", "more", "reading", "prose"]] * 2


def test_the_numbers_are_those_of_lm_eval(judged: Judged) -> None:
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.tasks import TaskManager

    os.chdir(judged.folder / SUITE)
    model = {"pretrained": str(judged.folder / "model"), "peft": str(judged.folder / "adapter")}
    manager = TaskManager(include_path=".", include_defaults=False)
    theirs: dict[str, Any] = {"results": {}, "samples": {}}
    for names, limit, chat in ((["both"], 6, False), (["reading"], 6, True), (["prose"], 4, False)):
        found = simple_evaluate(
            model="hf", model_args={**model, "dtype": "float32"}, device="cpu", tasks=names,
            limit=limit, task_manager=manager, apply_chat_template=chat, bootstrap_iters=0,
        )  # fmt: skip
        theirs["results"] |= {**found["results"], **found.get("groups", {})}
        theirs["samples"] |= found["samples"]
    os.chdir(judged.folder)
    ours = harness_metrics(judged.folder)
    results = theirs["results"]
    assert ours["skills.sums.acc"] == results["both"]["acc,none"]
    assert ours["skills.reading.exact_match@word"] == results["reading"]["exact_match,word"]
    assert ours["skills.reading.exact_match@whole"] == results["reading"]["exact_match,whole"]
    bits = results["prose"]["bits_per_byte,none"]
    assert ours["skills.prose.bits_per_byte"] == pytest.approx(bits, rel=1e-12)
    kept = scores(judged.folder, "candidate")
    for task in ("sums", "more"):
        for row in theirs["samples"][task]:
            terms = kept[f"sums/{task}/{row['doc_hash'][:16]}"]
            assert (terms["acc"].num, terms["acc_norm"].num) == (row["acc"], row["acc_norm"])


def harness_metrics(folder: Path) -> dict[str, float]:
    import harness

    (found, _), *_ = runs_of(folder / ".harness/runs", "candidate")
    return dict(harness.load_run(found.path).metrics().set_index("metric")["value"])


def test_the_gate_judges_and_shows_them(judged: Judged) -> None:
    assert judged.code in (0, 1, 4), judged.said
    assert "`skills.sums.acc`" in judged.said
    assert "Expected: target:" in judged.said
    assert "nats" in judged.said
    (found, _), *_ = runs_of(judged.folder / ".harness/runs", "candidate")
    loaded = RunFolder(found.path).load()
    reading = [one for one in loaded.scores if one.section == "reading"]
    assert (len(reading), len({one.group for one in reading})) == (6, 3)
    assert {one.tags for one in loaded.scores if one.section == "sums"} == {("sums",), ("more",)}


def test_the_commands_on_stored_results_load_nothing(
    judged: Judged, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = len(judged.children)
    for command in (
        ("gate", "candidate", "--stored"), ("power", "candidate"), ("run", "base", "candidate"),
        ("compare", "candidate", "--output", "side"), ("report", "candidate"),
    ):  # fmt: skip
        assert call(*command) in (0, judged.code), command
    assert "skills.prose.bits_per_byte" in (judged.folder / "side/compare.md").read_text()
    if judged.code == 0:
        assert call("promote", "candidate", "--name", "v1") == 0
    assert len(judged.children) == begun
    assert {one.name for one in (judged.folder / "reports/candidate-vs-base").iterdir()} >= {
        "verdict.json", "report.html", "report.md", "junit.xml",
    }  # fmt: skip
