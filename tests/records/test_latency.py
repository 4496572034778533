"""How a load is written, a section of latency as it is kept, and which metrics are times."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from harness.records.base import explain
from harness.records.latency import LatencySection, LatencySettings, is_latency
from harness.records.load import Load
from tests.report.measured import load, section

LOADS = TypeAdapter(Load)


@pytest.mark.parametrize(
    ("written", "load"),
    [
        ("single", Load(kind="single")),
        ("closed:16", Load(kind="closed", concurrency=16)),
        ("poisson:5/s", Load(kind="poisson", rate=5.0)),
        ("poisson:0.25/s", Load(kind="poisson", rate=0.25)),
        ("poisson:65%", Load(kind="poisson", share=0.65)),
    ],
)
def test_what_is_written_is_read_and_written_again(written: str, load: Load) -> None:
    assert LOADS.validate_python(written) == load
    assert str(load) == written
    assert LOADS.validate_json(load.model_dump_json()) == load


@given(
    st.integers(1, 4096).map("closed:{}".format)
    | st.floats(0.01, 100.0).map("poisson:{:.6f}%".format)
    | st.floats(0.001, 1e6).map("poisson:{:.6f}/s".format)
)
def test_every_load_survives_a_file(written: str) -> None:
    load = LOADS.validate_python(written)
    again = LOADS.validate_json(load.model_dump_json())
    assert str(again) == str(load)
    assert (again.kind, again.concurrency) == (load.kind, load.concurrency)
    assert again.rate == pytest.approx(load.rate)
    assert again.share == pytest.approx(load.share)


@pytest.mark.parametrize(
    "written",
    ["", "open", "closed", "closed:0", "closed:-1", "closed:9999", "poisson", "poisson:5",
     "poisson:0/s", "poisson:0%", "poisson:101%", "poisson:nan%", "poisson:5/min", "single:2"],
)  # fmt: skip
def test_what_is_no_load_is_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        LOADS.validate_python(written)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"loads": ["often"]}, "loads.0: `often` is no load: write single, closed:16"),
        ({"loads": []}, "loads: "),
        ({"loads": ["single", "single"]}, "loads: one is named twice"),
        ({"slo": {}}, "slo: give `ttft`, `tta`, `e2e` or several"),
        ({"slo": {"ttft": 0}}, "slo.ttft: "),
        ({"requests": 40, "rounds": 40}, "requests: must be at least twice the rounds"),
        ({"rounds": 3}, "rounds: "),
        ({"requests": 30, "rounds": 40}, "requests must be at least 80, not 30"),
        ({"requests": 1, "rounds": 1}, "requests must be at least 40, not 1; rounds must be at "),
        ({"request": 3}, "request: unknown key"),
    ],
)
def test_settings_that_cannot_be_say_which_and_why(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LatencySettings.model_validate(settings)
    assert explain(caught.value).startswith(words)


@pytest.mark.parametrize(
    "load",
    [{"kind": "poisson"}, {"kind": "poisson", "rate": 1.0, "share": 0.5},
     {"kind": "single", "rate": 1.0}, {"kind": "closed", "concurrency": 2, "share": 0.5}],
)  # fmt: skip
def test_a_rate_or_a_share_belongs_to_an_open_load_alone(load: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LOADS.validate_python(load)


def test_a_section_with_an_empty_list_of_its_own_problems_can_be_read() -> None:
    made = section(load())
    once = {**json.loads(made.model_dump_json()), "problems": []}
    assert LatencySection.model_validate_json(json.dumps(once)) == made


def test_a_section_with_problems_of_its_own_is_none() -> None:
    once = {**section(load()).model_dump(mode="json"), "problems": ["it was late"]}
    with pytest.raises(ValidationError, match="problems"):
        LatencySection.model_validate(once)


@pytest.mark.parametrize(
    ("metric", "is_one"),
    [
        ("latency.ttft_p95", True),
        ("latency.service_ttft_p50", True),
        ("latency.ttft_p94", False),
        ("latency.ttft_p95.accuracy", False),
        ("latency.gold.accuracy", False),  # of a suite with that name
        ("shop.gold.accuracy", False),
        (None, False),
    ],
)
def test_a_rule_is_on_latency_by_its_metric(metric: str | None, is_one: bool) -> None:
    assert is_latency(metric) is is_one
