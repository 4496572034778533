"""`verdict.json`: the verdict record itself."""

from __future__ import annotations

import json
from typing import Any

from harness.records.verdict import Verdict

# The order people read the file in; what is not named here follows.
_ORDER = (
    "schema_version",
    "verdict",
    "candidate",
    "baseline",
    "alpha",
    "rules",
    "new_critical_failures",
    "accounting",
    "hashes",
    "harness_version",
    "created",
)


def render_json(verdict: Verdict) -> str:
    """The verdict as indented JSON in ASCII, which holds even a lone surrogate."""
    data: dict[str, Any] = verdict.model_dump(mode="python")
    for rule in data["rules"]:
        rule["limit"] = rule.pop("limit")
    ordered = {name: data.pop(name) for name in _ORDER}
    return json.dumps({**ordered, **data}, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
