"""Whether a CI service runs this process, by the variable `CI` that they all set."""

from __future__ import annotations

import os

_NO = ("", "0", "false", "no", "off")


def in_ci() -> bool:
    """Whether the environment variable CI says so; empty, 0, false, no and off say that none does.

    Upper and lower case are the same.
    """
    return os.environ.get("CI", "").strip().lower() not in _NO
