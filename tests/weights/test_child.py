"""A child does its work or ends in one line that says why, and leaves no files when it is well."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from harness.errors import InfrastructureError, UsageError
from harness.weights.child import Bounds, Child

MIB = 1024**2


class Heard:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.steps: list[tuple[str, int, int]] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        self.steps.append((stage, done, total))


def start(folder: Path, do: str, bounds: Bounds | None = None, **more: Any) -> Heard:
    heard = Heard()
    order = {"do": do, "result": str(folder / "result")}
    bounds = bounds or Bounds(60, 2 * 1024 * MIB)
    Child("tests.weights.worker", order, folder / "work", "base", bounds, **more).run(heard)
    return heard


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("hub", "told"), [(False, "1"), (True, "online")])
def test_it_tells_what_it_does_and_leaves_its_result(tmp_path: Path, hub: bool, told: str) -> None:
    heard = start(tmp_path, "finish", hub=hub)
    assert heard.said[0] == "half of it is done"
    assert re.fullmatch(
        r"base: the child process took \d+ s( and at most .* of memory)?", heard.said[1]
    )
    assert heard.steps == [("working", 1, 2)]
    assert (tmp_path / "result").read_text() == told
    assert not list((tmp_path / "work").iterdir())


@pytest.mark.parametrize(
    ("do", "what"),
    [
        ("memory", "not enough memory for the work on the weights: RuntimeError: CUDA out of"),
        ("fail", "ValueError: two lines"),
        ("die", "was ended by signal 9; what was finished is kept"),
        ("exit", "failed: the library gave up"),
    ],
)
def test_what_stops_it_is_one_line_with_its_log(tmp_path: Path, do: str, what: str) -> None:
    with pytest.raises(InfrastructureError, match=what) as caught:
        start(tmp_path, do)
    assert [Path(caught.value.where).name] == [one.name for one in (tmp_path / "work").iterdir()]


def test_what_the_user_can_correct_is_his_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        start(tmp_path, "usage")
    assert caught.value.line == "suite.yaml:3: no such task - name another"


@pytest.mark.parametrize(
    ("do", "bounds", "what"),
    [
        ("sleep", Bounds(0.1, 2 * 1024 * MIB), "ended after 0.1 seconds"),
        ("eat", Bounds(60, 300 * MIB), "may take 300 MiB"),
    ],
)
def test_it_is_held_to_its_bounds(
    tmp_path: Path, do: str, bounds: Bounds, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.weights.child._LIBRARIES", 0)
    with pytest.raises(InfrastructureError, match=what):
        start(tmp_path, do, bounds)


def test_weights_that_do_not_fit_are_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="the weights take 4 GiB of memory"):
        start(tmp_path, "finish", stored=4 * 1024 * MIB)
    assert not (tmp_path / "work").exists()
