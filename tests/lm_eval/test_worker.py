"""Tasks on weights: what lm-eval finds in a child is what it finds by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.records.run import RunRecord
from harness.storage import RunFolder
from harness.weights.child import Child
from tests import stand_in_vllm
from tests.cli.builders import call
from tests.e2e.micro import build_adapter, build_model
from tests.lm_eval.skills import SUITE, write_skills

pytestmark = pytest.mark.slow  # two processes import torch and lm-eval
THREADS = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


@dataclass
class Made:
    """A project where a candidate was run, and the tasks of the children that were started."""

    folder: Path
    children: list[list[str]]

    def kept(self) -> Path:
        """The folder of the candidate's run."""
        (file,) = (self.folder / ".harness/runs").glob("candidate-*/recorded.json")
        return file.parent

    def run(self) -> RunRecord:
        """The candidate's run."""
        return RunFolder(self.kept()).load()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
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
        assert call("run", "candidate") == 0
        yield Made(folder, children)


def test_one_child_loads_the_weights_for_all_tasks(made: Made) -> None:
    assert made.children == [["sums", "more", "reading", "prose"]]


def test_documents_are_grouped_tagged_and_shown(made: Made) -> None:
    run = made.run()
    reading = [one for one in run.scores if one.section == "reading"]
    assert (len(reading), len({one.group for one in reading})) == (6, 3)
    assert {one.tags for one in run.scores if one.section == "sums"} == {("sums",), ("more",)}
    sums = next(each for each in run.recorded if each.attempt.section == "sums")
    assert sums.case.expect["target"] in sums.case.expect["choices"]
    assert str(sums.attempt.text).count(" nats") == 4


def test_the_numbers_are_those_of_lm_eval(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    from lm_eval import evaluator
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    monkeypatch.setattr(evaluator, "add_env_info", lambda _: None)  # takes seconds
    weights = {"pretrained": str(made.folder / "model"), "peft": str(made.folder / "adapter")}
    model = HFLM(**weights, dtype="float32", device="cpu")
    monkeypatch.chdir(made.folder / SUITE)
    manager = TaskManager(include_path=".", include_defaults=False)
    results: dict[str, Any] = {}
    samples: dict[str, Any] = {}
    for names, limit, chat in ((["both"], 6, False), (["reading"], 6, True), (["prose"], 4, False)):
        found = evaluator.simple_evaluate(
            model=model, tasks=names, limit=limit, task_manager=manager,
            apply_chat_template=chat, bootstrap_iters=0,
        )  # fmt: skip
        results |= {**found["results"], **found.get("groups", {})}
        samples |= found["samples"]
    ours = harness.load_run(made.kept()).metrics().set_index("metric")["value"]
    assert ours["skills.sums.acc"] == results["both"]["acc,none"]
    assert ours["skills.reading.exact_match@word"] == results["reading"]["exact_match,word"]
    assert ours["skills.reading.exact_match@whole"] == results["reading"]["exact_match,whole"]
    bits = results["prose"]["bits_per_byte,none"]
    assert ours["skills.prose.bits_per_byte"] == pytest.approx(bits, rel=1e-12)
    kept = {f"{one.section}/{one.case}": one.terms for one in made.run().scores}
    for task in ("sums", "more"):
        for row in samples[task]:
            terms = kept[f"sums/{task}/{row['doc_hash'][:16]}"]
            assert (terms["acc"].num, terms["acc_norm"].num) == (row["acc"], row["acc_norm"])
