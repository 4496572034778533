"""Sessions of pytest in a project's folder, each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from tests.pytest_plugin.warm import ROOT, run_warm

ITEM = re.compile(r"^(?:\[gw\d\] \[ *\d+%\] )?(?P<word>[A-Z]+ )?(?P<id>\S+::.*?\])(?P<rest>.*)$")


@dataclass(frozen=True, slots=True)
class Session:
    """What a session left behind."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> dict[str, str]:
        """The word for each item by its id without the file, as `-v` prints them."""
        found = {}
        for line in self.out.partition("short test summary")[0].splitlines():
            match = ITEM.match(line)
            word = match and (match["word"] or match["rest"].strip().partition(" ")[0]).strip()
            if match and word and word.isupper():
                found[match["id"].partition("::")[2]] = word
        return found

    @property
    def tail(self) -> str:
        """The last line, which counts the outcomes."""
        return self.out.strip().splitlines()[-1]


def command(*arguments: str) -> list[str]:
    """The command line of a session with this plugin, and of others only what is asked for."""
    return [sys.executable, "-m", "pytest", "-p", "harness.pytest_plugin", *arguments]


def environment() -> dict[str, str]:
    """So that the plugin is the one under test, whether or not it is installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "COLUMNS": "200",
    }


def session(folder: Path, *arguments: str) -> Session:
    """A finished session in the folder, in a process that did not have to import what is heavy."""
    with tempfile.TemporaryDirectory() as there:
        out = Path(there, "out")
        code = run_warm(command(*arguments)[3:], folder, environment(), out)
        return _finished(code, out.read_text(), Path(f"{out}.err").read_text())


def cold_session(folder: Path, *arguments: str) -> Session:
    """A finished session in the folder, in a process as a user starts it."""
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    return _finished(done.returncode, done.stdout, done.stderr)


def _finished(code: int, out: str, err: str) -> Session:
    assert "INTERNALERROR" not in out + err, out + err
    return Session(code, out, err)


def junit_tests(report: Path) -> dict[str, ET.Element]:
    """The tests of a JUnit file by `class::name`."""
    found = ET.parse(report).getroot().iter("testcase")
    return {f"{case.get('classname')}::{case.get('name')}": case for case in found}
