"""Which server a command asks: the one that it keeps, one that is kept elsewhere, or a new one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

import pytest
import yaml

from harness.config import Project, load_project
from harness.errors import UsageError
from harness.serving.command import ServeSpec
from harness.targets import connection, identity
from harness.targets.connection import (
    connect,
    copy_log,
    keep_servers,
    lent_server,
    start,
    start_anew,
    stop_idle,
)
from tests.serving.made import write_adapter, write_model
from tests.shop import config, write_project


class Replicas:
    """Stands for started servers: which adapters each has, and which of them run."""

    begun: list[list[str]]
    running: list[Self]

    def __init__(self, spec: ServeSpec, count: int, say: object) -> None:
        self.adapters = sorted(spec.adapters)
        self.api_key, self.urls = "k", (f"http://127.0.0.1:{len(self.begun) + 1}/v1",)
        self.up = True

    def alive(self) -> bool:
        return self.up

    def __enter__(self) -> Self:
        self.begun.append(self.adapters)
        self.running.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.running.remove(self)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    Replicas.begun, Replicas.running = [], []
    monkeypatch.delenv("HARNESS_SERVER", raising=False)
    monkeypatch.setattr(connection, "VllmReplicas", Replicas)
    monkeypatch.setattr(identity, "require_vllm", lambda: "vllm 1")
    write_project(tmp_path, "http://unused")
    write_model(tmp_path / "model")
    for number, name in enumerate(("one", "two"), 1):
        write_adapter(tmp_path / name, fill=number)
    settings = config("http://unused")
    own: dict[str, Any] = {"engine": "vllm", "model": "model"}
    settings["servers"] = {"own": own, "second": own}
    settings["targets"] = {
        "base": {"server": "own"},
        "one": {"server": "own", "adapter": "one"},
        "two": {"server": "own", "adapter": "two"},
        "other": {"server": "second"},
    }
    del settings["gate"]
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(settings))
    return load_project(tmp_path / "harness.yaml")


def ask(project: Project, *targets: str, alone: bool = False) -> str:
    server = project.target(targets[0]).server
    log = project.root / "log"
    with connect(project, server, targets, log, lambda _: None, alone=alone) as endpoint:
        return endpoint.urls[0]


def test_without_a_command_that_keeps_it_each_use_starts_one(project: Project) -> None:
    assert ask(project, "base") != ask(project, "base")
    assert (Replicas.begun, Replicas.running) == ([[], []], [])


def test_a_command_starts_one_for_all_that_it_is_about(project: Project) -> None:
    with keep_servers(["base", "one"]):
        with keep_servers(["two"]):
            first = ask(project, "base")
        assert ask(project, "one", "base") == first
        assert ask(project, "one", "base", alone=True) == first
        assert len(Replicas.running) == 1
    assert (Replicas.begun, Replicas.running) == ([["one"]], [])


def test_one_that_is_not_what_is_wanted_gives_way(project: Project) -> None:
    with keep_servers(["base", "one"]):
        ask(project, "base")
        ask(project, "two")  # a judge, say
        assert Replicas.begun == [["one"], ["one", "two"]]
        ask(project, "one", "base", alone=True)
        assert Replicas.begun[2:] == [["one"]]
        write_adapter(project.root / "one", fill=3)
        ask(project, "one")
        assert Replicas.begun[3:] == [["one"]]
        ask(project, "other")
        assert len(Replicas.running) == 1
        Replicas.running[0].up = False
        ask(project, "other")
        assert Replicas.begun[4:] == [[], []]
    assert Replicas.running == []


def test_one_that_is_asked_is_not_stopped(project: Project) -> None:
    with keep_servers(["base"]):
        with connect(project, "own", ["base"], project.root / "log", lambda _: None):
            ask(project, "two")
            ask(project, "other")
            assert len(Replicas.running) == 2
        ask(project, "two")
    assert Replicas.running == []


def test_one_that_is_started_anew_is_no_kept_one_and_has_the_memory_for_itself(
    project: Project,
) -> None:
    log = project.root / "log"
    with keep_servers(["base"]):
        ask(project, "base")
        for _ in range(2):
            with start_anew(project, "own", ["base"], log, lambda _: None):
                assert len(Replicas.running) == 1
            assert Replicas.running == []
    assert len(Replicas.begun) == 3
    with start_anew(project, "second", ["other"], log, lambda _: None):
        assert len(Replicas.running) == 1


def test_what_nobody_asks_can_be_stopped_before_the_end(project: Project) -> None:
    stop_idle()  # nothing is kept
    with keep_servers(["base"]):
        with connect(project, "own", ["base"], project.root / "log", lambda _: None):
            stop_idle()
            assert len(Replicas.running) == 1
        stop_idle()
        assert Replicas.running == []


def test_a_target_that_is_wrong_does_not_stop_the_others(project: Project) -> None:
    (project.root / "one/adapter_config.json").unlink()
    with keep_servers(["base", "one"]):
        ask(project, "base")
        with pytest.raises(UsageError):
            ask(project, "one")
    assert Replicas.begun == [[]]


def test_a_child_is_lent_the_server(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.targets.running_server.served_names", lambda *_: {"base-model"})
    with lent_server() as nothing:
        assert nothing == {}
    with keep_servers(["base"]):
        with lent_server() as nothing:
            assert nothing == {}
        url = ask(project, "base")
        with lent_server() as environment:
            file = Path(environment["HARNESS_SERVER"])
            assert json.loads(file.read_text())["urls"] == [url]
            assert file.stat().st_mode & 0o777 == 0o600
            monkeypatch.setenv("HARNESS_SERVER", str(file))
            token = connection._KEPT.set(None)
            assert ask(project, "base") == url
            connection._KEPT.reset(token)
        assert not file.exists()
    assert Replicas.begun == [[]]


def test_what_is_served_while_its_files_change_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(Replicas):
        def __enter__(self) -> Self:
            write_adapter(project.root / "one", fill=9)
            return super().__enter__()

    monkeypatch.setattr(connection, "VllmReplicas", Late)
    with (
        pytest.raises(UsageError, match="the files of `own` changed while it was started"),
        start(project, "own", ["one"], project.root / "log", lambda _: None),
    ):
        pass
    assert Replicas.running == []


@pytest.fixture
def logged(project: Project) -> Path:
    (project.root / "log").write_text("said")
    return project.root / "run"


def test_the_log_is_copied_where_there_is_a_place(project: Project, logged: Path) -> None:
    with connect(project, "own", ["base"], project.root / "log", lambda _: None) as endpoint:
        copy_log(endpoint, logged / "server.log")
        logged.mkdir()
        copy_log(endpoint, logged / "server.log")
    assert (logged / "server.log").read_text() == "said"
