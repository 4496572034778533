"""A merge from a project's target to a folder with its proof, the worker's answers scripted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import Project, load_project
from harness.errors import AdapterNotApplied, EvidenceError, UsageError
from harness.records.suite import Message
from harness.serving.merge import Answer, MergeAnswers, MergeOrder
from harness.targets import merged
from harness.targets.merged import Merging, configuration, merge, notes, prepare, prove
from tests.serving.made import write_adapter, write_model

PROBES = [(Message(role="user", content="Hi"),)]
WORDS: Answer = (("1", -0.1), ("2", -0.2))
OTHER: Answer = (("1", -0.9), ("2", -0.2))


def near(gap: float) -> Answer:
    return (("1", -0.1 - gap), ("2", -0.2))


def answers(result: Answer, rounded: Answer | None = None, base: Answer = OTHER) -> MergeAnswers:
    return MergeAnswers(
        (base,), (WORDS,), (result,), None if rounded is None else (rounded,), noise=1e-6
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_model(tmp_path / "m")
    write_adapter(tmp_path / "a")
    settings: dict[str, Any] = {
        "suites": ["suites/none"],
        "servers": {
            "local": {
                "engine": "vllm", "model": "m", "request": {"system_as": "user"},
                "args": {"max-model-len": 64, "max_lora_rank": 8, "enable-lora": True},
            },
            "far": {"url": "http://127.0.0.1:1"},
        },
        "targets": {
            "base": {"server": "local"},
            "good": {"server": "local", "adapter": "a", "system_prompt": "Be: kind",
                     "generation": {"max_tokens": 9}},
            "away": {"server": "far", "model": "x", "adapter": "a"},
        },
    }  # fmt: skip
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(settings))
    return load_project(tmp_path / "harness.yaml")


def ready(project: Project, target: str = "good", **given: Any) -> Merging:
    settings = {"base": None, "folder": None, "dtype": "float32", **given}
    return prepare(project, target, **settings)


def worker(monkeypatch: pytest.MonkeyPatch, found: MergeAnswers) -> list[MergeOrder]:
    orders = []

    def run(order: MergeOrder, log: Path, say: object) -> MergeAnswers:
        orders.append(order)
        (Path(order.folder) / "config.json").write_text("{}")
        return found

    monkeypatch.setattr(merged, "run_merge", run)
    return orders


def test_a_proven_merge_stands_in_its_folder_with_its_record(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = worker(monkeypatch, answers(near(1e-5)))
    merging = ready(project)
    proof = merge(project, merging, PROBES, lambda _: None)
    assert (proof.probes, proof.same_texts, proof.changed) == (1, 1, 1)
    assert orders[0].probes == (({"role": "user", "content": "Hi"},),)
    folder = project.root / ".harness/models/good-merged"
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "merge.json"]
    record = json.loads((folder / "merge.json").read_text())
    assert record["dtype"] == "float32"
    assert record["adapter_digest"].startswith("sha256:")
    assert record["proof"]["largest_gap"] == pytest.approx(1e-5)


def test_another_model_is_left_nowhere(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    worker(monkeypatch, answers(near(0.01)))
    with pytest.raises(EvidenceError, match=r"differ by up to 0.01 nats, 0.001 are allowed"):
        merge(project, ready(project), PROBES, lambda _: None)
    assert not list((project.root / ".harness/models").iterdir())


def test_an_adapter_without_effect_is_not_merged(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker(monkeypatch, answers(WORDS, base=WORDS))
    with pytest.raises(AdapterNotApplied, match="exactly as its base does"):
        merge(project, ready(project), PROBES, lambda _: None)


@pytest.mark.parametrize(
    ("gap", "rounding", "holds"),
    [(0.0005, None, True), (0.002, None, False), (0.1, 0.05, True), (0.3, 0.05, False)],
)
def test_rounding_allows_what_it_does_to_the_base(
    gap: float, rounding: float | None, holds: bool
) -> None:
    """Four times the base's own rounding, and a thousandth of a nat without one."""
    rounded = None if rounding is None else (("1", -0.9 - rounding), ("2", -0.2))
    assert prove(answers(near(gap), rounded)).holds is holds


def test_what_cannot_be_merged_is_said_at_its_place(project: Project, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"targets.base: `base` has no adapter"):
        ready(project, "base")
    with pytest.raises(UsageError, match=r"targets.away.server: .*--base FOLDER"):
        ready(project, "away")
    with pytest.raises(UsageError, match="no such model"):
        ready(project, "away", base="nowhere")
    with pytest.raises(UsageError, match="is there already"):
        ready(project, folder=tmp_path / "m")
    assert ready(project, "away", base=str(tmp_path / "m")).base.path == tmp_path / "m"


def test_the_lines_for_the_configuration_keep_what_shapes_answers(project: Project) -> None:
    found = yaml.safe_load(configuration(project, ready(project)))
    assert found == {
        "servers": {
            "good-merged": {
                "engine": "vllm", "model": ".harness/models/good-merged",
                "args": {"max-model-len": 64}, "request": {"system_as": "user"},
            }
        },
        "targets": {
            "good-merged": {
                "server": "good-merged", "system_prompt": "Be: kind",
                "generation": {"max_tokens": 9},
            }
        },
    }  # fmt: skip


def test_another_type_than_the_bases_is_said_and_served(project: Project) -> None:
    merging = ready(project, dtype="bfloat16")
    assert "weights in bfloat16, the base's are in float32" in notes(merging)[0]
    lines = yaml.safe_load(configuration(project, merging))
    assert lines["servers"]["good-merged"]["args"]["dtype"] == "bfloat16"
    own = ready(project, dtype="base")
    assert own.dtype == "float32"
    assert notes(own)[0].endswith("weights in float32")


def test_another_chat_template_and_a_4_bit_training_are_pointed_out(project: Project) -> None:
    (project.root / "a/tokenizer_config.json").write_text('{"chat_template": "two"}')
    (project.root / "a/candidate.json").write_text('{"recipe": {"method": "qlora"}}')
    said = notes(ready(project))
    assert "another chat template than the base" in said[1]
    assert "trained on a 4-bit base" in said[2]
    (project.root / "a/candidate.json").unlink()
    assert len(notes(ready(project))) == 2
    write_adapter(project.root / "a", base_model_name_or_path="unsloth/x-bnb-4bit")
    assert "trained on a 4-bit base" in notes(ready(project))[2]
