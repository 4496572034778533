"""What an answer is known by: each thing that can change it alone, and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_project
from harness.records.attempt import Failure
from harness.records.run import RunHeader
from harness.run.plan import plan
from harness.run.provenance import header
from harness.run.resume import resume
from harness.sections.section_kinds import load_suites
from harness.targets import identity
from harness.targets.identity import identify
from tests.builders import attempt
from tests.manual_clock import ManualClock
from tests.mock_server import MockServer
from tests.serving.made import write_adapter, write_model, write_safetensors
from tests.shop import answer, config, write_project

Change = Callable[[Path], object]

MODEL, ADAPTER = "models/tiny", "adapters/good"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a managed server; nothing in it is ever started."""
    monkeypatch.setattr(identity, "require_vllm", lambda: "vllm 1.2.3")
    write_project(tmp_path, "http://unused")
    write_model(tmp_path / MODEL)
    write_adapter(tmp_path / ADAPTER)
    (tmp_path / "other.jinja").write_text("{{ messages }}")
    settings = config("http://unused")
    settings["servers"] = {"main": {"engine": "vllm", "model": MODEL, "args": {}}}
    settings["targets"] = {
        "base": {"server": "main"},
        "candidate": {"server": "main", "adapter": ADAPTER},
    }
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path


def keys(folder: Path, target: str = "candidate") -> dict[str, str]:
    """The key of each case, planned as a new process would."""
    project = load_project(folder / "harness.yaml")
    planned = plan(project, target, load_suites(project), asyncio.run(identify(project, target)))
    return {ask.case.id: ask.key for ask in planned.requests}


def changed(folder: Path, change: Change, target: str = "candidate") -> set[str]:
    """The cases that a change makes unknown."""
    before = keys(folder, target)
    change(folder)
    after = keys(folder, target)
    assert before.keys() == after.keys()
    return {case for case, key in before.items() if after[case] != key}


def flipped(path: str, at: int = -1) -> Change:
    """One bit of one byte."""

    def change(folder: Path) -> None:
        data = bytearray((folder / path).read_bytes())
        data[at] ^= 1
        (folder / path).write_bytes(bytes(data))

    return change


def written(path: str, text: str) -> Change:
    return lambda folder: (folder / path).write_text(text)


def configured(**changes: Any) -> Change:
    """`a__b` is the key `b` of `a` in harness.yaml."""

    def change(folder: Path) -> None:
        path = folder / "harness.yaml"
        settings = yaml.safe_load(path.read_text())
        for name, value in changes.items():
            *place, last = name.split("__")
            at = settings
            for key in place:
                at = at.setdefault(key, {})
            at[last] = value
        path.write_text(yaml.safe_dump(settings))

    return change


def served_with(name: str, value: str | float | bool) -> Change:
    return configured(servers__main__args={name: value})


def in_suite(old: str, new: str, file: str = "suite.yaml") -> Change:
    def change(folder: Path) -> None:
        path = folder / "suites/shop" / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


EVERYTHING: dict[str, Change] = {
    "a byte of the weights": flipped(f"{MODEL}/model.safetensors"),
    "another shard": lambda folder: write_safetensors(
        folder / MODEL / "model-2.safetensors", {"x": (1,)}
    ),
    "which shard holds what": written(f"{MODEL}/model.safetensors.index.json", "{}"),
    "the model's config": written(f"{MODEL}/config.json", '{"num_hidden_layers": 2, "x": 1}'),
    "how it is quantized": written(f"{MODEL}/quantize_config.json", '{"bits": 4}'),
    "its own sampling": written(f"{MODEL}/generation_config.json", '{"top_k": 5}'),
    "the tokenizer": written(f"{MODEL}/tokenizer.json", '{"x": 1}'),
    "the template in the tokenizer's config": written(
        f"{MODEL}/tokenizer_config.json", '{"chat_template": "two"}'
    ),
    "the template in a file": written(f"{MODEL}/chat_template.jinja", "two"),
    "the template by an option": served_with("chat-template", "{{ messages }}"),
    "the template by an option that is a file": served_with("chat_template", "other.jinja"),
    "the server's precision": served_with("dtype", "float16"),
    "its quantization": served_with("quantization", "fp8"),
    "its longest context": served_with("max-model-len", 128),
    "its cache's precision": served_with("kv_cache_dtype", "fp8"),
    "a flag": served_with("enable-prefix-caching", False),
    "code that is trusted": configured(servers__main__trust_remote_code=True),
    "the temperature": configured(generation__temperature=0.5),
    "the nucleus": configured(generation__top_p=0.5),
    "the longest answer": configured(generation__max_tokens=9),
    "the seed": configured(generation__seed=9),
    "a field of vLLM's": configured(generation__top_k=9),
    "a field that is zero": configured(generation__presence_penalty=0.0),
    "what the template is told": configured(
        generation__chat_template_kwargs={"enable_thinking": False}
    ),
    "any other field": configured(generation__extra_body={"priority": 1}),
    "a field that is not sent": configured(servers__main__request={"omit": ["seed"]}),
    "where the system prompt goes": configured(servers__main__request={"system_as": "user"}),
    "the target's own sampling": configured(
        targets__candidate__generation={"temperature": 0.5},
        targets__base__generation={"temperature": 0.5},
    ),
    "the suite's system prompt": in_suite("You are the shop's assistant.", "You are."),
    "the target's system prompt": configured(
        targets__candidate__system_prompt="Be brief.", targets__base__system_prompt="Be brief."
    ),
    "no system prompt": in_suite("system_prompt: You are the shop's assistant.\n", ""),
}

ADAPTERS: dict[str, Change] = {
    "a byte of the adapter": flipped(f"{ADAPTER}/adapter_model.safetensors"),
    "its scale": lambda folder: write_adapter(folder / ADAPTER, lora_alpha=99),
}

NOTHING: dict[str, Change] = {
    "how many at once": configured(generation__concurrency=3),
    "how often it is tried": configured(generation__retries=9),
    "how long it may take": configured(
        generation__connect_timeout=3, generation__chunk_timeout=3, generation__case_timeout=3
    ),
    "the server's port and patience": configured(
        servers__main__port=4321, servers__main__start_timeout=9
    ),
    "another target": configured(targets__third={"server": "main", "adapter": ADAPTER}),
    "the policy": configured(gate__alpha=0.01),
    "what is expected": in_suite('"answers": ["value 7"]', '"answers": ["7"]', "gold.jsonl"),
    "a tag": in_suite('"id": "g7",', '"id": "g7", "tags": ["x"],', "gold.jsonl"),
    "a group": in_suite('"group": "g7"', '"group": "g8"', "gold.jsonl"),
    "what is critical": in_suite('"critical": true', '"critical": false', "scope.jsonl"),
    "the order of the cases": lambda folder: reverse(folder / "suites/shop/gold.jsonl"),
    "the suite's version and domain": in_suite("version: 1", "version: 2"),
    "the metrics": in_suite("- f1", "", "suite.yaml"),
    "a note beside the weights": written(f"{MODEL}/README.md", "x"),
    "where an adapter was trained": lambda folder: write_adapter(
        folder / ADAPTER, base_model_name_or_path="here"
    ),
    "the weights written again as they were": lambda folder: rewrite(
        folder / MODEL / "model.safetensors"
    ),
}


def reverse(path: Path) -> None:
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))


def rewrite(path: Path) -> None:
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)


@pytest.mark.parametrize("target", ["base", "candidate"])
@pytest.mark.parametrize("change", EVERYTHING)
def test_what_changes_every_answer(folder: Path, change: str, target: str) -> None:
    assert len(changed(folder, EVERYTHING[change], target)) == 80


@pytest.mark.parametrize("change", ADAPTERS)
def test_an_adapter_changes_its_own_answers(folder: Path, change: str) -> None:
    base = keys(folder, "base")
    assert len(changed(folder, ADAPTERS[change])) == 80
    assert keys(folder, "base") == base


@pytest.mark.parametrize("target", ["base", "candidate"])
@pytest.mark.parametrize("change", NOTHING)
def test_what_changes_no_answer(folder: Path, change: str, target: str) -> None:
    assert changed(folder, NOTHING[change], target) == set()


AFTER_A_SYSTEM_MESSAGE = json.dumps(
    [{"role": "system", "content": "Be."}, {"role": "user", "content": "What is fact 7?"}]
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What is fact 7?", "What was fact 7?"),
        ("What is fact 7?", "What is fact 7? "),
        ('"prompt": "What is fact 7?"', f'"messages": {AFTER_A_SYSTEM_MESSAGE}'),
    ],
)
def test_a_message_changes_its_own_case(folder: Path, old: str, new: str) -> None:
    assert changed(folder, in_suite(old, new, "gold.jsonl")) == {"g7"}


def test_a_prompt_and_the_one_message_that_it_stands_for_are_the_same(folder: Path) -> None:
    long = '"messages": [{"role": "user", "content": "What is fact 7?"}]'
    assert changed(folder, in_suite('"prompt": "What is fact 7?"', long, "gold.jsonl")) == set()


def test_a_template_beside_the_model_is_read_again(folder: Path) -> None:
    served_with("chat-template", "other.jinja")(folder)
    assert len(changed(folder, written("other.jinja", "two"))) == 80


def test_what_an_option_points_at_counts(folder: Path) -> None:
    """A tokenizer of its own, a folder or a file: the path says nothing of what lies there."""
    (folder / "own").mkdir()
    (folder / "own/tokenizer.json").write_text("{}")
    served_with("tokenizer", str(folder / "own"))(folder)
    assert len(changed(folder, written("own/tokenizer.json", '{"x": 1}'))) == 80
    served_with("generation-config", str(folder / "own/tokenizer.json"))(folder)
    assert len(changed(folder, written("own/tokenizer.json", '{"x": 2}'))) == 80


def test_the_version_of_the_server_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def newer(_: Path) -> None:
        monkeypatch.setattr(identity, "require_vllm", lambda: "vllm 1.2.4")

    assert len(changed(folder, newer)) == 80


def test_each_repeat_has_an_answer_of_its_own(folder: Path) -> None:
    once = set(keys(folder).values())
    configured(generation__repeats=2)(folder)
    project = load_project(folder / "harness.yaml")
    who = asyncio.run(identify(project, "candidate"))
    twice = {ask.key for ask in plan(project, "candidate", load_suites(project), who).requests}
    assert len(twice) == 160
    assert once < twice


async def test_what_a_url_lists_counts(tmp_path: Path) -> None:
    async with MockServer(answer, models=("base", "candidate")) as server:
        write_project(tmp_path, server.url)
        project = load_project(tmp_path / "harness.yaml")
        plain = await identify(project, "candidate")
        server._models["candidate"] = "base"
        adapted = await identify(project, "candidate")
        again = await identify(project, "candidate")
    assert plain.adapter is None
    assert adapted.adapter is not None
    assert (again, plain.server) == (adapted, server.url)


def test_a_failure_is_never_an_answer_at_hand(folder: Path) -> None:
    project = load_project(folder / "harness.yaml")
    suites = load_suites(project)
    who = asyncio.run(identify(project, "base"))
    planned = plan(project, "base", suites, who)
    failed, answered = planned.requests[0], planned.requests[1]
    head = partial(header, project, suites=suites, proof=None, clock=ManualClock())
    with resume(project, planned).writing(head) as (_, journal):
        for item in (
            attempt(failed, Failure(cause="http", detail="HTTP 500", status=500)),
            attempt(answered, "It is value 1."),
        ):
            journal.append(item.model_dump_json(exclude_none=True))
    job = resume(project, planned)
    assert set(job.done) == {answered.key}
    assert failed in job.pending()
    assert job.open == len(list(job.pending())) == 79


def test_what_a_model_adds_to_requests_stands_in_the_header_where_it_is_let(
    folder: Path,
) -> None:
    written(f"{MODEL}/generation_config.json", '{"top_k": 20, "temperature": 0.7}')(folder)

    def headed() -> RunHeader:
        project = load_project(folder / "harness.yaml")
        suites = load_suites(project)
        planned = plan(project, "base", suites, asyncio.run(identify(project, "base")))
        return header(project, resume(project, planned), suites, None, ManualClock())

    usual = headed()
    assert usual.identity.engine_args["generation-config"] == "vllm"
    assert usual.sampling_defaults == {}
    served_with("generation-config", "auto")(folder)
    assert headed().sampling_defaults == {"top_k": 20}
