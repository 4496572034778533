"""Annotations: problems with file and line, for the page of a pull or merge request.

As workflow commands for GitHub and as a Code Quality report for GitLab.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.files import seen_from
from harness.records.comparison import ComparisonRecord, PairedCase
from harness.records.verdict import RuleResult, Verdict
from harness.report.cases import expected
from harness.session.context import GateContext
from harness.visible_text import one_line
from harness.yaml_files import line_of

Level = Literal["error", "warning"]

# GitHub shows ten of each level a step, and drops the rest without a word.
SHOWN = 10
_TEXT = 300
_SEVERITY = {"error": "critical", "warning": "minor"}
_MOST = 1_000
_FILE_AND_LINE = re.compile(r"(?P<file>.+?):(?P<line>\d+)(?:: .*)?")


@dataclass(frozen=True, slots=True)
class Place:
    """A file, as seen from the repository's root, and a line in it where one is known."""

    file: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """The places of the configuration, of the rules in the policy's order, and of cases by path."""

    config: Place
    rules: Sequence[Place] = ()
    cases: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Annotation:
    """One thing that went wrong; `name` is the same for the same thing in another run."""

    level: Level
    name: str
    title: str
    text: str
    place: Place | None


def build_annotations(
    verdict: Verdict, comparison: ComparisonRecord, places: Places
) -> tuple[Annotation, ...]:
    """Problems with the evidence, rules that do not pass and new failures, the worst first.

    What decided the verdict and new failures of critical cases are errors, the rest warnings.
    """
    found = [
        Annotation("error", f"evidence {place}", "Evidence", one_line(problem, 600), places.config)
        for place, problem in enumerate(verdict.problems, 1)
    ]
    if not verdict.problems:
        for place, rule in enumerate(verdict.rules):
            if rule.outcome != "pass":
                where = places.rules[place] if place < len(places.rules) else places.config
                found.append(_rule(rule, verdict, where))
    # A case that newly fails is named once, by the first of its repeats that does.
    first: dict[str, PairedCase] = {}
    for case in comparison.cases:
        if case.change == "new_failure":
            first.setdefault(case.path, case)
    found += (_case(case, places.cases.get(path)) for path, case in first.items())
    return tuple(sorted(found, key=lambda one: one.level != "error"))


def _rule(rule: RuleResult, verdict: Verdict, place: Place) -> Annotation:
    decided = {"BLOCK": "fail", "INCONCLUSIVE": "inconclusive", "INVALID": "invalid"}
    name = one_line(f"{rule.metric or ''} {rule.require.replace('_', ' ')}".strip(), 160)
    reason = one_line(rule.reason, 600)
    return Annotation(
        level="error" if rule.outcome == decided.get(verdict.verdict) else "warning",
        name=f"rule {name} {rule.limit}",
        title=f"{verdict.verdict}: rule {rule.outcome}",
        text=reason if rule.metric and rule.metric in rule.reason else f"{name}: {reason}",
        place=place,
    )


def _case(case: PairedCase, place: Place | None) -> Annotation:
    texts = {
        "prompt": case.messages[-1].content,
        "expected": expected(case.expect),
        "baseline": case.baseline_attempt.text or "",
        "candidate": case.candidate_attempt.text or "",
        "why": case.candidate_score.reason,
    }
    kind = "New critical failure" if case.critical else "New failure"
    return Annotation(
        level="error" if case.critical else "warning",
        name=f"case {case.path}",
        title=f"{kind}: {one_line(case.path, 200)}",
        text="\n".join(f"{key}: {one_line(text, _TEXT)}" for key, text in texts.items() if text),
        place=place,
    )


def render_github(annotations: Iterable[Annotation]) -> str:
    """A workflow command a line, at most `SHOWN` of each level, the last of which counts the rest.

    https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
    """
    found = list(annotations)
    lines: list[str] = []
    levels: tuple[Level, ...] = ("error", "warning")
    for level in levels:
        own = [one for one in found if one.level == level]
        kept = own if len(own) <= SHOWN else own[: SHOWN - 1]
        lines += map(_command, kept)
        if len(kept) < len(own):
            more = f"{len(own) - len(kept):,} more are in the report"
            lines.append(f"::{level} title=More of them::{more}")
    return "".join(f"{line}\n" for line in lines)


def _command(one: Annotation) -> str:
    properties = {"title": one.title}
    if one.place is not None:
        line = {} if one.place.line is None else {"line": str(one.place.line)}
        properties = {"file": one.place.file, **line, **properties}
    fields = ",".join(
        f"{key}={_data(value).replace(':', '%3A').replace(',', '%2C')}"
        for key, value in properties.items()
    )
    return f"::{one.level} {fields}::{_data(one.text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def render_codequality(annotations: Iterable[Annotation]) -> str:
    """A JSON list of findings; what has no place in a file of the repository is left out.

    A finding's fingerprint depends on neither line nor text, so that it stays the same when the
    case moves. https://docs.gitlab.com/ci/testing/code_quality
    """
    found = [
        {
            "description": f"{one.title}\n{one.text}",
            "check_name": one.name.partition(" ")[0],
            "fingerprint": _fingerprint(one.place.file, one.name),
            "severity": _SEVERITY[one.level],
            "location": {"path": one.place.file, "lines": {"begin": one.place.line or 1}},
        }
        for one in annotations
        if one.place is not None
    ]
    return json.dumps(found[:_MOST], indent=1) + "\n"


def _fingerprint(file: str, name: str) -> str:
    return hashlib.sha256(f"{file}\0{name}".encode("utf-8", "surrogatepass")).hexdigest()


def named_place(where: str) -> tuple[str, int | None, str]:
    """File, line and key of what an error names: `a.jsonl:3`, `harness.yaml: gate.rules[1]`."""
    found = _FILE_AND_LINE.fullmatch(where)
    if found is not None:
        return found["file"], int(found["line"]), ""
    file, _, key = where.partition(": ")
    return file, None, key


def repository_root(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder that CI checked the repository out to; elsewhere the current one."""
    given = environment.get("GITHUB_WORKSPACE") or environment.get("CI_PROJECT_DIR")
    return Path(given or Path.cwd())


def find_places(
    context: GateContext, comparison: ComparisonRecord, config: Path, root: Path
) -> Places:
    """The places of the policy's rules and of the cases that newly fail."""
    file = seen_from(root, config)
    found: dict[str, Place] = {}
    for suite in context.suites:
        for section in suite.sections:
            failing = {
                case.case: case.path
                for case in comparison.cases
                if case.change == "new_failure"
                and (case.suite, case.section) == (suite.name, section.name)
            }
            for case, (path, line) in section.locate(Path(suite.folder), failing).items():
                found[failing[case]] = Place(seen_from(root, path), line)
    rules = tuple(
        Place(file, line_of(config, f"gate.rules[{place}]"))
        for place in range(len(context.policy.rules))
    )
    return Places(Place(file, line_of(config, "gate")), rules, found)
