"""On which servers two targets may be, and how those are up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.latency_decisions import LOAD
from benchmarks.latency_world import header
from harness.config import Project, load_project
from harness.errors import ServerError, UsageError
from harness.latency import deployments
from harness.latency.deployments import (
    begin_words,
    check_mode,
    check_servers,
    choose_mode,
    with_deployments,
)
from harness.records.deployment import ServerMode
from harness.records.latency import LatencySettings, Measurement
from harness.records.load import Load
from harness.serving.room import Room
from tests.latency.measured import FEW
from tests.serving.made import write_model
from tests.shop import write_project

HERE = {"url": "http://127.0.0.1:8001/v1"}
AUTO = LatencySettings()
IN_TURNS = LatencySettings(servers="in_turns")


def two(folder: Path, first: dict[str, Any], second: dict[str, Any]) -> Project:
    """A project whose candidate is on the first server and whose base is on the second."""
    write_project(folder, "http://unused")
    path = folder / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    config["servers"] = {"one": first, "other": second}
    targets = {"candidate": {"server": "one"}, "base": {"server": "other"}}
    for name, target in targets.items():
        if "url" in config["servers"][target["server"]]:
            target["model"] = name
    config["targets"] = targets
    path.write_text(yaml.safe_dump(config))
    return load_project(path)


def managed(folder: Path, name: str, **more: Any) -> dict[str, Any]:
    write_model(folder / name)
    return {"engine": "vllm", "model": name, **more}


def test_targets_of_one_server_have_its_name(tmp_path: Path) -> None:
    write_project(tmp_path, "http://127.0.0.1:1")
    project = load_project(tmp_path / "harness.yaml")
    assert check_servers(project, "candidate", "base", IN_TURNS) == ("main",)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (HERE, {"url": "http://localhost:9000/v1"}),
        ({"url": "http://card:8000/v1"}, {"url": "https://card:8001/v1"}),
        (HERE, None),
        (None, None),
    ],
)
def test_two_servers_of_one_machine_are_compared(
    tmp_path: Path, first: dict[str, Any] | None, second: dict[str, Any] | None
) -> None:
    servers = [given or managed(tmp_path, f"m{n}") for n, given in enumerate((first, second))]
    found = check_servers(two(tmp_path, *servers), "candidate", "base", AUTO)
    assert found == ("one", "other")


@pytest.mark.parametrize(
    ("first", "second", "settings", "words"),
    [
        ({"url": "http://card:1/v1"}, HERE, AUTO,
         "`candidate` is on card, `base` on this machine: two machines cannot be told"),
        (HERE, {**HERE, "max_requests_per_minute": 60}, AUTO, r"servers.other: has limits"),
        ({"url": ["http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"]}, HERE, AUTO,
         r"servers.one: has 2 replicas"),
        ({"engine": "http", "url": "http://127.0.0.1:1/ask", "preset": "ollama"}, HERE, AUTO,
         "OpenAI-compatible servers, which stream"),
        (HERE, HERE | {"url": "http://127.0.0.1:8002/v1"}, IN_TURNS,
         "latency.servers: in_turns starts the servers again and again, and `one` is given by"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(
    tmp_path: Path,
    first: dict[str, Any],
    second: dict[str, Any],
    settings: LatencySettings,
    words: str,
) -> None:
    project = two(tmp_path, first, second)
    with pytest.raises(UsageError, match=words):
        check_servers(project, "candidate", "base", settings)


def test_managed_servers_are_side_by_side_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = two(tmp_path, managed(tmp_path, "a"), managed(tmp_path, "b"))
    for free, mode in (8, "side_by_side"), (7, "in_turns"), (None, "in_turns"):
        room = Room(8, free, "memory")
        monkeypatch.setattr(deployments, "room_for", lambda _specs, room=room: room)
        assert choose_mode(project, "candidate", "base", AUTO) == (mode, room.words)


@pytest.mark.parametrize(
    ("first", "second", "settings", "mode", "why"),
    [
        (HERE, {}, AUTO, "side_by_side", "`one` is given by url and up all the time"),
        ({"port": 8000}, {"port": 8000}, AUTO, "in_turns", "both have port 8000"),
        ({}, {}, IN_TURNS, "in_turns", "as `latency.servers` says"),
        ({}, {}, LatencySettings(servers="side_by_side"), "side_by_side", "as `latency.servers`"),
    ],
)
def test_what_decides_before_memory_does(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    first: dict[str, Any],
    second: dict[str, Any],
    settings: LatencySettings,
    mode: ServerMode,
    why: str,
) -> None:
    monkeypatch.setattr(deployments, "room_for", None)
    servers = [
        given if "url" in given else managed(tmp_path, name, **given)
        for name, given in (("a", first), ("b", second))
    ]
    found = choose_mode(two(tmp_path, *servers), "candidate", "base", settings)
    assert found[0] == mode
    assert found[1].startswith(why)


def begun(folder: Path, mode: ServerMode, settings: LatencySettings = FEW) -> Measurement:
    project = two(folder, managed(folder, "a", args={"max-model-len": 64}), HERE)
    made = header(settings, (), 0.05).model_copy(
        update={"candidate": "candidate", "baseline": "base"}
    )
    return with_deployments(project, made, mode)


def test_the_record_says_what_each_server_is(tmp_path: Path) -> None:
    found = begun(tmp_path, "side_by_side").servers
    assert found is not None
    assert (found.candidate.server, found.candidate.model, found.candidate.address) == (
        "one", "a", None
    )  # fmt: skip
    assert (found.baseline.server, found.baseline.address) == ("other", "virtual")


def test_a_measurement_goes_on_in_the_mode_in_which_it_began(tmp_path: Path) -> None:
    side = begun(tmp_path / "1", "side_by_side")
    turns = begun(tmp_path / "2", "in_turns")
    assert check_mode(turns, turns, "no room") == "no room"
    assert check_mode(turns, side, "room") == "as it began"
    with pytest.raises(ServerError, match=r"began with both servers side by side, and they have"):
        check_mode(side, turns, "no room")


def test_the_starts_are_told_before_the_first(tmp_path: Path) -> None:
    side = begun(tmp_path / "1", "side_by_side")
    assert begin_words(side, (), "room") == (
        "latency: deployments are compared, `candidate` on `one` and `base` on `other`, "
        "both up side by side (room)"
    )
    turns = begun(tmp_path / "2", "in_turns")
    # One each, three in each of ten rounds, one to see what an open load's baseline can answer.
    assert begin_words(turns, (), "why").endswith("one up at a time (why), with up to 33 starts")
    loads = (LOAD, Load(kind="closed", concurrency=4), Load(kind="single"))
    more = begun(tmp_path / "3", "in_turns", FEW.model_copy(update={"loads": loads}))
    assert begin_words(more, (), "why").endswith("with up to 93 starts")
    stopped = more.model_copy(update={"stopped": {str(LOAD): 5}})
    assert begin_words(stopped, (), "why").endswith("with up to 62 starts")


def test_a_missing_model_is_told_before_anything_starts(tmp_path: Path) -> None:
    project = two(tmp_path, managed(tmp_path, "a"), {"engine": "vllm", "model": "gone"})
    with pytest.raises(UsageError, match="gone"):
        choose_mode(project, "candidate", "base", AUTO)
