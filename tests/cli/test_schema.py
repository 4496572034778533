"""The JSON schemas of the files that people write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from harness.cli.main import main
from harness.cli.new_domain import domain_names
from harness.cli.schema import SCHEMAS
from harness.records.base import Record
from harness.records.rule import register_rule, rule_kinds
from harness.scorers import Judgement, registry
from harness.sections.section_kinds import SectionKinds, suite_schema
from tests.gate.rules.worst_group import WorstGroupAtLeast
from tests.records.test_request_fields import SET

ROOT = Path(__file__).parent.parent.parent
NEW = [f"harness/cli/{name}" for name in ("new_project", "new_model_project")]
CONFIGS = ["harness.yaml", *(f"{place}/harness.yaml" for place in NEW)]
SUITES = ["suites/support/suite.yaml", f"{NEW[0]}/suites/shop/suite.yaml"]
SUITES += [f"{NEW[1]}/suites/ferry/suite.yaml"]
SUITES += [f"harness/cli/new_domains/{name}/suites/{name}/suite.yaml" for name in domain_names()]
RECIPES = [f"recipes/{name}.yaml" for name in ("good", "forgetful", "overeager")]


def schema(kind: str) -> dict[str, Any]:
    found = SCHEMAS[kind]()
    Draft202012Validator.check_schema(found)
    return found


def wrong(kind: str, data: Any) -> list[str]:
    return [error.json_path for error in Draft202012Validator(schema(kind)).iter_errors(data)]


def read(path: str) -> Any:
    # What `harness init` fills in is a place of its own.
    return yaml.safe_load((ROOT / path).read_text().replace("@", "x"))


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        *(("config", path) for path in CONFIGS),
        *(("suite", path) for path in SUITES),
        *(("recipe", path) for path in RECIPES),
    ],
)
def test_what_is_shipped_fits(kind: str, path: str) -> None:
    assert wrong(kind, read(path)) == []


@pytest.mark.parametrize(
    ("kind", "path", "change", "where"),
    [
        ("config", CONFIGS[0], lambda d: d.update(suitess=["a"]), "$"),
        ("config", CONFIGS[0], lambda d: d.update(suites="suites/support"), "$.suites"),
        ("config", CONFIGS[0], lambda d: d.update(suites=[]), "$.suites"),
        ("config", CONFIGS[0], lambda d: d["servers"]["local"].pop("model"), "$.servers.local"),
        ("config", CONFIGS[0], lambda d: d["targets"]["good"].update(generation={"seeed": 1}),
         "$.targets.good.generation"),
        ("config", CONFIGS[0], lambda d: d["generation"].update(top_k="many"), "$.generation"),
        ("config", CONFIGS[0], lambda d: d["generation"].update(stop=[1]), "$.generation.stop"),
        ("config", CONFIGS[0],
         lambda d: d["servers"]["local"].update(request={"omits": ["seed"]}), "$.servers.local"),
        ("config", CONFIGS[0], lambda d: d.update(latency={"loads": ["poisson"]}),
         "$.latency.loads[0]"),
        ("config", CONFIGS[0], lambda d: d["gate"].pop("baseline"), "$.gate"),
        ("config", CONFIGS[0], lambda d: d["gate"]["rules"][0].update(require="nicer"), "$.gate"),
        ("config", CONFIGS[0], lambda d: d["gate"]["rules"][2].update(marginn=0.1), "$.gate"),
        ("suite", SUITES[0], lambda d: d["sections"]["gold"].update(scorer="gould"),
         "$.sections.gold"),
        ("suite", SUITES[0], lambda d: d["sections"]["gold"].update(rubric={}), "$.sections.gold"),
        ("suite", SUITES[0], lambda d: d["sections"]["gold"].update(metrics=["adherence"]),
         "$.sections.gold"),
        ("suite", SUITES[0], lambda d: d["sections"]["tone"]["rubric"].update(max_word=3),
         "$.sections.tone"),
        ("suite", SUITES[0], lambda d: d["sections"].update(own={"tests": 3}), "$.sections.own"),
        ("suite", SUITES[0], lambda d: d.pop("domain"), "$"),
        ("recipe", RECIPES[0], lambda d: d.update(rang=3), "$"),
        ("recipe", RECIPES[-1], lambda d: d.update(rank="wide"), "$.rank"),
    ],
)  # fmt: skip
def test_what_is_wrong_does_not_fit(kind: str, path: str, change: Any, where: str) -> None:
    data = read(path)
    change(data)
    assert any(place.startswith(where) for place in wrong(kind, data))


@pytest.mark.parametrize(
    "server",
    [
        {"url": "http://h"},
        {"url": ["http://h", "http://i"], "price": {"gpu_hour": 1.0}},
        {"engine": "http", "preset": "rasa", "url": "http://h"},
        {"engine": "http", "url": "http://h", "request": {"q": {"$": "messages"}}, "answer": "a"},
    ],
)
def test_every_kind_of_server_fits(server: dict[str, Any]) -> None:
    data = read(CONFIGS[0])
    data["servers"]["other"] = server
    assert wrong("config", data) == []


def test_every_field_of_a_request_is_in_the_schema() -> None:
    data = read(CONFIGS[0])
    data["generation"] = SET
    data["targets"]["good"]["generation"] = {**dict.fromkeys(SET), "stop": ["a", "b"]}
    data["servers"]["local"]["request"] = {"omit": ["seed"], "system_as": "user"}
    assert wrong("config", data) == []


class Volume(Record):
    loudest: int = 3


class Loud:
    name = "loud"
    metrics = ("volume",)
    settings_model = Volume

    def score(self, answer: str, case: Any, settings: Any) -> Judgement:
        return Judgement(1.0, True)


class Free(Loud):
    name = "free"
    settings_model = None  # type: ignore[assignment]


@pytest.fixture
def plugins() -> Iterator[None]:
    registry.book.cache_clear()
    registry.register(Loud())
    registry.register(Free())
    yield
    registry.book.cache_clear()


def test_a_scorer_of_somebody_else_is_in_the_schema(plugins: None) -> None:
    suite = read(SUITES[0])
    suite["sections"]["loud"] = {"cases": "c.jsonl", "scorer": "loud", "loudest": 4}
    suite["sections"]["free"] = {"cases": "c.jsonl", "scorer": "free", "whatever": 4}
    assert wrong("suite", suite) == []
    suite["sections"]["loud"]["loudest"] = "very"
    assert wrong("suite", suite) == ["$.sections.loud"]


def test_a_kind_of_section_of_somebody_else_is_in_the_schema() -> None:
    class Keys(Record):
        corpus: str

    class Kind:
        name, key, keys = "corpus", "corpus", Keys

        def load(self, source: Any) -> Any: ...

    kinds = SectionKinds()
    kinds.register(Kind())
    checker = Draft202012Validator(suite_schema(kinds))
    suite = read(SUITES[0])
    suite["sections"]["own"] = {"corpus": "texts.txt"}
    assert list(checker.iter_errors(suite)) == []
    suite["sections"]["own"] = {"kind": "corpus", "corpus": 3}
    assert [error.json_path for error in checker.iter_errors(suite)] == ["$.sections.own"]


def test_a_kind_of_rule_of_somebody_else_is_in_the_schema() -> None:
    config = read(CONFIGS[0])
    rule = {"metric": "a.b.c", "require": "worst_group_at_least", "value": 0.9}
    config["gate"]["rules"].append(rule)
    assert wrong("config", config)
    rule_kinds.cache_clear()
    try:
        register_rule(WorstGroupAtLeast)
        assert wrong("config", config) == []
        rule["valeu"] = rule.pop("value")
        assert wrong("config", config)
    finally:
        rule_kinds.cache_clear()


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    return int(left.value.code or 0)


def test_it_is_printed_or_written_where_a_new_project_looks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("schema", "suite") == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == schema("suite")
    assert call("init") == 0
    for name in ("harness.yaml", "suites/shop/suite.yaml"):
        line = (tmp_path / name).read_text().splitlines()[0]
        place = line.removeprefix("# yaml-language-server: $schema=")
        named = (tmp_path / name).parent / place
        assert json.loads(named.read_text())["title"] == Path(name).name
    (tmp_path / ".harness/schema/suite.json").unlink()
    assert call("schema", "--write") == 0
    assert (tmp_path / ".harness/schema/suite.json").read_text() == printed


def test_one_of_both_must_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("schema") == call("schema", "suite", "--write") == 2
    assert "give either a kind of file or --write" in capsys.readouterr().err
