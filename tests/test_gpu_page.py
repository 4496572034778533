"""The configurations and recipes of docs/gpu.md are accepted."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from harness.config import config_schema
from harness.training.candidate import recipe_schema

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


def test_the_page_has_both_sizes() -> None:
    assert [name for name, _ in BLOCKS].count("recipes/v1.yaml") == 2
