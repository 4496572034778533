"""The README's commands, run as they stand there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli.main import COMMANDS
from harness.config import load_project
from harness.gate.judge import check_policy
from harness.sections.section_kinds import load_suites
from tests.cli.builders import call
from tests.conftest import ThreadedMock

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()


def block(language: str, holding: str) -> str:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    return next(text for kind, text in found if kind == language and holding in text)


def test_the_first_steps_lead_to_a_verdict(
    tmp_path: Path, mock: ThreadedMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(body: dict[str, Any]) -> str:
        return f"Sorry, I can only help with our shop, says {body['model']}."

    mock.answer = answer
    mock.server._models.update({"support-v1": None, "support-v2": None})
    monkeypatch.chdir(tmp_path)
    codes = {}
    for line in block("", "harness init").splitlines():
        words = shlex.split(line.replace("https://chat.example.com", mock.url))
        if words[0] == "cd":
            monkeypatch.chdir(tmp_path / words[1])
        elif words[0] == "harness":
            codes[words[1]] = call(*words[1:])
    assert codes == {"init": 0, "validate": 0, "gate": 4}


def test_the_suite_and_the_gate_shown_are_valid(tmp_path: Path) -> None:
    suite = tmp_path / "suites/support"
    suite.mkdir(parents=True)
    (suite / "suite.yaml").write_text(block("yaml", "name: support"))
    (suite / "gold.jsonl").write_text(block("json", '"id"'))
    (suite / "scope.jsonl").write_text(
        '{"id": "a", "prompt": "Hi", "expect": {"behavior": "answer"}, "critical": true}\n'
    )
    settings = yaml.safe_load((ROOT / "harness.yaml").read_text())
    settings |= yaml.safe_load(block("yaml", "gate:"))
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(settings))
    project = load_project(tmp_path / "harness.yaml")
    suites = load_suites(project)
    assert suites[0].name == "support"
    check_policy(project.policy(), suites, project.place)


def test_every_command_stands_in_the_table() -> None:
    shown = set(re.findall(r"`harness ([a-z]+)[ `]", TEXT))
    assert set(COMMANDS) - shown == set()
