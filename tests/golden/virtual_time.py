"""Whole measurements of latency on a server in simulated time, and what the rules say of them."""

from __future__ import annotations

import json
from dataclasses import replace

from benchmarks.latency_decisions import ROWS, gate

# With all its requests a measurement is looked at before its end, and may end there.
_LONG = (0, 1, 4, 7, 11)


def decisions() -> str:
    """Of each row of the benchmark the outcome and the number of rounds that it took."""
    lines = []
    for place, row in enumerate(ROWS):
        told = f"{place} {row.words} {row.metric}"
        short = replace(row, requests=200, rounds=12)
        lines.append(f"{told}, 200 requests: {json.dumps(gate(short, place))}")
        if place in _LONG:
            lines.append(f"{told}, {row.requests} requests: {json.dumps(gate(row, place))}")
    return "\n".join(lines)
