"""Sides that are going to be asked differently: told from the configuration, before anything is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import Project, load_project
from harness.errors import EvidenceError
from harness.sections.section_kinds import load_suites
from harness.session.asked_alike import asked_differently_lines, unopened_baseline_lines
from harness.session.gate import GateRequest, open_gate
from tests.conftest import ThreadedMock
from tests.session.test_gate import Silent

Edit = Callable[[dict[str, Any]], object]
VLLM = {"engine": "vllm", "model": "m"}


def edited(folder: Path, edit: Edit) -> Project:
    path = folder / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    edit(config)
    path.write_text(yaml.safe_dump(config))
    return load_project(path)


def lines(project: Project) -> list[str]:
    return list(asked_differently_lines(project, load_suites(project), project.config.targets))


def own_server(config: dict[str, Any], **candidate: Any) -> None:
    config["servers"]["other"] = {**config["servers"]["main"], **candidate}
    config["targets"]["candidate"]["server"] = "other"


def bots(config: dict[str, Any], **candidate: Any) -> None:
    bot = {"engine": "http", "url": "http://h/x", "request": {"q": {"$": "last_message"}}}
    config["servers"] = {"one": {**bot, "answer": "a"}, "two": {**bot, "answer": "a", **candidate}}
    config["targets"] = {"base": {"server": "one"}, "candidate": {"server": "two"}}


def managed(config: dict[str, Any], args: dict[str, Any]) -> None:
    config["servers"] = {"one": VLLM, "two": {**VLLM, "args": args}}
    config["targets"] = {
        "base": {"server": "one"},
        "candidate": {"server": "two", "generation": {"top_k": 5}},
    }


@pytest.mark.parametrize(
    ("edit", "key", "said"),
    [
        (lambda c: c["targets"]["base"].update(generation={"max_tokens": 2}), "max_tokens",
         "max_tokens is 128 for the candidate, 2 for the baseline"),
        (lambda c: c["targets"]["candidate"].update(generation={"top_k": 5}), "top_k",
         "top_k is 5 for the candidate, not set for the baseline"),
        (lambda c: c["targets"]["candidate"].update(system_prompt="Be kind."), "system_prompt",
         "another system prompt in `shop`"),
        (lambda c: own_server(c, request={"max_tokens_as": "max_completion_tokens"}), "max_tokens",
         "max_tokens is sent as `max_completion_tokens` to the candidate"),
        (lambda c: own_server(c, request={"omit": ["seed"]}), "seed",
         "seed is left to the server for the candidate, 0 for the baseline"),
        (lambda c: bots(c, request={"q": {"$": "last_message"}, "hint": "value 1"}), "request",
         "requests have another form"),
        (lambda c: managed(c, {}), "top_k", "top_k is 5 for the candidate"),
    ],
)  # fmt: skip
def test_a_difference_is_told_with_the_key_to_write(
    edit: Edit, key: str, said: str, project_dir: Path, mock: ThreadedMock
) -> None:
    project = edited(project_dir, edit)
    (line,) = lines(project)
    assert said in line
    assert f"if that is what is compared, `compare_across: [{key}]`" in line
    assert line.startswith("harness.yaml:")
    with (
        pytest.raises(EvidenceError, match="`candidate` and `base` are asked differently: "),
        open_gate(project, GateRequest("candidate"), Silent()),
    ):
        pass
    assert not mock.server.requests
    assert not lines(edited(project_dir, lambda c: c["gate"].update(compare_across=[key])))


@pytest.mark.parametrize(
    "edit",
    [
        lambda c: None,
        lambda c: c.pop("gate"),
        lambda c: c.update(judge="candidate", generation={"top_k": 4}),
        lambda c: c["targets"]["candidate"].update(generation={"case_timeout": 5, "retries": 9}),
        lambda c: own_server(c, url="http://elsewhere/v1"),
        lambda c: bots(c, url="http://elsewhere/x"),
        # What the model's own file sets is not known before the server runs.
        lambda c: managed(c, {"generation-config": "auto"}),
    ],
)
def test_sides_that_may_be_asked_alike_are_not_told_of(edit: Edit, project_dir: Path) -> None:
    assert lines(edited(project_dir, edit)) == []


def test_all_that_differs_is_one_line_with_all_keys(project_dir: Path) -> None:
    other = {"generation": {"temperature": 0.5, "top_k": 5}}
    edited(project_dir, lambda c: c["targets"]["base"].update(other))
    (line,) = lines(edited(project_dir, lambda c: c["gate"].update(compare_across=["seed"])))
    assert line.endswith(
        "`compare_across: [seed, temperature, top_k]`; until then `harness gate candidate` asks "
        "nothing"
    )


def test_two_differences_under_one_key_are_both_told(project_dir: Path) -> None:
    edited(project_dir, lambda c: own_server(c, request={"max_tokens_as": "most"}))
    less = {"generation": {"max_tokens": 2}}
    (line,) = lines(edited(project_dir, lambda c: c["targets"]["base"].update(less)))
    assert "max_tokens is sent as `most` to the candidate" in line
    assert "max_tokens is 128 for the candidate, 2 for the baseline" in line
    assert "`compare_across: [max_tokens]`" in line


def test_a_sealed_baseline_that_cannot_be_opened_is_told_with_its_key(project_dir: Path) -> None:
    project = edited(project_dir, lambda c: c["gate"].update(baseline="sealed:v3"))
    (line,) = unopened_baseline_lines(project, load_suites(project))
    assert line.startswith("harness.yaml:")
    assert "gate.baseline: `sealed:v3`: " in line
    assert "baselines/shop/v3.json: no such baseline - `harness promote` writes it" in line
    for edit in (lambda c: c["gate"].update(baseline="base"), lambda c: c.pop("gate")):
        project = edited(project_dir, edit)
        assert not list(unopened_baseline_lines(project, load_suites(project)))
