"""What pytest loads besides tests is in a recording's digest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.pytest_plugin.builders import write
from tests.pytest_plugin.sessions import session

TOLD = "recorded with another file"


def rests_on(folder: Path) -> set[str]:
    found: set[str] = set()
    for path in (folder / ".harness/runs").glob("*/recorded.json"):
        for section in json.loads(path.read_text())["sections"]:
            found |= set(section.get("rests_on", {}))
    return found


@pytest.fixture
def bot(project_dir: Path, mock: ThreadedMock) -> Path:
    """A project with a root conftest.py, which pytest's plugins and hooks come from."""
    write(project_dir, mock)
    (project_dir / "conftest.py").write_text(
        "import hooks\nfrom hooks import pytest_runtest_setup\n"
    )
    (project_dir / "hooks.py").write_text("def pytest_runtest_setup(item):\n    pass\n")
    (project_dir / "suites/shop/conftest.py").write_text("")
    (project_dir / "pytest.ini").write_text("[pytest]\nmarkers =\n    x: y\n")
    return project_dir


def test_a_recording_rests_on_every_conftest_hook_and_configuration_file(bot: Path) -> None:
    session(bot, "suites", "--target", "candidate")
    # The one beside the suite is in the suite's digest.
    assert rests_on(bot) == {"file conftest.py", "file hooks.py", "file pytest.ini"}
    assert call("gate", "candidate", "--stored") == 0


@pytest.mark.parametrize("name", ["conftest.py", "hooks.py", "pytest.ini"])
def test_it_does_not_survive_a_change_of_them(
    name: str, bot: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    session(bot, "suites", "--target", "candidate")
    (bot / name).unlink()
    assert call("gate", "candidate", "--stored") == 3
    assert f"{TOLD} {name}" in "".join(capfd.readouterr())


def test_with_nothing_but_tests_it_rests_on_nothing(project: Path) -> None:
    session(project, "suites/shop/test_memory.py", "--target", "candidate")
    assert rests_on(project) == set()
