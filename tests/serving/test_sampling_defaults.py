"""A model's own sampling defaults change no answer unseen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.records.target import Generation, Identity
from harness.serving.command import ServeSpec, command, effective_args
from harness.serving.sampling_defaults import FILE, defaults_in_force, sampling_defaults

QWEN = {"top_k": 20, "repetition_penalty": 1.05, "temperature": 0.7, "eos_token_id": [2, 3]}


@pytest.fixture
def spec(model: Path, tmp_path: Path) -> ServeSpec:
    return ServeSpec(model=model, log=tmp_path / "log")


def written(folder: Path, data: Any) -> None:
    (folder / FILE).write_text(json.dumps(data))


def identity(**arguments: str) -> Identity:
    return Identity(server="local", server_version="1", model="m", engine_args=arguments)


@pytest.mark.parametrize(
    ("file", "known"),
    [
        ({}, {}),
        ([], {}),
        ({"eos_token_id": 2, "do_sample": False, "top_k": None}, {}),
        (QWEN, {"top_k": 20, "repetition_penalty": 1.05, "temperature": 0.7}),
        ({"max_new_tokens": 9, "min_p": 0.0}, {"max_tokens": 9, "min_p": 0.0}),
    ],
)
def test_what_a_file_sets(model: Path, file: Any, known: dict[str, Any]) -> None:
    written(model, file)
    assert sampling_defaults(model) == known


def test_a_model_without_the_file_sets_nothing_and_a_broken_one_is_an_error(model: Path) -> None:
    (model / FILE).unlink()
    assert sampling_defaults(model) == {}
    (model / FILE).write_text("{")
    with pytest.raises(UsageError, match="not JSON"):
        sampling_defaults(model)


def test_they_are_switched_off_and_a_model_without_any_starts_as_it_did(spec: ServeSpec) -> None:
    before = effective_args(spec)
    assert "generation-config" not in before
    written(spec.model, QWEN)
    assert effective_args(spec) == {**before, "generation-config": "vllm"}
    assert "--generation-config=vllm" in command(spec, 1)


@pytest.mark.parametrize("key", ["generation-config", "generation_config", "--generation-config"])
def test_the_users_word_stands(spec: ServeSpec, key: str) -> None:
    written(spec.model, QWEN)
    assert effective_args(replace(spec, args={key: "auto"}))["generation-config"] == "auto"


def test_what_was_in_force_is_what_no_request_said(model: Path, tmp_path: Path) -> None:
    written(model, QWEN)
    asked = Generation(repetition_penalty=1.0)
    assert defaults_in_force(model, identity(), asked) == {}
    own = identity(**{"generation-config": "auto"})
    assert defaults_in_force(model, own, asked) == {"top_k": 20}
    colder = own.model_copy(update={"request": own.request.model_copy(
        update={"omit": ("temperature",)})})  # fmt: skip
    assert defaults_in_force(model, colder, asked) == {"top_k": 20, "temperature": 0.7}
    other = tmp_path / "of my own"
    other.mkdir()
    written(other, {"top_k": 3})
    for name in (str(other), f"{other} sha256:1234"):
        assert defaults_in_force(model, identity(**{"generation-config": name}), asked) == {
            "top_k": 3
        }
