"""The packs of rules that come with the harness: YAML files in the language of a suite's rules."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field

from harness.records.base import Record
from harness.scorers.compliance.rule import AnyRule, Wordings
from harness.yaml_files import read_yaml

Pack = Literal["hipaa", "gdpr", "finance", "minors"]
PACKS: tuple[Pack, ...] = get_args(Pack)


class PackFile(Record):
    """A pack: its rules, and the lists that their phrases name."""

    about: str
    lists: dict[str, Wordings] = Field(default_factory=dict)
    rules: tuple[AnyRule, ...]


@cache
def rules_of(pack: Pack) -> tuple[AnyRule, ...]:
    """The rules of the pack."""
    data = read_yaml(Path(__file__).with_name("packs") / f"{pack}.yaml").data
    return PackFile.model_validate(with_lists(data)).rules


def with_lists(data: dict[str, object]) -> dict[str, object]:
    """The data with the lists beside its rules given to each rule that has phrases."""
    lists, rules = data.get("lists"), data.get("rules")
    if not isinstance(lists, dict) or not isinstance(rules, list | tuple):
        return data
    given = [
        {**rule, "lists": lists | (own if isinstance(own := rule.get("lists", {}), dict) else {})}
        if isinstance(rule, dict)
        else rule
        for rule in rules
    ]
    return {**data, "rules": given}
