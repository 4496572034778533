"""Labels for tests."""

from __future__ import annotations

from typing import Any

from harness.records.label import Label

DIGEST = "sha256:0"


def label(**given: Any) -> Label:
    """A label of the shop's first gold case, but for what is given."""
    usual: dict[str, Any] = {
        "suite": "shop",
        "section": "gold",
        "cases": DIGEST,
        "case": "a",
        "target": "candidate",
        "answer": DIGEST,
        "rater": "anna",
        "value": 1.0,
        "probability": 0.5,
        "time": "2026-01-01T00:00:00Z",
    }
    return Label.model_validate(usual | given)
