"""The command line and the environment of vLLM."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.serving import command
from harness.serving.command import ServeSpec, surroundings
from tests.serving.made import write_adapter


@pytest.fixture
def spec(model: Path, adapter: Path, tmp_path: Path) -> ServeSpec:
    return ServeSpec(model=model, log=tmp_path / "log", adapters={"good": adapter})


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


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setenv("VLLM_API_KEY", "other")
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    monkeypatch.setenv("HARNESS_SIGNING_KEY", "mine")
    found = command.environment("secret")
    assert found["VLLM_API_KEY"] == "secret"
    assert (found["DO_NOT_TRACK"], found["VLLM_NO_USAGE_STATS"]) == ("1", "1")
    assert (found["HF_HUB_OFFLINE"], found["PATH"]) == ("1", "/bin")
    assert not {"HF_TOKEN", "HARNESS_SIGNING_KEY"} & found.keys()


def test_what_decides_how_a_server_computes_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("ATEN_CPU_CAPABILITY", "ONEDNN_DEFAULT_FPMATH_MODE", "CUBLAS_WORKSPACE_CONFIG")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    before = surroundings()
    for name in names:
        monkeypatch.setenv(name, "another")
        assert surroundings().keys() - before.keys() == {name}
        monkeypatch.delenv(name)
    monkeypatch.setenv("TERM", "another")
    assert surroundings() == before
