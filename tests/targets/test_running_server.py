"""The file of a server that another process keeps, and whether it is the one that is wanted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import Project, load_project
from harness.errors import UsageError
from harness.records.target import Identity
from harness.targets import running_server as stage
from harness.targets.running_server import (
    ServedContent,
    left_alone,
    publish,
    running_server,
    server_file,
    withdraw,
)
from tests.shop import config, write_project

BASE = Identity(server="own", server_version="vllm 1", model="base", weights="sha256:w")
ADAPTER = BASE.model_copy(update={"model": "good", "adapter": "sha256:a"})
CONTENT = ServedContent(
    server="own",
    replicas=1,
    identities={"base": BASE, "good": ADAPTER},
    folders={"good": "/adapters/good"},
    python="/bin/python",
    packages={"torch": "2"},
    environment={"VLLM_X": "sha256:1"},
)


def changed(**update: Any) -> ServedContent:
    return CONTENT.model_copy(update=update)


@dataclass
class Kept:
    """A project with a server that is kept, and what a command gets of it."""

    project: Project
    path: Path

    def publish(self, content: ServedContent = CONTENT) -> None:
        publish(self.path, content, ("http://127.0.0.1:1/v1",), "the key", Path("log"))

    def rewrite(self, **update: Any) -> None:
        data = json.loads(self.path.read_text())
        self.path.write_text(json.dumps({**data, **update}))

    def look(self, wanted: ServedContent = CONTENT) -> tuple[bool, str]:
        said: list[str] = []
        with running_server(self.project, lambda: wanted, "own", said.append) as found:
            assert found is None or (found.api_key, "the key" in repr(found)) == ("the key", False)
            return found is not None, "\n".join(said)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    monkeypatch.delenv("HARNESS_SERVER", raising=False)
    monkeypatch.setattr(stage, "served_names", lambda url, key: {"base", "good"})
    write_project(tmp_path, "http://unused")
    settings = config("http://unused")
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(settings))
    project = load_project(tmp_path / "harness.yaml")
    found = Kept(project, server_file(project))
    found.publish()
    return found


def test_it_is_used_and_its_keeper_knows(kept: Kept) -> None:
    assert kept.path.stat().st_mode & 0o777 == 0o600
    with running_server(kept.project, lambda: CONTENT, "own", lambda _: None) as found:
        assert found is not None
        assert found.urls == ("http://127.0.0.1:1/v1",)
        assert stage.in_use(kept.path)
        assert not withdraw(kept.path, unused=True)
    assert not stage.in_use(kept.path)
    assert withdraw(kept.path, unused=True)
    assert kept.look() == (False, "")


def test_it_may_serve_more_than_is_wanted(kept: Kept) -> None:
    assert kept.look(changed(identities={"base": BASE}, folders={}))[0]


def of(base: str | None = None, **update: Any) -> ServedContent:
    model = "good" if base is None else base
    identities = {**CONTENT.identities}
    identities[model] = identities[model].model_copy(update=update)
    return changed(identities=identities)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (of("base", weights="sha256:other"), "`base` has another weights there"),
        (of(adapter="sha256:b"), "`good` has another adapter there"),
        (of(chat_template="sha256:t"), "`good` has another chat template there"),
        (of(engine_args={"dtype": "float32"}), "`good` has another engine args there"),
        (of(server_version="vllm 2"), "`good` has another server version there"),
        (changed(identities={**CONTENT.identities, "new": ADAPTER}), "it does not serve `new`"),
        (changed(folders={"good": "/other"}), "`good` is served from /adapters/good"),
        (changed(replicas=2), "its replicas are others"),
        (changed(packages={"torch": "3"}), "its packages are others"),
        (changed(python="/other/python"), "its Python is another"),
        (changed(environment={"VLLM_Y": "sha256:1"}), "its environment differs in VLLM_X, VLLM_Y"),
    ],
)
def test_one_that_differs_in_anything_is_not_used(
    kept: Kept, wanted: ServedContent, why: str
) -> None:
    used, said = kept.look(wanted)
    assert not used
    assert said == f"own: the server that process {os.getpid()} keeps is not used: {why}"


def test_a_server_of_another_name_is_none_of_ours(kept: Kept) -> None:
    kept.publish(changed(server="other"))
    assert kept.look() == (False, "")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o602])
def test_a_file_that_others_can_open_is_not_trusted(kept: Kept, mode: int) -> None:
    kept.path.chmod(mode)
    used, said = kept.look()
    assert not used
    assert "it must be a file that its owner alone can open (chmod 600)" in said


def test_a_file_of_another_user_is_not_trusted(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: kept.path.stat().st_uid + 1)
    assert not kept.look()[0]


def test_a_link_is_not_followed(kept: Kept) -> None:
    kept.path.rename(kept.path.with_name("elsewhere"))
    kept.path.symlink_to("elsewhere")
    used, said = kept.look()
    assert not used
    assert said.startswith(f"{kept.path}: is not used: it cannot be opened, or is a link (")


def test_what_a_process_that_was_killed_has_left_is_removed_with_its_keys(kept: Kept) -> None:
    key, gate = kept.path.with_suffix(".key"), kept.path.with_name("gate-1.json")
    key.write_text("the key")
    lent = server_file(kept.project, "gate")
    publish(lent, CONTENT, ("http://127.0.0.1:1/v1",), "the key", Path("log"))
    kept.rewrite(started="1")
    gate.write_bytes(kept.path.read_bytes())
    gate.chmod(0o600)
    assert not kept.look()[0]
    assert not any(path.exists() for path in (kept.path, key, gate))
    assert lent.exists()


def damaged(kept: Kept) -> None:
    kept.path.write_text("{")


def reused(kept: Kept) -> None:
    kept.rewrite(started="1")


def elsewhere(kept: Kept) -> None:
    kept.rewrite(machine="another")


@pytest.mark.parametrize(
    ("change", "words", "left"),
    [
        (damaged, "is not used: it is damaged", True),
        (reused, ", which kept a server, is gone; the file is removed", False),
        (elsewhere, "", True),
    ],
)
def test_a_file_that_says_nothing_of_a_server_that_runs(
    kept: Kept, change: Callable[[Kept], None], words: str, left: bool
) -> None:
    change(kept)
    used, said = kept.look()
    assert not used
    assert words in said
    assert kept.path.exists() == left


def test_one_that_does_not_answer_is_not_used(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "served_names", lambda url, key: {"base"})
    used, said = kept.look()
    assert not used
    assert said.endswith("http://127.0.0.1:1/v1 does not answer as it should")


def test_another_file_can_be_named_or_none(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_SERVER", "none")
    assert kept.look() == (False, "")
    other = kept.path.with_name("named.json")
    kept.path.rename(other)
    monkeypatch.setenv("HARNESS_SERVER", str(other))
    assert kept.look()[0]
    Kept(kept.project, other).rewrite(started="1")
    assert kept.look()[1].endswith("is gone; HARNESS_SERVER still names it")
    assert other.exists()
    for name, words in (("http://h/v1", "names an address"), ("nowhere.json", "no such file")):
        monkeypatch.setenv("HARNESS_SERVER", name)
        with pytest.raises(UsageError, match=words):
            kept.look()


def test_latency_says_that_it_leaves_it_alone(kept: Kept) -> None:
    said: list[str] = []
    left_alone(kept.project, "own", said.append)
    left_alone(kept.project, "other", said.append)
    (line,) = said
    assert line.startswith("own: latency needs a server that nobody else asks")


@pytest.mark.parametrize(("torch", "warned"), [("2.13.0+cpu", True), ("2.13.0", False)])
def test_two_commands_on_vllms_cpu_build_are_warned_of(
    kept: Kept, torch: str, warned: bool
) -> None:
    content = changed(packages={"torch": torch})
    kept.publish(content)
    assert "another command asks it too" not in kept.look(content)[1]
    with running_server(kept.project, lambda: content, "own", lambda _: None):
        used, said = kept.look(content)
    assert used
    assert ("another command asks it too" in said) is warned
