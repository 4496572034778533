"""A cluster of this machine alone, with real workers that die."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from harness.errors import InfrastructureError, ServerError, UsageError
from harness.run import ray_cluster as cluster_ray
from harness.run.distribute import shards
from harness.run.ray_cluster import LOSSES, RayCluster, Sharding
from tests.run import ray_works as works

ITEMS = [(f"group {number // 2}", number) for number in range(20)]
SHARDING: Sharding[works.Item, tuple[works.Item, int]] = Sharding(
    cut=partial(shards, group=lambda item: item[0]),
    key=lambda item: item,
    key_of_result=lambda result: result[0],
)


@pytest.fixture(scope="module")
def said() -> list[str]:
    return []


@pytest.fixture(scope="module")
def cluster(said: list[str]) -> Iterator[RayCluster]:
    with RayCluster("local", 2, said.append) as running:
        yield running


def results(cluster: RayCluster, work, share: int = 5) -> list[tuple[works.Item, int]]:
    async def collect():
        return [result async for result in cluster.over(ITEMS, SHARDING, work, share)]

    return asyncio.run(collect())


def test_a_result_that_arrives_twice_counts_once(cluster: RayCluster) -> None:
    found = results(cluster, works.double)
    assert sorted(found) == [(item, 2 * item[1]) for item in sorted(ITEMS)]


def test_nobody_without_its_token_submits_work_to_it(cluster: RayCluster) -> None:
    cluster.join()
    import ray

    address = ray.get_runtime_context().gcs_address
    join = f"import ray; ray.init(address={address!r}, log_to_driver=False)"
    outside = {name: value for name, value in os.environ.items() if "RAY_AUTH" not in name}
    for token in ({}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}):
        stranger = subprocess.run(
            [sys.executable, "-c", join], env={**outside, **token, "HOME": "/nonexistent"},
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert stranger.returncode != 0
        assert "ConnectionError" in stranger.stderr


def test_a_process_that_has_used_ray_before_starts_one_with_a_token() -> None:
    """Ray reads its settings where it is imported, and keeps the first token it has read."""
    program = """
import os
import ray
from harness.run.ray_cluster import RayCluster

for _ in range(2):
    with RayCluster("local", 1) as cluster:
        cluster.join()
        assert os.environ.pop("RAY_AUTH_TOKEN")
        assert os.environ.pop("RAY_AUTH_MODE") == "token"
"""
    outside = {name: value for name, value in os.environ.items() if "RAY_AUTH" not in name}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**outside, "HOME": "/nonexistent"},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_lost_worker_costs_nothing_that_it_had_delivered(
    cluster: RayCluster, tmp_path: Path, said: list[str]
) -> None:
    notes = tmp_path / "notes"
    before = len(said)
    found = results(cluster, partial(works.dies_once, str(notes)))
    assert sorted(item for item, _ in found) == sorted(ITEMS)
    assert {share for _, share in found} == {2, 3}, "five are divided over two workers"
    done = Counter(notes.read_text().split())
    # What is on its way when a worker dies may be lost with it, what arrived before may not.
    assert sum(done.values()) <= len(ITEMS) + 5
    assert [line for line in said[before:] if "was lost" in line]


def test_a_shard_that_kills_its_workers_ends_the_run(cluster: RayCluster) -> None:
    with pytest.raises(InfrastructureError, match=f"one shard {LOSSES} times") as caught:
        results(cluster, works.dies)
    assert caught.value.exit_code == 3


def test_an_error_of_the_harness_arrives_as_it_was(cluster: RayCluster) -> None:
    with pytest.raises(ServerError) as caught:
        results(cluster, works.refuses)
    assert caught.value.line == "http://x: the server is gone - bring it back"


def test_a_bug_on_a_worker_is_one_line(cluster: RayCluster) -> None:
    with pytest.raises(InfrastructureError, match="a worker failed: KeyError") as caught:
        results(cluster, works.has_a_bug)
    assert "\n" not in caught.value.line


def test_loopback_is_reached_from_this_machine_alone(
    cluster: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.check_reaches("http://127.0.0.1:8000/v1")
    elsewhere = [{"NodeManagerAddress": "198.51.100.7", "Resources": {"CPU": 1.0}}]
    monkeypatch.setattr(cluster_ray, "_alive", lambda: elsewhere)
    cluster.check_reaches("https://chat.example.com/v1")
    for url in ("http://127.0.0.1:8000/v1", "http://localhost/v1", "http://[::1]:1/v1"):
        with pytest.raises(UsageError, match=r"on 198\.51\.100\.7 cannot reach it"):
            cluster.check_reaches(url)


def test_a_cluster_that_is_not_there_is_one_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(InfrastructureError, match="no Ray cluster there") as caught:
        RayCluster(address).join()
    assert caught.value.line.startswith(f"{address}: ")


@pytest.mark.parametrize("address", ["ray://host:10001", "host", "host:port", ":6379"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="is no address of a Ray cluster"):
        RayCluster(address).join()


def test_the_environment_names_a_cluster_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "nonsense")
    with pytest.raises(UsageError, match="is no address"):
        RayCluster().join()


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install '\.\[ray\]'"):
        RayCluster().join()
