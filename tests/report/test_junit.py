"""JUnit XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import xmlschema

from harness.records.verdict import Decision
from harness.report.content import GateFailure, ReportContent
from harness.report.junit import render_failure_junit, render_junit
from tests.report.fixtures import pair
from tests.report.hostile import hostile_pair

JENKINS = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))


def _root(decision: Decision) -> ET.Element:
    verdict, compared = pair(decision)
    return ET.fromstring(render_junit(ReportContent(verdict, compared)))


@pytest.mark.parametrize(
    ("decision", "failures", "errors"),
    [("PROMOTE", 0, 0), ("BLOCK", 5, 0), ("INCONCLUSIVE", 0, 1), ("INVALID", 0, 3)],
)
def test_failures_and_errors_agree_with_the_verdict(
    decision: Decision, failures: int, errors: int
) -> None:
    root = _root(decision)
    assert (root.get("failures"), root.get("errors")) == (str(failures), str(errors))
    assert len(list(root.iter("failure"))) == failures
    assert len(list(root.iter("error"))) == errors


def test_counts_add_up_and_every_rule_is_a_test() -> None:
    root = _root("BLOCK")
    assert int(root.get("tests", "0")) == len(list(root.iter("testcase")))
    for suite in root:
        assert int(suite.get("tests", "0")) == len(suite.findall("testcase"))
        assert int(suite.get("skipped", "0")) == len(suite.findall("testcase/skipped"))
        assert suite.get("timestamp") == "2026-11-20T14:05:00"
    rules = root.find("testsuite[@name='rules']")
    assert rules is not None
    assert len(rules.findall("testcase")) == 5
    failed = rules.find("testcase[@name='support.scope.f1: at least 85.0%']/failure")
    assert failed is not None
    assert "interval: 9.4% to 23.1%" in (failed.text or "")


def test_a_new_failure_of_an_ordinary_case_is_tolerated() -> None:
    messages = [node.get("message", "") for node in _root("BLOCK").iter("skipped")]
    assert any(message.startswith("new failure, tolerated") for message in messages)


def test_a_case_takes_as_long_as_the_candidate_s_answer_and_the_sums_fit() -> None:
    root = _root("BLOCK")
    times = [float(case.get("time", "")) for case in root.iter("testcase")]
    assert times.count(0.2) == sum(
        case.get("classname") != "rules" for case in root.iter("testcase")
    )
    assert float(root.get("time", "")) == pytest.approx(sum(times))
    for suite in root:
        own = [float(case.get("time", "")) for case in suite.iter("testcase")]
        assert float(suite.get("time", "")) == pytest.approx(sum(own))


def test_hostile_texts_make_a_file_that_parses() -> None:
    verdict, compared = hostile_pair()
    text = render_junit(ReportContent(verdict, compared))
    root = ET.fromstring(text.encode())
    assert any("⟨U+D800⟩" in (node.text or "") for node in root.iter("failure"))
    JENKINS.validate(text)


@pytest.mark.parametrize("decision", ["PROMOTE", "BLOCK", "INCONCLUSIVE", "INVALID"])
def test_jenkins_takes_it(decision: Decision) -> None:
    JENKINS.validate(ET.tostring(_root(decision), encoding="unicode"))


HOSTILE = "a ]]> <b> & \x00\x1b[31m \ud800 \ufffe \u202e \r\n end"


def test_a_gate_without_a_verdict_is_one_error_whatever_its_words() -> None:
    failure = GateFailure("INVALID", HOSTILE, HOSTILE, HOSTILE, "", 3, "2026-11-20T14:05:00Z")
    text = render_failure_junit(failure)
    JENKINS.validate(text)
    root = ET.fromstring(text.encode())
    assert (root.get("tests"), root.get("errors"), root.get("failures")) == ("1", "1", "0")
    error = root.find("testsuite/testcase/error")
    assert error is not None
    assert error.get("type") == "INVALID"
    assert "a ]]> <b> & ␀␛[31m ⟨U+D800⟩ ⟨U+FFFE⟩ ⟨U+202E⟩ end" in (error.text or "")


@pytest.mark.parametrize(
    "broken",
    [
        '<testsuites><testsuite name="a" tests="1" failures="0"/></testsuites>',
        '<testsuites><testsuite name="a" tests="0" failures="0" errors="0" x="y"/></testsuites>',
        '<testsuites disabled="0"/>',
    ],
)
def test_the_schema_refuses_what_jenkins_would(broken: str) -> None:
    assert not JENKINS.is_valid(broken)
