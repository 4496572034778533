"""As much of a CI runner as the shell steps of a composite action and a GitLab job need."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
_TERM = re.compile(r"'((?:[^']|'')*)'|(==|!=|&&|\|\||[(),!])|([\w.-]+)|(\s+)")
_PYTHON = f"""#!/bin/sh
if [ "$1 $2 $3" = "-I -m pip" ]; then shift 3; printf '%s\\n' "$@" >> "$PIP_LOG"; exit 0; fi
exec {sys.executable} "$@"
"""


def action() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return read


@dataclass
class Job:
    """What a job left behind: each shell step's log and code, and the files a runner reads."""

    code: int = 0
    logs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    uploads: list[dict[str, str]] = field(default_factory=list)
    installed: list[str] = field(default_factory=list)


class Runner:
    """Runs in a folder of its own, with the given variables and no others of CI's."""

    def __init__(self, workspace: Path, temp: Path, variables: dict[str, str]) -> None:
        self._workspace = workspace
        self._temp = temp
        programs = temp / "bin"
        programs.mkdir(parents=True)
        for name, text in (
            ("python3", _PYTHON),
            ("python", _PYTHON),
            ("harness", f'#!/bin/sh\nexec {sys.executable} -P -m harness "$@"\n'),
        ):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GITHUB_", "CI_", "RUNNER_"))
        }
        self._variables = {
            **kept,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PIP_LOG": str(temp / "pip.txt"),
            **variables,
        }

    def action(self, inputs: dict[str, str]) -> Job:
        """The composite action at the repository's root, as GitHub runs one."""
        written, job = action(), Job()
        given = {name: spec.get("default", "") for name, spec in written["inputs"].items()}
        known = {"github.token": "job-token", "github.action_path": str(ROOT)}
        known |= {f"inputs.{name}": str(value) for name, value in {**given, **inputs}.items()}
        for name, value in known.items():
            known[name] = _substitute(value, known) if "${{" in value else value
        for step in written["runs"]["steps"]:
            condition = step.get("if", "success()")
            if job.code and not re.search(r"always\(\)|cancelled\(\)", condition):
                continue
            if _evaluate(condition, known) in ("", "false"):
                continue
            if "uses" in step:
                if "upload-artifact" in step["uses"]:
                    told = {key: _substitute(str(v), known) for key, v in step["with"].items()}
                    job.uploads.append(told)
                continue
            self._step(step, known, job)
        for name, spec in written["outputs"].items():
            job.outputs[name] = _substitute(spec["value"], known)
        log = self._temp / "pip.txt"
        job.installed = log.read_text().splitlines() if log.exists() else []
        return job

    def _step(self, step: dict[str, Any], known: dict[str, str], job: Job) -> None:
        assert step["shell"] == "bash"
        script, output, summary = (self._temp / name for name in ("step.sh", "output", "summary"))
        script.write_text(step["run"])
        output.write_text("")
        summary.touch()
        folder = _substitute(step.get("working-directory", "."), known)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self._workspace / folder,
            env={
                **self._variables,
                "GITHUB_ACTIONS": "true",
                "CI": "true",
                "GITHUB_WORKSPACE": str(self._workspace),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                "GITHUB_ENV": str(self._temp / "env"),
                "RUNNER_TEMP": str(self._temp),
                **{key: _substitute(str(v), known) for key, v in step.get("env", {}).items()},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            known[f"steps.{step['id']}.outputs.{name}"] = value
        job.logs[step["name"]] = done.stdout
        job.summary = summary.read_text()
        job.code = job.code or done.returncode

    def gitlab(self, name: str, written: dict[str, Any]) -> Job:
        """The named job of a GitLab file; what runs after it cannot change how it ended."""
        job, spec = Job(), written[name]
        for part in ("script", "after_script"):
            done = subprocess.run(
                ["bash", "-eo", "pipefail", "-c", "\n".join(spec[part])],
                cwd=self._workspace,
                env={**self._variables, "CI": "true", "CI_PROJECT_DIR": str(self._workspace)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            job.logs[part] = done.stdout
            if part == "script":
                job.code = done.returncode
        return job


def _substitute(text: str, known: dict[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: _evaluate(found[1], known), text)


def _evaluate(expression: str, known: dict[str, str]) -> str:
    """The value of one expression: names, texts, ==, !=, &&, || and the functions we use.

    GitHub's operators on texts are Python's, once names are looked up.
    """
    words: list[str] = []
    place = 0
    while place < len(expression):
        found = _TERM.match(expression, place)
        assert found is not None, expression
        place = found.end()
        text, operator, name, _ = found.groups()
        if text is not None:
            words.append(repr(text.replace("''", "'")))
        elif operator is not None:
            words.append({"&&": " and ", "||": " or ", "!": " not "}.get(operator, operator))
        elif name in ("always", "success", "cancelled", "format"):
            words.append(name)
        elif name is not None:
            words.append(repr(known.get(name, "")))
    functions = {
        "always": lambda: True,
        "success": lambda: True,
        "cancelled": lambda: False,
        "format": str.format,
    }
    value = eval("".join(words), {"__builtins__": {}}, functions)
    return str(value).lower() if isinstance(value, bool) else str(value)


def event(path: Path, number: int | None) -> str:
    told = {} if number is None else {"pull_request": {"number": number}}
    path.write_text(json.dumps(told))
    return str(path)
