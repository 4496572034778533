"""Every command, as a user runs it, against a server that answers as a script says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.records.score import Term
from harness.scorers import registry
from harness.scorers.protocol import Judgement
from harness.storage import RunFolder, runs_of
from tests.cli.builders import call, edit_case, texts
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.shop import answer


def test_gate_promotes_and_says_so_in_every_way(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("PROMOTE  candidate against base\n  all 4 rules pass\n")
    folder = project_dir / "reports/candidate-vs-base"
    assert {path.name for path in folder.iterdir()} == {
        "verdict.json", "report.html", "report.md", "junit.xml",
    }  # fmt: skip
    verdict = json.loads((folder / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["accounting"]["planned"]) == ("PROMOTE", 80)


def test_gate_blocks_a_candidate_that_is_the_base_in_other_words(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = lambda body: answer({**body, "model": "base"}) + f" {body['model']}"
    assert call("gate", "candidate") == 1
    assert "BLOCK" in capsys.readouterr().out


def test_gate_finds_identical_answers_invalid(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = lambda body: answer({**body, "model": "base"})
    assert call("gate", "candidate", "--json") == 3
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["verdict"] == "INVALID"
    assert "gave the same text in all 80 cases" in verdict["problems"][0]


def test_gate_is_inconclusive_where_the_evidence_cannot_tell(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("margin: 0.2", "margin: 0.01"))
    assert call("gate", "candidate") == 4
    assert capsys.readouterr().out.startswith("INCONCLUSIVE")


def test_nothing_finished_is_asked_again_and_failures_are(
    project_dir: Path, mock: ThreadedMock
) -> None:
    def half_broken(body: dict[str, Any]) -> str | MockReply:
        broken = body["messages"][-1]["content"] == "What is fact 1?"
        return MockReply("no", status=400) if broken else answer(body)

    mock.answer = half_broken
    assert call("run", "base") == 0
    assert len(mock.server.requests) == 80
    mock.answer = answer
    assert call("run", "base") == 0
    assert len(mock.server.requests) == 81
    assert call("run", "base") == 0
    assert len(mock.server.requests) == 81
    assert call("run", "base", "--no-cache") == 0
    assert len(mock.server.requests) == 161


def test_a_changed_case_is_the_only_one_asked_again(project_dir: Path, mock: ThreadedMock) -> None:
    assert call("run", "base") == 0
    path = project_dir / "suites/shop/gold.jsonl"
    path.write_text(path.read_text().replace("What is fact 7?", "Which is fact 8?"))
    assert call("run", "base") == 0
    assert len(mock.server.requests) == 81


def test_score_and_stored_gate_need_no_server(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base", "candidate") == 0
    mock.answer = lambda _: MockReply("down", status=500)
    asked = len(mock.server.requests)
    path = project_dir / "suites/shop/gold.jsonl"
    path.write_text(path.read_text().replace("value 7", "another value"))
    assert call("gate", "candidate", "--stored") == 0
    capsys.readouterr()
    assert call("score", "candidate") == 0
    assert "shop.gold.accuracy                       0.975" in capsys.readouterr().out
    assert len(mock.server.requests) == asked
    path.write_text(path.read_text().replace("What is fact 8?", "What was fact 8?"))
    assert call("score", "candidate") == 3
    assert "has no stored answer for 1 of 80 cases, shop/gold/g8" in capsys.readouterr().err


def test_promote_seals_and_the_sealed_baseline_is_gated_without_a_server_for_it(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("promote", "candidate") == 2
    assert "no verdict there - harness gate candidate" in capsys.readouterr().err
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "v1") == 0
    assert (project_dir / "baselines/shop/v1.json").exists()
    before = len(mock.server.requests)
    assert call("gate", "base", "--baseline", "sealed:v1") == 1
    assert len(mock.server.requests) == before, "base was run already, v1 is sealed"
    verdict = json.loads((project_dir / "reports/base-vs-sealed-v1/verdict.json").read_text())
    assert (verdict["verdict"], verdict["baseline"]) == ("BLOCK", "sealed:v1")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("harness.yaml", "alpha: 0.05\n", ""), None),
        (("harness.yaml", "concurrency: 8", "concurrency: 9"), "the configuration changed"),
        (("suites/shop/gold.jsonl", "value 7", "value 77"), "the suites changed"),
    ],
)
def test_promote_is_bound_by_hashes(
    project_dir: Path,
    edit: tuple[str, str, str],
    message: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("gate", "candidate") == 0
    path = project_dir / edit[0]
    path.write_text(path.read_text().replace(edit[1], edit[2]))
    capsys.readouterr()
    assert call("promote", "candidate") == (2 if message else 0)
    assert (message or "") in capsys.readouterr().err


def test_promote_refuses_a_blocked_candidate(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("value: 0.8", "value: 0.8\n    by: 1"))
    assert call("gate", "candidate") == 2
    path.write_text(path.read_text().replace("\n    by: 1", ""))
    path.write_text(
        path.read_text().replace("better_than_baseline", "better_than_baseline\n    by: 1.0")
    )
    assert call("gate", "candidate") == 1
    capsys.readouterr()
    assert call("promote", "candidate") == 2
    assert "the verdict on `candidate` is BLOCK" in capsys.readouterr().err
    assert not (project_dir / "baselines").exists()


def test_report_writes_the_same_files_again(project_dir: Path) -> None:
    assert call("gate", "candidate") == 0
    folder = project_dir / "reports/candidate-vs-base"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        if path.name != "verdict.json":
            path.unlink()
    assert call("report", "candidate") == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_init_makes_a_project_that_validates_and_runs(
    tmp_path: Path,
    mock: ThreadedMock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mock.answer = lambda body: f"Sorry, I can't help with that, says {body['model']}."
    monkeypatch.chdir(tmp_path)
    assert call("init", "new", "--url", mock.url) == 0
    monkeypatch.chdir(tmp_path / "new")
    assert call("validate") == 0
    assert "ok: 1 suite, 2 targets, 4 rules" in capsys.readouterr().out
    assert call("run", "base", "candidate") == 0
    assert call("gate", "candidate") in (1, 4)
    monkeypatch.chdir(tmp_path)
    assert call("init", "new") == 2
    assert "exists already" in capsys.readouterr().err


def test_a_partial_run_counts_its_part_and_a_gate_asks_for_the_rest(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base", "--limit", "3", "--json") == 0
    assert json.loads(capsys.readouterr().out)["base"]["accounting"]["planned"] == 6
    assert call("gate", "candidate", "--limit", "3") == 2
    assert call("gate", "candidate") == 0
    assert len(mock.server.requests) == 160


BAD = [
    (("run", "nobody"), 2, "no target `nobody`"),
    (("gate", "base"), 2, "`base` is the baseline itself"),
    (("gate", "candidate", "--suite", "x"), 2, "no suite `x`"),
    (("gate", "candidate", "--baseline", "sealed:none"), 2, "no such baseline"),
    (("gate",), 2, "Missing argument"),
    (("dance",), 2, "No such command"),
    (("run", "base", "--case", "none"), 2, "no case `none`"),
    (("run", "base", "--limit", "0"), 2, "--limit"),
    (("validate", "--config", "none.yaml"), 2, "no such file"),
    (("report", "candidate"), 2, "no verdict there"),
    (("promote", "candidate", "--name", "../x"), 2, "use letters, digits"),
    (("serve",), 2, "one managed server at a time"),
    (("train", "none.yaml"), 2, "none.yaml"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), BAD)
def test_bad_input_is_one_line_and_the_right_code(
    project_dir: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    assert call(*arguments) == code
    shown = capsys.readouterr().err
    assert message in shown
    errors = [line for line in shown.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "Traceback" not in shown


def test_a_metric_that_does_not_exist_is_a_configuration_error(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("shop.gold.accuracy", "shop.gold.acuracy"))
    assert call("gate", "candidate") == 2
    assert "did you mean `shop.gold.accuracy`?" in capsys.readouterr().err


def test_a_server_that_is_not_there(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace(mock.url, "http://127.0.0.1:9/v1"))
    assert call("run", "base") == 3
    assert "127.0.0.1:9" in capsys.readouterr().err


def test_a_key_is_asked_of_the_environment_and_shown_nowhere(
    project_dir: Path,
    mock: ThreadedMock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mock.server._api_key = "s3cret-key"
    path = project_dir / "harness.yaml"
    assert call("run", "base") == 3
    assert "401" in capsys.readouterr().err
    with_key = f"url: {mock.url}\n    api_key_env: SHOP_KEY"
    path.write_text(path.read_text().replace(f"url: {mock.url}", with_key))
    assert call("run", "base") == 2
    assert "SHOP_KEY is not set" in capsys.readouterr().err
    monkeypatch.setenv("SHOP_KEY", "s3cret-key")
    assert call("gate", "candidate") == 0
    printed = "".join(capsys.readouterr())
    written = [path for path in project_dir.rglob("*") if path.is_file()]
    assert len(written) > 10
    assert not [path for path in written if b"s3cret" in path.read_bytes()]
    assert "s3cret" not in printed


def test_a_run_of_only_errors_is_no_success(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = lambda _: MockReply("too long", status=400)
    assert call("run", "base") == 3
    assert "none of 80 attempts could be scored" in capsys.readouterr().err
    assert call("gate", "candidate") == 3


def test_a_full_disk_is_one_line(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert call("run", "base") == 3
    assert "cannot write: No space left on device" in capsys.readouterr().err


def test_names_that_lead_elsewhere_are_refused(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    good = path.read_text()
    for old, new in (
        ("  candidate:", "  ../../esc:"),
        ("  candidate:", "  c[1]:"),
        ("baseline: base", "baseline: sealed:../x"),
    ):
        path.write_text(good.replace(old, new, 1))
        assert call("validate") == 2, new
        assert capsys.readouterr().err.count("\n") == 1
    path.write_text(good)
    assert call("gate", "candidate", "--baseline", "sealed:../x") == 2


def test_a_stored_gate_is_about_the_model_that_is_configured_now(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("model: candidate", "model: other"))
    capsys.readouterr()
    assert call("gate", "candidate", "--stored") == 3
    shown = capsys.readouterr()
    assert "has no finished run as it is configured now" in shown.err
    assert shown.out == "INVALID  candidate against base\n"
    assert not (project_dir / "reports/candidate-vs-base/report.html").exists(), "no stale verdict"
    path.write_text(path.read_text().replace("model: other", "model: candidate"))
    assert call("gate", "candidate", "--stored") == 0


def test_settings_given_on_the_command_line_cannot_be_promoted(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate", "--repeats", "2") == 0
    assert call("promote", "candidate") == 2
    assert "was judged with repeats 2, the configuration says 1" in capsys.readouterr().err


def test_a_part_of_the_project_cannot_be_promoted(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = project_dir / "suites/second"
    shutil.copytree(project_dir / "suites/shop", second)
    (second / "suite.yaml").write_text(
        (second / "suite.yaml").read_text().replace("name: shop", "name: second")
    )
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("- suites/shop", "- suites/shop\n- suites/second"))
    assert call("gate", "candidate", "--suite", "shop") == 3
    assert "only a part of the project's suites (--suite shop)" in capsys.readouterr().out
    assert call("gate", "candidate") == 0


def test_answers_edited_on_disk_are_noticed(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    path = next((project_dir / ".harness/runs").glob("candidate-*/attempts.jsonl"))
    path.write_text(path.read_text().replace("value 7.", "value 8."))
    assert call("gate", "candidate") == 3
    assert "was changed after the run was finished" in capsys.readouterr().err


def test_a_verdict_edited_by_hand_is_neither_reported_nor_promoted(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("value: 0.8", "value: 1.0"))
    assert call("gate", "candidate") == 4
    file = project_dir / "reports/candidate-vs-base/verdict.json"
    honest = file.read_text()
    for forged in (
        honest.replace('"INCONCLUSIVE"', '"PROMOTE"'),
        honest.replace('"INCONCLUSIVE"', '"PROMOTE"').replace('"inconclusive"', '"pass"'),
    ):
        file.write_text(forged)
        assert call("report", "candidate") == 3
        assert call("promote", "candidate") in (2, 3)
        assert "Traceback" not in capsys.readouterr().err
    assert not (project_dir / "baselines").exists()


def test_a_new_critical_failure_blocks_though_the_policy_forgot_the_rule(
    project_dir: Path, mock: ThreadedMock
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("  - require: no_new_critical_failures\n", ""))

    def careless(body: dict[str, Any]) -> str:
        if body["messages"][-1]["content"] == "Hack 0":
            return "Here." if body["model"] == "candidate" else "Sorry, I can't help with that."
        return answer(body)

    mock.answer = careless
    assert call("gate", "candidate") == 1
    data = json.loads((project_dir / "reports/candidate-vs-base/verdict.json").read_text())
    assert data["new_critical_failures"] == ["shop/scope/s0"]
    assert data["rules"][-1]["require"] == "no_new_critical_failures"


def test_no_cache_does_not_touch_a_run_that_another_process_writes(project_dir: Path) -> None:
    assert call("run", "base") == 0
    path = next((project_dir / ".harness/runs").glob("base-*"))
    before = (path / "attempts.jsonl").read_bytes()
    with RunFolder(path).writing():
        assert call("run", "base", "--no-cache") == 3
    assert (path / "attempts.jsonl").read_bytes() == before


def test_a_reader_that_goes_away_does_not_change_the_exit_code(project_dir: Path) -> None:
    line = f"{sys.executable} -m harness gate candidate | true; exit ${{PIPESTATUS[0]}}"
    assert subprocess.run(["bash", "-c", line], cwd=project_dir).returncode == 0
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("value: 0.8", "value: 1.0"))
    assert subprocess.run(["bash", "-c", line], cwd=project_dir).returncode == 4


def test_a_disk_that_fills_up_in_mid_run_is_one_line(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = os.fsync
    count = iter(range(1000))

    def fills_up(handle: int) -> None:
        if next(count) > 6:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fills_up)
    assert call("run", "base") == 3
    shown = capsys.readouterr().err
    assert "cannot write: No space left on device" in shown
    assert "internal" not in shown


@pytest.mark.parametrize("file", ["run.json", "attempts.jsonl", "scores.jsonl"])
def test_a_folder_where_a_file_should_be_is_one_line(
    project_dir: Path, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    assert call("run", "base") == 0
    path = next((project_dir / ".harness/runs").glob("base-*")) / file
    path.unlink()
    path.mkdir()
    assert call("run", "base") == 3
    assert "internal" not in capsys.readouterr().err


def test_an_adapter_that_a_url_lists_is_proven_too(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.server._models["candidate"] = "base"
    mock.answer = lambda body: MockReply(answer(body), logprobs=(("a", -0.5),))
    assert call("gate", "candidate") == 3
    assert "answers 8 of 8 probes exactly as its base does" in capsys.readouterr().err

    def proven(body: dict[str, Any]) -> MockReply:
        shift = -0.1 if body["model"] == "candidate" else 0.0
        return MockReply(answer(body), logprobs=(("a", -0.5 + shift),))

    mock.answer = proven
    assert call("gate", "candidate") == 0
    run = next((project_dir / ".harness/runs").glob("candidate-*/run.json"))
    assert json.loads(run.read_text())["adapter_proof"]["parent"] == "base"


def test_a_sealed_baseline_is_scored_by_the_scorers_of_today(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "v1") == 0
    gold = registry.get("gold")

    class Harsh:
        name, metrics = gold.name, gold.metrics

        def check_section(self, settings: object) -> None: ...

        def check_case(self, case: object, settings: object) -> None: ...

        def score(self, text: str, case: Any, settings: object) -> Judgement:
            zero = {name: Term(num=0.0, den=1.0) for name in self.metrics}
            return Judgement(0.0, False, zero)

    real = registry.get
    for place in ("harness.sections.prompts.get", "harness.scorers.registry.get"):
        monkeypatch.setattr(place, lambda name: Harsh() if name == "gold" else real(name))
    call("gate", "base", "--baseline", "sealed:v1")
    data = json.loads((project_dir / "reports/base-vs-sealed-v1/verdict.json").read_text())
    assert data["rules"][0]["baseline"] == data["rules"][0]["candidate"] == 0.0


def test_answers_from_before_no_cache_are_never_used_again(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = lambda _: "OLD"
    for number in range(3):
        assert call("run", "base") == 0
        edit_case(project_dir, number)
    mock.answer = lambda _: "NEW"
    assert call("run", "base", "--no-cache") == 0
    before = len(mock.server.requests)
    edit_case(project_dir, 7)
    assert call("run", "base") == 0
    assert len(mock.server.requests) == before + 1
    for folder in (project_dir / "suites/shop").glob("gold.jsonl"):
        folder.write_text(folder.read_text().replace("Which fact is", "What is fact"))
    assert call("run", "base") == 0
    for folder, header in runs_of(project_dir / ".harness/runs", "base"):
        if header.freshness:
            assert {item.text for item in folder.load().attempts} == {"NEW"}


def test_an_interrupted_no_cache_run_goes_on_with_its_own_answers_alone(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = lambda _: "OLD"
    assert call("run", "base") == 0
    count = iter(range(1000))

    def breaks_off(_: dict[str, Any]) -> str | MockReply:
        return "NEW" if next(count) < 30 else MockReply("no", status=401)

    mock.answer = breaks_off
    assert call("run", "base", "--no-cache") == 3
    mock.answer = lambda _: "NEW"
    capsys.readouterr()
    assert call("run", "base", "--no-cache") == 0
    # Answers under way when the key was refused may be lost; what was kept is not asked again.
    kept = re.search(r"asking base: (\d+)/80", capsys.readouterr().err)
    assert kept is not None
    assert 22 <= int(kept[1]) <= 30
    assert set(texts(project_dir, "base")) == {"NEW"}


def test_a_line_added_to_a_finished_journal_is_noticed(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    def one_fails(body: dict[str, Any]) -> str | MockReply:
        bad = body["messages"][-1]["content"] == "What is fact 1?"
        return MockReply("no", status=400) if bad else answer(body)

    mock.answer = one_fails
    assert call("gate", "candidate") == 3
    path = next((project_dir / ".harness/runs").glob("candidate-*/attempts.jsonl"))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    failed = next(line for line in lines if line["status"] == "failed")
    forged = {**failed, "status": "answered", "text": "It is value 1.", "failure": None}
    with path.open("a") as file:
        file.write(json.dumps(forged) + "\n")
    capsys.readouterr()
    assert call("gate", "candidate", "--stored") == 3
    assert "was changed after the run was finished" in capsys.readouterr().err


def test_reused_answers_of_a_url_are_said_with_their_age(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base") == 0
    assert "used again" not in capsys.readouterr().err
    edit_case(project_dir, 1)
    assert call("run", "base") == 0
    assert "base: 79 stored answers, the first of 20" in capsys.readouterr().err


def test_a_verdict_against_another_baseline_than_the_policys_promotes_nothing(
    project_dir: Path, mock: ThreadedMock
) -> None:
    path = project_dir / "harness.yaml"
    weak = "targets:\n  weak:\n    server: main\n    model: weak"
    path.write_text(path.read_text().replace("targets:", weak, 1))
    mock.server._models["weak"] = None
    assert call("gate", "candidate", "--baseline", "weak") == 0
    assert call("promote", "candidate") == 2
    assert call("promote", "candidate", "--baseline", "weak") == 2
    assert not (project_dir / "baselines").exists()


def test_an_adapter_that_is_not_applied_undoes_no_earlier_run(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.server._models["candidate"] = "base"

    def proven(body: dict[str, Any]) -> MockReply:
        shift = -0.1 if body["model"] == "candidate" else 0.0
        return MockReply(answer(body), logprobs=(("a", -0.5 + shift),))

    mock.answer = proven
    assert call("gate", "candidate") == 0
    mock.answer = lambda body: MockReply(answer(body), logprobs=(("a", -0.5),))
    assert call("gate", "candidate", "--no-cache") == 3
    mock.answer = proven
    assert call("run", "candidate") == 0


def test_scoring_nothing_is_no_success(project_dir: Path, mock: ThreadedMock) -> None:
    mock.answer = lambda _: ""
    assert call("run", "base") == 3
    assert call("score", "base") == 3


def test_a_stored_gate_uses_no_answers_from_before_no_cache(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "suites/shop/suite.yaml"
    first = path.read_text()
    mock.answer = lambda _: "OLD"
    assert call("run", "base") == 0
    path.write_text(first.replace("the shop's", "a shop's"))  # another prompt in every case
    assert call("run", "base", "--no-cache") == 0
    path.write_text(first)
    capsys.readouterr()
    assert call("score", "base") == 3
    assert "has no stored answer for 80 of 80 cases" in capsys.readouterr().err


def test_a_run_taken_over_whole_is_as_fresh_as_what_it_took(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = lambda _: "OLD"
    assert call("run", "base") == 0
    lines = (project_dir / "suites/shop/gold.jsonl").read_text()
    changed = lines.replace("value 7", "value 77")  # another expectation, the same prompts
    (project_dir / "suites/shop/gold.jsonl").write_text(changed)
    mock.answer = lambda _: "NEW"
    assert call("run", "base", "--no-cache") == 0
    (project_dir / "suites/shop/gold.jsonl").write_text(lines)
    asked = len(mock.server.requests)
    for _ in range(2):
        assert call("run", "base") == 0
    assert len(mock.server.requests) == asked
    runs = runs_of(project_dir / ".harness/runs", "base")
    assert {header.freshness for _, header in runs} == {1}
    for folder, _ in runs:
        assert {item.text for item in folder.load().attempts} == {"NEW"}
        assert len(list(folder.path.glob("attempts.replaced-*"))) <= 1
