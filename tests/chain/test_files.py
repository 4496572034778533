"""What the files of a link say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.chain.files import precision, read_files, render
from harness.training import bounded_template
from tests.serving.made import write_adapter, write_model

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{% generation %}{{ m.content }}"
    "{% endgeneration %}{% endfor %}{% if add_generation_prompt %}[bot]{% endif %}"
)


def model(folder: Path, config: dict[str, Any] | None = None) -> Path:
    write_model(folder)
    settings = {"bos_token": {"content": "<s>"}, "eos_token": "</s>", "chat_template": TEMPLATE}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer = {"model": {"vocab": {"a": 0}, "merges": ["a b"]}, "pre_tokenizer": None}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "config.json").write_text(
        json.dumps({"num_hidden_layers": 2, "max_position_embeddings": 99, **(config or {})})
    )
    return folder


def test_template_tokens_and_context_are_read(tmp_path: Path) -> None:
    found = read_files(model(tmp_path / "m"), None, {}, {})
    assert found.rendered["system"] == "<s>[system]You are brief.[user]Hi[bot]"
    assert found.special == {"bos_token": "<s>", "eos_token": "</s>"}
    assert (found.context, found.merged, found.adapter) == (99, None, None)


def test_the_servers_options_go_before_the_files(tmp_path: Path) -> None:
    args = {"max-model-len": 32, "chat-template": "{{ messages[-1].content }}!"}
    found = read_files(model(tmp_path / "m"), None, args, {})
    assert (found.context, found.rendered["short"]) == (32, "Hi!")
    assert found.template != read_files(tmp_path / "m", None, {}, {}).template


def test_what_was_merged_and_the_adapter_that_is_served_have_one_digest(tmp_path: Path) -> None:
    folder, adapter = model(tmp_path / "m"), write_adapter(tmp_path / "a")
    digest = read_files(folder, adapter, {}, {}).adapter
    (folder / "merge.json").write_text(json.dumps({"adapter_digest": digest}))
    assert read_files(folder, None, {}, {}).merged == digest is not None


def test_merges_written_as_pairs_are_the_same_tokenizer(tmp_path: Path) -> None:
    one, two = model(tmp_path / "one"), model(tmp_path / "two")
    text = (two / "tokenizer.json").read_text()
    (two / "tokenizer.json").write_text(text.replace('"a b"', '["a", "b"]'))
    assert read_files(one, None, {}, {}).tokenizer == read_files(two, None, {}, {}).tokenizer
    (two / "tokenizer.json").write_text(text.replace('"a b"', '"b a"'))
    assert read_files(one, None, {}, {}).tokenizer != read_files(two, None, {}, {}).tokenizer


def test_a_folder_of_rubbish_tells_nothing(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "merge.json"):
        (folder / name).write_text("]")
    found = read_files(folder, None, {}, {})
    assert (found.rendered, found.tokenizer, found.context, found.merged) == ({}, None, None, None)


def test_a_template_that_refuses_a_conversation_leaves_it_out() -> None:
    template = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}x"
    assert sorted(render(template, {}, {})) == ["filler", "short", "turns", "words"]


def test_a_template_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_template, "MOST_SECONDS", 0.02)
    loop = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    assert render(loop, {}, {}) == {}


@pytest.mark.parametrize(
    ("config", "args", "names", "found"),
    [
        ({"dtype": "bfloat16"}, {}, (), "bfloat16"),
        ({"torch_dtype": "float32"}, {"dtype": "half"}, (), "float16"),
        ({"dtype": "float32"}, {}, (), "half (vLLM's choice for float32)"),
        ({"dtype": "float32"}, None, (), "float32"),
        ({"dtype": "float32"}, {"quantization": "fp8"}, (), "fp8"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, {}, (), "gptq 4-bit"),
        ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}, None,
         (), "bitsandbytes 4-bit"),
        (None, None, ("llama3:8b-q4_K_M", "/x"), "q4_k_m"),
        (None, None, ("support", "models/a-AWQ"), "awq"),
        (None, None, ("good", "int8"), "int8"),
        (None, None, ("paint8", "support-v4"), None),
    ],
)  # fmt: skip
def test_the_precision_by_options_files_and_names(
    config: dict[str, Any] | None,
    args: dict[str, Any] | None,
    names: tuple[str, ...],
    found: str | None,
    tmp_path: Path,
) -> None:
    folder = None if config is None else model(tmp_path / "m", config)
    assert precision(folder, args, names) == found
