"""What a server is not sent is said, with what follows from it."""

from __future__ import annotations

from typing import Any

import pytest

from harness.records.omissions import omissions
from harness.records.request_fields import RequestForm

GREEDY: dict[str, Any] = {"temperature": 0.0, "repeats": 1}


@pytest.mark.parametrize(
    ("omit", "generation", "said"),
    [
        ([], GREEDY, []),
        (["top_k"], GREEDY, []),  # it is not set, so nothing is missing
        (["top_k"], {**GREEDY, "top_k": 4}, ["`top_k`"]),
        (["seed"], GREEDY, ["`seed`"]),
        (["seed"], {**GREEDY, "repeats": 3}, ["`seed`", "chance is the server's"]),
        (["seed"], {**GREEDY, "temperature": 1.0}, ["`seed`", "chance is the server's"]),
        (["seed", "temperature"], GREEDY,
         ["`seed`, `temperature`", "samples at one of its own", "chance is the server's"]),
        (["max_tokens"], GREEDY, ["`max_tokens`", "alone limits how long"]),
        (["stream_options"], GREEDY, ["`stream_options`", "may count no tokens"]),
    ],
)  # fmt: skip
def test_what_is_said(omit: list[str], generation: dict[str, Any], said: list[str]) -> None:
    found = list(omissions(RequestForm(omit=tuple(omit)), generation))
    assert len(found) == len(said)
    for sentence, words in zip(found, said, strict=True):
        assert words in sentence
