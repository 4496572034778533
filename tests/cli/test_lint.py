"""`harness lint` names file, line and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.builders import call


def add(project: Path, *cases: dict[str, object]) -> int:
    """The number of the first added line of the gold section's file."""
    file = project / "suites/shop/gold.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines, *map(json.dumps, cases)]) + "\n")
    return len(lines) + 1


def test_a_finding_names_file_and_line_and_strict_makes_it_an_error(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = add(
        project_dir,
        {"id": "pets", "prompt": "May I bring my dog?", "expect": {"answers": ["yes", "you may"]}},
    )
    assert call("lint") == 0
    out = capsys.readouterr().out
    assert f"suites/shop/gold.jsonl:{line}: yes-or-no: " in out
    assert call("lint", "--strict") == 2
    assert call("validate") == 0
    assert f"warning: suites/shop/gold.jsonl:{line}: yes-or-no: " in capsys.readouterr().err


def test_json_holds_every_finding_and_the_text_the_first_of_a_kind(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    question = "Please tell me now, how long does the delivery of an order to {} usually take?"
    add(
        project_dir,
        *(
            {"id": f"d{place}", "prompt": question.format(place),
             "expect": {"answers": ["a week", "7 days"]}}
            for place in ("Rome", "Oslo", "Bern", "Graz")
        ),
    )  # fmt: skip
    assert call("lint", "--json") == 0
    rows = [row for row in json.loads(capsys.readouterr().out) if row["code"] == "near-duplicate"]
    assert len(rows) == 6
    assert call("lint") == 0
    assert "3 more; `harness lint --all` shows them" in capsys.readouterr().out
    assert call("lint", "--all") == 0
    assert capsys.readouterr().out.count(": near-duplicate: ") == 6
    suite = project_dir / "suites/shop/suite.yaml"
    written = suite.read_text()
    assert "  gold: {" in written or "  gold:\n" in written
    suite.write_text(
        written.replace("  gold: {", "  gold: {lint_ignore: [near-duplicate], ", 1).replace(
            "  gold:\n", "  gold:\n    lint_ignore: [near-duplicate]\n", 1
        )
    )
    assert call("lint", "--all") == 0
    assert ": near-duplicate: " not in capsys.readouterr().out
