"""The page on the loop shows the job that is there, and its commands are the harness's."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import yaml

from harness.cli.main import cli
from harness.config import Config, config_schema

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/loop.md").read_text()
JOB = ROOT / "examples/loop/github-monthly.yml"


def test_the_job_is_shown_as_it_is() -> None:
    ((name, text),) = re.findall(r"<!-- (\S+) -->\n```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert text == (ROOT / name).read_text() == JOB.read_text()


def test_the_job_is_one_that_github_takes() -> None:
    program = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    line = [*program, "vendor.github-workflows", JOB]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_command_on_the_page_has_the_options_that_are_given() -> None:
    context = click.Context(cli)
    lines = re.findall(r"^ *(harness \w+ [^\n|]*)", TEXT, re.MULTILINE)
    assert len(lines) >= 8
    for line in lines:
        _, name, *words = shlex.split(line.replace("$(", "").replace(")", ""))
        command = cli.get_command(context, name)
        assert command is not None
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known, line


def test_the_demanded_coverage_is_a_key_of_the_configuration() -> None:
    (block,) = re.findall(r"```yaml\n(collect: .*?)```", TEXT, re.DOTALL)
    assert "CollectSettings" in config_schema()["$defs"]
    field = Config.model_fields["collect"].annotation
    assert field is not None
    assert yaml.safe_load(block) == {"collect": {"coverage": 0.6}}
