from __future__ import annotations

import pytest

from harness.records.suite import Case
from harness.scorers import Unscored, get, patterns
from harness.scorers.patterns import LEAST, SECONDS, SlowPattern, compiled, found, one_answer
from tests.manual_clock import ManualClock


@pytest.mark.parametrize(
    ("pattern", "text", "hit"),
    [
        (r"\b[A-Z]{4,}\b", "so LOUD", "LOUD"),
        (r"(?i)order\s+#?\d{4,6}", "Order #12345", "Order #12345"),
        (r"(foo|bar)+ baz", "foobar baz", "foobar baz"),
        (r"(?:\w+\s?)+!", "all is well!", "all is well!"),
        (r"[()*+]+(x)", "(*x", "(*x"),
        ("^b", "a\nb", None),
        ("B", "b", None),
        (".*.*.*.*=x", "a" * 4000, None),
    ],
)
def test_what_a_pattern_finds(pattern: str, text: str, hit: str | None) -> None:
    assert found(pattern, text) == hit


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\w*\w*\w*\w*!", "a" * 4000 + " !"),
        (r"(a?){40}a{40}!", "a" * 4000 + " !"),
        (r"(a+)+$", "a" * 4000 + "b"),
    ],
)
def test_a_search_without_end_is_given_up(pattern: str, text: str) -> None:
    with pytest.raises(SlowPattern, match="the pattern took too long"):
        found(pattern, text)


@pytest.mark.parametrize("pattern", ["(", "[a", "a{3,1}", "*a", r"\L<x>", "(" * 5000])
def test_what_is_no_pattern_is_refused_in_one_line(pattern: str) -> None:
    with pytest.raises(ValueError, match="no regular expression") as caught:
        compiled(pattern)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pattern", ["((a{1000}){1000}){1000}", "(a{1001}){1000,}"])
def test_repeats_that_would_fill_the_memory_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="more than a million copies"):
        compiled(pattern)
    compiled(r"\d{4}-\d{2}-\d{2} \d{16} a{0,60000}")


CARD = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|" + " ".join(["[0-9]{4}"] * 4)


@pytest.mark.parametrize(
    "pattern",
    [
        CARD,
        f"({CARD}){{3}}",
        "((a{0,999}){0,999}){0,999}",
        r"[({]{999}\({999}[[:alpha:]{9}(]{999}",
        "(a{600})?(b{600})?(c{600})?(?#()x{600}",
    ],
)
def test_repeats_side_by_side_add_up(pattern: str) -> None:
    compiled(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(x(?:a{1000}|b{1000}){1000,}y)",
        r"((?:[)]a{101}\)){100}(?#()){100}",
        "(?x)( # )\n a{1001}) {1000}",
        "a{600000}|b{600000}",
    ],
)
def test_nesting_is_seen_through_brackets_escapes_and_comments(pattern: str) -> None:
    with pytest.raises(ValueError, match="more than a million"):
        compiled(pattern)


def test_a_long_answer_is_searched_to_its_end() -> None:
    assert found("b", "a" * 1_000_000 + "b") == "b"


SLOW = [rf"(a+)+{number}$" for number in range(15)]
LONG = "a" * 4000 + "b"


class Endless:
    """A pattern that takes all the time that it is given, on a clock of its own."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.given: list[float] = []

    def search(self, _text: str, *, timeout: float) -> None:
        self.given.append(timeout)
        self._clock.advance(timeout)
        raise TimeoutError


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Endless:
    """What every pattern is now."""
    clock = ManualClock()
    found = Endless(clock)
    monkeypatch.setattr(patterns, "SYSTEM_CLOCK", clock)
    monkeypatch.setattr(patterns, "compiled", lambda _: found)
    return found


def test_all_searches_in_an_answer_share_their_time(endless: Endless) -> None:
    with one_answer():
        for pattern in SLOW:
            with one_answer(), pytest.raises(SlowPattern):
                found(pattern, LONG)
    assert sum(endless.given) <= SECONDS + len(SLOW) * LEAST
    with pytest.raises(SlowPattern):
        found("b$", LONG)
    assert endless.given[-1] == endless.given[0], "the next answer has its own"


@pytest.mark.parametrize(
    ("scorer", "expect", "settings"),
    [
        ("gold", {"answers": SLOW, "match": "regex"}, {}),
        ("tone", {}, {"rubric": {"must": [{"name": one, "regex": one} for one in SLOW]}}),
    ],
)
def test_so_have_those_of_a_scorer(
    scorer: str, expect: dict[str, object], settings: dict[str, object], endless: Endless
) -> None:
    asked = Case.model_validate({"id": "c", "prompt": "?", "expect": expect})
    assert isinstance(get(scorer).score(LONG, asked, settings), Unscored)
    assert endless.given
    assert sum(endless.given) <= SECONDS + len(SLOW) * LEAST
