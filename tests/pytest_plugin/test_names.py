from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.pytest_plugin.names import LONGEST, marker, rule_names, safe
from harness.records.rule import Policy
from harness.visible_text import visible

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("returns-01", "returns-01"),
        ("faq:returns", "faq:returns"),
        ("a::b", "a%3A%3Ab"),
        (":a:", "%3Aa%3A"),
        ("a[1]", "a%5B1%5D"),
        ("two words", "two words"),
        ("100%", "100%25"),
        ("über/日本", "über/日本"),
        ("x\u202ey", "x%E2%80%AEy"),
        ("x\x7fy", "x%7Fy"),
    ],
)
def test_a_name_is_readable_and_safe(text: str, name: str) -> None:
    assert safe(text) == name


@given(TEXTS, TEXTS)
def test_different_ids_have_different_names(one: str, other: str) -> None:
    assert (safe(one) == safe(other)) == (one == other)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=600))
def test_no_name_splits_a_node_id_or_hides_anything(text: str) -> None:
    name = safe(text)
    assert not re.search(r"::|[\[\]\\\n\t]|^:|:$", name)
    assert visible(name) == name
    assert len(name) <= LONGEST + 13


def test_long_ids_that_begin_alike_differ() -> None:
    assert safe("a" * 500) != safe("a" * 501)


def test_rules_are_named_by_what_tells_them_apart() -> None:
    rules = Policy.model_validate(
        {
            "baseline": "base",
            "rules": [
                {"require": "at_least", "metric": "s.a.x", "value": 0.5},
                {"require": "at_least", "metric": "s.a.y", "value": 0.5},
                {"require": "better_than_baseline", "metric": "s.a.y"},
                {"require": "at_least", "metric": "s.a.z", "value": 0.5},
                {"require": "at_least", "metric": "s.a.z", "value": 0.5, "evidence": "point"},
                {"require": "no_new_critical_failures"},
                {"require": "no_new_critical_failures"},
            ],
        }
    ).rules
    assert rule_names(rules) == [
        "s.a.x",
        "s.a.y-at_least",
        "s.a.y-better_than_baseline",
        "s.a.z-at_least-0.5",
        "s.a.z-at_least-0.5-point",
        "no_new_critical_failures",
        "no_new_critical_failures~2",
    ]


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("faq", "faq"),
        ("multi-turn", "multi-turn"),
        ("v1.2", "v1.2"),
        ("two words", "two_words"),
        ("é(1)", "é_1_"),
        ("a:b", "a_b"),
        ("skip", "tag_skip"),
        ("critical", "tag_critical"),
        ("rule", "tag_rule"),
        ("not", "tag_not"),
        ("None", "tag_None"),
        ("_private", "tag__private"),
        ("-", "tag_-"),
        ("", "tag_"),
    ],
)
def test_a_marker_can_be_spelt_and_is_nobody_elses(word: str, name: str) -> None:
    assert marker(word, {"skip", "timeout"}) == name
