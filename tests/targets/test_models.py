"""Models and adapters that a configuration names on a hub: fetched, identified, served."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import Project, load_project
from harness.errors import UsageError
from harness.event_loop import run_async
from harness.hub.lock import write_lock
from harness.hub.name import HubName
from harness.serving.command import command, environment
from harness.targets import identity
from harness.targets.endpoint import serve_spec
from harness.targets.identity import identify, is_still
from harness.targets.models import fetch_models, named_models
from tests.hub_project import Heard, new_process
from tests.hub_server import HubServer
from tests.serving.made import write_adapter, write_model
from tests.shop import config, write_project


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "require_vllm", lambda: "vllm 1.2.3")


@pytest.fixture
def commits(hub: HubServer, tmp_path: Path) -> dict[str, str]:
    made = tmp_path / "made"
    return {
        "base": hub.put("org/base", write_model(made / "base")),
        "good": hub.put("org/good", write_adapter(made / "good"), branch="v2"),
        "tokenizer": hub.put("org/tok", {"tokenizer.json": b"{}", "weights.bin": b"x"}),
    }


def project(tmp_path: Path, **server: Any) -> Project:
    root = tmp_path / "project"
    if not root.exists():
        write_project(root, "http://unused")
    data = config("http://unused")
    data["servers"] = {"local": {"engine": "vllm", "model": "org/base", **server}}
    data["targets"] = {
        "base": {"server": "local"},
        "candidate": {"server": "local", "adapter": "org/good@v2"},
    }
    (root / "harness.yaml").write_text(yaml.safe_dump(data))
    return load_project(root / "harness.yaml")


def test_what_is_served_is_the_fetched_folder_with_the_hub_switched_off(
    tmp_path: Path, commits: dict[str, str], hub: HubServer
) -> None:
    it = project(tmp_path, args={"tokenizer": "org/tok"})
    heard = Heard()
    fetch_models(it, ["candidate"], heard)
    assert {stage for stage, _, _ in heard.counts} == {
        "fetching org/base (MB)",
        "fetching org/good (MB)",
        "fetching org/tok (MB)",
    }
    before = len(hub.requests)
    line = command(serve_spec(it, "local", ["candidate"], Path(os.devnull)), 8000)
    assert len(hub.requests) == before
    model = Path(line[line.index("--model") + 1])
    assert (model.name, (model / "model.safetensors").exists()) == (commits["base"], True)
    (adapter,) = [part for part in line if part.startswith("candidate=")]
    assert adapter.endswith(f"/snapshots/{commits['good']}")
    (tokenizer,) = [part for part in line if part.startswith("--tokenizer=")]
    assert tokenizer.endswith(f"/snapshots/{commits['tokenizer']}")
    assert "weights.bin" not in hub.fetched()
    assert environment("key")["HF_HUB_OFFLINE"] == "1"


def test_the_commits_are_part_of_the_identity(
    tmp_path: Path, commits: dict[str, str], hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = project(tmp_path, args={"tokenizer": "org/tok"})
    base, candidate = (run_async(identify(it, name)) for name in ("base", "candidate"))
    assert base.weights_source == candidate.weights_source == f"org/base@{commits['base']}"
    assert (base.adapter_source, candidate.adapter_source) == (None, f"org/good@{commits['good']}")
    assert base.weights is not None
    # Where this machine has its cache is no part of it.
    assert str(base.engine_args["tokenizer"]).startswith(f"org/tok@{commits['tokenizer']} sha256:")
    assert "adapter_source" not in base.model_dump()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "elsewhere"))
    assert run_async(identify(it, "candidate")) == candidate


def test_a_folder_of_the_same_files_has_the_digests_and_no_source(
    tmp_path: Path, commits: dict[str, str]
) -> None:
    found = run_async(identify(project(tmp_path), "base"))
    folder = run_async(identify(project(tmp_path, model=str(tmp_path / "made/base")), "base"))
    assert folder == found.model_copy(update={"weights_source": None})
    assert "weights_source" not in folder.model_dump()


def test_whether_a_run_is_still_of_it_asks_no_hub(
    tmp_path: Path, commits: dict[str, str], hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = project(tmp_path)
    found = run_async(identify(it, "candidate"))
    new_process(monkeypatch)
    hub.requests.clear()
    assert is_still(it, "candidate", found)
    assert not is_still(it, "candidate", found.model_copy(update={"adapter": "sha256:other"}))
    other = {HubName("org/base"): "1" * 40}
    write_lock(it.root, other)
    assert not is_still(it, "candidate", found)
    write_lock(it.root, {HubName("org/base"): commits["base"], HubName("org/good", "v2"): "1" * 40})
    assert not is_still(it, "candidate", found)
    # Nothing is cached: what is known does not differ.
    (it.root / "harness.lock").unlink()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "elsewhere"))
    assert is_still(it, "candidate", found)
    assert hub.requests == []


def test_in_ci_what_is_not_locked_is_to_be_locked(
    tmp_path: Path, commits: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    it = project(tmp_path)
    monkeypatch.setenv("CI", "1")
    for hint in ("run `harness lock`", "fetch what they need"):
        with pytest.raises(UsageError, match="org/base@main is not fetched yet") as caught:
            serve_spec(it, "local", ["base"], Path(os.devnull), here=True)
        assert hint in caught.value.hint
        write_lock(it.root, {HubName("org/base"): commits["base"]})


def test_what_is_not_cached_is_said_to_be_so_where_no_hub_may_be_asked(
    tmp_path: Path, commits: dict[str, str], hub: HubServer
) -> None:
    it = project(tmp_path)
    for missing, key in (("base@main", "servers.local.model"), ("good@v2", "targets.candidate")):
        with pytest.raises(
            UsageError, match=rf"{key}.*: org/{missing} is not fetched yet"
        ) as caught:
            serve_spec(it, "local", ["candidate"], Path(os.devnull), here=True)
        assert os.devnull not in caught.value.line
        run_async(identify(it, "base"))
    found = run_async(identify(it, "candidate"))
    (adapter,) = (tmp_path / "hub-cache").glob("models--org--good/snapshots/*")
    shutil.rmtree(adapter)
    assert is_still(it, "candidate", found)
    assert not is_still(it, "candidate", found.model_copy(update={"adapter_source": "org/x@1"}))


def test_code_of_a_model_is_not_fetched(tmp_path: Path, commits: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="no code is fetched from a hub") as caught:
        run_async(identify(project(tmp_path, trust_remote_code=True), "base"))
    assert "servers.local.trust_remote_code" in caught.value.line


def test_an_error_names_the_line_of_the_configuration(
    tmp_path: Path, commits: dict[str, str]
) -> None:
    it = project(tmp_path, model="org/bose")
    with pytest.raises(UsageError, match=r"harness.yaml:\d+: servers.local.model: http\S+ shows"):
        run_async(identify(it, "base"))


def test_what_is_named(tmp_path: Path) -> None:
    it = project(tmp_path, args={"tokenizer": "org/tok", "dtype": "float16"})
    assert [(one.given, one.kind, one.key) for one in named_models(it)] == [
        ("org/base", "model", "servers.local.model"),
        ("org/tok", "tokenizer", "servers.local.args.tokenizer"),
        ("org/good@v2", "adapter", "targets.candidate.adapter"),
    ]
    assert len(list(named_models(it, ["base"]))) == 2
