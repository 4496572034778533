"""Two sides that are asked differently are no evidence, unless the policy compares across that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.gate.compare import compare
from harness.gate.judge import gate
from harness.records.request_fields import RequestForm
from harness.records.rule import Policy
from harness.records.run import RunRecord
from harness.records.verdict import Verdict
from tests.builders import make_run, shop, usual
from tests.gate.test_judge import NOW

RULE = {"metric": "shop.gold.accuracy", "require": "better_than_baseline"}


def asked(run: RunRecord, **settings: Any) -> RunRecord:
    """The run as if it had been asked with these settings."""
    head = run.header
    update: dict[str, Any] = {"generation": {**head.generation, **settings}}
    if prompt := settings.pop("system_prompt", None):
        update = {"system_prompts": dict.fromkeys(head.system_prompts, prompt)}
    if defaults := settings.pop("sampling_defaults", None):
        update = {"sampling_defaults": defaults}
    if form := settings.pop("request", None):
        identity = head.identity.model_copy(update={"request": RequestForm(**form)})
        update = {"identity": identity}
    if arguments := settings.pop("engine_args", None):
        identity = head.identity.model_copy(update={"engine_args": arguments})
        update = {"identity": identity}
    return replace(run, header=head.model_copy(update=update))


def judged(folder: Path, across: tuple[str, ...] = (), **settings: Any) -> Verdict:
    project, suites = shop(folder)
    ours = make_run(project, suites, "candidate", usual)
    theirs = asked(make_run(project, suites, "base", usual), **settings)
    policy = Policy.model_validate({"baseline": "base", "rules": [RULE], "compare_across": across})
    return gate(compare(ours, theirs, suites), policy, NOW)


CHANGES = [
    ("max_tokens", 2, "max_tokens is 128 for the candidate, 2 for the baseline"),
    ("temperature", 0.7, "temperature is 0 for the candidate, 0.7 for the baseline"),
    ("top_p", 0.5, "top_p is 1 for the candidate, 0.5 for the baseline"),
    ("seed", 3, "seed is 0 for the candidate, 3 for the baseline"),
    ("thinking_tags", [["<n>", "</n>"]], "thinking_tags is not set for the candidate"),
    ("top_k", 4, "top_k is not set for the candidate, 4 for the baseline"),
    ("stop", ["END"], "stop is not set for the candidate, ['END'] for the baseline"),
    ("chat_template_kwargs", {"enable_thinking": False},
     "chat_template_kwargs is not set for the candidate, {'enable_thinking': False}"),
    ("extra_body", {"x": 1}, "extra_body is not set for the candidate, {'x': 1}"),
    ("system_prompt", "Be rude.", "another system prompt in `shop`"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "said"), CHANGES)
def test_a_difference_is_invalid_and_named(
    tmp_path: Path, key: str, value: object, said: str
) -> None:
    verdict = judged(tmp_path, **{key: value})
    assert verdict.verdict == "INVALID"
    (problem,) = verdict.problems
    assert f"the sides are asked differently: {said}" in problem
    assert f"`compare_across: [{key}]`" in problem
    (warning,) = [one for one in verdict.warnings if one.code == "asked-differently"]
    assert warning.place == key


@pytest.mark.parametrize(("key", "value", "said"), CHANGES)
def test_what_the_policy_compares_across_is_a_warning(
    tmp_path: Path, key: str, value: object, said: str
) -> None:
    verdict = judged(tmp_path, (key,), **{key: value})
    assert verdict.verdict == "PROMOTE", verdict.reason
    (warning,) = [one for one in verdict.warnings if one.code == "asked-differently"]
    assert said in warning.what
    assert warning.what.endswith(", which the policy compares across")


@pytest.mark.parametrize(
    "settings", [{"case_timeout": 1.0}, {"retries": 3}, {"engine_args": {"max-model-len": 64}}]
)
def test_what_limits_the_waiting_or_the_server_is_a_warning(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    verdict = judged(tmp_path, **settings)
    assert verdict.verdict == "PROMOTE"
    assert [one.code for one in verdict.warnings].count("asked-differently") == 1


def test_two_long_values_that_begin_alike_are_two(tmp_path: Path) -> None:
    tags = [["<" + "n" * 100 + end, "</n>"] for end in ("a>", "b>")]
    project, suites = shop(tmp_path)
    runs = [
        asked(make_run(project, suites, name, usual), thinking_tags=[one])
        for name, one in zip(("candidate", "base"), tags, strict=True)
    ]
    policy = Policy.model_validate({"baseline": "base", "rules": [RULE]})
    assert gate(compare(runs[0], runs[1], suites), policy, NOW).verdict == "INVALID"


def test_sides_that_are_asked_alike_have_no_such_warning(tmp_path: Path) -> None:
    verdict = judged(tmp_path)
    assert not [one for one in verdict.warnings if one.code == "asked-differently"]


def test_a_policy_without_the_key_is_written_as_before() -> None:
    policy = Policy.model_validate({"baseline": "base", "rules": [RULE]})
    assert "compare_across" not in policy.model_dump(mode="json")


@pytest.mark.parametrize(
    ("form", "key", "said"),
    [
        ({"omit": ["temperature"]}, "temperature",
         "temperature is 0 for the candidate, left to the server for the baseline"),
        ({"system_as": "user"}, "system_prompt",
         "the system prompt is put as `system` to the candidate, as `user` to the baseline"),
        ({"max_tokens_as": "max_new_words"}, "max_tokens",
         "max_tokens is sent as `max_tokens` to the candidate, as `max_new_words` to the baseline"),
    ],
)  # fmt: skip
def test_what_one_side_alone_is_not_sent_is_a_difference(
    tmp_path: Path, form: dict[str, Any], key: str, said: str
) -> None:
    verdict = judged(tmp_path, request=form)
    assert verdict.verdict == "INVALID"
    (problem,) = verdict.problems
    assert said in problem
    assert f"`compare_across: [{key}]`" in problem


def test_a_form_that_changes_no_answer_is_no_difference(tmp_path: Path) -> None:
    verdict = judged(tmp_path, request={"omit": ["stream_options", "top_k"]})
    assert verdict.verdict == "PROMOTE", verdict.reason


def test_another_name_of_the_limit_can_be_compared_across(tmp_path: Path) -> None:
    verdict = judged(tmp_path, ("max_tokens",), request={"max_tokens_as": "max_completion_tokens"})
    assert verdict.verdict == "PROMOTE", verdict.reason


def bot(mapping: str, **more: str) -> dict[str, str]:
    return {"preset": "none", "stream": "none", "turns": "history", "mapping": mapping, **more}


def with_form(run: RunRecord, args: dict[str, str], form: str | None = None) -> RunRecord:
    found = asked(run, engine_args=args)
    return replace(found, header=found.header.model_copy(update={"request_form": form}))


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ((bot("a"), "1"), (bot("b"), "2"), "`request`, `answer` or `headers` say besides"),
        ((bot("a"), "1"), (bot("b"),), "`request`, `answer` or `headers` say besides"),
        ((bot("a"),), (bot("b"),), "`request`, `answer` or `headers` say besides"),
        ((bot("a", preset="rasa"), "1"), (bot("a"), "1"), "preset is rasa for the candidate, none"),
        ((bot("a"), "1"), (bot("a", turns="replay"), "1"), "turns is history for the candidate, "),
        (({},), ({"dialect": "plain"},), "dialect is not set for the candidate, plain for the b"),
        (({},), (bot("a"), "1"), "preset is not set for the candidate, none for the baseline"),
    ],
)
def test_requests_of_another_form_are_invalid_unless_that_is_compared(
    tmp_path: Path, ours: tuple[Any, ...], theirs: tuple[Any, ...], said: str
) -> None:
    project, suites = shop(tmp_path)
    sides = [
        with_form(make_run(project, suites, name, usual), *form)
        for name, form in (("candidate", ours), ("base", theirs))
    ]
    for across, expected in ((), "INVALID"), (("request",), "PROMOTE"):
        given = {"baseline": "base", "rules": [RULE], "compare_across": across}
        verdict = gate(compare(*sides, suites), Policy.model_validate(given), NOW)
        assert verdict.verdict == expected, verdict.reason
        (warning,) = [one for one in verdict.warnings if one.code == "asked-differently"]
        assert warning.place == "request"
        assert said in warning.what
        assert not verdict.problems or "`compare_across: [request]`" in verdict.problems[0]


def test_two_bots_that_are_asked_alike_under_two_names_are_compared(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    sides = [
        with_form(make_run(project, suites, name, usual), bot(name), "sha256:same")
        for name in ("candidate", "base")
    ]
    policy = Policy.model_validate({"baseline": "base", "rules": [RULE]})
    verdict = gate(compare(*sides, suites), policy, NOW)
    assert verdict.verdict == "PROMOTE", verdict.reason
    assert not [one for one in verdict.warnings if one.code == "asked-differently"]


def test_so_is_what_a_server_of_ours_adds(tmp_path: Path) -> None:
    verdict = judged(tmp_path, sampling_defaults={"top_k": 20})
    assert verdict.verdict == "INVALID"
    assert "top_k is not set for the candidate, 20 for the baseline" in verdict.problems[0]
