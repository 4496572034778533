"""An identity changes with all that an answer depends on, and with nothing else."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.serving import command, identity
from harness.serving.identity import model_identity
from harness.serving.spec import ServeSpec
from tests.serving.made import write_adapter, write_model, write_safetensors


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "require_vllm", lambda: "vllm 1.2.3")


@pytest.fixture
def spec(model: Path, adapter: Path, tmp_path: Path) -> ServeSpec:
    return ServeSpec(model=model, log=tmp_path / "log", adapters={"good": adapter})


def test_base_and_adapter(spec: ServeSpec) -> None:
    base = model_identity("local", spec, None)
    good = model_identity("local", spec, "good")
    assert (base.server, base.server_version, base.model) == ("local", "vllm 1.2.3", "base")
    assert base.adapter is None
    assert good.model == "good"
    assert good.adapter is not None
    assert good.weights == base.weights is not None
    assert good.chat_template == base.chat_template is not None
    with pytest.raises(UsageError, match="no adapter `other`"):
        model_identity("local", spec, "other")


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
    before = model_identity("local", spec, None)
    assert model_identity("local", spec, None) == before
    CHANGES[change](spec.model)
    after = model_identity("local", spec, None)
    assert after != before
    if change.startswith("template"):
        assert after.chat_template != before.chat_template


def test_arguments_count_and_neighbours_do_not(spec: ServeSpec, tmp_path: Path) -> None:
    before = model_identity("local", spec, "good")
    other = write_adapter(tmp_path / "other", rank=8)
    with_neighbour = replace(spec, adapters={**spec.adapters, "bad": other})
    assert model_identity("local", with_neighbour, "good") == before
    hotter = replace(spec, args={"dtype": "float16"})
    assert model_identity("local", hotter, "good") != before
    templated = replace(spec, args={"chat-template": "{{ x }}"})
    assert model_identity("local", templated, None).chat_template != before.chat_template


def test_an_adapter_byte_counts(spec: ServeSpec) -> None:
    before = model_identity("local", spec, "good")
    write_adapter(spec.adapters["good"], fill=1)
    after = model_identity("local", spec, "good")
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
        model_identity("local", spec, None)
    assert words in caught.value.line
    if missing == "all":
        assert "make demo" in caught.value.line


def test_without_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "DISTRIBUTIONS", ("no-such-distribution",))
    with pytest.raises(UsageError, match=r"not installed.*'\.\[vllm\]'"):
        command.require_vllm()


def test_the_command(spec: ServeSpec) -> None:
    line = command.command(spec, 1234)
    assert line[1:4] == ["-P", "-m", "vllm.entrypoints.openai.api_server"]
    text = " ".join(line)
    assert f"--lora-modules good={spec.adapters['good']}" in text
    assert "--max-lora-rank=8" in text
    assert "--host 127.0.0.1 --port 1234" in text
    assert "--load-format=safetensors" in text
    assert "trust-remote-code" not in text
    assert "lora" not in " ".join(command.command(replace(spec, adapters={}), 1))


def test_the_users_arguments_win(spec: ServeSpec) -> None:
    args: dict[str, str | int | float | bool] = {
        "max_lora_rank": 64, "enforce-eager": True, "enable-prefix-caching": False, "seed": -1,
    }  # fmt: skip
    line = command.command(replace(spec, args=args, trust_remote_code=True), 1)
    assert "--max-lora-rank=64" in line
    assert "--max-lora-rank=8" not in line
    assert "--enforce-eager" in line
    assert "--no-enable-prefix-caching" in line
    assert "--seed=-1" in line
    assert "--trust-remote-code" in line


@pytest.mark.parametrize("key", ["api-key", "api_key", "--port", "host", "lora-modules"])
def test_what_the_harness_sets_itself(key: str, spec: ServeSpec) -> None:
    with pytest.raises(UsageError, match="set by the harness"):
        command.command(replace(spec, args={key: "x"}), 1)


@pytest.mark.parametrize(("rank", "allowed"), [(1, 1), (2, 8), (9, 16), (100, 128), (257, 320)])
def test_ranks_are_rounded_up(rank: int, allowed: int, spec: ServeSpec, tmp_path: Path) -> None:
    adapters = {"a": write_adapter(tmp_path / "a", rank=rank)}
    # A rank above a tiny model's width shows only in the configuration.
    (tmp_path / "a" / "adapter_config.json").write_text(
        json.dumps({"r": rank, "target_modules": ["q_proj", "down_proj"]})
    )
    assert f"--max-lora-rank={allowed}" in command.command(replace(spec, adapters=adapters), 1)


def test_refused_adapters(spec: ServeSpec, tmp_path: Path) -> None:
    huge = write_adapter(tmp_path / "huge", rank_pattern={"q_proj": 513})
    for adapters, words in [
        ({"base": spec.adapters["good"]}, "cannot be called `base`"),
        ({"huge": huge}, "rank 513"),
        ({"x": write_adapter(tmp_path / "wide", hidden=16)}, "another base"),
    ]:
        with pytest.raises(UsageError, match=words):
            command.command(replace(spec, adapters=adapters), 1)


def test_the_environment() -> None:
    found = command.environment("secret", {"PATH": "/bin", "VLLM_API_KEY": "other"})
    assert found["VLLM_API_KEY"] == "secret"
    assert (found["DO_NOT_TRACK"], found["VLLM_NO_USAGE_STATS"]) == ("1", "1")
    assert (found["HF_HUB_OFFLINE"], found["PATH"]) == ("1", "/bin")


def test_remote_code_counts_when_it_is_trusted(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m")
    write_safetensors(model / "extra.safetensors", {"x": (1,)})
    (model / "modeling.py").write_text("a = 1")
    spec = ServeSpec(model=model, log=tmp_path / "log", trust_remote_code=True)
    before = model_identity("s", spec, None)
    (model / "modeling.py").write_text("a = 2")
    assert model_identity("s", spec, None) != before
