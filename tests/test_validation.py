"""What is wrong with a file, in the words of whoever wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, field_validator

from harness.config import load_project
from harness.errors import ConfigError
from harness.records.base import Record, explain
from harness.validation import KeyProblem, problem, validate_as

SERVER = "servers: {s: {url: 'http://h'}}\n"
TARGET = "targets: {t: {server: s, model: m}}\n"


def said_of(folder: Path, text: str) -> str:
    path = folder / "harness.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_project(path)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}:")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("suitess: [a]\n" + SERVER + TARGET, "1: suitess: unknown key; did you mean `suites`?"),
        (
            "suites: suites/shop\n" + SERVER + TARGET,
            "1: suites: must be a list: write [suites/shop]",
        ),
        (
            "suites: [a]\n" + SERVER + TARGET + "no: 1\n",
            '4: YAML: key `no` means false in YAML: write "no" in quotes - correct the syntax',
        ),
        (
            "suites: [no]\n" + SERVER + TARGET,
            "1: suites.0: must be text, not true or false; put it in quotes",
        ),
        (
            "suites: [2026-01-01]\n" + SERVER + TARGET,
            "1: suites.0: must be text, not a date; put it in quotes",
        ),
        ("suites: []\n" + SERVER + TARGET, "1: suites: must hold at least 1 entry"),
        ("suites:\n" + SERVER + TARGET, "1: suites: must be a list, and is empty"),
        ("\nsuites: [a]\n" + SERVER, " targets: missing key"),
        (
            "suites: [a]\nservers: x\n" + TARGET,
            "2: servers: must be a mapping of `key: value` lines, not text",
        ),
        (
            "suites: [a]\nservers: {s: {engine: vllm, model: x, args: {a: [1]}}}\n" + TARGET,
            (
                "2: servers.s.args.a: must be text, a whole number, a number or true or false, not"
                " a list"
            ),
        ),
        (
            "suites: [a]\n" + SERVER + TARGET + "generation:\n  temperature: hot\n  seed: 1.5\n",
            "5: generation.temperature: must be a number, not text (and 1 more)",
        ),
        (
            "suites: [a]\n" + SERVER + TARGET + "generation: {seed: 1.5}\n",
            "4: generation.seed: must be a whole number, not a fraction",
        ),
        (
            "suites: [a]\n" + SERVER + TARGET + "generation: {repeats: 0}\n",
            "4: generation.repeats: must be at least 1",
        ),
        (
            "suites: [a]\n" + SERVER + "targets:\n  v1.5: {server: q}\n",
            "4: targets.v1.5.server: no server `q`; there is `s`",
        ),
        (
            "suites: [a]\nservers: {s: {engine: vlm, model: x}}\n" + TARGET,
            "2: servers.s.engine: must be `vllm` or `http`; a server with a `url` alone needs none",
        ),
        (
            "suites: [a]\nservers: {s: {urls: 'http://h'}}\n" + TARGET,
            "2: servers.s.urls: unknown key; did you mean `url`?",
        ),
        (
            "suites: [a]\nservers: {s: {engine: vllm, modell: x}}\n" + TARGET,
            "2: servers.s.modell: unknown key; did you mean `model`?",
        ),
        (
            "suites: [a]\n" + SERVER + TARGET + "latency: {length: fix}\n",
            "4: latency.length: must be `fixed` or `natural`; did you mean `fixed`?",
        ),
    ],
)
def test_the_key_its_line_and_what_to_write(tmp_path: Path, text: str, said: str) -> None:
    assert said_of(tmp_path, text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("targets: {remote: {server: s, zork: 1}}", "targets.remote.zork: unknown key"),
        ("targets: {at_most: {server: s, zork: 1}}", "targets.at_most.zork: unknown key"),
        ("targets: {t: {server: s, managed: 1}}", "targets.t.managed: unknown key"),
        (
            "targets: {t: {server: s}}\nservers: {s: {url: 'http://h', zork: 1}}",
            "servers.s.zork: unknown key",
        ),
        (
            "targets: {t: {server: s}}\nservers: {remote: {url: 'http://h', managed: 1}}",
            "servers.remote.managed: unknown key",
        ),
        (
            "gate: {baseline: t, rules: [{require: at_least, metric: m, at_least: 1}]}",
            "gate.rules.0.at_least: unknown key",
        ),
        (
            "gate: {baseline: t, rules: [{require: at_most, metric: m, value: 1, at_most: 1}]}",
            "gate.rules.0.at_most: unknown key",
        ),
    ],
)
def test_a_name_that_reads_like_a_kind_of_record_stays_in_the_key_path(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "harness.yaml"
    needed = {"targets": "{t: {server: s}}", "servers": "{s: {url: 'http://h'}}"}
    rest = "".join(f"{key}: {value}\n" for key, value in needed.items() if key not in text)
    path.write_text(f"suites: [s]\n{text}\n{rest}")
    with pytest.raises(ConfigError) as caught:
        load_project(path)
    assert said in str(caught.value)


class Cat(Record):
    kind: Literal["cat"]
    lives: int = Field(default=9, ge=1, le=9)


class Dog(Record):
    kind: Literal["dog"]
    tricks: tuple[str, ...] = ()

    @field_validator("tricks")
    @classmethod
    def _known(cls, tricks: tuple[str, ...]) -> tuple[str, ...]:
        for place, trick in enumerate(tricks):
            if trick == "fly":
                raise KeyProblem("no dog does", place)
        return tricks


class Home(Record):
    name: str = Field(min_length=1)
    pets: dict[str, Annotated[Cat | Dog, Field(discriminator="kind")]]
    rooms: tuple[tuple[str, float], ...] = ()
    colour: str | None = Field(default=None, max_length=3)


class Street(BaseModel):
    homes: list[Home] = Field(max_length=1)


def explained(data: Any, kind: type[BaseModel] = Home) -> str:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(data)
    return explain(caught.value, kind)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"name": "", "pets": {}}, "name: must not be empty"),
        ({"nane": "x", "pets": {}}, "nane: unknown key; did you mean `name`?"),
        ({"zork": "x", "pets": {}}, "zork: unknown key; known here: name (and 1 more)"),
        ({"name": "x", "pets": []}, "pets: must be a mapping of `key: value` lines, not a list"),
        ({"name": "x", "pets": {"cat": {"kind": "cat", "live": 1}}},
         "pets.cat.live: unknown key; did you mean `lives`?"),
        ({"name": "x", "pets": {"a": {"kind": "dog", "lives": 1}}},
         "pets.a.lives: unknown key; known here: kind, tricks"),
        ({"name": "x", "pets": {"a": {"kind": "cot"}}},
         "pets.a.kind: must be `cat` or `dog`; did you mean `cat`?"),
        ({"name": "x", "pets": {"a": {}}}, "pets.a.kind: missing key"),
        ({"name": "x", "pets": {"a": {"kind": "dog", "tricks": ["sit", "fly"]}}},
         "pets.a.tricks.1: no dog does"),
        ({"name": "x", "pets": {"a": {"kind": "cat", "lives": 10}}},
         "pets.a.lives: must be at most 9"),
        ({"name": "x", "pets": {}, "rooms": [["hall", "big"]]},
         "rooms.0.1: must be a number, not text"),
        ({"name": "x", "pets": {}, "colour": "green"}, "colour: must have at most 3 characters"),
        ({"name": float("nan"), "pets": {}}, "name: must be text, not a number; put it in quotes"),
    ],
)  # fmt: skip
def test_every_kind_of_data_has_its_words(data: Any, said: str) -> None:
    assert explained(data).replace("known here: colour, name, pets, rooms", "known here: name") == (
        said
    )


def test_a_model_that_is_not_given_has_its_keys_all_the_same() -> None:
    with pytest.raises(ValidationError) as caught:
        Home.model_validate({"nane": "x", "pets": {}})
    assert explain(caught.value) == "nane: unknown key (and 1 more)"


def test_too_many_entries_and_a_part_of_a_file() -> None:
    homes = [{"name": "x", "pets": {}}] * 2
    assert explained({"homes": homes}, Street) == "homes: must hold at most 1 entry"
    with pytest.raises(ValidationError) as caught:
        Home.model_validate({"name": "x"})
    assert problem(caught.value, Home).below(("homes", 0)).line == "homes.0.pets: missing key"


def test_what_may_be_a_secret_is_not_shown() -> None:
    class Keys(Record):
        urls: tuple[str, ...]
        token: str

    for data in ({"urls": "https://me:hush@h", "token": "t"}, {"urls": [], "token": 12345}):
        assert "hush" not in explained(data, Keys)
        assert "12345" not in explained(data, Keys)


def test_a_validator_that_picks_the_model_keeps_places_and_nearest_keys() -> None:
    class Zoo(Record):
        animals: tuple[Annotated[Any, BeforeValidator(lambda data: validate_as(Cat, data))], ...]

    assert Zoo.model_validate({"animals": [{"kind": "cat"}]}).animals == (Cat(kind="cat"),)
    said = explained({"animals": [{"kind": "cat"}, {"knd": "cat"}]}, Zoo)
    assert said == "animals.1.knd: unknown key; did you mean `kind`?"
    assert explained({"animals": [3]}, Zoo) == (
        "animals.0: must be a mapping of `key: value` lines, not a number"
    )
