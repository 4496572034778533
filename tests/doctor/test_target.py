"""The examination of a target, from its configuration to its last step."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.doctor import machine, target
from harness.doctor.target import examine
from harness.errors import UsageError
from harness.targets.endpoint import Endpoint
from harness.targets.identity import identify
from tests.conftest import ThreadedMock
from tests.doctor.conftest import project_in
from tests.mock_server import MockReply
from tests.serving.test_memory import LLAMA, model_in

ALL = [
    "address", "proxy", "TLS", "key", "models", "answer", "usage", "logprobs", "seed", "limits",
    "adapter", "context", "system role",
]  # fmt: skip
FILES = ["files", "chat template", "vllm", "memory for main"]


@pytest.fixture(autouse=True)
def answering(mock: ThreadedMock) -> None:
    mock.answer = lambda _: "an answer"


def quiet(_: str) -> None:
    pass


def test_every_step_in_its_order(tmp_path: Path, mock: ThreadedMock) -> None:
    project = project_in(tmp_path, {"url": mock.url}, model="base")
    (found,) = examine(project, "it", start=False, say=quiet)
    assert [step.name for step in found.steps] == ALL
    assert (found.usable, found.not_tried) == (True, ())
    assert found.about == f"`base` on main ({mock.url})"


def test_what_is_pointless_is_not_tried(tmp_path: Path) -> None:
    project = project_in(tmp_path, {"url": "http://127.0.0.1:1"})
    (found,) = examine(project, "it", start=False, say=quiet)
    assert [step.name for step in found.steps] == ["address"]
    assert list(found.not_tried) == ALL[1:]
    assert found.exit_code == 3


def test_each_address_is_examined(tmp_path: Path, mock: ThreadedMock) -> None:
    project = project_in(tmp_path, {"url": [mock.url, "http://127.0.0.1:1"]}, model="base")
    found = examine(project, "it", start=False, say=quiet)
    assert [one.usable for one in found] == [True, False]


def test_a_key_that_is_not_set_is_a_matter_of_configuration(tmp_path: Path) -> None:
    project = project_in(tmp_path, {"url": "http://h", "api_key_env": "NOT_SET_HERE"})
    (found,) = examine(project, "it", start=False, say=quiet)
    assert (found.exit_code, found.steps[0].name) == (2, "configuration")
    assert "NOT_SET_HERE is not set" in found.steps[0].found


def test_a_chatbot_is_asked_what_it_can_be(tmp_path: Path, mock: ThreadedMock) -> None:
    bot = {
        "engine": "http",
        "url": f"{mock.url}/chat/completions",
        "request": {"model": "base", "messages": {"$": "messages"}},
        "answer": "choices[0].message.content",
    }
    project = project_in(tmp_path, bot, model=None)
    (found,) = examine(project, "it", start=False, say=quiet)
    assert [step.name for step in found.steps] == ALL[:7]
    assert found.steps[4].found.startswith("a chatbot")
    assert found.steps[5].outcome == "ok", found.steps[5]


@pytest.fixture
def managed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    model_in(tmp_path / "m", LLAMA)
    (tmp_path / "m" / "chat_template.jinja").write_text("{{ messages }}")
    monkeypatch.setattr(machine, "gpus", lambda: None)
    monkeypatch.setattr(machine, "free_memory", lambda: 2**40)
    monkeypatch.setattr(target, "check_vllm", lambda needed: machine.Step("vllm", "ok", "vllm 1"))
    return {"engine": "vllm", "model": "m", "args": {"max-model-len": 512}}


def test_a_managed_target_is_not_started_unless_asked(
    tmp_path: Path, managed: dict[str, Any]
) -> None:
    (found,) = examine(project_in(tmp_path, managed, model=None), "it", start=False, say=quiet)
    assert [step.name for step in found.steps] == FILES
    assert found.usable, found.steps
    assert list(found.not_tried) == ALL
    assert found.about.endswith("not started")


def test_a_model_without_a_chat_template(tmp_path: Path, managed: dict[str, Any]) -> None:
    (tmp_path / "m" / "chat_template.jinja").unlink()
    (found,) = examine(project_in(tmp_path, managed, model=None), "it", start=True, say=quiet)
    assert (found.exit_code, found.steps[1].outcome) == (3, "failed")
    (tmp_path / "other.jinja").write_text("{{ messages }}")
    managed["args"]["chat-template"] = "other.jinja"
    (found,) = examine(project_in(tmp_path, managed, model=None), "it", start=False, say=quiet)
    assert found.steps[1].outcome == "ok"


def test_an_argument_that_the_chat_template_does_not_read_is_named(
    tmp_path: Path, managed: dict[str, Any]
) -> None:
    (tmp_path / "m" / "chat_template.jinja").write_text("{% if enable_thinking %}{% endif %}")
    found = {}
    for name in ("enable_thinking", "enable_thinkin"):
        generation = {"chat_template_kwargs": {name: False}}
        project = project_in(tmp_path, managed, model=None, generation=generation)
        (examined,) = examine(project, "it", start=False, say=quiet)
        assert examined.usable
        found[name] = examined.steps[1]
    assert found["enable_thinking"].outcome == "ok"
    assert found["enable_thinkin"].outcome == "cannot"
    assert found["enable_thinkin"].found.startswith("it reads no `enable_thinkin`")


def test_a_managed_target_that_is_started_is_asked_too(
    tmp_path: Path, managed: dict[str, Any], mock: ThreadedMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def connect(*_: Any) -> Iterator[Endpoint]:
        yield Endpoint((mock.url,), None)

    monkeypatch.setattr(target, "connect", connect)
    monkeypatch.setattr(target, "model_name", lambda *_: "base")
    (found,) = examine(project_in(tmp_path, managed, model=None), "it", start=True, say=quiet)
    assert [step.name for step in found.steps] == [*FILES, *ALL]


def test_a_model_that_is_not_there_is_a_matter_of_configuration(
    tmp_path: Path, managed: dict[str, Any]
) -> None:
    project = project_in(tmp_path, {**managed, "model": "elsewhere"}, model=None)
    (found,) = examine(project, "it", start=True, say=quiet)
    assert found.exit_code == 2
    assert found.steps[-1].found.endswith("servers.main.model: no such folder: `elsewhere`")


def test_a_slip_in_a_models_name_is_told_as_a_run_tells_it(
    tmp_path: Path, managed: dict[str, Any]
) -> None:
    (tmp_path / "models/tiny").mkdir(parents=True)
    project = project_in(tmp_path, {**managed, "model": "models/tny"}, model=None)
    (found,) = examine(project, "it", start=False, say=quiet)
    with pytest.raises(UsageError) as raised:
        asyncio.run(identify(project, "it"))
    step = found.steps[-1]
    assert f"{step.found} - {step.remedy}" == raised.value.line
    assert "did you mean `models/tiny`?" in step.remedy
    assert found.exit_code == raised.value.exit_code == 2


def test_a_refused_field_is_to_be_corrected_in_the_configuration(
    tmp_path: Path, mock: ThreadedMock
) -> None:
    mock.answer = lambda _: MockReply("Unknown parameter: 'seed'.", status=400)
    project = project_in(tmp_path, {"url": mock.url}, model="base")
    (found,) = examine(project, "it", start=False, say=quiet)
    assert (found.steps[-1].name, found.exit_code) == ("answer", 2)


def test_an_answer_that_is_all_thinking_is_told(tmp_path: Path, mock: ThreadedMock) -> None:
    mock.answer = lambda _: MockReply("", reasoning="hm, well", finish_reason="length")
    project = project_in(tmp_path, {"url": mock.url}, model="base")
    (found,) = examine(project, "it", start=False, say=quiet)
    step = found.steps[5]
    assert (step.name, step.outcome) == ("answer", "ok")
    assert "all of it is thinking, so leave `max_tokens` room" in step.found
