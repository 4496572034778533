"""Which recorded Python tests count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_project
from harness.records.recording import RecordedSection, Recording
from harness.sections.evidence import (
    Grounds,
    configured_judge,
    counted,
    doubt,
    loaded_digest,
    settled,
)
from tests.builders import make_run, recorded, shop
from tests.shop import config, write_project

PLACE = ("shop", "memory")
PRICED = {"price": {"gpu_hour": 2.0}, "max_requests_per_minute": 60}
NOW = Grounds(judge="strict", baselines={"shop": "base"})


def section(**update: Any) -> RecordedSection:
    return recorded("memory", a=1.0, b=0.0).model_copy(update=update)


def on(**update: Any) -> RecordedSection:
    """A section with a test that has these fields."""
    first, second = section().cases
    return section(cases=(first.model_copy(update=update), second))


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (section(), ""),
        (section(judge="strict"), ""),
        (section(judge="lenient"), "recorded with another judge"),
        (on(baseline="base"), ""),
        (on(baseline="other"), "recorded against another baseline"),
        (section(session=""), "recorded by an older version, which did not keep what it rests on"),
    ],
)
def test_it_counts_while_what_it_rests_on_is_the_same(held: RecordedSection, why: str) -> None:
    assert doubt(held, NOW) == why


def test_what_does_not_count_is_taken_out_of_the_run(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    bare = make_run(project, suites, "candidate")
    manners = recorded("manners", c=1.0)
    both = bare.with_recording(
        Recording(freshness=0, sections=(on(baseline="other"), manners)),
    )
    alone = bare.with_recording(Recording(freshness=0, sections=(manners,)))
    found = counted(both, NOW)
    assert found.digest() == alone.digest()
    assert (found.header, found.recorded) == (alone.header, alone.recorded)
    assert found.unrecorded == {PLACE: "recorded against another baseline"}


class TestSettled:
    def test_a_failed_assertion_is(self) -> None:
        assert self.settled(section()) == {PLACE}

    @pytest.mark.parametrize(
        ("before", "found"), [(None, set()), ({"mine"}, set()), ({"older"}, {PLACE})]
    )
    def test_a_broken_test_is_not_unless_it_was_run_since(self, before: Any, found: Any) -> None:
        assert self.settled(on(broken=True), before=before) == found

    def test_a_failed_request_is_not(self) -> None:
        score = section().cases[0].score
        lost = score.model_copy(update={"status": "failed", "terms": {}, "value": None})
        assert self.settled(on(score=lost)) == set()

    @pytest.mark.parametrize(
        ("before", "found"), [(None, set()), ({"mine"}, set()), ({"older"}, {PLACE})]
    )
    def test_what_was_begun_again_is_not_unless_it_was_run_since(
        self, before: Any, found: Any
    ) -> None:
        begun = ((*PLACE, "other"),)
        assert self.settled(section(), begun=begun, before=before) == found

    def test_what_does_not_count_is_not_even_where_it_was_run_since(self) -> None:
        assert self.settled(section(judge="lenient"), before={"older"}) == set()

    def test_what_was_recorded_before_all_was_asked_anew_is_not(self) -> None:
        assert self.settled(section(), freshness=1) == set()

    def settled(
        self,
        held: RecordedSection,
        *,
        begun: Any = (),
        before: set[str] | None = None,
        freshness: int = 0,
    ) -> set[tuple[str, str]]:
        recording = Recording(freshness=0, sections=(held,), begun=begun)
        return settled(recording, freshness, NOW, before)


class TestConfiguredJudge:
    def digest(self, tmp_path: Path, **change: Any) -> str | None:
        if not (tmp_path / "harness.yaml").exists():
            write_project(tmp_path, "http://127.0.0.1:1")
        settings = {**config("http://127.0.0.1:1"), "judge": "candidate", **change}
        (tmp_path / "harness.yaml").write_text(yaml.safe_dump(settings))
        return configured_judge(load_project(tmp_path / "harness.yaml"))

    def test_none_where_there_is_none(self, tmp_path: Path) -> None:
        assert self.digest(tmp_path, judge=None) is None

    @pytest.mark.parametrize(
        "change",
        [
            {"judge": "base"},
            {"generation": {"top_p": 0.5}},
            {"servers": {"main": {"url": "http://127.0.0.1:2/v1"}}},
        ],
    )
    def test_another_target_server_or_sampling_is_another(
        self, tmp_path: Path, change: dict[str, Any]
    ) -> None:
        assert self.digest(tmp_path, **change) != self.digest(tmp_path)

    def test_what_changes_no_answer_is_the_same(self, tmp_path: Path) -> None:
        before = self.digest(tmp_path)
        assert self.digest(tmp_path, generation={"concurrency": 3, "retries": 9}) == before
        server = config("http://127.0.0.1:1")["servers"]["main"]
        assert self.digest(tmp_path, servers={"main": {**server, **PRICED}}) == before


@pytest.mark.parametrize(
    ("name", "before", "after", "same"),
    [
        ("conftest.py", "a = 1\n", "a = 2\n", False),
        ("pyproject.toml", "[tool.pytest]\na = 1\n[x]\n", "[x]\nb = 1\n[tool.pytest]\na = 1", True),
        ("pyproject.toml", "[tool.pytest.ini_options]\na = 1\n", "", False),
        ("pyproject.toml", "not = toml =", "not = toml = 2", False),
        ("setup.cfg", "[tool:pytest]\na = 1\n", "[x]\n[tool:pytest]\na = 1\n", True),
        ("setup.cfg", "[tool:pytest]\na = 1\n", "[tool:pytest]\na = 2\n", False),
    ],
)
def test_of_a_file_that_others_share_only_pytests_part_counts(
    name: str, before: str, after: str, same: bool, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text(before)
    digest = loaded_digest(file)
    now = Grounds("strict", {"shop": "base"}, root=tmp_path)
    held = section(rests_on={f"file {name}": digest})
    assert doubt(held, now) == ""
    file.write_text(after)
    assert (loaded_digest(file) == digest) is same
    assert doubt(held, now) == ("" if same else f"recorded with another file {name}")
    file.unlink()
    assert doubt(held, now) == f"recorded with another file {name}"
