from __future__ import annotations

from pathlib import Path

import yaml

from harness.config import load_project
from harness.records.verdict import VerdictHashes
from harness.session.rests_on import digests
from tests.builders import shop

WHOLE = {"suites": "s", "candidate": "c", "baseline": "b"}


def after(folder: Path, *edit: str) -> tuple[str, ...]:
    """What differs of the hashes after an edit of the configuration."""
    project, suites = shop(folder)
    file = folder / "harness.yaml"
    text = file.read_text()
    assert edit[0] in text
    found = []
    for written in (text, text.replace(*edit)):
        file.write_text(written)
        project = load_project(file)
        parts = digests(project, ("candidate", "base"), suites, project.policy())
        found.append(VerdictHashes(**WHOLE, config=project.digest, rests_on=parts))
    assert found[0].config != found[1].config
    return found[0].differences(found[1])


def test_another_target_and_how_fast_is_asked_are_no_part_of_it(tmp_path: Path) -> None:
    bystander = ("targets:\n", "targets:\n  other: {server: main, model: other}\n")
    assert after(tmp_path / "a", *bystander) == ()
    assert after(tmp_path / "b", "concurrency: 8", "concurrency: 9") == ()


def test_where_and_how_long_a_server_starts_is_no_part_of_it(tmp_path: Path) -> None:
    _, suites = shop(tmp_path)
    file = tmp_path / "harness.yaml"
    known = yaml.safe_load(file.read_text())
    known["targets"] = {"base": {"server": "main"}, "candidate": {"server": "main", "adapter": "a"}}
    found = []
    for change in ({}, {"port": 9001, "start_timeout": 5.0}, {"args": {"max-model-len": 512}}):
        known["servers"] = {"main": {"engine": "vllm", "model": "m", **change}}
        file.write_text(yaml.safe_dump(known))
        project = load_project(file)
        parts = digests(project, ("candidate", "base"), suites, project.policy())
        found.append(VerdictHashes(**WHOLE, config=project.digest, rests_on=parts))
    assert found[0].differences(found[1]) == ()
    assert found[0].differences(found[2]) == ("server `main`",)


def test_what_differs_is_named(tmp_path: Path) -> None:
    assert after(tmp_path / "a", "value: 0.8", "value: 0.7") == ("`gate.rules`",)
    assert after(tmp_path / "b", "generation:\n", "generation:\n  temperature: 0.5\n") == (
        "the generation settings of `candidate`", "the generation settings of `base`",
    )  # fmt: skip


def test_verdicts_without_parts_are_held_to_the_whole() -> None:
    old = VerdictHashes(**WHOLE, config="1")
    new = VerdictHashes(**WHOLE, config="2", rests_on={"suite `s`": "1"})
    assert old.differences(new) == ("the configuration",)
    assert "rests_on" not in old.model_dump()
