"""The endpoint of a configured server, and what is started for a managed one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from harness.config import Project, load_project
from harness.errors import UsageError
from harness.files import directory_digest
from harness.model_files import chat_template_digest, model_digest
from harness.targets.connection import connect
from harness.targets.endpoint import BASE, Endpoint, machines, model_name, serve_spec
from harness.training.candidate import Dossier, Split
from tests.serving.made import write_adapter, write_model
from tests.shop import config, write_project
from tests.training.conftest import make_recipe

EARLIER = ("*.safetensors", "config.json", "tokenizer.json", "chat_template.jinja")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_project(tmp_path, "http://unused")
    write_model(tmp_path / "model")
    write_adapter(tmp_path / "good")
    settings = config("http://unused")
    settings["servers"] = {
        "local": {"engine": "vllm", "model": "model", "replicas": 2,
                  "args": {"chat-template": "own.jinja"}},
        "prod": {"url": ["http://a", "http://b", "http://c"], "api_key_env": "NO_SUCH_KEY"},
    }  # fmt: skip
    settings["targets"] = {
        "base": {"server": "local"},
        "candidate": {"server": "local", "adapter": "good"},
        "live": {"server": "prod", "model": "support-v7"},
    }
    (tmp_path / "own.jinja").write_text("{{ messages }}")
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(settings))
    return load_project(tmp_path / "harness.yaml")


def make_dossier(base_digest: str = "sha256:a", chat_template: str | None = None) -> Dossier:
    return Dossier(
        name="cand",
        recipe=make_recipe(),
        recipe_hash="sha256:a",
        data_hash="sha256:b",
        base="model",
        base_digest=base_digest,
        chat_template=chat_template,
        adapter_digest="sha256:c",
        split=Split(
            train_conversations=1, validation_conversations=1, train_groups=1,
            validation_groups=("g",),
        ),
        seed=0,
        steps_done=1,
        best_step=1,
        best_validation_loss=1.0,
        stopped_early=False,
        seconds=1.0,
        versions={},
        created="2026-01-01",
    )  # fmt: skip


def write_dossier(folder: Path, base_digest: str, chat_template: str | None) -> None:
    text = make_dossier(base_digest, chat_template).model_dump_json(exclude_none=True)
    (folder / "candidate.json").write_text(text)


def test_what_is_started_for_the_targets_of_a_server(project: Project) -> None:
    spec = serve_spec(project, "local", ["base", "candidate"], Path("log"))
    assert (spec.model, spec.base_name) == (project.root / "model", BASE)
    assert spec.adapters == {"candidate": project.root / "good"}
    assert spec.args == {"chat-template": str(project.root / "own.jinja")}
    names = [model_name(project, target) for target in ("base", "candidate", "live")]
    assert names == [BASE, "candidate", "support-v7"]
    with pytest.raises(UsageError, match="given by url"):
        serve_spec(project, "prod", ["live"], Path("log"))


@pytest.mark.parametrize("form", ["of today", "earlier"])
def test_an_adapter_is_refused_on_another_base_than_its_dossier_names(
    project: Project, form: str
) -> None:
    base = project.root / "model"
    (project.root / "own.jinja").write_text("one")
    if form == "of today":
        write_dossier(project.root / "good", model_digest(base), chat_template_digest(base))
    else:
        write_dossier(project.root / "good", directory_digest(base, EARLIER), None)
    serve_spec(project, "local", ["candidate"], Path("log"))
    (base / "tokenizer.json").write_text('{"other": 1}')
    with pytest.raises(UsageError, match="was trained on another base than"):
        serve_spec(project, "local", ["candidate"], Path("log"))
    serve_spec(project, "local", ["base"], Path("log"))


@pytest.mark.parametrize("kept", ["in the tokenizer's configuration", "in a file"])
def test_an_adapter_is_refused_with_another_template_than_its_dossier_names(
    project: Project, kept: str
) -> None:
    base, own = project.root / "model", project.root / "own.jinja"
    if kept == "in a file":
        (base / "chat_template.jinja").write_text("one")
    write_dossier(project.root / "good", model_digest(base), chat_template_digest(base))
    with pytest.raises(UsageError, match=r"another chat template.*the server's `chat-template`"):
        serve_spec(project, "local", ["candidate"], Path("log"))
    own.write_text("one")
    serve_spec(project, "local", ["candidate"], Path("log"))
    (base / "chat_template.jinja").write_text("two")
    serve_spec(project, "local", ["candidate"], Path("log"))
    without = project.config.servers["local"].model_copy(update={"args": {}})
    servers = {**project.config.servers, "local": without}
    bare = replace(project, config=project.config.model_copy(update={"servers": servers}))
    with pytest.raises(UsageError, match=r"another chat template.*that of .*model"):
        serve_spec(bare, "local", ["candidate"], Path("log"))
    (base / "chat_template.jinja").unlink()
    if kept == "in a file":
        (base / "chat_template.jinja").write_text("one")
    serve_spec(bare, "local", ["candidate"], Path("log"))
    other = write_model(project.root / "tokenizer")
    (other / "chat_template.jinja").write_text("two")
    given = without.model_copy(update={"args": {"tokenizer": str(other)}})
    servers = {**project.config.servers, "local": given}
    bare = replace(project, config=project.config.model_copy(update={"servers": servers}))
    with pytest.raises(UsageError, match=r"another chat template.*that of .*tokenizer"):
        serve_spec(bare, "local", ["candidate"], Path("log"))


def test_a_dossier_that_cannot_be_read_is_named(project: Project) -> None:
    (project.root / "good/candidate.json").write_text("{}")
    with pytest.raises(UsageError, match=r"candidate\.json"):
        serve_spec(project, "local", ["candidate"], Path("log"))


def test_a_price_by_the_hour_counts_for_each_machine(project: Project) -> None:
    servers = project.config.servers
    assert [machines(servers[name]) for name in ("local", "prod")] == [2, 3]


def test_a_key_that_is_not_set(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with (
        pytest.raises(UsageError, match="NO_SUCH_KEY is not set"),
        connect(project, "prod", ["live"], Path("log"), lambda _: None),
    ):
        pass
    monkeypatch.setenv("NO_SUCH_KEY", "secret")
    with connect(project, "prod", ["live"], Path("log"), lambda _: None) as endpoint:
        assert endpoint.api_key == "secret"
        assert len(endpoint.urls) == 3


def test_a_key_is_not_shown() -> None:
    assert "the key" not in repr(Endpoint(("http://a/v1",), "the key"))
