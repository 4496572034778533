"""How long the page of an item takes with 10,000 items and 20 raters at once.

Run `python -m benchmarks.review_page`. It makes a review of 10,000 items that three people each
see, a third of them graded, and serves it in a process of its own. Twenty raters then open an
item and grade it, over and over without a pause, each in a thread; the times are those of whole
requests on the loopback.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from harness.review.sqlite_file import connect
from harness.review.store import ReviewStore, open_store
from tests.review.builders import review

ITEMS, RATERS, SEEN_BY, ROUNDS = 10_000, 20, 3, 30
WORDS = "The parcel is on its way and comes on Tuesday, if nothing holds it up. " * 8
SERVE = (
    "import sys\nfrom pathlib import Path\nfrom harness.review.serve import serve\n"
    "from harness.review.store import open_store\n"
    "serve(open_store(Path(sys.argv[1])), '127.0.0.1', int(sys.argv[2]), print)"
)


class Visitor:
    """A rater who opens items and grades them; `opened` and `saved` are seconds of a request."""

    def __init__(self, port: int, secret: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._home = f"/r/{secret}"
        self._cookie = ""
        self.opened: list[float] = []
        self.saved: list[float] = []

    def work(self, rounds: int) -> None:
        """Open and grade that many items."""
        path = self._ask("GET", self._home)[1]
        for _ in range(rounds):
            begin = time.perf_counter()
            page, _ = self._ask("GET", path)
            self.opened.append(time.perf_counter() - begin)
            token = re.search(r'name="token" value="(\w+)"', page)
            assert token is not None
            form = {"token": token[1], "comment": "", "q.correct": "right"}
            begin = time.perf_counter()
            _, path = self._ask("POST", path, urlencode(form))
            self.saved.append(time.perf_counter() - begin)

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[str, str]:
        headers = {"Cookie": self._cookie} if self._cookie else {}
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        given = answer.getheader("Set-Cookie")
        self._cookie = given.partition(";")[0] if given else self._cookie
        return answer.read().decode(), answer.getheader("Location") or ""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.review_page")
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--raters", type=int, default=RATERS)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        people = tuple(f"rater-{number}" for number in range(asked.raters))
        store = review(
            Path(folder), "label", asked.items, WORDS, raters=SEEN_BY, people=people, again=0.05
        )
        _grade_some(store)
        visitors = _served(store)
    load = os.getloadavg()[0]
    print(f"{asked.items} items, {asked.raters} raters at once, load of the machine {load:.1f}")
    print("| request | median ms | p95 ms | worst ms |\n|---|--:|--:|--:|")
    for name in ("opened", "saved"):
        times = 1000.0 * np.array([each for one in visitors for each in getattr(one, name)])
        middle, high = np.percentile(times, [50, 95])
        print(f"| an item {name} | {middle:.0f} | {high:.0f} | {times.max():.0f} |")


def _grade_some(store: ReviewStore) -> None:
    with connect(store.path) as database:
        database.execute("BEGIN")
        database.execute("UPDATE assignments SET done = place WHERE place % 3 = 0")
        database.execute(
            "INSERT INTO choices (rater, assignment, criterion, code, reason, at) "
            "SELECT rater, id, 'correct', 'right', '', '2026-01-01T00:00:00Z' FROM assignments "
            "WHERE place % 3 = 0"
        )
        database.execute("COMMIT")


def _served(store: ReviewStore) -> list[Visitor]:
    """The raters when all of them are done."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVE, str(store.path), str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        visitors = [Visitor(port, one.secret) for one in open_store(store.path).raters()]
        threads = [threading.Thread(target=one.work, args=(ROUNDS,)) for one in visitors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return visitors
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
