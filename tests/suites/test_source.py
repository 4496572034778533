"""A section as it is written: its file of cases, and the ids in it."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from harness.errors import SuiteError
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


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(lines(ONE))
    folder = write(tmp_path / "suite")
    (folder / "one.jsonl").unlink()
    (folder / "one.jsonl").symlink_to(tmp_path / "secret")
    with pytest.raises(SuiteError, match="leaves the suite's folder"):
        load(folder)


@pytest.mark.parametrize("place", ["stat", "open"])
def test_a_file_without_permission_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    write(tmp_path)
    usual = getattr(Path, place)

    def denied(self: Path, *args: Any, **more: Any) -> Any:
        if self.name == ("suite.yaml" if place == "stat" else "one.jsonl"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return usual(self, *args, **more)

    monkeypatch.setattr(Path, place, denied)
    with pytest.raises(SuiteError, match=r"cannot read: Permission denied$") as caught:
        load(tmp_path)
    assert "\n" not in caught.value.line


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
