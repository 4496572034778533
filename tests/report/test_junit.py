"""JUnit XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from harness.records.verdict import Decision
from harness.report.junit import render_junit
from harness.report.view import build_view
from tests.report.fixtures import pair
from tests.report.hostile import hostile_pair


def _root(decision: Decision) -> ET.Element:
    return ET.fromstring(render_junit(build_view(*pair(decision))))


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
    assert len(rules) == 5
    failed = rules.find("testcase[@name='support.scope.f1: at least 85.0%']/failure")
    assert failed is not None
    assert "interval: 9.4% to 23.1%" in (failed.text or "")


def test_a_new_failure_of_an_ordinary_case_is_tolerated() -> None:
    messages = [node.get("message", "") for node in _root("BLOCK").iter("skipped")]
    assert any(message.startswith("new failure, tolerated") for message in messages)


def test_hostile_texts_make_a_file_that_parses() -> None:
    text = render_junit(build_view(*hostile_pair()))
    root = ET.fromstring(text.encode())
    assert any("⟨U+D800⟩" in (node.text or "") for node in root.iter("failure"))
