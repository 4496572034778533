from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_project
from harness.sections.section_kinds import load_suites
from harness.session.context_room import room_lines
from tests.serving.made import write_model
from tests.shop import config, write_project


def warned(root: Path, most: int, **args: Any) -> list[str]:
    settings = config("http://one/v1")
    settings["servers"] = {"local": {"engine": "vllm", "model": "model", "args": args}}
    settings["targets"] = {"base": {"server": "local"}}
    settings["generation"] = {"max_tokens": most}
    settings.pop("gate")
    (root / "harness.yaml").write_text(yaml.safe_dump(settings))
    project = load_project(root / "harness.yaml")
    return [line for line, _ in room_lines(project, load_suites(project))]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_project(tmp_path, "http://one/v1")
    write_model(tmp_path / "model")
    return tmp_path


def test_an_answer_that_fills_the_context_leaves_no_room_for_a_prompt(root: Path) -> None:
    (line,) = warned(root, 64, max_model_len=64)
    assert "`max_tokens` 64 of `base` leaves no room for a prompt in a context of 64" in line


def test_a_context_that_nothing_here_tells_is_no_matter(root: Path) -> None:
    assert warned(root, 64) == []
    assert warned(root, 64, **{"max-model-len": "4k"}) == []


def test_the_models_own_context_counts_where_none_is_given(root: Path) -> None:
    (root / "model/config.json").write_text(json.dumps({"max_position_embeddings": 32}))
    assert len(warned(root, 64)) == 1
    assert warned(root, 64, **{"max-model-len": 512}) == []


def test_the_longest_prompt_is_counted_by_the_models_tokenizer(root: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"?": 0}, unk_token="?"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(root / "model/tokenizer.json"))
    (line,) = warned(root, 62, **{"max-model-len": 64})
    assert "tokens or more, which with the `max_tokens` 62 of `base` is more than a" in line
    assert "shop/" in line
    assert warned(root, 10, **{"max-model-len": 512}) == []
