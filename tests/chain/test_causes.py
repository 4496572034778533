"""Each cause by its own evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.chain import causes
from harness.chain.link import LinkFiles
from tests.chain.links import COUNTS, answers, link

BEFORE = link("before")


def found(name: str, after: object, before: object = BEFORE) -> list[tuple[str, str]]:
    return [(one.cause, one.evidence) for one in getattr(causes, name)(before, after)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({name: count + 1 for name, count in COUNTS.items()}, ["template"]),
        ({"system": 12}, ["template"]),
        ({"words": 70, "filler": 90}, ["tokenizer"]),
        ({"system": None}, ["template"]),
        ({"filler": None}, []),  # the longest: for its length
        ({"words": None, "filler": None}, []),
        (dict.fromkeys(COUNTS), []),  # nothing is counted
    ],
)
def test_counts_tell_the_template_from_the_tokenizer(
    changes: dict[str, int | None], expected: list[str]
) -> None:
    after = link("after", counts={**COUNTS, **changes})
    assert [cause for cause, _ in found("tokens", after)] == expected


def test_ids_under_one_template_are_the_tokenizers() -> None:
    files = LinkFiles(template="sha256:t")
    one = link("a", ids={"short": (1, 2)}, files=files)
    two = link("b", ids={"short": (1, 3)}, files=files)
    assert found("tokens", two, one) == [("tokenizer", "other tokens for the same text in short")]
    other = replace(two, files=LinkFiles(template="sha256:u"))
    assert found("tokens", other, one) == [("template", "other prompt tokens in short")]


def test_files_show_where_a_rendering_differs_and_what_it_refuses() -> None:
    one = link("a", files=LinkFiles(rendered={"short": "<s>[user]Hi", "system": "x"}))
    two = link("b", files=LinkFiles(rendered={"short": "<s>[human]Hi"}))
    assert found("tokens", two, one) == [
        ("template", "`short` is rendered '<s>[user]Hi' before and '<s>[human]Hi' now"),
        ("template", "the template refuses system"),
    ]
    other = link("b", files=LinkFiles(tokenizer="sha256:u"))
    same = link("a", files=LinkFiles(tokenizer="sha256:t"))
    assert [cause for cause, _ in found("tokens", other, same)] == ["tokenizer"]


def test_an_answer_that_does_not_end_names_the_tokens_that_end_a_turn() -> None:
    one = link("a", files=LinkFiles(special={"eos_token": "<|end|>"}))
    longer = answers(text="yes and", finish="length")
    two = link("b", longer, files=LinkFiles(special={"eos_token": "</s>"}))
    ((cause, evidence),) = found("stops", two, one)
    assert cause == "template"
    assert evidence.startswith("8 of 8 answers that ended by themselves now go on to the limit")
    assert evidence.endswith("the end of a turn was '<|end|>' and is '</s>'")
    assert found("stops", link("b", answers(text="no", finish="length")), one) == []


def test_a_merge_of_another_adapter_is_known_by_its_record() -> None:
    one = link("a", files=LinkFiles(adapter="sha256:a"))
    two = link("b", files=LinkFiles(merged="sha256:b"))
    assert found("merge_record", two, one) == [
        ("wrong merge", "`b` was merged from another adapter than `a`")
    ]
    assert found("merge_record", link("b", files=LinkFiles(merged="sha256:a")), one) == []
    assert found("merge_record", two) == []


@pytest.mark.parametrize(
    ("long", "words", "told"),
    [
        (400, 50, False),
        (None, 50, True),
        (250, 50, True),
        (250, 30, False),  # every text has fewer tokens: another tokenizer
    ],
)
def test_a_cut_context_is_no_tokenizer(long: int | None, words: int, told: bool) -> None:
    after = link("after", long=long, counts={**COUNTS, "words": words})
    assert bool(found("context_cut", after)) is told


def test_what_is_left_goes_by_adapter_and_precision() -> None:
    adapter, merged = link("a", is_adapter=True, precision="bfloat16"), link("b")
    assert causes.weights(adapter, merged).cause == "wrong merge"
    assert causes.weights(adapter, replace(merged, precision="awq")).cause == "precision"
    full = link("a", precision="float32")
    assert causes.weights(full, replace(full, target="b")).cause == "other weights"
    assert causes.weights(merged, merged).cause == "precision"
