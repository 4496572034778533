"""A suite on disk, and two scorers that know nothing of the real ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from harness.records.suite import Case, Suite
from harness.scorers import Registry
from harness.sections.prompts import PromptsKind
from harness.sections.section_kinds import SectionKinds
from harness.suites import load_suite


class Book(Registry):
    """Two scorers that know nothing of the real ones."""

    known: ClassVar = {"plain": ("right", "close"), "strict": ("right",)}

    def __init__(self) -> None:
        super().__init__(())

    def metrics(self, scorer: str, settings: object = None) -> tuple[str, ...]:
        del settings
        if scorer not in self.known:
            raise ValueError(f"no scorer `{scorer}`; there is `plain`, `strict`")
        return self.known[scorer]

    def check_section(self, scorer: str, settings: Mapping[str, Any]) -> None:
        for key in settings:
            if key != "depth":
                raise ValueError(f"{key}: unknown key; known here: depth")

    def check_case(self, scorer: str, settings: Mapping[str, Any], case: Case) -> None:
        if scorer == "strict" and "want" not in case.expect:
            raise ValueError("want: missing key")


def by(scorers: Book) -> SectionKinds:
    """The one kind of section that has scorers, with these."""
    kinds = SectionKinds(())
    kinds.register(PromptsKind(scorers))
    return kinds


SUITE = """\
name: demo
domain: a demo
version: 1
system_prompt: Be kind. {{ not a template }}
sections:
  one: {cases: one.jsonl, scorer: plain, depth: 2}
  two: {cases: two.jsonl, scorer: strict, metrics: [right]}
"""


ONE = [{"id": "a", "prompt": "A?"}, {"id": "b", "group": "a", "prompt": "B?", "critical": True}]


TWO = [{"id": "c", "messages": [{"role": "user", "content": "C?"}], "expect": {"want": 1}}]


def write(folder: Path, suite: str = SUITE, one: Any = None, two: Any = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text(suite, encoding="utf-8")
    for name, cases in (("one.jsonl", ONE if one is None else one), ("two.jsonl", two or TWO)):
        text = cases if isinstance(cases, str) else lines(cases)
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


def lines(cases: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)


def load(folder: Path) -> Suite:
    return load_suite(folder, by(Book()))


def many(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"c{number}", "prompt": f"ask {number} \u2028 \u00e4"} for number in range(count)
    ]
