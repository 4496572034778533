"""Only what changes an answer is a part of what an answer is known by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.records.target import Generation, Identity

ENGINE = st.dictionaries(
    st.text(min_size=1, max_size=5), st.text(max_size=5) | st.booleans() | st.integers()
)


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"temperature": 0.5}, True),
        ({"top_p": 0.5}, True),
        ({"max_tokens": 7}, True),
        ({"concurrency": 7}, False),
        ({"retries": 7}, False),
        ({"case_timeout": 7.0}, False),
        ({"repeats": 7}, False),
    ],
)
def test_limits_of_a_request_are_no_sampling(change: dict[str, float], counts: bool) -> None:
    changed = Generation.model_validate(change)
    assert (changed.sampling() != Generation().sampling()) is counts


@pytest.mark.parametrize(
    "bad",
    [{"temperature": -0.1}, {"top_p": 0.0}, {"max_tokens": 0}, {"repeats": 0},
     {"chunk_timeout": 0.0}, {"temprature": 1.0}],
)  # fmt: skip
def test_what_no_server_takes_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Generation.model_validate(bad)


@given(ENGINE)
def test_an_identity_comes_back_as_it_was(arguments: dict[str, str | bool | int]) -> None:
    identity = Identity(server="s", server_version="1", model="m", engine_args=arguments)
    assert Identity.model_validate_json(identity.model_dump_json()) == identity
