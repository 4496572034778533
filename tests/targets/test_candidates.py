"""Candidates are described from their files, whoever trained them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from harness.config import Project, load_project
from harness.errors import UsageError
from harness.files import file_digest
from harness.serving.adapter import read_adapter
from harness.targets.candidates import describe_candidates, find_training
from tests.builders import make_run, shop
from tests.serving.made import write_adapter, write_model
from tests.shop import config, write_project
from tests.targets.test_endpoint import write_dossier


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_project(tmp_path, "http://unused")
    write_model(tmp_path / "model")
    settings = config("http://unused")
    settings["servers"] = {
        "local": {"engine": "vllm", "model": "model"}, "prod": {"url": "http://a"},
    }  # fmt: skip
    settings["targets"] = {
        "base": {"server": "local"},
        "candidate": {"server": "local", "adapter": "good"},
        "live": {"server": "prod", "model": "v7", "adapter": "live"},
    }
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(settings))
    return load_project(tmp_path / "harness.yaml")


def test_what_is_not_here_yet_is_not_described(project: Project) -> None:
    (project.root / "good").mkdir()
    assert list(describe_candidates(project)) == []


def test_ours_and_others_are_described(project: Project) -> None:
    write_adapter(project.root / "good")
    write_adapter(project.root / "live", peft_version="0.17.0", use_dora=True)
    (ours, _), (live, _) = describe_candidates(project)
    assert ours.startswith("candidate: LoRA of rank 4")
    assert live.endswith("trained by peft 0.17.0")
    write_dossier(project.root / "good", "sha256:a", None)
    (ours, warning), *_ = describe_candidates(project)
    assert not warning
    assert "trained by harness train (1 steps, validation loss 1); learning rate 0.01; data" in ours
    path = project.root / "good/candidate.json"
    learnt = {
        "found": "prefix", "examples": 1, "tokens": 2, "learnt_tokens": 1, "end_of_turn": "<end>",
        "end_of_turn_id": 1, "first_example": "",
    }  # fmt: skip
    path.write_text(json.dumps({**json.loads(path.read_text()), "learnt": learnt}))
    (ours, warning), *_ = describe_candidates(project)
    assert not warning
    assert "answers found by rendering" in ours
    path.write_text("{}")
    assert "trained by peft" in next(describe_candidates(project))[0]


def test_what_vllm_cannot_serve_is_an_error_on_a_server_of_ours(project: Project) -> None:
    write_adapter(project.root / "good", use_dora=True)
    with pytest.raises(UsageError, match="vLLM cannot serve this adapter: DoRA"):
        list(describe_candidates(project))


def test_a_prompt_that_was_not_trained_on_is_warned_of(project: Project) -> None:
    write_adapter(project.root / "good")
    write_dossier(project.root / "good", "sha256:a", None)
    assert len(list(describe_candidates(project))) == 1
    path = project.root / "good/candidate.json"
    dossier = json.loads(path.read_text())
    dossier["recipe"].update(system_as="user", chat_template_kwargs={"enable_thinking": False})
    path.write_text(json.dumps(dossier))
    _, kwargs, role = describe_candidates(project)
    text, warning = kwargs
    assert warning
    assert 'trained with `chat_template_kwargs: {"enable_thinking": false}` and asked' in text
    assert role[0].startswith("candidate: trained with `system_as: user` and asked with `system`")
    settings = yaml.safe_load((project.root / "harness.yaml").read_text())
    settings["servers"]["local"]["request"] = {"system_as": "user"}
    settings["targets"]["candidate"]["generation"] = {
        "chat_template_kwargs": {"enable_thinking": False}
    }
    (project.root / "harness.yaml").write_text(yaml.safe_dump(settings))
    assert len(list(describe_candidates(load_project(project.root / "harness.yaml")))) == 1


def test_a_training_is_found_for_the_adapter_that_a_run_had(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = project.root / "good"
    write_adapter(folder)
    made = make_run(*shop(tmp_path_factory.mktemp("shop")), "base").header
    identity = made.identity.model_copy(update={"adapter": read_adapter(folder).digest})
    run = made.model_copy(update={"target": "candidate", "identity": identity})
    assert find_training(project, run) is None  # nobody knows who trained it
    write_dossier(folder, "sha256:a", None)
    path, curves = folder / "candidate.json", folder / "curves.json"
    own = {"adapter_digest": file_digest(folder / "adapter_model.safetensors")}
    path.write_text(json.dumps({**json.loads(path.read_text()), **own}))
    curves.write_text('{"points": [{"step": 1, "validation": 1.0}]}')
    found = find_training(project, run)
    assert found is not None
    assert found.words == "1 steps, validation loss 1.000 at step 1"
    other = identity.model_copy(update={"adapter": "sha256:earlier"})
    for changes in ({"identity": other}, {"identity": made.identity}, {"target": "base"}):
        assert find_training(project, run.model_copy(update=changes)) is None
    curves.write_text("{")
    assert find_training(project, run) is None


def test_an_adapter_for_a_base_of_another_size_is_refused(project: Project) -> None:
    shutil.rmtree(project.root / "model")
    write_model(project.root / "model", hidden=4)
    write_adapter(project.root / "good")
    with pytest.raises(UsageError, match="the adapter is for another base"):
        list(describe_candidates(project))
