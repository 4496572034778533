"""What no variant may change, of any question and of those of the shipped suites."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.perturb import Draw, counterfactuals, perturbations, read
from harness.perturb.vocabulary import NEGATIONS, UNITS, words_of
from harness.records.suite import Case

FORMS = ("accents", "asking", "casing", "chat", "emoji", "ocr", "politeness", "prefix-noise",
         "punctuation", "reorder", "spacing", "typos")  # fmt: skip
ASKERS = ("age", "dialect", "names", "nationality", "pronouns", "religion")
ROOT = Path(__file__).parents[2]
# Written out here, so that a mistake in the reading of questions is not repeated.
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_NAME = re.compile(r"(?<=[\w,/] )[A-Z][\w]+")
_ADDRESS = re.compile(r"https?://\S+\w|\S+@\S*\w|`[^`]*`")
_KEPT = NEGATIONS | UNITS

WORDS = st.sampled_from(
    sorted(
        words_of(
            """
            what is the price of tent boots please can you your order returned if I cancel it when
            not never without can't three weeks 5 kg $30 3.50 Anna Mexico `code x` https://a.example/b
            me@a.example delivery there because my and from shirt country dose dates 12:30 A-17 NASA
            straße café have with about
            """
        )
    )
)
TEXTS = st.lists(
    st.tuples(st.lists(WORDS, min_size=1, max_size=9), st.sampled_from([".", "?", "!", ",", ""])),
    min_size=1,
    max_size=4,
).map(lambda parts: " ".join(" ".join(words) + mark for words, mark in parts))


def kept(text: str) -> Counter[str]:
    """All that no variant may change or lose, counted."""
    words = Counter(
        lower
        for word in _WORD.findall(text)
        if (lower := word.lower().replace("’", "'")) in _KEPT or lower.endswith("n't")
    )
    rest = [*_NUMBER.findall(text), *_NAME.findall(text), *_ADDRESS.findall(text)]
    # A pronoun is no name, whatever its case.
    return words + Counter(one for one in rest if one != "I")


def case_of(text: str, *answers: str) -> Case:
    turn = {"role": "user", "content": text}
    return Case(id="a", group="a", messages=[turn], expect={"answers": list(answers)})


def check(case: Case, name: str, seed: int) -> str | None:
    text = case.messages[-1].content
    found = perturbations().get(name).perturb(read(case), Draw(seed, case.id, name))
    again = perturbations().get(name).perturb(read(case), Draw(seed, case.id, name))
    assert found == again
    if found is None:
        return None
    assert found != text
    had, has = kept(text), kept(found)
    assert not had - has, f"{name} lost {had - has} of {text!r}: {found!r}"
    assert Counter(_NUMBER.findall(text)) == Counter(_NUMBER.findall(found)), found
    said = [word for answer in case.expect.get("answers", ()) for word in _WORD.findall(answer)]
    for word in said:
        assert len(re.findall(rf"\b{word}\b", found)) >= len(re.findall(rf"\b{word}\b", text))
    negations = [sum(found.values()) for found in (
        Counter(w for w in map(str.lower, _WORD.findall(one)) if w in {"not", "no", "never"})
        for one in (text, found)
    )]  # fmt: skip
    assert negations[0] == negations[1]
    return found


@pytest.mark.parametrize("name", FORMS)
@given(text=TEXTS, seed=st.integers(0, 9))
def test_a_form_keeps_what_carries_meaning(name: str, text: str, seed: int) -> None:
    check(case_of(text, "boots", "Mexico"), name, seed)


@pytest.mark.parametrize("name", FORMS)
@given(text=st.text(min_size=1, max_size=60).filter(str.strip), seed=st.integers(0, 3))
def test_any_text_can_be_read(name: str, text: str, seed: int) -> None:
    perturbations().get(name).perturb(read(case_of(text)), Draw(seed))


@pytest.mark.parametrize("name", ASKERS)
@given(text=TEXTS, seed=st.integers(0, 9))
def test_only_who_asks_changes(name: str, text: str, seed: int) -> None:
    asked = counterfactuals().get(name).ask(read(case_of(text)), Draw(seed, "a"))
    if asked is None:
        return
    assert tuple(asked) == counterfactuals().get(name).askers
    assert len(set(asked.values())) == len(asked)
    for said in asked.values():
        assert text.rstrip() in said
        assert not _NUMBER.search(said.replace(text.rstrip(), ""))


@cache
def shipped() -> tuple[Case, ...]:
    """The cases of every suite that comes with the project."""
    places = ("", "harness/cli/new_*project/", "examples/*/")
    files = [file for one in places for file in sorted(ROOT.glob(f"{one}suites/*/*.jsonl"))]
    lines = [line for file in files for line in file.read_text().splitlines() if line.strip()]
    return tuple(Case.model_validate_json(line) for line in lines if "expect" in json.loads(line))


@pytest.mark.parametrize("name", FORMS)
def test_the_shipped_suites_keep_their_meaning_in_each_form(name: str) -> None:
    found = [check(case, name, 0) for case in shipped()]
    assert any(found)


@pytest.mark.parametrize("name", ASKERS)
def test_the_shipped_suites_are_asked_by_all(name: str) -> None:
    asked = [counterfactuals().get(name).ask(read(case), Draw(0, case.id)) for case in shipped()]
    assert sum(one is not None for one in asked) > len(shipped()) / 2


def test_every_perturbation_and_counterfactual_is_tested_here() -> None:
    assert perturbations().names() == FORMS
    assert counterfactuals().names() == ASKERS
