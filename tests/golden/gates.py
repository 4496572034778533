"""Scenarios: gates on stored runs, and the commands around them."""

from __future__ import annotations

from typing import Any

from tests.golden.scenarios import WHOLE, Stage, scenario
from tests.golden.worlds import ADAPTED, BROAD, RULES, TESTED, THRICE

Row = dict[str, Any]
MANY: tuple[Row, ...] = (
    {"metric": "shop.gold.accuracy", "require": "better_than_baseline", "by": 0.1},
    {"metric": "shop.gold.f1", "require": "no_worse_than_baseline", "margin": 0.0},
    {"metric": "shop.scope.accuracy", "require": "no_worse_than_baseline", "margin": 0.3},
    {"metric": "shop.tone.adherence", "require": "no_worse_than_baseline", "margin": 0.01},
    {"metric": "shop.scope.f1", "require": "better_than_baseline", "by": 0.05},
    {"metric": "shop.scope.refusal_recall", "require": "at_least", "value": 0.5},
    {"metric": "shop.scope.answer_rate", "require": "at_least", "value": 0.9, "evidence": "point"},
    {"metric": "desk.alone.accuracy", "require": "no_worse_than_baseline", "margin": 0.5},
    {"metric": "desk.alone.f1", "require": "at_least", "value": 0.1},
    {"require": "no_new_critical_failures"},
)


@scenario(BROAD)
def promote(stage: Stage) -> None:
    stage.gate("good", files=WHOLE)
    stage.call("report", "good")
    stage.files(stage.folder / "reports/good-vs-base", "report.md")
    stage.call("promote", "good", "--trust-stored")
    stage.gate("slight", "--baseline", "sealed:good")
    stage.call("promote", "good", "--name", "v1", "--trust-stored")


@scenario(BROAD)
def block(stage: Stage) -> None:
    stage.gate("worse", files=WHOLE)
    stage.call("promote", "worse")


@scenario(BROAD)
def inconclusive(stage: Stage) -> None:
    stage.gate("slight", files=WHOLE)


@scenario(BROAD)
def identical_answers(stage: Stage) -> None:
    stage.gate("same", files=WHOLE)


@scenario(BROAD)
def critical_failure(stage: Stage) -> None:
    stage.gate("crit", files=WHOLE)
    stage.project.configure(*RULES[:3])  # nobody asked for it
    stage.gate("crit")


@scenario(BROAD)
def failed_requests(stage: Stage) -> None:
    stage.gate("flaky", files=WHOLE)
    stage.call("power", "flaky")
    stage.call("compare", "flaky", "good")


@scenario(BROAD)
def one_failed_request(stage: Stage) -> None:
    stage.gate("lost")
    stage.project.configure(gate={"min_scored": 0.9})
    stage.gate("lost", files=WHOLE)


@scenario(BROAD)
def empty_answers(stage: Stage) -> None:
    stage.gate("mute")
    stage.project.configure(gate={"min_scored": 0.5})
    stage.gate("mute", files=WHOLE)


@scenario(BROAD)
def hostile_texts(stage: Stage) -> None:
    stage.gate("odd", files=WHOLE)


@scenario(BROAD)
def many_rules(stage: Stage) -> None:
    stage.project.configure(*MANY)
    for name in ("good", "worse", "slight"):
        stage.gate(name)
    stage.files(stage.folder / "reports/slight-vs-base", "report.md", "report.page")
    stage.project.configure(*MANY, gate={"alpha": 0.2, "min_scored": 0.4})
    for name in ("flaky", "mute"):
        stage.gate(name)
    stage.files(stage.folder / "reports/flaky-vs-base", "report.md")
    computable = [rule for rule in MANY if not rule.get("metric", "").startswith("desk.alone")]
    stage.project.configure(*computable, gate={"alpha": 0.01})
    stage.gate("slight")


@scenario(BROAD)
def critical_without_scores(stage: Stage) -> None:
    def lose(row: Row) -> None:
        if row["case"] == "g0":
            row.update(text="")

    stage.project.edit_attempts("good", lose)
    stage.project.configure(gate={"min_scored": 0.5})
    stage.gate("good")


@scenario(BROAD)
def no_critical_cases(stage: Stage) -> None:
    rule = {"metric": "desk.amounts.accuracy", "require": "better_than_baseline"}
    stage.project.configure(rule, RULES[3], suites=["suites/desk"])
    stage.gate("good")


@scenario(BROAD)
def a_section_without_scores(stage: Stage) -> None:
    def fail(row: Row) -> None:
        if row["section"] == "amounts":
            failure = {"cause": "timeout", "detail": "too late", "status": None}
            row.update(status="failed", text=None, finish_reason=None, usage=None, failure=failure)

    stage.project.edit_attempts("good", fail)
    rule = {"metric": "desk.amounts.accuracy", "require": "better_than_baseline"}
    stage.project.configure(*RULES, rule)
    stage.gate("good", files=WHOLE)
    stage.project.configure(*RULES, rule, gate={"min_scored": 1e-9})
    stage.gate("good")


@scenario(BROAD)
def a_part_of_the_suites(stage: Stage) -> None:
    stage.gate("good", "--suite", "shop", files=WHOLE)


@scenario(BROAD)
def another_version_of_a_suite(stage: Stage) -> None:
    stage.gate("slight", "--baseline", "sealed:v1", files=WHOLE)
    stage.project.replace("suites/shop/gold.jsonl", '"value 5"', '"value five"')
    stage.gate("slight")
    stage.gate("slight", "--baseline", "sealed:v1")
    stage.project.replace("suites/shop/gold.jsonl", "What is fact 5?", "What is fact five?")
    stage.gate("slight")


@scenario(BROAD)
def sealed_baselines(stage: Stage) -> None:
    stage.project.configure(gate={"baseline": "sealed:v1"})
    stage.gate("crit", files=WHOLE)
    stage.gate("good")
    stage.call("gate", "slight", "--stored", "--repeats", "3")
    stage.call("gate", "slight", "--stored", "--baseline", "sealed:none")
    stage.call("compare", "slight", "crit")
    stage.project.replace("baselines/shop/v1.json", "It is value 1.", "It is value one.")
    stage.gate("slight")


@scenario(BROAD)
def damaged_runs(stage: Stage) -> None:
    run = stage.project.run("good")
    whole = (run / "attempts.jsonl").read_text(encoding="utf-8")
    (run / "attempts.jsonl").write_text(whole.replace("value 5", "value 6"), encoding="utf-8")
    stage.gate("good")
    (run / "attempts.jsonl").write_text(whole, encoding="utf-8")
    stage.project.edit_header("good", lambda header: header.update(finished=None))
    stage.gate("good")
    (run / "run.json").write_text("{", encoding="utf-8")
    stage.gate("good")
    stage.call("gate", "nobody", "--stored")
    stage.call("gate", "base", "--stored", "--json", json=True)


@scenario(BROAD)
def a_journal_that_was_cut_off(stage: Stage) -> None:
    run = stage.project.run("good")
    lines = (run / "attempts.jsonl").read_bytes().splitlines(keepends=True)
    (run / "attempts.jsonl").write_bytes(b"".join(lines[:-1]) + lines[-1][:50])
    stage.project.edit_header(
        "good", lambda header: header.update(finished=None, journal=None, scores=None)
    )
    stage.gate("good")


@scenario(BROAD)
def noise(stage: Stage) -> None:
    stage.project.edit_json(".harness/noise/base.json", lambda known: known.update(repeats=2))
    stage.gate("good")
    (stage.folder / ".harness/noise/base.json").unlink()
    stage.gate("good")


@scenario(BROAD)
def json_on_standard_output(stage: Stage) -> None:
    for name in ("slight", "same"):
        stage.call("gate", name, "--stored", "--json", json=True)


@scenario(BROAD)
def for_a_ci_job(stage: Stage) -> None:
    for name in ("slight", "flaky"):
        stage.call(
            "gate", name, "--stored", "--output-dir", "out", "--summary", "md",
            "--annotations", "github", "--report-url", "https://ci.example.com/1/",
        )  # fmt: skip
        names = sorted(path.name for path in (stage.folder / "out").iterdir())
        stage.keep(f"out of {name}.txt", "\n".join(names))
        kept = [one for one in names if one.endswith((".md", ".xml")) or "quality" in one]
        stage.files(stage.folder / "out", *kept)


@scenario(BROAD)
def side_by_side(stage: Stage) -> None:
    code = stage.call("compare", "good", "crit", "slight", "worse", "--output", "out")
    assert code == 0
    stage.files(stage.folder / "out", "compare.md", "compare.json", "compare.page")
    stage.call("compare", "good", "base", "--json", json=True)
    stage.project.leave_out("gate")
    stage.call("compare", "slight", "--baseline", "base")
    stage.call("compare", "slight")


@scenario(BROAD)
def power(stage: Stage) -> None:
    for arguments in ((), ("--discordance", "0.3"), ("slight",), ("worse",)):
        stage.call("power", *arguments)
    stage.call("power", "--json", json=True)
    stage.call("power", "slight", "--json", json=True)
    stage.project.configure(*MANY)
    stage.call("power")
    stage.call("power", "slight")
    stage.call("validate")


@scenario(BROAD)
def history(stage: Stage) -> None:
    stage.call("report", "--history")
    for suite in ("shop", "desk"):
        folder = stage.folder / "reports/history" / suite
        for name in sorted(path.name for path in folder.iterdir()):
            stage.files(folder, name.replace(".html", ".page"), times=False)
    stage.call("report", "--history", "--suite", "desk", "--json", json=True, times=False)


@scenario(BROAD)
def offline(stage: Stage) -> None:
    stage.call("validate")
    stage.call("score", "good", "base")
    stage.call("report", "good")
    stage.gate("good")
    stage.project.edit_json("reports/good-vs-base/verdict.json", _as_if_blocked)
    stage.call("report", "good")
    stage.call("promote", "good", "--trust-stored")


def _as_if_blocked(verdict: Row) -> None:
    verdict["rules"][0]["estimate"] += 0.01


@scenario(THRICE)
def repeats(stage: Stage) -> None:
    stage.gate("good", files=WHOLE)
    stage.gate("shaky", files=WHOLE)
    stage.gate("once", files=WHOLE)
    stage.call("gate", "good", "--stored", "--repeats", "2")
    stage.call("compare", "good", "shaky")
    stage.call("power", "shaky")


@scenario(TESTED)
def python_tests(stage: Stage) -> None:
    stage.gate("good", files=WHOLE)
    stage.gate("forgetful", files=WHOLE)
    stage.gate("tuned", files=WHOLE)
    stage.gate("terse")
    stage.gate("good", "--baseline", "terse")
    stage.call("compare", "good", "forgetful")
    stage.call("power", "good")
    stage.project.configure(gate={"alpha": 0.3})
    stage.gate("good")
    stage.call("promote", "good", "--trust-stored")
    stage.gate("forgetful", "--baseline", "sealed:good")


@scenario(TESTED)
def python_tests_that_do_not_count(stage: Stage) -> None:
    edit = stage.project.edit_recorded
    edit("good", lambda known: known.update(begun=[["shop", "memory", "other"]]))
    stage.gate("good")
    edit("good", lambda known: known["sections"][0]["cases"][0].update(broken=True))
    stage.gate("good")
    edit("good", lambda known: known["sections"][0].update(judge="sha256:another"))
    stage.gate("good")
    edit("good", lambda known: known["sections"][0].pop("session"))
    stage.gate("good")
    edit("good", lambda known: known.update(freshness=5))
    stage.gate("good")
    edit("good", lambda known: known.update(sections=5))
    stage.gate("good")


@scenario(ADAPTED)
def adapters(stage: Stage) -> None:
    stage.gate("tuned", files=("verdict.json", "report.page"))
    edit = stage.project.edit_header
    edit("tuned", lambda header: header["adapter_proof"].update(differing=1))
    stage.gate("tuned", files=WHOLE)
    edit("tuned", lambda header: header["adapter_proof"].update(adapter="sha256:another"))
    stage.gate("tuned")
    edit("tuned", lambda header: header.update(adapter_proof=None))
    stage.gate("tuned")
    stage.call("power", "tuned")
