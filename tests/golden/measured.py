"""Stored measurements of latency, written in the format that they have on disk."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from harness.records.latency import Measurement
from harness.storage.working_files import MeasurementFolder
from tests.golden.project import Project

ARMS = ("candidate", "baseline", "control")
SETTINGS: dict[str, Any] = {
    "loads": ["closed:4"],
    "requests": 100,
    "rounds": 10,
    "max_tokens": 8,
    "length": "natural",
    "slo": None,
    "suites": [],
    "seed": 0,
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow the arms are: times are multiples of 200 ms, uncertain by `spread` in each round."""

    candidate: float = 1.0
    control: float = 1.0
    spread: float = 0.02
    failing: float = 0.0
    tokens: bool = True
    late: float = 0.0
    drift: float = 0.0
    metrics: tuple[str, ...] = ("ttft_p50",)


def measure(
    project: Project, candidate: str, pace: Pace, *, seed: int = 1, **settings: Any
) -> None:
    """Put a finished measurement of the candidate against `base` into the project."""
    given = {**SETTINGS, **settings}
    headers = {
        name: json.loads((project.run(name) / "run.json").read_text(encoding="utf-8"))
        for name in (candidate, "base")
    }
    identities = {
        arm: headers[candidate if arm == "candidate" else "base"]["identity"] for arm in ARMS
    }
    name = f"{candidate}-vs-base-0123456789ab/001"
    folder = project.folder / ".harness/latency" / name
    (folder / "blocks").mkdir(parents=True, exist_ok=True)
    (folder / "measurement.json").unlink(missing_ok=True)
    for path in folder.glob("blocks/*"):
        path.unlink()
    header = {
        "id": name,
        "candidate": candidate,
        "baseline": "base",
        "models": {arm: identities[arm]["model"] for arm in ARMS},
        "identities": identities,
        "settings": given,
        "generation": headers["base"]["generation"],
        "suites": headers["base"]["suites"],
        "salted": False,
        "fixed": False,
        "paces": [{"load": load, "opening": 2, "closing": 0, "rate": None, "capacity": None}
                  for load in given["loads"]],
        "alpha": 0.05,
        "metrics": list(pace.metrics),
        "config_digest": "sha256:0",
        "created": "2026-11-01T13:00:00Z",
    }  # fmt: skip
    draw = random.Random(seed)
    began = 1_790_000_000.0
    for place, load in enumerate(given["loads"]):
        for number in range(given["rounds"]):
            for turn, arm in enumerate(ARMS):
                block = _block(draw, load, number, turn, arm, pace, given)
                block["began"] = began
                began += block["seconds"]
                file = folder / "blocks" / f"{place:02d}-{number:04d}-{turn}.json"
                file.write_text(json.dumps(block) + "\n", encoding="utf-8")
    MeasurementFolder(folder).finish(Measurement.model_validate(header))


def _block(
    draw: random.Random,
    load: str,
    number: int,
    turn: int,
    arm: str,
    pace: Pace,
    settings: dict[str, Any],
) -> dict[str, Any]:
    times = {"candidate": pace.candidate, "baseline": 1.0, "control": pace.control}[arm]
    common = times * (1.0 + pace.spread * (2.0 * draw.random() - 1.0)) * (1 + pace.drift * number)
    samples = []
    due = 0.0
    for place in range(settings["requests"] // settings["rounds"] + 2):
        first = 0.2 * common * (0.8 + 0.4 * draw.random())
        chunks = [first]
        for _ in range(3):
            chunks.append(chunks[-1] + 0.02 * (0.5 + draw.random()))
        done = chunks[-1] + 0.001
        fails = arm == "candidate" and draw.random() < pace.failing
        failure = {"cause": "http", "detail": "HTTP 500", "status": 500} if fails else None
        samples.append({
            "prompt": place,
            "due": due,
            "timing": {"sent": 0.0005, "chunks": [] if fails else chunks, "done": done},
            "tokens": None if fails or not pace.tokens else 8,
            "first_tokens": None,
            "prompt_tokens": 12,
            "failure": failure,
            "late": pace.late,
            "uncounted": place < 2,
        })  # fmt: skip
        due += done / 4
    client = {"lag_p99": 0.0, "lag_longest": 0.0, "gc_longest": 0.0, "gc_total": 0.0, "cpu": 0.1}
    return {
        "load": load,
        "round": number,
        "place": turn,
        "arm": arm,
        "seconds": due + 1.0,
        "samples": samples,
        "client": client,
        "server": {},
    }
