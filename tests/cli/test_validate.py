"""`harness validate` reads everything and asks nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.builders import call


def test_names_that_lead_elsewhere_are_refused(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    good = path.read_text()
    for old, new in (
        ("  candidate:", "  ../../esc:"),
        ("  candidate:", "  c[1]:"),
        ("baseline: base", "baseline: sealed:../x"),
    ):
        path.write_text(good.replace(old, new, 1))
        assert call("validate") == 2, new
        assert capsys.readouterr().err.count("\n") == 1
    path.write_text(good)
    assert call("gate", "candidate", "--baseline", "sealed:../x") == 2


def with_rules(project_dir: Path, *rules: dict[str, Any], **gate: Any) -> None:
    path = project_dir / "harness.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["gate"].update(rules=list(rules), **gate)
    path.write_text(yaml.safe_dump(settings))


def test_a_policy_that_cannot_fail_is_warned_of_with_its_line(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metric = {"metric": "shop.gold.accuracy"}
    with_rules(
        project_dir,
        {**metric, "require": "no_worse_than_baseline", "margin": 1},
        {**metric, "require": "at_least", "value": 0},
        {"metric": "latency.ttft_p50", "require": "ratio_at_most", "value": 1e9},
        min_scored=0.01,
    )
    assert call("validate") == 0
    said = capsys.readouterr().err
    for key, words in (
        ("rules[0]", "no_worse_than_baseline: even a candidate that is wrong in every case passes"),
        ("rules[1]", "at_least: even a candidate that is wrong in every case passes"),
        ("rules[2]", "is no limit"),
        ("min_scored", "the verdict may rest on 1 % of a section's cases"),
    ):
        (line,) = [one for one in said.splitlines() if f"gate.{key}: " in one and words in one]
        assert line.startswith("warning: harness.yaml:")


def test_a_rule_that_looks_the_wrong_way_is_an_error_with_its_line(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ratio = {"metric": "shop.gold.accuracy", "require": "ratio_at_most", "value": 1.0}
    with_rules(project_dir, ratio)
    for command in (("validate",), ("gate", "candidate")):
        assert call(*command) == 2
        said = capsys.readouterr().err
        assert "gate.rules[0].require: `ratio_at_most` has the wrong direction" in said
        assert said.count("\n") == 1


def test_a_baseline_that_is_asked_less_is_no_baseline(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["targets"]["base"]["generation"] = {"max_tokens": 2}
    path.write_text(yaml.safe_dump(settings))
    told = (
        "`candidate` and `base` are asked differently: max_tokens is 128 for the candidate, 2 for"
    )
    for command, code in (
        (("validate",), 0),
        (("run", "candidate"), 0),
        (("gate", "candidate"), 3),
    ):
        assert call(*command) == code
        said = capsys.readouterr()
        assert told in said.err
        assert "`compare_across: [max_tokens]`" in said.err
    assert said.out.startswith("INVALID  candidate against base")
    settings["gate"]["compare_across"] = ["max_tokens"]
    path.write_text(yaml.safe_dump(settings))
    assert call("gate", "candidate") == 0
    page = (project_dir / "reports/candidate-vs-base/report.md").read_text()
    assert "which the policy compares across" in page


def test_a_margin_that_the_groups_can_never_show_is_told(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "suites/shop/gold.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:10]))
    rule = {"metric": "shop.gold.accuracy", "require": "no_worse_than_baseline"}
    said = (
        "shop.gold.accuracy: a candidate that answers as the baseline does cannot pass a margin "
        "of 0.25: 10 groups show 0.259 at best; widen it, or add groups"
    )
    for margin, told in ((0.25, True), (0.5, False)):
        with_rules(project_dir, {**rule, "margin": margin})
        assert call("validate") == 0
        assert (said in capsys.readouterr().err) is told
        assert call("power") == 0
        assert (said in capsys.readouterr().out) is told


def test_one_of_a_kind_is_called_so(project_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = project_dir / "suites/shop"
    (suite / "gold.jsonl").write_text((suite / "gold.jsonl").read_text().splitlines()[0] + "\n")
    written = yaml.safe_load((suite / "suite.yaml").read_text())
    written["sections"] = {"gold": written["sections"]["gold"], "talk": {"tests": "test_talk.py"}}
    (suite / "suite.yaml").write_text(yaml.safe_dump(written))
    (suite / "test_talk.py").write_text(
        "import pytest\n\n\n@pytest.mark.case(critical=True)\ndef test_one(chat):\n    pass\n"
    )
    with_rules(project_dir, {"require": "no_new_critical_failures"})
    assert call("validate") == 0
    said = capsys.readouterr().out
    assert "shop v1: 1 case and 1 Python test in 2 groups, 2 sections\n" in said
    assert "  gold: 1 case in 1 group, gold -> " in said
    assert "  talk: the Python tests of test_talk.py: 1 test in 1 group, 1 critical -> " in said
    (suite / "test_talk.py").write_text("def test_one(:\n")
    assert call("validate") == 0
    said = capsys.readouterr().err
    assert "test_talk.py:1: no Python: invalid syntax" in said


def test_all_limits_of_latency_are_told_at_once(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["latency"] = {"requests": 30, "rounds": 2, "max_tokens": 0}
    path.write_text(yaml.safe_dump(settings))
    assert call("validate") == 2
    assert "latency: requests must be at least 40, not 30; rounds must be at least 10, not 2; " in (
        capsys.readouterr().err
    )
