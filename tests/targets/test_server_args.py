from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import Project, load_project
from harness.errors import ConfigError
from harness.serving import option_names
from harness.targets.server_args import option_lines
from tests.shop import config, write_project


def with_args(root: Path, **args: Any) -> Project:
    write_project(root, "http://one/v1")
    settings = config("http://one/v1")
    settings["servers"]["local"] = {"engine": "vllm", "model": "model", "args": args}
    (root / "harness.yaml").write_text(yaml.safe_dump(settings))
    return load_project(root / "harness.yaml")


def test_an_option_that_another_version_may_know_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(option_names, "vllm_version", lambda: "vllm 99.0.0")
    project = with_args(tmp_path, **{"max-model-length": 512, "dtype": "float32"})
    ((line, warning),) = option_lines(project)
    assert warning
    assert "servers.local.args.max-model-length: vllm " in line
    assert line.endswith("has no option `max-model-length`; did you mean `max-model-len`?")


def test_one_that_the_installed_version_refuses_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = option_names._known()[0]
    monkeypatch.setattr(option_names, "vllm_version", lambda: version)
    with pytest.raises(ConfigError, match="has no option `max-model-length`"):
        list(option_lines(with_args(tmp_path, **{"max-model-length": 512})))
    with pytest.raises(ConfigError, match="is set by the harness"):
        list(option_lines(with_args(tmp_path / "b", port=8000)))
