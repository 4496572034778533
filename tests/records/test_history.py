"""Gates as they are logged: moments that are moments, and lines that come back from the disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.gate.history import history
from harness.records.history import History, PastGate, Promotion, identity_of, instant
from tests.report.history_fixtures import FIRST, GOLD, SCOPE, kept, result, verdict

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2199, 1, 1), timezones=ZONES)  # noqa: DTZ001
)
def test_a_moment_is_the_same_in_every_zone(moment: datetime) -> None:
    found = instant(moment.isoformat())
    assert found == moment
    assert found.tzinfo is UTC
    assert instant(found.isoformat()) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("yesterday", "`yesterday` is no moment in ISO 8601"),
        ("", "`` is no moment in ISO 8601"),
        ("2026-01-01T00:00:00", "`2026-01-01T00:00:00` has no time zone"),
        ("1999-12-31T23:59:59Z", "`1999-12-31T23:59:59Z` is not in the years 2000 to 2200"),
        ("x" * 99, f"`{'x' * 40}` is no moment in ISO 8601"),
    ],
)
def test_what_is_no_moment_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        instant(text)
    assert str(caught.value) == said
    with pytest.raises(ValidationError):
        Promotion(name="v1", sealed=text)
    with pytest.raises(ValidationError):
        PastGate(suites={}, metrics={}, verdict=verdict().model_copy(update={"created": text}))


def test_a_logged_gate_and_a_history_come_back_from_the_disk(tmp_path: Path) -> None:
    line = kept(verdict())
    found = history("support", [line], [], [])
    (tmp_path / "gate").write_text(line.model_dump_json())
    (tmp_path / "history").write_text(found.model_dump_json())
    assert PastGate.model_validate_json((tmp_path / "gate").read_bytes()) == line
    assert History.model_validate_json((tmp_path / "history").read_bytes()) == found


def test_metrics_come_as_the_latest_policy_orders_them() -> None:
    scope, gold = (result(name, "at_least", 0.5, (0.9, 0.8)) for name in (SCOPE, GOLD))
    early, late = verdict(rules=(gold,)), verdict(FIRST + timedelta(days=1), (scope, gold))
    found = history("support", [kept(early), kept(late)], [], [])
    assert found.metrics()[:2] == (SCOPE, GOLD)
    assert [len(gate.rules_on(SCOPE)) for gate in found.gates] == [0, 1]


def test_a_gate_is_known_by_its_moment_its_sides_and_what_it_judged() -> None:
    given_verdict = verdict()
    assert identity_of(given_verdict) == identity_of(given_verdict.model_copy())
    for other in (
        verdict(FIRST + timedelta(seconds=1)),
        verdict(candidate="other"),
        verdict(suites="sha256:other"),
    ):
        assert identity_of(other) != identity_of(given_verdict)
