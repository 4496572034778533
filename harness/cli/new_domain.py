"""The domains that a new project may start from: a folder each, found by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from harness.errors import UsageError
from harness.records.suite import counted
from harness.sections.section_kinds import kinds
from harness.suites import load_suite
from harness.validation import nearest

OPTION = "--domain"
DOMAINS = Path(__file__).parent / "new_domains"
# What a domain's folder holds for a project; its other files are not copied.
POLICY, SUITES, RECIPES = Path("policy.yaml"), Path("suites"), Path("recipes")
_CONFIG = Path("harness.yaml")
# The policy follows the servers and targets of a configuration, and begins here.
_POLICY_BEGINS = "\ngeneration:"


@dataclass(frozen=True, slots=True)
class NewDomain:
    """A domain: its name, and the folder with suite, knowledge, policy and training data."""

    name: str
    folder: Path

    def fill(self, template: Mapping[Path, str]) -> dict[Path, str]:
        """The template's files with the domain's suite, data and policy in place of its own.

        Training data is left out where the template trains nothing.
        """
        trains = any(path.is_relative_to(RECIPES) for path in template)
        places = (SUITES, RECIPES) if trains else (SUITES,)
        files = {
            path: text
            for path, text in template.items()
            if not (path.is_relative_to(SUITES) or path.is_relative_to(RECIPES / "data"))
        }
        for place in places:
            for path in sorted((self.folder / place).rglob("*")):
                if path.is_file():
                    files[path.relative_to(self.folder)] = path.read_text("utf-8")
        head, _, _ = files[_CONFIG].partition(_POLICY_BEGINS)
        files[_CONFIG] = f"{head}\n{(self.folder / POLICY).read_text('utf-8')}"
        return files

    def describe(self) -> str:
        """One line: the name, whose suite it is, and its size."""
        suite = load_suite(self.folder / SUITES / self.name, kinds())
        cases = [case for section in suite.sections for case in section.cases]
        groups = counted(len({case.group for case in cases}), "group")
        return f"{self.name:<10}  {suite.domain}: {counted(len(cases), 'case')} in {groups}"


def domain_names() -> tuple[str, ...]:
    """The names of the domains that there are."""
    return tuple(sorted(path.name for path in DOMAINS.iterdir() if (path / POLICY).is_file()))


def read_domain(name: str) -> NewDomain:
    """The domain of that name.

    Raises:
        UsageError: there is none; the line names the nearest, and all that there are.
    """
    known = domain_names()
    if name not in known:
        near = nearest(name, known).partition("; known here")[0]
        hint = f"there is {', '.join(known)}; `harness init --list` says what each is"
        raise UsageError(f"{OPTION}: no domain `{name}`{near}", hint=hint)
    return NewDomain(name, DOMAINS / name)


def suite_of(files: Mapping[Path, str]) -> tuple[str, str]:
    """The folder of the new project's one suite, and the system prompt that it has."""
    (written,) = [path for path in files if path.name == "suite.yaml"]
    return written.parent.as_posix(), str(yaml.safe_load(files[written])["system_prompt"])
