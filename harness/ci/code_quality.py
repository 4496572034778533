"""GitLab's Code Quality report: the annotations, as a merge request shows them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from harness.ci.annotations import Annotation

_SEVERITY = {"error": "critical", "warning": "minor"}
_MOST = 1_000


def render_codequality(annotations: Iterable[Annotation]) -> str:
    """A JSON list of findings; what has no place in a file of the repository is left out.

    A finding's fingerprint knows neither line nor text, so that it stays the same finding when its
    case moves. https://docs.gitlab.com/ci/testing/code_quality
    """
    found = [
        {
            "description": f"{one.title}\n{one.text}",
            "check_name": one.name.partition(" ")[0],
            "fingerprint": _fingerprint(one),
            "severity": _SEVERITY[one.level],
            "location": {"path": one.place.file, "lines": {"begin": one.place.line or 1}},
        }
        for one in annotations
        if one.place is not None
    ]
    return json.dumps(found[:_MOST], indent=1) + "\n"


def _fingerprint(one: Annotation) -> str:
    file = one.place.file if one.place is not None else ""
    return hashlib.sha256(f"{file}\0{one.name}".encode("utf-8", "surrogatepass")).hexdigest()
