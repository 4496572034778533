"""Two candidates trained at once, in processes of their own."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import RecipeError, TrainingError
from harness.training import side_by_side
from harness.training.candidate import Recipe
from harness.training.side_by_side import train_side_by_side
from harness.training.train import train
from tests.training import stub_worker

MakeRecipe = Callable[..., Recipe]


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried here needs two trainings at once, on a machine with any number of cores."""
    monkeypatch.setattr(os, "cpu_count", lambda: WORKERS)


WORKERS, WATCHDOG = 2, 120

# Tells on standard output how far each of the recipes in a file is.
PROGRAM = f"""
import json, os, sys
from pathlib import Path
os.cpu_count = lambda: {WORKERS}
from harness.training.candidate import Recipe
from harness.training import side_by_side
from harness.training.side_by_side import train_side_by_side
if sys.argv[2] == "stub":
    from tests.training import stub_worker
    side_by_side._work = stub_worker.work
    side_by_side._has_gpu = lambda: False
here = Path(sys.argv[1])
recipes = [Recipe.model_validate(one) for one in json.loads((here / "recipes.json").read_text())]
tell = lambda stage, done, total, detail: print(stage, done, flush=True)
train_side_by_side(recipes, project_dir=here, on_progress=tell)
"""


def belonging(project: Path) -> set[int]:
    """Every process that was started, through whatever others, with the project as its mark."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"TRAINED_IN={project}".encode() in path.read_bytes().split(b"\0"):
                found.add(int(path.parent.name))
        except OSError:
            continue
    return found


def snapshot(project: Path) -> dict[str, int]:
    folder = project / ".harness" / "candidates"
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_all_are_trained_and_told_of_in_the_order_of_their_recipes(
    project: Path, recipe: MakeRecipe
) -> None:
    told: set[str] = set()
    said: list[str] = []
    dossiers = train_side_by_side(
        [recipe(name="one", steps=3), recipe(name="two", steps=2)],
        project_dir=project,
        on_progress=lambda stage, done, total, detail: told.add(f"{stage} {done}/{total}"),
        on_say=said.append,
    )
    learnt = sorted(text.split(": ")[0] for text in said if ": learns " in text)
    assert learnt == ["training one", "training two"]
    assert [(one.name, one.steps_done) for one in dossiers] == [("one", 3), ("two", 2)]
    assert {"training one 3/3", "training two 2/2"} <= told
    for one in dossiers:
        assert (project / ".harness/candidates" / one.name / "candidate.json").is_file()


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried is how processes are led, so that their libraries need not be imported."""
    monkeypatch.setattr(side_by_side, "_work", stub_worker.work)
    monkeypatch.setattr(side_by_side, "_has_gpu", lambda: False)


@pytest.mark.usefixtures("stub")
def test_an_error_of_one_is_the_error_and_the_other_is_kept(
    project: Path, recipe: MakeRecipe
) -> None:
    with pytest.raises(RecipeError, match="no base model at nowhere"):
        train_side_by_side(
            [recipe(name="bad", base="nowhere"), recipe(name="fine", steps=2)],
            project_dir=project,
        )
    assert (project / ".harness/candidates/fine/candidate.json").is_file()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc")
@pytest.mark.parametrize(
    ("worker", "number", "to_group"),
    [
        ("real", signal.SIGKILL, False),
        ("stub", signal.SIGKILL, False),
        ("stub", signal.SIGINT, False),
        ("stub", signal.SIGINT, True),
    ],
    ids=["real, killed", "killed", "interrupted", "ctrl-c"],
)
def test_no_training_outlives_its_parent(
    project: Path, recipe: MakeRecipe, worker: str, number: signal.Signals, to_group: bool
) -> None:
    # So long that none comes to its end, however fast the machine.
    long = {"steps": 1_000_000, "evaluate_every": 1_000_000, "checkpoint_every": 10}
    count = WORKERS + 1
    recipes = [recipe(name=f"c{n}", **long) for n in range(count)]
    (project / "recipes.json").write_text(
        json.dumps([one.model_dump(mode="json") for one in recipes]), encoding="utf-8"
    )
    root = str(Path(__file__).resolve().parents[2])
    parent = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(project), worker],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root, "TRAINED_IN": str(project)},
        start_new_session=True,
    )
    try:
        assert parent.stdout is not None
        far: set[str] = set()
        while len(far) < count - 1:
            said = parent.stdout.readline()
            assert said, parent.communicate()[1]
            name, done = said.split()[1:]
            if int(done) >= 12:
                far.add(name)
        assert len(belonging(project)) >= count
        (os.killpg if to_group else os.kill)(parent.pid, number)
        _, errors = parent.communicate(timeout=WATCHDOG)
        assert parent.returncode == -number, errors
        end = time.monotonic() + WATCHDOG
        while belonging(project) and time.monotonic() < end:
            time.sleep(0.05)
        assert belonging(project) == set()
    finally:
        for pid in belonging(project):
            os.kill(pid, signal.SIGKILL)
    left = snapshot(project)
    time.sleep(0.5)
    assert snapshot(project) == left
    assert not any(path.endswith("candidate.json") for path in left)
    assert not (project / f".harness/candidates/c{count - 1}").exists()
    if worker == "real":
        for recipe_ in recipes[:WORKERS]:
            steps: list[int] = []

            def stop(_stage: str, done: int, _total: int, _detail: str) -> None:
                if done:
                    steps.append(done)  # noqa: B023 - it is called within this turn
                    raise KeyboardInterrupt

            with pytest.raises(KeyboardInterrupt):
                train(recipe_, project_dir=project, on_progress=stop)
            assert steps[0] >= 10


@pytest.mark.usefixtures("stub")
def test_a_training_that_is_killed_is_one_line(project: Path, recipe: MakeRecipe) -> None:
    def kill_one(stage: str, done: int, total: int, detail: str) -> None:
        if (stage, done) == ("training one", 2):
            for process in multiprocessing.active_children():
                if process.name == "one":
                    process.kill()

    with pytest.raises(TrainingError, match="recipe one: its process ended with exit code -9"):
        train_side_by_side(
            [recipe(name="one", steps=1_000_000), recipe(name="two", steps=2)],
            project_dir=project,
            on_progress=kill_one,
        )
    assert (project / ".harness/candidates/two/candidate.json").is_file()


def test_one_name_twice_is_refused(project: Path, recipe: MakeRecipe) -> None:
    with pytest.raises(RecipeError, match="two recipes of this name"):
        train_side_by_side([recipe(), recipe(steps=3)], project_dir=project)
    assert not (project / ".harness/candidates").exists()


def test_an_error_crosses_processes_whole() -> None:
    error = TrainingError("it broke", where="recipe a", hint="mend it")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is TrainingError
    assert (again.what, again.where, again.hint) == (error.what, error.where, error.hint)
    assert str(again) == again.line == error.line
