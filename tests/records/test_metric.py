import pytest
from pydantic import ValidationError

from harness.records.metric import Metric
from harness.records.run import SectionPlan

NATS = Metric(name="nats", unit="nats per token", direction="lower", low=None, high=None)


def test_a_plain_share_is_written_as_its_name() -> None:
    plan = SectionPlan(
        suite="shop", section="gold", scorer="gold", metrics=(Metric(name="accuracy"),), planned=1
    )
    assert plan.model_dump(mode="json")["metrics"] == ["accuracy"]
    assert SectionPlan.model_validate_json(plan.model_dump_json()) == plan


def test_any_other_metric_is_written_with_all_that_it_means() -> None:
    plan = SectionPlan(suite="shop", section="ppl", scorer="x", metrics=(NATS,), planned=1)
    (written,) = plan.model_dump(mode="json")["metrics"]
    assert written == {
        "name": "nats",
        "unit": "nats per token",
        "direction": "lower",
        "low": None,
        "high": None,
    }
    assert SectionPlan.model_validate_json(plan.model_dump_json()) == plan
    excluding = plan.model_dump_json(exclude_none=True)
    assert SectionPlan.model_validate_json(excluding) == plan
    assert SectionPlan.model_validate_json(plan.model_dump_json(exclude_defaults=True)) == plan


def test_bounds_are_in_order_and_say_what_is_outside() -> None:
    with pytest.raises(ValidationError, match="low 1 is not below high 0"):
        Metric(name="m", low=1.0, high=0.0)
    assert Metric(name="m").outside(1.5) == "m 1.5 is more than 1"
    assert Metric(name="m").outside(-0.5) == "m -0.5 is less than 0"
    assert NATS.outside(1e6) == ""


def test_a_share_that_needs_an_audit_is_written_as_such() -> None:
    judged = Metric(name="helpful", needs_audit=True)
    written = judged.model_dump(mode="json")
    assert written["needs_audit"] is True
    assert Metric.model_validate(written) == judged == judged.unless_share
    assert "needs_audit" not in NATS.model_dump()
