"""A section as it is written: its file of cases, and the ids in it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from harness.errors import SuiteError
from harness.suites import source
from tests.suites.builders import ONE, TWO, lines, load, many, write


def test_a_doubled_id_names_both_places_even_across_sections(tmp_path: Path) -> None:
    write(
        tmp_path, two=[{"id": "x", "prompt": "?", "expect": {"want": 1}}, {**TWO[0], "id": " b "}]
    )
    with pytest.raises(SuiteError) as caught:
        load(tmp_path)
    assert caught.value.line == (
        f"{tmp_path}/two.jsonl:2: id: `b` is taken by {tmp_path}/one.jsonl:2 - ids are unique "
        "within a suite"
    )


def test_a_file_of_two_sections_is_told_as_such(tmp_path: Path) -> None:
    write(tmp_path)
    suite = tmp_path / "suite.yaml"
    suite.write_text(suite.read_text().replace("two.jsonl", "one.jsonl"))
    with pytest.raises(SuiteError, match=r"one\.jsonl: is read by two sections") as caught:
        load(tmp_path)
    assert caught.value.hint is not None


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(lines(ONE))
    folder = write(tmp_path / "suite")
    (folder / "one.jsonl").unlink()
    (folder / "one.jsonl").symlink_to(tmp_path / "secret")
    with pytest.raises(SuiteError, match="leaves the suite's folder"):
        load(folder)


@pytest.mark.parametrize(
    ("where", "place"), [(Path, "stat"), (source, "open_regular")], ids=["stat", "open"]
)
def test_a_file_without_permission_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: object, place: str
) -> None:
    write(tmp_path)
    usual = getattr(where, place)

    def denied(path: Path, *args: Any, **more: Any) -> Any:
        if path.name == ("suite.yaml" if place == "stat" else "one.jsonl"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return usual(path, *args, **more)

    monkeypatch.setattr(where, place, denied)
    with pytest.raises(SuiteError, match=r"cannot read: Permission denied$") as caught:
        load(tmp_path)
    assert "\n" not in caught.value.line


def test_a_pipe_in_place_of_the_cases_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "one.jsonl").unlink()
    os.mkfifo(folder / "one.jsonl")
    with pytest.raises(SuiteError, match=r"one\.jsonl: cannot read: not a regular file"):
        load(folder)


def test_a_large_file_that_changes_while_it_is_in_use_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.suites.cases.LARGEST_HELD", 0)
    folder = write(tmp_path, one=many(5))
    cases = load(folder).sections[0].cases
    (folder / "one.jsonl").write_text(lines(many(6)))
    for read in (lambda: list(cases), lambda: cases[2]):
        with pytest.raises(SuiteError, match=r"one\.jsonl: was changed while it was in use"):
            read()
