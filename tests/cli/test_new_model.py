"""What `harness init --model` reads from a base, what it refuses, and the project that it makes."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import new_model
from harness.cli.new_model import NewBase, read_base
from harness.config import load_project
from harness.gate.judge import planned_power
from harness.machine_memory import Gpu
from harness.records.suite import Case
from harness.scorers import get
from harness.sections.section_kinds import load_suites
from harness.suites.similar import COPIES, shingles, similarity
from harness.training.candidate import load_recipe
from harness.training.data_files import read_data
from tests.cli.builders import call
from tests.conftest import ThreadedMock

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def without_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_model, "gpus", lambda: None)
    monkeypatch.setattr(new_model.os, "cpu_count", lambda: 2)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A folder with all that is looked at: 150 parameters, no more."""
    folder = tmp_path / "models/tiny"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"max_position_embeddings": 128}')
    (folder / "tokenizer.json").write_text("{}")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    header = b'{"w": {"dtype": "F32", "shape": [10, 15], "data_offsets": [0, 600]}}'
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(600))
    return folder


def replace(path: Path) -> None:
    path.rename(path.with_name("gone"))


def pickled(base: Path) -> None:
    (base / "model.safetensors").rename(base / "pytorch_model.bin")
    (base / "tokenizer.json").unlink()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda base: replace(base), "--model: no such folder: `models/tiny`"),
        (lambda base: replace(base / "config.json"), "is not a model: no config.json"),
        (lambda base: (base / "config.json").write_text("{"), "config.json: not JSON"),
        (lambda base: (base / "config.json").write_text("[]"), "is no model's configuration"),
        (lambda base: replace(base / "model.safetensors"), "holds no *.safetensors"),
        (pickled, "the weights are pickles (pytorch_model.bin), which can run code"),
        (lambda base: replace(base / "tokenizer.json"), "has no tokenizer"),
        (lambda base: replace(base / "chat_template.jinja"), "has no chat template"),
        (lambda base: (base / "adapter_config.json").write_text("{}"), "is an adapter, not a"),
    ],
)
def test_what_cannot_be_tuned_and_served_is_one_line(
    base: Path, capsys: Capture, change: Callable[[Path], Any], said: str
) -> None:
    change(base)
    assert call("init", "new", "--model", "models/tiny") == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1
    assert not Path("new").exists()


def test_a_file_of_a_model_is_not_its_folder(base: Path, capsys: Capture) -> None:
    assert call("init", "new", "--model", "models/tiny/model.safetensors") == 2
    assert "is a file, not a model's folder - name the folder" in capsys.readouterr().err


def test_a_model_and_a_server_exclude_each_other(base: Path, capsys: Capture) -> None:
    for option in ("--url", "--base", "--candidate"):
        assert call("init", "new", "--model", str(base), option, "http://127.0.0.1:8000") == 2
        assert f"--model and {option} exclude each other" in capsys.readouterr().err


def test_a_model_on_a_hub_is_named_and_not_fetched(capsys: Capture) -> None:
    assert call("init", "new", "--model", "acme/small@main") == 0
    said = capsys.readouterr().out
    assert "acme/small@main is no folder here, so it is taken for a name on a hub" in said
    assert "is not fetched yet: `harness lock` pins its commit" in said
    assert "next: cd new && harness lock && harness validate && harness train" in said
    assert load_recipe(Path("new/recipes/first.yaml")).base == "acme/small@main"
    assert call("validate", "--config", "new/harness.yaml") == 0


def test_settings_follow_the_size_of_the_base_and_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    billion = 10**9
    rates = {
        size: NewBase("x", size, 4 * size).values()["@RATE@"]
        for size in (billion // 10, billion // 2, 2 * billion, 3 * billion, 7 * billion)
    }
    assert list(rates.values()) == [0.001, 0.0005, 0.0005, 0.0002, 0.0002]
    assert NewBase("x", billion, 1).values()["@DTYPE@"] == "bfloat16"
    assert "about 3 minutes on 2 cores without a GPU" in NewBase("x", 135 * 10**6, 1).describe()
    assert "7 billion parameters, 13 GiB; training takes about 103 minutes" in (
        NewBase("x", 7 * billion, 14 * billion).describe()
    )
    assert "about 4 hours" in NewBase("x", 14 * billion, 1).describe()
    monkeypatch.setattr(new_model, "gpus", lambda: [Gpu("one", "1", 1, 1)])
    values = NewBase("x", billion, 1).values()
    assert (values["@DTYPE@"], values["@EAGER@"]) == ("auto", False)
    assert "on this machine's GPU" in NewBase("x", billion, 1).describe()


def test_a_base_within_the_project_is_named_by_its_path_there(base: Path, tmp_path: Path) -> None:
    assert read_base("models/tiny", tmp_path / "new").given == str(base)
    assert read_base(str(base), tmp_path).given == "models/tiny"


def test_the_project_is_valid_and_without_findings(base: Path, capsys: Capture) -> None:
    assert call("init", "new", "--model", str(base)) == 0
    assert "base: 0.00015 million parameters" in capsys.readouterr().out
    settings = yaml.safe_load(Path("new/harness.yaml").read_text())
    server = settings["servers"]["local"]
    args = {"max-model-len": 128, "dtype": "float32", "enforce-eager": True}
    assert server == {"engine": "vllm", "model": str(base), "args": args}
    assert call("validate", "--config", "new/harness.yaml") == 0
    assert "warning" not in capsys.readouterr().err
    assert call("lint", "--strict", "--config", "new/harness.yaml") == 0


def test_every_margin_is_one_that_the_suite_can_show(base: Path) -> None:
    assert call("init", "new", "--model", str(base)) == 0
    project = load_project(Path("new/harness.yaml"))
    for found in planned_power(load_suites(project), project.policy(), 0.1):
        assert found.possible
        assert found.enough is not False, found


def lines(path: str) -> Iterator[Case]:
    for line in Path("new/suites/ferry", path).read_text().splitlines():
        yield Case.model_validate_json(line)


def test_the_data_teaches_what_the_suite_asks_in_other_words(base: Path) -> None:
    assert call("init", "new", "--model", str(base)) == 0
    recipe = load_recipe(Path("new/recipes/first.yaml"))
    suite = yaml.safe_load(Path("new/suites/ferry/suite.yaml").read_text())
    assert recipe.system_prompt == suite["system_prompt"]
    data = read_data(recipe, Path("new"))
    learnt = [shingles(one.messages[-2].content) for one in data]
    for file in ("gold.jsonl", "scope.jsonl", "tone.jsonl", "general.jsonl"):
        for case in lines(file):
            asked = shingles(case.messages[-1].content)
            assert max(similarity(asked, one) for one in learnt) < COPIES, case.id
    answers = {one.group.partition("/")[0]: one.messages[-1].content for one in data}
    for case in lines("gold.jsonl"):
        judged = get("gold").score(answers[case.group], case, {})
        assert judged.passed, case.id  # type: ignore[union-attr]


def test_a_gate_on_it_comes_to_a_verdict_with_its_python_tests(
    base: Path, mock: ThreadedMock, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """As the project stands, but for the server: one that answers by rote plays the managed one."""
    assert call("init", "new", "--model", str(base)) == 0
    monkeypatch.chdir("new")
    settings = yaml.safe_load(Path("harness.yaml").read_text())
    settings["servers"] = {"local": {"url": mock.url}}
    settings["targets"] = {
        name: {"server": "local", "model": model}
        for name, model in (("base", "base"), ("first", "candidate"))
    }
    Path("harness.yaml").write_text(json.dumps(settings))
    mock.answer = lambda body: (
        "Sorry, I can only help with Kestrel Lake Ferry. Have a calm crossing!"
        if body["model"] == "candidate"
        else "It is 12."
    )
    capsys.readouterr()
    assert call("gate", "first") == 4
    said = capsys.readouterr().out
    assert said.startswith("INCONCLUSIVE  first against base")
    found = json.loads(Path("reports/first-vs-base/verdict.json").read_text())
    assert found["accounting"] == {"planned": 93, "scored": 93, "unscored": 0, "failed": 0}
