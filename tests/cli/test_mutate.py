"""`harness mutate`: which broken forms of a candidate the gate would have promoted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.records.mutation import MutationReport
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.shop import answer, write_lines

ASKED = ("--only", "system-prompt", "--only", "language", "--only", "sampling")


def needs_its_prompt(body: dict[str, Any]) -> str:
    """The candidate is lost without its system prompt, and says more when it is to speak German."""
    first, last = body["messages"][0], body["messages"][-1]["content"]
    if body["model"] == "candidate" and first["role"] != "system":
        return "I have no idea at all."
    more = " Gern geschehen." if "German" in first["content"] and "fact 7" in last else ""
    return answer(body) + more


def stored(project: Path) -> MutationReport:
    text = (project / "reports" / "candidate-mutants" / "mutants.json").read_text()
    return MutationReport.model_validate_json(text)


def test_each_mutant_is_killed_survives_or_is_the_same(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = needs_its_prompt
    assert call("mutate", "candidate", *ASKED) == 0
    shown = capsys.readouterr().out
    report = stored(project_dir)
    assert {one.name: one.outcome for one in report.results} == {
        "no-system-prompt": "killed", "german": "survived", "hot": "equivalent",
        "cut-short": "equivalent",
    }  # fmt: skip
    killed, survived = report.of("killed")[0], report.of("survived")[0]
    assert killed.verdict == "BLOCK"
    assert "shop.gold.accuracy better_than_baseline" in killed.by
    assert killed.changed == killed.answers == 80
    assert (survived.verdict, survived.changed) == ("PROMOTE", 1)
    assert survived.unseen is not None
    assert survived.unseen.path == "shop/gold/g7"
    assert survived.unseen.mutant == "It is value 7. Gern geschehen."
    assert "mutant:    It is value 7. Gern geschehen." in shown
    assert "Mutation score of shop: 1 of 2 mutants killed (50%)" in shown


def test_a_request_that_failed_kills_no_mutant(project_dir: Path, mock: ThreadedMock) -> None:
    def breaks(body: dict[str, Any]) -> str:
        first = body["messages"][0]
        if first["role"] != "system" and body["model"] == "candidate":
            raise RuntimeError
        return answer(body)

    mock.answer = breaks
    asked = ("mutate", "candidate", "--only", "system-prompt", "--only", "language")
    assert call(*asked) == 0
    found = {one.name: one for one in stored(project_dir).results}
    assert found["no-system-prompt"].outcome == "not judged"
    assert found["no-system-prompt"].by[0].startswith("80 requests failed")
    assert stored(project_dir).score is None
    mock.answer = needs_its_prompt
    assert call(*asked) == 0
    assert len(stored(project_dir).of("killed")) == 1


def test_too_few_killed_is_an_exit_code(project_dir: Path, mock: ThreadedMock) -> None:
    mock.answer = needs_its_prompt
    assert call("mutate", "candidate", *ASKED, "--min-kill", "0.5") == 0
    assert call("mutate", "candidate", *ASKED, "--min-kill", "0.6") == 1


def test_nothing_of_the_project_is_touched_and_nothing_is_asked_twice(
    project_dir: Path, mock: ThreadedMock
) -> None:
    assert call("mutate", "candidate", *ASKED) == 0
    asked = len(mock.server.requests)
    assert call("mutate", "candidate", *ASKED) == 0
    assert len(mock.server.requests) == asked
    assert not (project_dir / ".harness" / "gates.jsonl").exists()
    assert not (project_dir / ".harness" / "runs").exists()
    inner = project_dir / ".harness" / "mutants" / "candidate"
    assert (inner / "reports" / "german-vs-base" / "report.html").is_file()


def test_the_page_shows_what_was_not_seen_as_text(project_dir: Path, mock: ThreadedMock) -> None:
    mock.answer = lambda body: needs_its_prompt(body).replace("Gern", "<b>Gern</b>")
    assert call("mutate", "candidate", *ASKED) == 0
    page = (project_dir / "reports" / "candidate-mutants" / "mutants.html").read_text()
    assert "&lt;b&gt;Gern&lt;/b&gt;" in page
    assert "What the suites did not see" in page


def test_json_is_the_report(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("mutate", "candidate", "--only", "system-prompt", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert [one["outcome"] for one in shown["results"]] == ["equivalent"]


def test_what_cannot_be_made_is_told_and_not_counted(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = needs_its_prompt
    assert call("mutate", "candidate", "--only", "scale", "--only", "system-prompt") == 0
    shown = capsys.readouterr().out
    assert "it has no adapter" in shown
    assert "1 of 1 mutants killed (100%)" in shown


def test_rules_on_latency_and_the_holdout_are_left_out(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    rule = {"metric": "latency.ttft_p95", "require": "ratio_at_most", "value": 1.1}
    config["gate"]["rules"].insert(0, rule)
    config["gate"] |= {"holdout": "suites/kept", "sequential": True}
    shutil.copytree(project_dir / "suites/shop", project_dir / "suites/kept")
    for kind, expect in (("gold", {"answers": ["blue"]}), ("scope", {"behavior": "answer"})):
        prompt = f"Which colour has the tent that was kept for the {kind} of the year?"
        write_lines(
            project_dir / f"suites/kept/{kind}.jsonl",
            [{"id": f"kept-{kind}", "prompt": prompt, "expect": expect}],
        )
    path.write_text(yaml.safe_dump(config))
    assert call("mutate", "candidate", *ASKED) == 0
    shown = capsys.readouterr()
    assert "left out: latency.ttft_p95 ratio_at_most" in shown.out
    assert "left out: the holdout suites/kept" in shown.out
    assert not list((project_dir / ".harness/mutants").rglob("kept*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("candidate", "--only", "scalpel"), "no mutation `scalpel`"),
        (("candidate", "--only", "scale"), "no mutant of `candidate` can be made"),
        (("nobody",), "no target `nobody`"),
        (("base",), "`base` is the baseline itself"),
    ],
)
def test_one_line_on_what_cannot_be(
    project_dir: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert call("mutate", *arguments) in (2, 3)
    errors = capsys.readouterr().err.strip().splitlines()
    assert said in errors[-1]


def test_a_candidate_that_is_not_promoted_proves_nothing(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = "Sorry, I can't help with that."
    mock.answer = lambda body: refusal if body["model"] == "candidate" else answer(body)
    assert call("mutate", "candidate", *ASKED) == 2
    assert "the gate does not promote `candidate` itself (BLOCK" in capsys.readouterr().err


def test_a_mutant_gives_way_to_no_target(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    config["targets"]["german"] = config["targets"]["candidate"]
    path.write_text(yaml.safe_dump(config))
    assert call("mutate", "candidate", "--only", "language") == 2
    assert "a target has the name of a mutant, `german`" in capsys.readouterr().err
