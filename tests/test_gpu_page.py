"""The configurations and recipes of docs/gpu.md are accepted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from harness.config import config_schema
from harness.training.candidate import Recipe, recipe_schema
from harness.training.memory import estimate_in_words

PAGE = (Path(__file__).parents[1] / "docs/gpu.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", [text for name, text in BLOCKS if name == "recipes/v1.yaml"])
def test_a_recipe_of_the_page_is_one(block: str) -> None:
    jsonschema.validate(yaml.safe_load(block), recipe_schema())


@pytest.mark.parametrize("block", [text for name, text in BLOCKS if name == "harness.yaml"])
def test_a_server_of_the_page_is_one(block: str) -> None:
    schema = config_schema()
    servers = {**schema["properties"]["servers"], "$defs": schema["$defs"]}
    jsonschema.validate(yaml.safe_load(block)["servers"], servers)


# The shapes of Qwen 2.5, from its makers' config.json.
SHAPES = {
    "Qwen/Qwen2.5-1.5B-Instruct": {
        "hidden_size": 1536, "intermediate_size": 8960, "num_attention_heads": 12,
        "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": True,
    },
    "Qwen/Qwen2.5-7B-Instruct": {
        "hidden_size": 3584, "intermediate_size": 18944, "num_attention_heads": 28,
        "num_key_value_heads": 4, "vocab_size": 152064, "tie_word_embeddings": False,
    },
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("saving", [False, True])
def test_the_memory_on_the_page_is_what_the_command_prints(
    number: int, saving: bool, tmp_path: Path
) -> None:
    block = [text for name, text in BLOCKS if name == "recipes/v1.yaml"][number]
    given = yaml.safe_load(block)
    shape = {"num_hidden_layers": 28, "dtype": "bfloat16", **SHAPES[given["base"]]}
    config = {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], **shape}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    changed = {**given, "base": str(tmp_path), "gradient_checkpointing": saving}
    told = estimate_in_words(Recipe.model_validate(changed), tmp_path, "cuda")
    rows = [line.split(" | ") for line in PAGE.splitlines() if f"B, {'LQ'[number]}" in line]
    row = next(row for row in rows if row[1] == ("yes" if saving else "no"))
    for cell, word in zip(row[2:], ("about", "weights", "for", "act", "work"), strict=True):
        size = cell.strip(" |")
        assert f"about {size}:" in told if word == "about" else f"{size} {word}" in told


def test_the_page_has_both_sizes() -> None:
    assert [name for name, _ in BLOCKS].count("recipes/v1.yaml") == 2
