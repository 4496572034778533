"""Twenty planted faults: each is found, and what else is claimed stands here."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from harness.data.lint.linter import lint_files
from tests.data.lint import planted

# Other true things about the planted rows: the table in docs/data-lint.md names them as well.
BESIDES = {
    "role-order": {"near-duplicate"},
    "other-language": {"rare-language"},
    "long-answer": {"stray-whitespace"},
    "refusal": {"contradiction"},
}


def test_every_planted_fault_is_found_and_nothing_is_said_of_the_others(tmp_path: Path) -> None:
    file = tmp_path / "planted.jsonl"
    lines = planted.write(file)
    claimed: defaultdict[int, set[str]] = defaultdict(set)
    for finding in lint_files([file]).findings:
        claimed[int(finding.cases[0].rpartition(":")[2])].add(finding.code)
    assert claimed == {line: {code} | BESIDES.get(code, set()) for line, code in lines.items()}
    assert len(lines) == 20


def test_nothing_is_said_of_clean_conversations_but_what_they_are(tmp_path: Path) -> None:
    file = tmp_path / "clean.jsonl"
    planted.write_rows(file, planted.clean())
    done = lint_files([file])
    assert (done.findings, done.errors, done.conversations) == ([], 0, 80)
    assert ("families", "80") in done.facts
