from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import Project, load_project
from harness.errors import ConfigError, UsageError
from harness.labels.files import (
    answer_digest,
    cases_digest,
    check_labels,
    label_line,
    labels_digest,
    project_labels,
    read_labels,
)
from tests.builders import shop
from tests.labels.builders import label
from tests.shop import write_project


def project_with(tmp_path: Path, patterns: str) -> Project:
    path = tmp_path / "harness.yaml"
    if not path.exists():
        write_project(tmp_path, "http://127.0.0.1:1")
    path.write_text(path.read_text().partition("\nlabels:")[0])
    path.write_text(path.read_text() + f"\nlabels: {patterns}\n")
    return load_project(path)


def test_a_project_reads_the_files_that_its_patterns_name(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "b.jsonl").write_text(label_line(label(case="b")) + "\n\n")
    (tmp_path / "labels" / "a.jsonl").write_text(label_line(label()))
    project = project_with(tmp_path, "[labels/*.jsonl, labels/a.jsonl]")
    assert [one.case for one in project_labels(project)] == ["a", "b"]


def test_a_pattern_names_a_file_and_stays_in_the_project(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"labels\[0\]: `labels/\*.jsonl` matches no file"):
        project_labels(project_with(tmp_path, "[labels/*.jsonl]"))
    with pytest.raises(ConfigError, match="leaves the project"):
        project_labels(project_with(tmp_path, "[../*.jsonl]"))


def test_a_line_that_is_no_label_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(label_line(label()) + "\n{}\n")
    with pytest.raises(UsageError, match=r"x.jsonl:2: is no label: .*missing key"):
        read_labels(path)
    path.write_text(label_line(label()).replace('"value":1.0', '"value":7'))
    with pytest.raises(UsageError, match=r"x.jsonl:1: .*7 is outside the scale 0 to 1"):
        read_labels(path)


def test_a_file_that_an_editor_marked_as_utf_8_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + label_line(label()).encode() + b"\r\n")
    assert read_labels(path) == (label(),)


def test_contradictions_are_refused() -> None:
    check_labels([label(), label(), label(value=0.0, again=True), label(value=0.0, rater="ben")])
    with pytest.raises(UsageError, match=r"`anna` gave shop/gold/a .* two values .*: 1 and 0"):
        check_labels([label(), label(value=0.0)])
    with pytest.raises(UsageError, match=r"one rater is called `anna` and `Anna `"):
        check_labels([label(), label(case="b", rater="Anna ")])
    with pytest.raises(UsageError, match=r"`correct` of shop.gold has two scales"):
        check_labels([label(), label(case="b", scale=(1, 5), value=2)])


def test_digests_tell_what_changed(tmp_path: Path) -> None:
    _, (suite,) = shop(tmp_path)
    gold, other = suite.sections[0], suite.sections[1]
    assert cases_digest(gold) != cases_digest(other)
    assert answer_digest("a") != answer_digest("b")
    one, two = label(), label(case="b")
    assert labels_digest([one, two]) == labels_digest([two, one]) != labels_digest([one])
