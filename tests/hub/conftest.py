"""A small model on the hub, and a call that fetches it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.hub.resolve import ModelFolder, find
from tests.hub_project import Heard
from tests.hub_server import HubServer
from tests.serving.made import write_model

NAME = "org/tiny"


@pytest.fixture
def commit(hub: HubServer, tmp_path: Path) -> str:
    """The commit of a model that has more beside it than is ever fetched."""
    files = {path.name: path.read_bytes() for path in write_model(tmp_path / "made").iterdir()}
    others = ("pytorch_model.bin", "training_args.bin", "modeling.py", "README.md", "x.gguf")
    files |= dict.fromkeys((*others, "tokenizer.py", "vocab.pkl"), b"never")
    files |= {"tokenizer.model.v3": b"text", "vocab.bpe": b"words"}
    return hub.put(NAME, files | {"original/model.safetensors": b"never", "sub/x.json": b"never"})


def fetch(root: Path, given: str = NAME, heard: Heard | None = None) -> ModelFolder:
    found = find(given, root, "model", "harness.yaml:3: servers.local.model", heard)
    assert found is not None
    return found
