"""Where rules stand, and how a repository sees a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.bench.places import line_of, repository_root, seen_from

TEXT = """\
# a project
gate:
  baseline: base
  rules:
    - {metric: a.b.c, require: at_least, value: 0.5}
    - metric: a.b.d
      require: at_most
      value: 0.5
    - {require: no_new_critical_failures}
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("gate", 2),
        ("gate.baseline", 3),
        ("gate.rules[0]", 5),
        ("gate.rules[0].value", 5),
        ("gate.rules[1].value", 8),
        ("gate.rules[2]", 9),
        ("gate.rules[3]", 4),
        ("gate.rules.metric", 4),
        ("targets", None),
        ("[0]", None),
    ],
)
def test_the_line_of_a_key(key: str, line: int | None, tmp_path: Path) -> None:
    file = tmp_path / "harness.yaml"
    file.write_text(TEXT)
    assert line_of(file, key) == line


@pytest.mark.parametrize("text", ["", "a: [", "- x", "\x00"])
def test_a_file_that_is_no_mapping_has_no_lines(text: str, tmp_path: Path) -> None:
    file = tmp_path / "harness.yaml"
    file.write_text(text)
    assert line_of(file, "gate.rules[0]") is None
    assert line_of(tmp_path / "none.yaml", "gate") is None


def test_a_file_is_seen_from_the_root_or_as_it_is(tmp_path: Path) -> None:
    assert seen_from(tmp_path, tmp_path / "a/b.yaml") == "a/b.yaml"
    assert seen_from(tmp_path / "a", tmp_path / "b.yaml") == str(tmp_path / "b.yaml")


def test_the_root_is_what_ci_checked_out(tmp_path: Path) -> None:
    assert repository_root({"GITHUB_WORKSPACE": "/w"}) == Path("/w")
    assert repository_root({"CI_PROJECT_DIR": "/p"}) == Path("/p")
    assert repository_root({}) == Path.cwd()
