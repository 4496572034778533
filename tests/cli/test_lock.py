"""`harness lock`, and what `harness validate` says of models that are named on a hub."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness.hub.lock import read_lock
from harness.hub.name import HubName
from tests.cli.builders import call
from tests.hub_server import TOKEN, HubServer

BASE, RECIPE = HubName("org/base"), HubName("org/other", "v1")


@pytest.fixture
def place(project_dir: Path, hub: HubServer) -> Path:
    """A project that names two models on the hub, one of them in a recipe."""
    path = project_dir / "harness.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["servers"]["own"] = {"engine": "vllm", "model": "org/base"}
    settings["targets"]["mine"] = {"server": "own"}
    path.write_text(yaml.safe_dump(settings))
    (project_dir / "recipes").mkdir()
    (project_dir / "recipes/one.yaml").write_text("name: one\nbase: org/other@v1\n")
    (project_dir / "recipes/two.yaml").write_text("name: two\nbase: .harness/models/tiny\n")
    (project_dir / "recipes/list.yaml").write_text("[1, 2]\n")
    return project_dir


def put(hub: HubServer, text: bytes = b"{}") -> dict[HubName, str]:
    return {
        BASE: hub.put("org/base", {"config.json": text, "model.safetensors": b"x"}),
        RECIPE: hub.put("org/other", {"config.json": text, "model.safetensors": b"x"}, branch="v1"),
    }


def test_commits_are_pinned_kept_and_updated(
    place: Path, hub: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    first = put(hub)
    assert call("lock") == 0
    assert read_lock(place) == first
    assert capsys.readouterr().out.splitlines() == [
        f"org/base@main: {first[BASE][:12]}, new",
        f"org/other@v1: {first[RECIPE][:12]}, new",
        "harness.lock: 2 models",
    ]
    text = (place / "harness.lock").read_text()
    second = put(hub, b'{"x": 1}')
    capsys.readouterr()
    assert call("lock") == 0
    assert (place / "harness.lock").read_text() == text
    assert capsys.readouterr().out.splitlines() == [
        f"{name}: {first[name][:12]}, has moved to {second[name][:12]} since; "
        "`harness lock --update` takes that"
        for name in (BASE, RECIPE)
    ] + ["harness.lock: 2 models"]
    assert call("lock", "--update") == 0
    assert read_lock(place) == second
    assert f"{second[BASE][:12]}, was {first[BASE][:12]}" in capsys.readouterr().out
    (place / "recipes/one.yaml").unlink()
    assert call("lock") == 0
    assert read_lock(place) == {BASE: second[BASE]}
    assert "org/other@v1: no longer named" in capsys.readouterr().out
    assert hub.fetched() == []


def test_a_recipe_elsewhere_and_a_commit_as_revision(
    place: Path, hub: HubServer, tmp_path: Path
) -> None:
    commits = put(hub)
    elsewhere = place / "elsewhere.yaml"
    elsewhere.write_text("name: x\nbase: org/other@v1\ndata: [d.jsonl]\nsteps: 1\n")
    pinned = f"name: one\nbase: org/base@{commits[BASE]}\n"
    (place / "recipes/one.yaml").write_text(pinned)
    assert call("lock", "elsewhere.yaml") == 0
    assert read_lock(place) == commits
    assert call("lock") == 0
    assert read_lock(place) == {BASE: commits[BASE]}


def test_what_is_not_there_changes_nothing(
    place: Path, hub: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.put("org/base", {"config.json": b"{}"})
    assert call("lock") == 2
    said = capsys.readouterr().err
    assert said.startswith("error: recipes/one.yaml: base: http")
    assert said.count("\n") == 1
    assert not (place / "harness.lock").exists()
    hub.status = 500
    assert call("lock") == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_the_settings_of_a_process_are_those_of_the_client(place: Path, hub: HubServer) -> None:
    """Address, token and cache come from the environment, as other programs read them."""
    commits = put(hub)
    hub.repos["org/base"].private = True
    where = {"HF_ENDPOINT": hub.url, "HF_HOME": str(place / "home")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    for token, code in ((TOKEN, 0), ("", 2)):
        line = [sys.executable, "-m", "harness", "lock", "--update"]
        done = subprocess.run(line, env=kept | where | {"HF_TOKEN": token}, capture_output=True)
        assert done.returncode == code, done.stderr
        assert TOKEN not in (done.stdout + done.stderr).decode()
    assert read_lock(place) == commits
    assert not any("harnesses" in one.path for one in hub.requests)


def test_nothing_to_lock(project_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("lock") == 0
    assert capsys.readouterr().out == "no model is named on a hub: nothing to lock\n"
    assert not (project_dir / "harness.lock").exists()


def test_validate_says_what_is_locked_and_fetched_and_asks_nothing(
    place: Path, hub: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    commits = put(hub)
    assert call("validate") == 0
    shown = capsys.readouterr()
    assert "org/base@main: not locked, not fetched yet\n" in shown.out
    assert (
        "servers.own.model: `org/base` is taken from a hub (`./org/base` would be a folder), and "
        "not locked - run `harness lock`" in shown.err
    )
    assert hub.requests == []
    assert call("lock") == 0
    hub.requests.clear()
    assert call("validate") == 0
    shown = capsys.readouterr()
    assert f"org/base@main: locked {commits[BASE][:12]}, not fetched yet\n" in shown.out
    assert f"org/other@v1: locked {commits[RECIPE][:12]}, not fetched yet\n" in shown.out
    assert "taken from a hub" not in shown.err
    assert hub.requests == []


def test_validate_warns_of_a_slip_in_a_folders_name(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "org/bose").mkdir(parents=True)
    assert call("validate") == 0
    said = capsys.readouterr().err
    assert "warning: harness.yaml:" in said
    assert "did you mean `org/bose`? a model of that name on a hub is written `hf:org/base`" in said


def test_a_check_says_what_is_not_up_to_date_and_writes_nothing(
    place: Path, hub: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    first = put(hub)
    assert call("lock", "--check") == 2
    shown = capsys.readouterr()
    assert f"org/base@main: not locked, now at {first[BASE][:12]}\n" in shown.out
    assert shown.err == (
        "error: harness.lock: not up to date: 2 of 2 models - `harness lock` adds and drops, with "
        "--update it takes the newest commits\n"
    )
    assert not (place / "harness.lock").exists()
    assert call("lock") == 0
    assert call("lock", "--check") == 0
    assert capsys.readouterr().out.endswith("harness.lock: up to date\n")
    second = put(hub, b'{"x": 1}')
    (place / "recipes/one.yaml").unlink()
    text = (place / "harness.lock").read_text()
    assert call("lock", "--check") == 2
    assert capsys.readouterr().out.splitlines() == [
        f"org/base@main: moved from {first[BASE][:12]} to {second[BASE][:12]}",
        "org/other@v1: no longer named",
    ]
    assert (place / "harness.lock").read_text() == text
    assert call("lock", "--check", "--update") == 2
    capsys.readouterr()
    hub.status = 500
    assert call("lock", "--check") == 3
    assert call("lock") == 0  # the lock itself needs no hub
    assert "not known whether it has moved" in capsys.readouterr().out


def test_a_misspelt_base_of_a_recipe_is_named(
    place: Path, hub: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    commits = put(hub)
    (place / "recipes/one.yaml").write_text("name: one\nbse: org/other@v1\n")
    assert call("lock") == 0
    warning = "warning: recipes/one.yaml:2: bse: unknown key; did you mean `base`?"
    assert capsys.readouterr().err.startswith(warning)
    assert read_lock(place) == {BASE: commits[BASE]}
    assert call("validate") == 0
    assert warning in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("gpt2", "servers.own.model: no such folder: `gpt2` - check the path; a model on a hub"),
        ("https://huggingface.co/org/base", "a model's name on a hub - write `org/base`"),
        ("../base", "servers.own.model: `../base` leaves the project"),
    ],
)  # fmt: skip
def test_validate_warns_of_a_model_that_is_neither_here_nor_on_a_hub(
    place: Path, capsys: pytest.CaptureFixture[str], model: str, words: str
) -> None:
    path = place / "harness.yaml"
    path.write_text(path.read_text().replace("model: org/base", f"model: {model}"))
    assert call("validate") == 0
    said = capsys.readouterr().err
    assert words in said
    assert said.count("servers.own.model") == 1
