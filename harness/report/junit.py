"""JUnit XML for CI servers such as Jenkins."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from harness.records.comparison import PairedCase
from harness.records.verdict import Decision, RuleResult
from harness.report.cases import CaseText
from harness.report.content import GateFailure, ReportContent
from harness.report.leakage_text import without_of
from harness.report.rules import estimate_of, interval_of, own_value, requirement, rule_name
from harness.report.text import anchor
from harness.visible_text import one_line

_TEXT = 4_000
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render_junit(report: ReportContent) -> str:
    """One test for each rule, problem, critical case and new failure.

    A rule or critical case that fails is a `<failure>`; what the evidence cannot settle is an
    `<error>`; a new failure of an ordinary case is `<skipped>`, because the rules decide on it.
    A PROMOTE verdict has neither failure nor error. A case's time is that of the candidate's
    answer, 0 where it was reused or is missing.
    """
    verdict, cases = report.verdict, report.comparison.cases
    seconds = {anchor(case.path, case.repeat): _seconds(case) for case in cases}
    suites = {"rules": [_rule(rule) for rule in report.rules]}
    for place, text in enumerate(report.problems, 1):
        test = _test("evidence", f"problem {place}")
        ET.SubElement(test, "error", {"type": "evidence", "message": text})
        suites.setdefault("evidence", []).append(test)
    for group in report.groups:
        for case in group.cases:
            if case.critical or group.key == "new_failure":
                test = _case(case, group.key, verdict.verdict)
                test.set("time", f"{seconds.get(case.anchor, 0.0):.3f}")
                suites.setdefault(case.section, []).append(test)
    candidate, baseline = one_line(verdict.candidate, 80), one_line(verdict.baseline, 80)
    facts = {"verdict": verdict.verdict, "candidate": candidate, "baseline": baseline}
    stamp = one_line(verdict.created, 40)
    return _document(f"{candidate} against {baseline}", suites, facts, stamp)


def render_failure_junit(failure: GateFailure) -> str:
    """One test with one error, for a gate without a verdict."""
    test = _test("evidence", "the gate comes to a verdict")
    details = {"type": failure.word, "message": failure.reason}
    ET.SubElement(test, "error", details).text = failure.reason
    return _document(failure.title, {"evidence": [test]}, {"verdict": failure.word}, failure.stamp)


def _document(
    title: str, suites: Mapping[str, Sequence[ET.Element]], facts: Mapping[str, str], stamp: str
) -> str:
    root = ET.Element("testsuites", {"name": title})
    for name, tests in suites.items():
        suite = ET.SubElement(root, "testsuite", {"name": name, "tests": str(len(tests))})
        for key, tag in _COUNTED.items():
            suite.set(key, str(sum(test.find(tag) is not None for test in tests)))
        suite.set("time", _sum(tests))
        suite.set("timestamp", stamp.removesuffix("Z")[:19])
        properties = ET.SubElement(suite, "properties")
        for key, value in facts.items():
            ET.SubElement(properties, "property", {"name": key, "value": value})
        suite.extend(tests)
    for kind in ("tests", "failures", "errors"):
        root.set(kind, str(sum(int(suite.get(kind, "0")) for suite in root)))
    root.set("time", _sum(list(root)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _sum(parts: Sequence[ET.Element]) -> str:
    return f"{sum(float(part.get('time', '0')) for part in parts):.3f}"


def _seconds(case: PairedCase) -> float:
    attempt = case.candidate_attempt
    taken_over = attempt.reused_from is not None
    return 0.0 if attempt.timing is None or taken_over else max(0.0, attempt.timing.done)


def _test(classname: str, name: str) -> ET.Element:
    return ET.Element("testcase", {"classname": classname, "name": name, "time": "0.000"})


def _rule(rule: RuleResult) -> ET.Element:
    name = rule_name(rule)
    test = _test("rules", f"{name}: {requirement(rule)}" if rule.metric else name)
    tag = {"fail": "failure", "inconclusive": "error", "invalid": "error"}.get(rule.outcome)
    if tag is not None:
        details = {"type": rule.outcome, "message": one_line(rule.reason, 600)}
        ET.SubElement(test, tag, details).text = (
            f"required: {requirement(rule)}\ncandidate: {own_value(rule, rule.candidate)}\n"
            f"baseline: {own_value(rule, rule.baseline)}\nestimate: {estimate_of(rule)}\n"
            f"interval: {interval_of(rule)}"
            + (f"\n{without}" if (without := without_of(rule)) else "")
        )
    return test


def _case(case: CaseText, fate: str, verdict: Decision) -> ET.Element:
    name = f"{case.path} ({case.repeat})" if case.repeat else case.path
    test = _test(case.section, name)
    found = _fate(case, fate)
    if found is None:
        return test
    tag, kind, message = found if verdict != "PROMOTE" else ("skipped", "", found[2])
    reason = case.candidate.reason or case.candidate.note
    details = {"message": f"{message}: {reason}" if reason else message}
    node = ET.SubElement(test, tag, {"type": kind, **details} if kind else details)
    prompt = case.turns[-1].content.text if case.turns else ""
    same = case.candidate.repeat_of_other
    answer = case.baseline.answer.text if same else case.candidate.answer.text
    node.text = "\n".join(
        f"{title}: {text[:_TEXT]}"
        for title, text in (
            ("prompt", prompt),
            ("candidate", answer or case.candidate.note),
            ("baseline", case.baseline.answer.text or case.baseline.note),
        )
    )
    return test


def _fate(case: CaseText, fate: str) -> tuple[str, str, str] | None:
    if fate == "new_failure" and case.critical:
        return "failure", "new_critical_failure", "the baseline passes, the candidate fails"
    if fate == "new_failure":
        return "skipped", "", "new failure, tolerated: the rules decide"
    if fate == "still_failing":
        return "skipped", "", "neither side passes"
    if fate == "not_comparable":
        return "error", "not_comparable", "at least one side has no score"
    return None
