from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from harness.errors import JournalError
from harness.storage.remote_store import EXPIRES, RENEWED, Lease, Store
from tests.manual_clock import ManualClock

NAME = "base-1/lease.json"


@pytest.fixture
def store(url: str) -> Store:
    return Store.open(url)


class Wall(ManualClock):
    """Its time of day goes on too."""

    def utc(self):
        from datetime import timedelta

        return super().utc() + timedelta(seconds=self.now())


def test_the_second_is_refused_until_the_first_lets_go(store: Store) -> None:
    clock = Wall()
    first, second = Lease(store, NAME, clock), Lease(store, NAME, clock)
    first.take()
    clock.advance(7)
    with pytest.raises(JournalError, match=r"is writing this run, heard of 7 s ago"):
        second.take()
    first.release()
    second.take()


def test_a_lease_that_runs_out_is_taken_over_and_the_first_learns_of_it(store: Store) -> None:
    clock = Wall()
    first, second = Lease(store, NAME, clock), Lease(store, NAME, clock)
    first.take()
    clock.advance(EXPIRES)
    second.take()
    with pytest.raises(JournalError, match="has taken this run over"):
        first.renew()
    first.release()
    assert json.loads(store.read(NAME) or b"")["token"] == second.token


def test_a_lease_that_is_renewed_does_not_run_out(store: Store) -> None:
    clock = Wall()
    first, second = Lease(store, NAME, clock), Lease(store, NAME, clock)
    first.take()
    for _ in range(10):
        clock.advance(RENEWED)
        first.renew()
    with pytest.raises(JournalError):
        second.take()


def test_a_dead_process_of_this_machine_holds_nothing(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path))
    first, second = Lease(store, NAME, Wall()), Lease(store, NAME, Wall())
    first.take()
    dead = subprocess.Popen(["true"])
    dead.wait()
    known = json.loads(store.read(NAME) or b"")
    store.write(NAME, json.dumps({**known, "pid": dead.pid, "machine": "another"}).encode())
    with pytest.raises(JournalError):
        second.take()
    store.write(NAME, json.dumps({**known, "pid": dead.pid}).encode())
    second.take()


def test_a_lease_that_nobody_can_read_holds_nothing(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path))
    store.write(NAME, b"{")
    Lease(store, NAME, Wall()).take()
