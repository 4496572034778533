"""The oracle with two models, of which one is as slow as it is told.

`python -m benchmarks.latency_oracle --candidate '{"times": 1.2}'` prints its address on one line
and runs until its standard input ends. As vLLM does, it says how long a conversation may be and
takes a `cache_salt`, so that it is measured as vLLM is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path

from benchmarks.latency_arms import BASELINE, CANDIDATE, Answers, Behaviour
from benchmarks.oracle import Oracle, Script, counts, pieces, serve
from harness.latency.deadline_timer import DeadlineTimer

ROOT = Path(__file__).parent.parent
_BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


class ArmsOracle(Oracle):
    """Says as many words as the model that is asked for has drawn, when it has drawn them."""

    models = tuple(
        {"id": name, "object": "model", "max_model_len": 4096} for name in (BASELINE, CANDIDATE)
    )

    def __init__(self, answers: Answers, timer: DeadlineTimer) -> None:
        super().__init__(Script(last=1.0), timer)
        self._answers = answers

    def reply(self, body: bytes) -> tuple[Sequence[float], list[bytes]]:
        """When the pieces of an answer are due, in seconds after the request, and the pieces."""
        asked = json.loads(body)
        model = asked["model"]
        drawn = self._answers.draw(model, asked.get("cache_salt"), time.monotonic())
        offsets = (drawn.first + drawn.later).tolist()
        if drawn.fails:
            return offsets[:1], [_BROKEN]
        return offsets, _said(model, len(offsets), counts(body))


@cache
def _said(model: str, words: int, counting: bool) -> list[bytes]:
    return pieces(Script(words=words), counting=counting, model=model)


@contextmanager
def started(candidate: Behaviour, seed: int, scale: float) -> Iterator[str]:
    """The address of such a server in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.latency_oracle", "--seed", str(seed)]
    command += ["--scale", str(scale), "--candidate", json.dumps(asdict(candidate))]
    server = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.communicate()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve."""
    import asyncio

    import uvloop

    parser = argparse.ArgumentParser(description="A server with two models.")
    parser.add_argument("--candidate", type=json.loads, default={}, help="how it behaves, as JSON")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=float, default=0.1, help="of all times")
    given = parser.parse_args(arguments)
    behaviours = {BASELINE: Behaviour(), CANDIDATE: Behaviour(**given.candidate)}
    answers = Answers(behaviours, given.seed, given.scale)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(partial(ArmsOracle, answers)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
