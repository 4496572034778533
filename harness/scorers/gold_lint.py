"""What a reviewer would say of a gold case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.records.suite import Case
from harness.scorers.answers.expect import has_words
from harness.scorers.normalize import contains, words

LONGEST_ALIAS = 4  # words: a longer one is a sentence, which few right answers repeat
SMALL = 10  # a whole number up to this stands in many texts by chance
YES_OR_NO = frozenset({"yes", "no", "true", "false"})
_WORDS = ("contains", "exact")


def lint_gold(case: Case, expect: Any) -> Iterator[tuple[str, str]]:
    """A code and a sentence for each weakness of the case, whose `expect` was read."""
    answers, match = expect.answers, expect.match
    question = words(case.messages[-1].content)
    if match in _WORDS and any(contains(question, answer) for answer in answers):
        yield (
            "answer-in-prompt",
            "the gold answer stands in its own prompt: an answer that repeats the question passes",
        )
    if match in _WORDS and any(answer.strip().casefold() in YES_OR_NO for answer in answers):
        yield "yes-or-no", f"yes or no under `{match}`: any `no` in the answer counts, use `yes_no`"
    if match in _WORDS and len(answers) == 1:
        yield "one-alias", "one way only to say the answer: add the others that are right"
    if match in _WORDS and any(len(answer.split()) > LONGEST_ALIAS for answer in answers):
        yield (
            "long-alias",
            (
                f"an answer of more than {LONGEST_ALIAS} words: give the words that decide, "
                "other right answers word the rest differently"
            ),
        )
    if match in _WORDS and any(set(answer) & set("()[]{}") for answer in answers):
        yield "brackets", "brackets in an answer: give each of the two readings as an answer"
    if match != "regex" and not all(map(has_words, answers)):
        yield "wordless-alias", "an answer without a word or symbol is passed over: take it out"
    if match == "f1":
        yield "f1", "`match: f1` measures brevity: a right answer in a sentence fails it"
    if match == "number" and getattr(expect, "anywhere", False) and any(map(_small, answers)):
        yield (
            "small-number",
            (
                f"a whole number up to {SMALL} that may stand anywhere is met by chance: "
                "take out `anywhere`"
            ),
        )


def _small(answer: str) -> bool:
    return answer.strip().isdecimal() and int(answer) <= SMALL
