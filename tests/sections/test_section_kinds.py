"""Which kind of section reads a section, and what is said where none does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ConfigError, SuiteError, UsageError
from harness.gate.judge import check_policy
from harness.records.base import Record
from harness.records.rule import Policy
from harness.sections.section_kinds import SectionKinds, kinds, load_suites
from harness.suites.load import load_suite
from harness.suites.source import LoadedSection, SectionSource
from tests.builders import shop


class Found(Exception):
    """Carries the kind that a section came to, and what was left of its keys."""


class Kind:
    """A kind that has a key of its own and may have one more."""

    def __init__(self, name: str, key: str, more: str) -> None:
        self.name, self.key = name, key
        fields: dict[str, Any] = {"__annotations__": {key: str, more: str}, more: ""}
        self.keys: type[Record] = type("Keys", (Record,), fields)

    def load(self, source: SectionSource) -> LoadedSection:
        raise Found(self.name, dict(source.written))


BOOK = SectionKinds(())
for each in (Kind("texts", "corpus", "measured"), Kind("people", "raters", "rubric")):
    BOOK.register(each)


def read(folder: Path, section: str) -> None:
    head = "name: shop\ndomain: a shop\nversion: 1\nsections:\n"
    (folder / "suite.yaml").write_text(f"{head}  own: {section}\n")
    load_suite(folder, BOOK)


@pytest.mark.parametrize(
    ("section", "name", "left"),
    [
        ("{corpus: a.txt}", "texts", {"corpus": "a.txt"}),
        ("{raters: a.csv, rubric: r}", "people", {"raters": "a.csv", "rubric": "r"}),
        ("{rubric: r}", "people", {"rubric": "r"}),  # it says itself what is missing
        ("{kind: people, corpus: a.txt}", "people", {"corpus": "a.txt"}),
    ],
)
def test_a_section_goes_to_the_kind_that_it_names_or_whose_keys_it_has(
    tmp_path: Path, section: str, name: str, left: dict[str, str]
) -> None:
    with pytest.raises(Found) as caught:
        read(tmp_path, section)
    assert caught.value.args == (name, left)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("3", "must hold the keys of a kind of section: `raters` (people), `corpus` (texts)"),
        ("{kind: 3}", "kind: must be the name of a kind of section"),
        (
            "{corpos: a.txt}",
            (
                "is of no known kind: it needs one of the keys `raters` (people), `corpus` "
                "(texts); did you mean `corpus`?"
            ),
        ),
        (
            "{zzz: 1}",
            "is of no known kind: it needs one of the keys `raters` (people), `corpus` (texts)",
        ),
    ],
)
def test_what_no_kind_reads_is_one_line(tmp_path: Path, section: str, said: str) -> None:
    with pytest.raises(SuiteError) as caught:
        read(tmp_path, section)
    assert caught.value.line == f"{tmp_path}/suite.yaml:5: sections.own: {said}"


def test_a_kind_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"sections\.own: kind: .*`peple`.*`people`"):
        read(tmp_path, "{kind: peple}")


def test_a_name_is_taken_once() -> None:
    book = SectionKinds(())
    book.register(Kind("texts", "corpus", "measured"))
    with pytest.raises(ValueError, match="texts"):
        book.register(Kind("texts", "other", "more"))


def test_the_shipped_kinds_are_plugins_like_any_other() -> None:
    assert {"prompts", "python"} <= set(kinds().names())


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"metric": "shop.gold.acuracy", "require": "better_than_baseline"},
         "did you mean `shop.gold.accuracy`?"),
        ({"metric": "shop.gold.accuracy", "require": "at_least", "value": 60}, "between 0 and 1"),
        ({"metric": "latency.bogus", "require": "ratio_at_most", "value": 1.1}, "no metric"),
    ],
)  # fmt: skip
def test_a_rule_that_can_never_be_judged_is_refused(
    tmp_path: Path, rule: dict[str, Any], problem: str
) -> None:
    _, suites = shop(tmp_path)
    policy = Policy.model_validate({"baseline": "base", "rules": [rule]})
    with pytest.raises(ConfigError, match=problem.replace("?", r"\?")) as caught:
        check_policy(policy, suites, "harness.yaml: {}".format)
    assert "gate.rules[0]" in str(caught.value)


def test_suites_are_chosen_by_name_and_no_two_share_one(tmp_path: Path) -> None:
    project, _ = shop(tmp_path)
    assert [suite.name for suite in load_suites(project, ["shop"])] == ["shop"]
    with pytest.raises(UsageError, match="no suite `x`"):
        load_suites(project, ["x"])
    twice = project.config.model_copy(update={"suites": ("suites/shop", "suites/shop")})
    with pytest.raises(SuiteError, match=r"harness.yaml:\d+: suites: two suites are called `shop`"):
        load_suites(replace(project, config=twice))


def test_a_suite_that_is_not_there_is_told_with_the_line_that_names_it(tmp_path: Path) -> None:
    project, _ = shop(tmp_path)
    gone = project.config.model_copy(update={"suites": ("suites/shopp",)})
    said = r"harness.yaml:\d+: suites\[0\]: no such folder: `suites/shopp` - check the path"
    with pytest.raises(SuiteError, match=said):
        load_suites(replace(project, config=gone))
