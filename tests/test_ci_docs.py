"""The page on CI shows the files that are there, and these are what GitHub and GitLab take."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/ci.md").read_text()
EXAMPLES = sorted(path.name for path in (ROOT / "examples/ci").iterdir())


def test_each_example_is_shown_as_it_is() -> None:
    shown = re.findall(r"<!-- examples/ci/(\S+) -->\n```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert sorted(name for name, _ in shown) == EXAMPLES
    for name, text in shown:
        assert text == (ROOT / "examples/ci" / name).read_text(), name


SCHEMAS = {
    "action.yml": ("vendor.github-actions",),
    "examples/ci/github-workflow.yml": ("vendor.github-workflows",),
    "examples/ci/github-gpu.yml": ("vendor.github-workflows",),
    "examples/ci/gitlab-ci.yml": ("vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_takes_it_and_refuses_it_with_a_slip(name: str, tmp_path: Path) -> None:
    assert set(SCHEMAS) == {"action.yml", *(f"examples/ci/{one}" for one in EXAMPLES)}

    def check(file: Path) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *SCHEMAS[name]]
        return subprocess.run([*program, file], capture_output=True, text=True)

    good = check(ROOT / name)
    assert good.returncode == 0, good.stdout
    slip = tmp_path / Path(name).name
    slip.write_text((ROOT / name).read_text().replace("runs:", "run:").replace("jobs:", "job:"))
    if name.endswith("gitlab-ci.yml"):
        slip.write_text((ROOT / name).read_text().replace("when: always", "when: allways"))
    assert check(slip).returncode == 1


def test_the_inputs_and_outputs_of_the_action_are_told() -> None:
    action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    for name, spec in action["inputs"].items():
        given = str(spec.get("default", ""))
        default = "required" if spec.get("required") else f"`{given}`" if given else "empty"
        default = "the job's" if "${{" in given else default
        assert f"| `{name}` | {default} | {spec['description']} |" in TEXT
    for name, spec in action["outputs"].items():
        assert f"| `{name}` | {spec['description']} |" in TEXT


def test_the_examples_give_the_action_only_inputs_that_it_has() -> None:
    known = set(yaml.safe_load((ROOT / "action.yml").read_text())["inputs"])
    used = 0
    for name in EXAMPLES:
        if name.startswith("github"):
            read = yaml.safe_load((ROOT / "examples/ci" / name).read_text())
            for step in read["jobs"]["gate"]["steps"]:
                if "harness@" in step.get("uses", ""):
                    used += 1
                    assert set(step["with"]) <= known
    assert used == 2


def test_every_file_and_message_that_is_named_is_in_the_code() -> None:
    from harness.ci import job
    from harness.report import write

    files = set(re.findall(r"(?m)^\| `([\w.]+\.\w+)` \|", TEXT))
    made = {job.SUMMARY, job.COMMENT, job.ANNOTATIONS, job.CODE_QUALITY}
    made.add(job.GATES)
    assert files == made | {write.HTML, write.MARKDOWN, write.JUNIT, write.VERDICT}
    sources = "".join(path.read_text() for path in (ROOT / "harness").rglob("*.py"))
    for told in ("the token may not write one", "this job runs for no pull request"):
        assert told in TEXT
        assert told in sources
