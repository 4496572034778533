from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from harness.config import load_project
from harness.targets.duplicates import duplicate_lines
from tests.shop import config, write_project


def warned(
    root: Path, servers: dict[str, dict[str, Any]], targets: dict[str, dict[str, Any]]
) -> list[str]:
    write_project(root, "http://one/v1")
    settings = config("http://one/v1")
    settings["servers"] |= servers
    settings["targets"] |= targets
    (root / "harness.yaml").write_text(yaml.safe_dump(settings))
    return [line for line, _ in duplicate_lines(load_project(root / "harness.yaml"))]


def test_two_names_of_one_model_and_of_one_url_are_told(tmp_path: Path) -> None:
    found = warned(
        tmp_path,
        {"other": {"url": "http://one"}},
        {"same": {"server": "other", "model": "candidate"}},
    )
    assert [line.partition(": ")[2] for line in found] == [
        (
            "servers.other.url: the url of `main` too, so the limits of each know nothing of the "
            "other: make them one server"
        ),
        "targets.same: is `candidate` under another name, and comparing them shows noise alone",
    ]


def test_what_is_asked_otherwise_or_with_another_key_is_another(tmp_path: Path) -> None:
    found = warned(
        tmp_path,
        {"mine": {"url": "http://one", "api_key_env": "MINE"}},
        {
            "warm": {"server": "main", "model": "candidate", "generation": {"temperature": 0.5}},
            "told": {"server": "main", "model": "candidate", "system_prompt": "Be brief."},
        },
    )
    assert found == []
