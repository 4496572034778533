"""docs/extending.md: its examples are a package that a whole gate goes through."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import yaml

from harness.client import dialects
from harness.records.rule import register_rule, rule_kinds
from harness.records.verdict import Verdict
from harness.scorers.registry import book
from harness.sections.section_kinds import kinds
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.shop import write_lines

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/extending.md").read_text()
REGISTRIES = (book, rule_kinds, kinds, dialects.registry)


def blocks(language: str) -> list[str]:
    """The blocks of code of the page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's examples as one module, found as its entry points declare them."""
    (tmp_path / "my_package.py").write_text("".join(blocks("python")))
    monkeypatch.syspath_prepend(tmp_path)
    for registry in REGISTRIES:
        registry.cache_clear()
    (text,) = blocks("toml")
    for group, points in tomllib.loads(text)["project"]["entry-points"].items():
        for name, value in points.items():
            found = EntryPoint(name, value, group).load()
            assert getattr(found, "name", name) == name
            if group == "harness.rules":
                register_rule(found)
            elif group == "harness.dialects":
                dialects.registry().register(found)
            else:
                {"harness.scorers": book, "harness.sections": kinds}[group]().register(found())
    yield
    sys.modules.pop("my_package")
    for registry in REGISTRIES:
        registry.cache_clear()


@pytest.mark.usefixtures("package")
def test_the_examples_go_through_a_gate(project_dir: Path, mock: ThreadedMock) -> None:
    suite, settings = (yaml.safe_load(text) for text in blocks("yaml"))
    folder = project_dir / "suites/shop"
    written = yaml.safe_load((folder / "suite.yaml").read_text())
    (folder / "suite.yaml").write_text(yaml.safe_dump(written | suite, sort_keys=False))
    rows = [{"id": f"p{n}", "prompt": f"Rate {n}"} for n in range(30)]
    write_lines(folder / "rated.jsonl", rows)
    stars = {"candidate": dict.fromkeys((row["id"] for row in rows), 5)}
    stars["base"] = dict.fromkeys(stars["candidate"], 2)
    (folder / "stars.json").write_text(json.dumps(stars))
    project = yaml.safe_load((project_dir / "harness.yaml").read_text())
    settings["servers"]["main"]["url"] = mock.url
    (project_dir / "harness.yaml").write_text(yaml.safe_dump(project | settings))
    assert call("validate") == 0
    assert call("gate", "candidate") == 0
    verdict = project_dir / "reports/candidate-vs-base/verdict.json"
    rules = Verdict.model_validate_json(verdict.read_text()).rules
    assert [(rule.metric, rule.outcome) for rule in rules] == [
        ("shop.gold.words", "pass"),
        ("shop.people.stars", "pass"),
        ("shop.scope.accuracy", "pass"),
    ]
    assert all(set(body) == {"model", "messages", "stream"} for body in mock.server.requests)


def test_the_page_is_linked_from_where_people_look() -> None:
    assert "(docs/extending.md)" in (ROOT / "README.md").read_text()
    assert "(extending.md" in (ROOT / "docs/suites.md").read_text()
