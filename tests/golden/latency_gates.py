"""Scenarios: rules on latency, on stored measurements."""

from __future__ import annotations

from typing import Any

from tests.golden.measured import SETTINGS, Pace, measure
from tests.golden.scenarios import WHOLE, Stage, scenario
from tests.golden.worlds import BROAD, RULES

Row = dict[str, Any]


def ratio(metric: str = "ttft_p50", value: float = 1.1) -> Row:
    return {"metric": f"latency.{metric}", "require": "ratio_at_most", "value": value}


def most(value: float, evidence: str = "bound", metric: str = "ttft_p50") -> Row:
    rule = {"metric": f"latency.{metric}", "require": "at_most", "value": value}
    return {**rule, "evidence": evidence}


def configure(stage: Stage, *rules: Row, **settings: Any) -> None:
    stage.project.configure(*RULES[:1], *rules, latency={**SETTINGS, **settings})


def latency(stage: Stage, pace: Pace, *rules: Row, page: bool = False, **settings: Any) -> None:
    """What `harness latency` says of a measurement, by these rules."""
    configure(stage, *rules, **settings)
    measure(stage.project, "good", pace, **settings)
    stage.call("latency", "good", "--stored")
    if page:
        stage.files(stage.folder / "reports/good-vs-base", "latency.page")


@scenario(BROAD)
def latency_passes(stage: Stage) -> None:
    configure(stage, ratio(), most(0.5), most(0.25, "point"))
    measure(stage.project, "good", Pace())
    stage.gate("good", files=WHOLE)
    stage.call("report", "good")


@scenario(BROAD)
def latency_fails(stage: Stage) -> None:
    configure(stage, ratio(), most(0.3), most(0.3, "point"))
    measure(stage.project, "good", Pace(candidate=2.0))
    stage.gate("good", files=WHOLE)
    latency(stage, Pace(candidate=1.2), ratio(), page=True)


@scenario(BROAD)
def latency_is_open(stage: Stage) -> None:
    configure(stage, ratio(), ratio("e2e_p50", 1.07), most(0.22), most(0.22, "point"))
    measure(stage.project, "good", Pace(1.1, metrics=("ttft_p50", "e2e_p50")))
    stage.gate("good", files=WHOLE)
    # The baseline may differ from itself by more than the rule allows.
    latency(stage, Pace(1.0, spread=0.4), ratio(), page=True)
    # The bound is beyond the limit, and the rule goes by the estimate alone.
    latency(stage, Pace(1.0), most(0.201, "point"), page=True)


@scenario(BROAD)
def latency_is_not_certifiable(stage: Stage) -> None:
    pace = Pace(0.8, metrics=("ttft_p95", "ttft_p99"))
    configure(stage, ratio("ttft_p95"), ratio("ttft_p99", 2.0))
    measure(stage.project, "good", pace)
    stage.gate("good", files=("verdict.json", "report.page"))
    stage.call("validate")
    latency(stage, Pace(2.0, metrics=("ttft_p95",)), ratio("ttft_p95"))


@scenario(BROAD)
def latency_is_not_believed(stage: Stage) -> None:
    configure(stage, ratio(value=3.0))
    measure(stage.project, "good", Pace(control=1.3))
    stage.gate("good", files=("verdict.json", "report.md"))
    for pace in (
        Pace(failing=0.1),
        Pace(failing=0.7),
        Pace(late=0.5),
        Pace(drift=0.3),
    ):
        latency(stage, pace, ratio(value=3.0))
    latency(stage, Pace(tokens=False, metrics=("tpot_p50",)), ratio("tpot_p50"), page=True)


@scenario(BROAD)
def latency_at_two_loads(stage: Stage) -> None:
    rules = (ratio(value=1.3), ratio("itl_p50", 1.5))
    pace = Pace(candidate=1.1, metrics=("ttft_p50", "itl_p50"), failing=0.01)
    slo = {"ttft": 0.22, "e2e": None}
    latency(stage, pace, *rules, page=True, loads=["single", "poisson:5/s"], slo=slo)
    stage.call("latency", "good", "--stored", "--json", json=True)


@scenario(BROAD)
def latency_is_not_there(stage: Stage) -> None:
    configure(stage, ratio())
    stage.call("gate", "good", "--stored")
    stage.call("latency", "good", "--stored")
    stage.call("compare", "good", "slight")
    measure(stage.project, "good", Pace())
    stage.call("compare", "good")
    configure(stage, ratio(), requests=200)
    stage.call("latency", "good", "--stored")
    configure(stage, ratio())
    stage.gate("good")
    measure(stage.project, "good", Pace(candidate=1.01), seed=2)
    stage.call("report", "good")
    stage.call("promote", "good")
    block = ".harness/latency/good-vs-base-0123456789ab/001/blocks/00-0000-0.json"
    (stage.folder / block).write_text("{", encoding="utf-8")
    stage.call("latency", "good", "--stored")
    stage.gate("same")  # answers that cannot be trusted need no measurement
