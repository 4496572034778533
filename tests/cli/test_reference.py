"""The page of the commands' help says what the commands say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from docs.cli_reference import page
from harness.cli.main import COMMANDS, cli
from harness.errors import HarnessError
from harness.records.verdict import EXIT_CODES

ROOT = Path(__file__).parent.parent.parent


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)\n", page(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_page_in_the_docs_is_the_generated_one() -> None:
    written = (ROOT / "docs/cli.md").read_text()
    assert written == page(), "run `make docs`"


@pytest.mark.parametrize("width", ["40", "300"])
def test_the_page_does_not_depend_on_the_machine(width: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "docs.cli_reference"],
        cwd=tmp_path,
        env={"COLUMNS": width, "LINES": "20", "HOME": "/nowhere", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == page()
    assert str(ROOT) not in done.stdout


def test_every_command_has_its_usage_and_each_option_in_its_section() -> None:
    found = sections()
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        text = found[f"harness {name}"]
        assert f"```\nharness {name} [OPTIONS]" in text
        options = [each for each in command.params if isinstance(each, click.Option)]
        rows = re.findall(r"^\| `(-[^`]+)` \| \S", text, re.MULTILINE)
        assert len(rows) == len(options)
        for option, row in zip(options, rows, strict=True):
            assert option.opts[-1] in row


def test_every_exit_code_that_there_is_has_its_row() -> None:
    rows = {int(code) for code in re.findall(r"^\| (\d+) \|", page(), re.MULTILINE)}
    kinds, codes = [HarnessError], set(EXIT_CODES.values())
    while kinds:
        kind = kinds.pop()
        codes.add(kind.exit_code)
        kinds += kind.__subclasses__()
    assert rows == codes | {130, 141}


def test_nothing_in_the_page_is_taken_for_html() -> None:
    bare = re.sub(r"```.*?```|`[^`]*`", "", page(), flags=re.DOTALL)
    assert not re.search(r"<\w", bare)
