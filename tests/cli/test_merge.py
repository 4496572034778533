"""`harness merge`: what it prints, and one line for what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.serving.merge import MergeAnswers, MergeOrder
from harness.targets import merged
from tests.cli.builders import call
from tests.serving.made import write_adapter, write_model


@pytest.fixture
def orders(project_dir: Path, monkeypatch: pytest.MonkeyPatch) -> list[MergeOrder]:
    """The orders given to the worker, which answers as it should."""
    write_model(project_dir / "m")
    write_adapter(project_dir / "a")
    path = project_dir / "harness.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["servers"]["local"] = {"engine": "vllm", "model": "m"}
    settings["targets"]["good"] = {"server": "local", "adapter": "a"}
    path.write_text(yaml.safe_dump(settings))
    found = []

    def run(order: MergeOrder, log: Path, say: object) -> MergeAnswers:
        found.append(order)
        (Path(order.folder) / "config.json").write_text("{}")
        count = len(order.probes)
        same, other = ((("1", -0.1),),) * count, ((("2", -0.1),),) * count
        return MergeAnswers(other, same, same, None, 0.0)

    monkeypatch.setattr(merged, "run_merge", run)
    return found


def test_the_suites_prompts_prove_it(
    orders: list[MergeOrder], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("merge", "good") == 0
    shown = capsys.readouterr()
    assert "good: merged into .harness/models/good-merged, float32\n" in shown.out
    assert "proved on 8 probes: 8 answers the same word for word" in shown.out
    lines = yaml.safe_load(shown.out.partition("harness.yaml:\n")[2])
    assert lines["targets"] == {"good-merged": {"server": "good-merged"}}
    assert "of memory and" in shown.err
    assert orders[0].probes[0][0]["role"] == "system"
    assert call("merge", "good") == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["candidate"], "`candidate` has no adapter"),
        (["nobody"], "no target `nobody`"),
        (["good", "--dtype", "int8"], "'int8' is not one of"),
        (["good", "--base", "gone"], "gone: no such model"),
        (["good", "--output", "suites"], "suites: is there already"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], says: str, orders: list[MergeOrder], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("merge", *arguments) == 2
    shown = capsys.readouterr().err
    assert says in shown.splitlines()[-1]
    assert not orders
