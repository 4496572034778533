"""A gate that asks in looks: what it asks, where it ends, and that records say the same again."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.config import load_project
from harness.errors import ServerError
from harness.records.verdict import Verdict
from harness.session.context import open_context
from harness.session.gate import GateOutcome, GateRequest, open_gate
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.session.test_gate import Silent

CASES = 80


@pytest.fixture
def config(project_dir: Path) -> Path:
    """The configuration of a project whose gate may end early."""
    path = project_dir / "harness.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["gate"]["sequential"] = True
    path.write_text(yaml.safe_dump(settings))
    return path


class Dying(Silent):
    """A watcher with whom the process dies as a look begins."""

    def say(self, text: str) -> None:
        if text.startswith("look 3"):
            raise ServerError("died")


def judged(
    config: Path, watcher: Silent, *, stored: bool = False, no_cache: bool = False
) -> GateOutcome:
    request = GateRequest("candidate", stored=stored, no_cache=no_cache)
    with open_gate(load_project(config), request, watcher) as session:
        return session.run("candidate")


def told(verdict: Verdict) -> dict[str, object]:
    """The verdict but for when it was given, and on which answers of before."""
    return verdict.model_dump(mode="json", exclude={"created", "warnings"})


def test_less_is_asked_and_the_records_say_the_same_again(config: Path, mock: ThreadedMock) -> None:
    verdict = judged(config, Silent()).verdict
    asked = len(mock.server.requests)
    assert verdict.verdict == "PROMOTE"
    assert verdict.ended is not None
    assert asked == 2 * (CASES - sum(verdict.ended.not_asked.values())) < 2 * CASES
    assert verdict.accounting.planned == verdict.accounting.scored == asked / 2
    assert all("stored answers" not in one.what for one in verdict.warnings)

    again = judged(config, Silent(), stored=True).verdict
    assert told(again) == told(verdict)
    assert len(mock.server.requests) == asked

    context = open_context(load_project(config), ["candidate"], None, ())
    compared = context.compare("candidate", context.judged_runs(verdict))
    assert verdict.contradictions(context.given_again(verdict, compared)) == ()


@pytest.mark.parametrize("no_cache", [False, True])
def test_what_broke_off_in_a_look_goes_on_there(
    config: Path, mock: ThreadedMock, no_cache: bool
) -> None:
    with pytest.raises(ServerError):
        judged(config, Dying(), no_cache=no_cache)
    before = len(mock.server.requests)
    assert 0 < before < CASES
    verdict = judged(config, Silent()).verdict
    asked = len(mock.server.requests)
    fresh = judged(config, Silent(), no_cache=True).verdict
    assert len(mock.server.requests) == 2 * asked
    assert told(verdict)["ended"] == told(fresh)["ended"]
    assert [rule.reason for rule in verdict.rules] == [rule.reason for rule in fresh.rules]


def test_what_ended_early_is_promoted_and_its_receipt_verified(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    assert "ended at look 5 of 5, all decided: 56 of 80 cases asked" in capsys.readouterr().out
    assert call("promote", "candidate") == 0
    assert call("verify", "baselines/candidate.unsigned.intoto.jsonl") == 0
    assert "112 answers were scored again" in capsys.readouterr().out
