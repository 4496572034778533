"""The weights of a target are told from others by their content, not by their place."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_project
from harness.errors import UsageError
from harness.weights.identity import Weights, weights_of
from tests.serving.made import write_adapter, write_model


def written(folder: Path, **args: Any) -> Path:
    write_model(folder / "model")
    write_adapter(folder / "adapter")
    servers: dict[str, Any] = {
        "own": {"engine": "vllm", "model": "model", "args": args},
        "there": {"url": "http://127.0.0.1:9"},
    }
    targets = {
        "base": {"server": "own"},
        "tuned": {"server": "own", "adapter": "adapter"},
        "remote": {"server": "there", "model": "m"},
    }
    config = {"suites": ["suites/s"], "servers": servers, "targets": targets}
    (folder / "harness.yaml").write_text(yaml.safe_dump(config))
    return folder / "harness.yaml"


def weights(file: Path, target: str) -> Weights:
    return weights_of(load_project(file), target)


def test_another_place_is_the_same_and_other_content_is_not(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    first = written(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    base, tuned = weights(first, "base"), weights(first, "tuned")
    assert base.key != tuned.key
    assert base.base == str(tmp_path / "one/model")
    assert tuned.adapter == str(tmp_path / "one/adapter")
    assert tuned.stored > base.stored > 0
    assert weights(tmp_path / "two/harness.yaml", "tuned").key == tuned.key
    (tmp_path / "two/model/config.json").write_text("{}")
    assert weights(tmp_path / "two/harness.yaml", "base").key != base.key


def test_the_type_of_the_numbers_is_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    half = weights(written(tmp_path / "half", dtype="half"), "base")
    assert half.dtype == "float16"
    assert half.key != weights(written(tmp_path), "base").key


def test_weights_behind_a_url_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the weights of `remote` are behind a url"):
        weights(written(tmp_path), "remote")
