"""What asking every case more than once showed, in one sentence."""

from __future__ import annotations

from harness.records.run import Run
from harness.report import numbers


def repeats_sentence(run: Run) -> str:
    """In how many cases the repeats' texts differ, without a full stop; empty for one repeat.

    At temperature 0 texts that differ come from the server: its arithmetic depends on which
    requests it computes together.
    """
    settings = run.header.generation
    repeats, temperature = int(settings.get("repeats", 1)), float(settings.get("temperature", 0.0))
    differ, cases = run.repeats()
    if repeats < 2 or not cases:
        return ""
    found = numbers.count(differ) if differ else "none"
    told = (
        f"{numbers.count(repeats)} repeats a case at temperature {temperature:g}: "
        f"texts differ in {found} of {numbers.count(cases)} cases"
    )
    if differ and temperature == 0.0:
        told += "; the server's answers depend on what else it computes"
    return told
