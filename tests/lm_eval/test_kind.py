"""What a suite says of its tasks is checked before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import SuiteError
from harness.lm_eval.section import BenchmarkSection
from harness.records.suite import Suite
from harness.sections.section_kinds import kinds, suite_schema
from harness.suites.load import load_suite
from tests.lm_eval.skills import SUITE, write_skills


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_skills(tmp_path, {"main": {"url": "http://127.0.0.1:9"}}, {}) / SUITE


def load(folder: Path, section: dict[str, Any]) -> Suite:
    written = yaml.safe_load((folder / "suite.yaml").read_text())
    written["sections"] = {"one": section}
    (folder / "suite.yaml").write_text(yaml.safe_dump(written))
    return load_suite(folder, kinds())


def test_a_section_names_tasks_metrics_and_how(folder: Path) -> None:
    suite = load(folder, {"lm_eval": ["both.yaml", "arc_easy"], "limit": 0.5, "title": "sums"})
    (section,) = suite.sections
    assert isinstance(section, BenchmarkSection)
    assert [task.name for task in section.tasks] == ["sums", "more", "arc_easy"]
    assert [metric.name for metric in section.metrics] == ["acc", "acc_norm"]
    assert section.describe() == (
        "lm-eval sums, more, arc_easy via weights, data from a hub: allenai/ai2_arc"
    )
    assert section.titles == {"acc": "sums", "acc_norm": "sums"}
    (prose,) = load(folder, {"lm_eval": "prose.yaml"}).sections
    assert prose.describe().endswith("via weights, without word_perplexity, byte_perplexity")


def test_the_digest_knows_settings_and_data_and_no_means(folder: Path) -> None:
    one = {"lm_eval": "sums.yaml"}
    digest = load(folder, one).digest
    assert load(folder, {**one, "batch_size": 8, "timeout": 60}).digest == digest
    assert load(folder, {**one, "seed": 1}).digest != digest
    with (folder / "sums.jsonl").open("a") as file:
        file.write(json.dumps({"question": "1 + 1 =", "choices": ["2", "3"], "answer": 0}) + "\n")
    assert load(folder, one).digest != digest


def test_a_metric_may_have_bounds_of_its_own(folder: Path) -> None:
    bounds = {"name": "acc_norm", "low": 0, "high": 2}
    (section,) = load(folder, {"lm_eval": "sums.yaml", "metrics": [bounds, "acc"]}).sections
    assert [(one.name, one.high) for one in section.metrics] == [("acc_norm", 2.0), ("acc", 1.0)]


@pytest.mark.parametrize(
    ("section", "what"),
    [
        (
            {"lm_eval": "sums.yaml", "via": "server"},
            "via: task `sums` (multiple_choice) needs log-",
        ),
        ({"lm_eval": "reading.yaml", "via": "server", "apply_chat_template": False}, "a server's"),
        ({"lm_eval": ["sums.yaml", "sums.yaml"]}, "lm_eval: task `sums` is there twice"),
        ({"lm_eval": ["sums.yaml", "prose.yaml"]}, "these tasks have no metric in common; of byte"),
        ({"lm_eval": "sums.yaml", "limit": 2.5}, "limit: is neither a number of documents nor a"),
        ({"lm_eval": "sums.yaml", "limit": 1}, "limit: one document is no evidence"),
        ({"lm_eval": "sums.yaml", "limit": 0}, "limit: must be more than 0"),
        ({"lm_eval": "sums.yaml", "fewshot_as_multiturn": True}, "fewshot_as_multiturn: needs a"),
        ({"lm_eval": "sums.yaml", "metrics": ["f1"]}, "these tasks have no `f1`; they have acc, "),
        ({"lm_eval": "sums.yaml", "title": {"f1": "x"}}, "title: no metric `f1` here"),
        ({"lm_eval": "fixed.yaml", "num_fewshot": 2}, "num_fewshot: task `fixed` says that it has"),
        ({"lm_eval": "humaneval"}, "task `humaneval` runs code that the model writes"),
        ({"lm_eval": "sums.yaml", "num_fewshots": 2}, "num_fewshots: unknown key; did you mean"),
    ],
)
def test_what_cannot_be_done_as_written(folder: Path, section: dict[str, Any], what: str) -> None:
    (folder / "fixed.yaml").write_text("include: sums.yaml\ntask: fixed\nnum_fewshot: 0\n")
    with pytest.raises(SuiteError) as caught:
        load(folder, section)
    assert what in caught.value.line
    assert "suite.yaml" in caught.value.line


def test_the_schema_offers_its_keys() -> None:
    assert '"lm_eval"' in json.dumps(suite_schema())
