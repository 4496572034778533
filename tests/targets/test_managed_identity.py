"""A managed target's identity changes with what an answer depends on, and with nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.serving.command import ServeSpec
from harness.targets import identity
from harness.targets.identity import managed_identity
from tests.serving.made import write_adapter, write_model, write_safetensors


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "require_vllm", lambda: "vllm 1.2.3")


@pytest.fixture
def spec(tmp_path: Path) -> ServeSpec:
    model, adapter = write_model(tmp_path / "model"), write_adapter(tmp_path / "adapter")
    return ServeSpec(model=model, log=tmp_path / "log", adapters={"good": adapter})


def test_base_and_adapter(spec: ServeSpec) -> None:
    base = managed_identity("local", spec, None)
    good = managed_identity("local", spec, "good")
    assert (base.server, base.server_version, base.model) == ("local", "vllm 1.2.3", "base")
    assert base.adapter is None
    assert good.model == "good"
    assert good.adapter is not None
    assert good.weights == base.weights is not None
    assert good.chat_template == base.chat_template is not None
    with pytest.raises(UsageError, match="no adapter `other`"):
        managed_identity("local", spec, "other")


def weights(model: Path) -> None:
    data = bytearray((model / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (model / "model.safetensors").write_bytes(bytes(data))


CHANGES: dict[str, Callable[[Path], object]] = {
    "weights": weights,
    "config": lambda m: (m / "config.json").write_text('{"num_hidden_layers": 2, "x": 1}'),
    "generation": lambda m: (m / "generation_config.json").write_text('{"top_k": 5}'),
    "tokenizer": lambda m: (m / "tokenizer.json").write_text('{"x": 1}'),
    "template": lambda m: (m / "tokenizer_config.json").write_text('{"chat_template": "two"}'),
    "template file": lambda m: (m / "chat_template.jinja").write_text("three"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_file_counts(change: str, spec: ServeSpec) -> None:
    before = managed_identity("local", spec, None)
    assert managed_identity("local", spec, None) == before
    CHANGES[change](spec.model)
    after = managed_identity("local", spec, None)
    assert after != before
    if change.startswith("template"):
        assert after.chat_template != before.chat_template


def test_arguments_count_and_neighbours_do_not(spec: ServeSpec, tmp_path: Path) -> None:
    before = managed_identity("local", spec, "good")
    other = write_adapter(tmp_path / "other", rank=8)
    with_neighbour = replace(spec, adapters={**spec.adapters, "bad": other})
    assert managed_identity("local", with_neighbour, "good") == before
    hotter = replace(spec, args={"dtype": "float16"})
    assert managed_identity("local", hotter, "good") != before
    templated = replace(spec, args={"chat-template": "{{ x }}"})
    assert managed_identity("local", templated, None).chat_template != before.chat_template


def test_an_adapter_byte_counts(spec: ServeSpec) -> None:
    before = managed_identity("local", spec, "good")
    write_adapter(spec.adapters["good"], fill=1)
    after = managed_identity("local", spec, "good")
    assert (after.adapter != before.adapter, after.weights) == (True, before.weights)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("all", "no such model"),
        ("config.json", "no config.json"),
        ("model.safetensors", "no *.safetensors"),
    ],
)
def test_a_model_that_is_not_there(missing: str, words: str, spec: ServeSpec) -> None:
    if missing == "all":
        spec.model.rename(spec.model.with_name("away"))
    else:
        (spec.model / missing).unlink()
    with pytest.raises(UsageError) as caught:
        managed_identity("local", spec, None)
    assert words in caught.value.line
    if missing == "all":
        assert "make demo" in caught.value.line


def test_remote_code_counts_when_it_is_trusted(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m")
    write_safetensors(model / "extra.safetensors", {"x": (1,)})
    (model / "modeling.py").write_text("a = 1")
    spec = ServeSpec(model=model, log=tmp_path / "log", trust_remote_code=True)
    before = managed_identity("s", spec, None)
    (model / "modeling.py").write_text("a = 2")
    assert managed_identity("s", spec, None) != before
