"""`harness latency`, and rules on latency in the gate, as a user meets them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_project
from harness.errors import ServerError
from harness.files import digest_json
from harness.latency import arm_servers, lateness, validity
from harness.targets import identity
from harness.targets.endpoint import BASE, Endpoint
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply, MockServer
from tests.serving.made import write_model
from tests.shop import answer

SMALL = {"loads": ["closed:4"], "requests": 40, "rounds": 10, "max_tokens": 8}
RULE = {"metric": "latency.ttft_p50", "require": "ratio_at_most", "value": 3.0}
SECONDS = 0.005
EXIT_CODES_OF_RULES = {"pass": 0, "fail": 1, "invalid": 3, "inconclusive": 4}


@pytest.fixture
def slow(mock: ThreadedMock, monkeypatch: pytest.MonkeyPatch) -> ThreadedMock:
    """A server in this very process: what it and the client cost each other is let pass."""
    limits = {lateness: ("LATE", "BUSY"), validity: ("BUSY", "GROWTH", "DRIFT")}
    for module, names in limits.items():
        for limit in names:
            monkeypatch.setattr(module, limit, 1e9)
    pace(mock, 1.0)
    return mock


def pace(mock: ThreadedMock, times: float) -> None:
    def reply(body: dict[str, Any]) -> MockReply:
        first = SECONDS * (times if body["model"] == "candidate" else 1.0)
        return MockReply(answer(body), first_delay=first)

    mock.answer = reply


def configure(folder: Path, *rules: dict[str, Any], **settings: Any) -> None:
    path = folder / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    config["latency"] = {**SMALL, **settings}
    if rules:
        config["gate"]["rules"] = [*config["gate"]["rules"], *rules]
    path.write_text(yaml.safe_dump(config))


def measurement(folder: Path) -> Path:
    (found,) = (folder / ".harness/latency").glob("*/[0-9]*")
    return found


def test_a_measurement_is_printed_kept_and_shown_again(
    project_dir: Path, slow: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir, slo={"ttft": 5.0})
    code = call("latency", "candidate")
    shown = capsys.readouterr().out
    assert "\ncandidate against base at closed:4, 10 rounds\n" in shown
    assert "candidate: 40 requests, 0 failed" in shown
    assert "100.0 % within the SLO" in shown
    assert "* too few requests to pass a rule: p50 needs 100, " in shown
    page = project_dir / "reports/candidate-vs-base/latency.html"
    assert "candidate" in page.read_text()
    asked = len(slow.server.requests)
    page.unlink()
    assert call("latency", "candidate", "--stored") == code
    assert capsys.readouterr().out == shown
    assert page.exists()
    assert len(slow.server.requests) == asked


def test_every_new_measurement_asks_anew(
    project_dir: Path, slow: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir)
    call("latency", "candidate")
    first = len(slow.server.requests)
    call("latency", "candidate")
    assert len(slow.server.requests) == 2 * first
    headers = list((project_dir / ".harness/latency").glob("*/[0-9]*/measurement.json"))
    assert len(headers) == 2
    assert len({json.loads(path.read_text())["nonce"] for path in headers}) == 2


def test_options_go_before_the_configuration(
    project_dir: Path, slow: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir)
    call(
        "latency", "candidate", "--load", "single", "--requests", "50", "--slo-ttft", "9", "--json"
    )
    section = json.loads(capsys.readouterr().out)
    settings = section["settings"]
    assert settings["loads"] == ["single"]
    assert (settings["requests"], settings["rounds"]) == (50, 10)
    assert settings["slo"] == {"ttft": 9.0, "e2e": None}
    assert [load["load"] for load in section["loads"]] == ["single"]


def test_the_gate_holds_a_rule_on_latency_against_a_measurement_of_its_own(
    project_dir: Path, slow: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir, RULE, requests=100)
    pace(slow, 20.0)
    assert call("gate", "candidate", "--json") == 1
    verdict = json.loads(capsys.readouterr().out)
    (rule,) = [rule for rule in verdict["rules"] if rule["metric"] == RULE["metric"]]
    assert verdict["latency"]["loads"][0]["load"] == "closed:4"
    assert rule["outcome"] == "fail"
    assert rule["estimate"] > 3.0
    assert call("report", "candidate") == 0


def test_a_stored_gate_takes_the_last_measurement_and_asks_nothing(
    project_dir: Path, slow: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir, RULE, requests=100)
    code = call("gate", "candidate")
    before = capsys.readouterr().out
    asked = len(slow.server.requests)
    assert call("gate", "candidate", "--stored") == code
    again = capsys.readouterr().out.splitlines(keepends=True)
    assert "".join(line for line in again if "stored answers were used" not in line) == before
    assert len(slow.server.requests) == asked


def test_measuring_again_until_it_passes_is_counted(
    project_dir: Path, slow: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir, RULE)
    call("gate", "candidate")
    call("gate", "candidate", "--stored")
    assert "look 2" not in capsys.readouterr().out
    call("gate", "candidate")
    assert "look 2 at this candidate with fresh answers or times; " in capsys.readouterr().out


def test_a_measurement_that_was_changed_or_is_gone_carries_no_verdict(
    project_dir: Path, slow: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir, RULE, requests=100)
    call("gate", "candidate")
    # Nor does one that was measured otherwise, whatever the verdict is made to say.
    configure(project_dir, requests=101)
    latency = load_project(project_dir / "harness.yaml").config.latency.model_dump(mode="json")
    file = project_dir / "reports/candidate-vs-base/verdict.json"
    honest = file.read_text()
    forged = json.loads(honest)
    forged["hashes"]["rests_on"]["`latency`"] = digest_json(latency)
    for text, why in (
        (honest, "has changed since: `latency`"),
        (json.dumps(forged), "do not lead"),
    ):
        file.write_text(text)
        assert call("report", "candidate") == 3
        assert why in capsys.readouterr().err
    configure(project_dir, requests=100)
    file.write_text(honest)
    folder = measurement(project_dir)
    block = next((folder / "blocks").glob("*.json"))
    data = json.loads(block.read_text())
    data["samples"][5]["timing"]["chunks"][0] += 9.0
    block.write_text(json.dumps(data))
    capsys.readouterr()
    for command in ("report", "candidate"), ("latency", "candidate", "--stored"):
        assert call(*command) == 3
        assert "was changed after it was measured" in capsys.readouterr().err
    whole = block.read_text()
    block.write_text("{")
    assert call("latency", "candidate", "--stored") == 3
    assert f"{block.name}" in capsys.readouterr().err
    block.write_text(whole)
    # With its seal taken off, or made again, it is still not what the verdict was given on.
    header = folder / "measurement.json"
    header.write_text(json.dumps({**json.loads(header.read_text()), "sealed": None}))
    assert call("report", "candidate") == 3
    assert "the measurement is another than it was - harness gate candidate" in (
        capsys.readouterr().err
    )
    assert call("latency", "candidate", "--stored") == 2
    assert "there is no finished measurement" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("latency", "base"), "`base` is the baseline itself"),
        (("latency", "nobody"), "no target `nobody`"),
        (("latency", "candidate", "--load", "often"), "`often` is no load: write single"),
        (("latency", "candidate", "--slo-ttft", "0"), "slo.ttft: "),
        (("latency", "candidate", "--rounds", "2"), "rounds: "),
        (("latency", "candidate", "--stored"), "there is no finished measurement of `candidate`"),
        (("latency", "*", "--stored"), "no target `*`"),
        (("latency", "candidate", "--baseline", "sealed:../x"), "is no name of a sealed baseline"),
        (("latency", "candidate", "--baseline", "sealed:no"), "no such baseline"),
    ],
)
def test_what_cannot_be_measured_says_so_in_one_line(
    project_dir: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    assert call(*arguments) == 2
    err = capsys.readouterr().err
    assert words in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"max_requests_per_minute": 600}, "has limits on how it is asked"),
        ({"url": ["http://127.0.0.1:1", "http://127.0.0.1:2"]}, "has 2 replicas"),
    ],
)
def test_a_server_that_cannot_be_measured_is_refused(
    project_dir: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], words: str
) -> None:
    path = project_dir / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    (name,) = config["servers"]
    config["servers"][name] |= change
    path.write_text(yaml.safe_dump(config))
    assert call("latency", "candidate") == 2
    assert words in capsys.readouterr().err


def test_a_budget_of_thinking_that_leaves_no_answer_is_refused(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir, RULE)
    path = project_dir / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    config["generation"]["thinking_token_budget"] = 8
    path.write_text(yaml.safe_dump(config))
    for command in ("latency", "gate"):
        assert call(command, "candidate") == 2
        err = capsys.readouterr().err
        assert "latency.max_tokens: leaves nothing for an answer of `candidate` after its" in err
    assert mock.server.requests == []


def test_a_prompt_that_the_server_does_not_take_is_named(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir)
    mock.answer = lambda _: MockReply("too long for this context", status=400)
    assert call("latency", "candidate") == 2
    err = capsys.readouterr().err
    assert "the server refuses shop/" in err
    assert "too long for this context" in err


def test_an_adapter_that_vanishes_between_blocks_is_invalid_with_its_reason(
    project_dir: Path, slow: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir, RULE)
    usual = slow.answer
    call("run", "base", "candidate")
    begun = len(slow.server.requests)

    def vanishing(body: dict[str, Any]) -> Any:
        gone = body["model"] == "candidate" and len(slow.server.requests) - begun > 150
        return MockReply("no such model", status=404) if gone else usual(body)

    slow.answer = vanishing
    capsys.readouterr()
    assert call("gate", "candidate") == 3
    said = capsys.readouterr()
    assert said.out.startswith("INVALID  candidate against base")
    assert "no longer serves `candidate`, the candidate" in said.err


def test_a_server_without_usage_has_no_rate_of_tokens_and_a_rule_on_tpot_is_invalid(
    project_dir: Path, slow: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir, {"metric": "latency.tpot_p50", "require": "ratio_at_most", "value": 1.5})
    slow.answer = lambda body: MockReply(answer(body), first_delay=SECONDS, usage=False)
    assert call("latency", "candidate") == 3
    shown = capsys.readouterr().out
    assert "the server counts no tokens" in shown
    assert "latency.tpot_p50 at closed:4 has no value" in shown


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({**RULE, "metric": "latency.foo_p50"}, "no metric `latency.foo_p50`"),
        ({**RULE, "metric": "latency.ttft"}, "no metric `latency.ttft`"),
        ({**RULE, "require": "at_least"}, "no rule `at_least` holds for latency.ttft_p50"),
        ({**RULE, "require": "at_most", "value": -1.0}, "-1 is no time"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_before_anything_is_asked(
    project_dir: Path,
    mock: ThreadedMock,
    capsys: pytest.CaptureFixture[str],
    rule: dict[str, Any],
    words: str,
) -> None:
    configure(project_dir, rule)
    for command in (("latency", "candidate"), ("gate", "candidate")):
        assert call(*command) == 2
        assert words in capsys.readouterr().err
    assert mock.server.requests == []


def test_a_gate_that_cannot_measure_says_so_before_it_asks(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir, RULE)
    path = project_dir / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    (name,) = config["servers"]
    config["servers"][name]["max_requests_per_minute"] = 60
    path.write_text(yaml.safe_dump(config))
    assert call("gate", "candidate") == 2
    assert "has limits on how it is asked" in capsys.readouterr().err
    assert mock.server.requests == []


def test_only_what_was_measured_of_these_two_under_these_settings_is_shown_again(
    project_dir: Path, slow: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir)
    call("run", "base", "candidate")
    call("latency", "candidate")
    assert call("latency", "candidate", "--stored") != 2
    capsys.readouterr()
    assert call("latency", "candidate", "--stored", "--requests", "50") == 2
    assert "there is no finished measurement" in capsys.readouterr().err
    configure(project_dir, RULE)
    assert call("gate", "candidate", "--stored") == 2
    folder = measurement(project_dir)
    header = json.loads((folder / "measurement.json").read_text())
    header["identities"]["candidate"]["model"] = "another"
    (folder / "measurement.json").write_text(json.dumps(header))
    configure(project_dir)
    assert call("latency", "candidate", "--stored") == 2


def test_the_time_to_the_answer_of_a_model_that_thinks_is_measured_and_gated(
    project_dir: Path, slow: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    """The candidate's first token comes as soon as the baseline's, its answer far later."""

    def reply(body: dict[str, Any]) -> MockReply:
        thoughts = "hm " * (40 if body["model"] == "candidate" else 2)
        return MockReply("An answer", reasoning=thoughts, first_delay=SECONDS, gap=0.001)

    slow.answer = reply
    rules = [{**RULE, "metric": f"latency.{name}_p50"} for name in ("ttft", "tta")]
    configure(project_dir, *rules, slo={"tta": 30.0})
    assert call("latency", "candidate") == 1
    shown = capsys.readouterr().out
    assert "100.0 % within the SLO" in shown
    assert "  inconclusive  latency.ttft_p50 at closed:4 has too few requests to pass" in shown
    assert "  fail          latency.tta_p50 at closed:4 is more than 3 " in shown
    page = (project_dir / "reports/candidate-vs-base/latency.html").read_text()
    assert "TTA ≤ 30.0 s" in page
    assert "TTA: time to the first token of the answer" in page
    call("latency", "candidate", "--stored", "--slo-tta", "30", "--json")
    metrics = json.loads(capsys.readouterr().out)["loads"][0]["metrics"]
    assert {"tta_p50", "tta_p95"} <= {metric["metric"] for metric in metrics}


@pytest.fixture
def other(slow: ThreadedMock) -> MockServer:
    """A second server beside the first."""
    server = MockServer(
        lambda body: MockReply(answer(body), first_delay=SECONDS), models=("candidate",)
    )
    slow.during(server)
    return server


def deploy(folder: Path, servers: dict[str, Any], targets: dict[str, Any]) -> None:
    """Have the candidate and the base on servers of their own."""
    path = folder / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    config["servers"], config["targets"] = servers, targets
    path.write_text(yaml.safe_dump(config))


def test_deployments_on_two_servers_are_compared_and_gated(
    project_dir: Path,
    slow: ThreadedMock,
    other: MockServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(project_dir, RULE)
    deploy(
        project_dir,
        {"main": {"url": slow.url}, "other": {"url": other.url}},
        {"base": {"server": "main", "model": "base"},
         "candidate": {"server": "other", "model": "candidate"}},
    )  # fmt: skip
    assert call("validate") == 0
    told = capsys.readouterr().out
    assert (
        "latency of `candidate` against `base`: deployments, on servers `other` and `main`" in told
    )
    code = call("latency", "candidate")
    said = capsys.readouterr()
    assert (
        "latency: deployments are compared, `candidate` on `other` and `base` on `main`, both up "
        "side by side (`other` is given by url and up all the time)"
    ) in said.err
    assert "\nDeployments were compared, not adapters: candidate is candidate on" in said.out
    assert "Both servers were up side by side, each from one start" in said.out
    asked = {body["model"] for body in slow.server.requests}, {b["model"] for b in other.requests}
    assert asked == ({"base"}, {"candidate"})
    for name in ("latency.html", "latency.md"):
        page = (project_dir / "reports/candidate-vs-base" / name).read_text()
        assert "Deployments were compared, not adapters" in page
    call("run", "base", "candidate")
    capsys.readouterr()
    call("gate", "candidate", "--json", "--stored")
    verdict = json.loads(capsys.readouterr().out)
    (rule,) = [rule for rule in verdict["rules"] if rule["metric"] == RULE["metric"]]
    assert EXIT_CODES_OF_RULES[rule["outcome"]] == code
    assert rule["reason"] in said.out
    found = verdict["latency"]["servers"]
    assert found["mode"] == "side_by_side"
    assert (found["candidate"]["server"], found["candidate"]["address"]) == ("other", other.url)
    call("gate", "candidate", "--stored")
    assert "  Deployments were compared, not adapters: " in capsys.readouterr().out
    for name in ("report.html", "report.md"):
        page = (project_dir / "reports/candidate-vs-base" / name).read_text()
        assert "Deployments were compared, not adapters" in page


@pytest.fixture
def starts(
    slow: ThreadedMock, project_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, str]]:
    """The servers that were started, each with its target; the mock stands behind all of them."""
    found: list[tuple[str, str]] = []

    @contextmanager
    def start_anew(
        _: Any, server: str, names: list[str], log: Path, say: Any
    ) -> Iterator[Endpoint]:
        (name,) = names
        found.append((server, name))
        if len(found) == DIES:
            raise ServerError("vLLM ended while starting")
        yield Endpoint((slow.url,), None)

    monkeypatch.setattr(arm_servers, "start_anew", start_anew)
    monkeypatch.setattr(identity, "require_vllm", lambda: "vllm 1")
    slow.answer = lambda _: MockReply("so", first_delay=0.001)
    slow.server._models = {BASE: None}
    for name in ("merged", "quantised"):
        write_model(project_dir / name)
    deploy(
        project_dir,
        {"whole": {"engine": "vllm", "model": "merged"},
         "small": {"engine": "vllm", "model": "quantised", "args": {"max-model-len": 64}}},
        {"base": {"server": "whole"}, "candidate": {"server": "small"}},
    )  # fmt: skip
    return found


DIES = 10


def test_in_turns_a_measurement_that_was_broken_off_goes_on_with_its_next_round(
    project_dir: Path, starts: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir, servers="in_turns")
    assert call("latency", "candidate") == 3
    said = capsys.readouterr().err
    assert "one up at a time (as `latency.servers` says), with up to 32 starts" in said
    assert "vLLM ended while starting" in said
    # One to see how the candidate is asked, one for the baseline; then three a round.
    assert starts[:2] == [("small", "candidate"), ("whole", "base")]
    folder = measurement(project_dir)
    kept = {path: path.read_bytes() for path in (folder / "blocks").glob("*.json")}
    assert len(kept) == 6
    assert call("latency", "candidate") == 0
    said = capsys.readouterr()
    assert "goes on with a measurement begun" in said.err
    assert "with up to 26 starts" in said.err
    assert len(starts) == DIES + 26
    assert all(path.read_bytes() == data for path, data in kept.items())
    header = json.loads((folder / "measurement.json").read_text())
    assert header["servers"]["mode"] == "in_turns"
    assert header["servers"]["candidate"]["args"]["max-model-len"] == 64
    assert "One server was up at a time, started anew and warmed up for every block" in said.out
    assert call("latency", "candidate", "--stored") == 0
    assert len(starts) == DIES + 26


def test_another_deployment_never_goes_on_where_one_was_broken_off(
    project_dir: Path, starts: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir, servers="in_turns")
    call("latency", "candidate")
    path = project_dir / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    config["servers"]["small"]["args"] = {"max-model-len": 32}
    path.write_text(yaml.safe_dump(config))
    capsys.readouterr()
    starts.clear()
    assert call("latency", "candidate") == 3  # the tenth start fails again
    assert "goes on" not in capsys.readouterr().err
    assert len(list((project_dir / ".harness/latency").glob("*/[0-9]*"))) == 2


def test_deployments_on_two_machines_are_refused_and_validate_says_so(
    project_dir: Path, slow: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir, RULE)
    deploy(
        project_dir,
        {"main": {"url": slow.url}, "far": {"url": "https://card.example/v1"}},
        {"base": {"server": "main", "model": "base"},
         "candidate": {"server": "far", "model": "candidate"}},
    )  # fmt: skip
    words = "`candidate` is on card.example, `base` on this machine: two machines cannot be told"
    for command in ("latency", "gate"):
        assert call(command, "candidate") == 2
        assert words in capsys.readouterr().err
    assert call("validate") == 0
    assert "warning: the latency of `candidate` cannot be measured: " in capsys.readouterr().err
    assert slow.server.requests == []


def test_a_word_that_is_no_way_to_have_servers_up_is_refused(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir, servers="both")
    assert call("latency", "candidate") == 2
    err = capsys.readouterr().err
    assert "latency.servers" in err
    assert "in_turns" in err
    assert len(err.strip().splitlines()) == 1


def test_a_target_with_passages_and_examples_is_measured_with_them(
    project_dir: Path, slow: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(project_dir)
    path = project_dir / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    shot = {
        "group": "a",
        "messages": [
            {"role": "user", "content": "Tell a."},
            {"role": "assistant", "content": "Told a."},
        ],
    }
    (project_dir / "shots.jsonl").write_text(json.dumps(shot))
    (project_dir / "facts.md").write_text("Every fact is a value.")
    config["targets"]["rag"] = {
        "server": "main", "model": "base", "few_shot": {"file": "shots.jsonl", "k": 1},
        "retrieval": {"documents": "facts.md", "k": 1},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(config))

    def reply(body: dict[str, Any]) -> MockReply:
        *before, last = body["messages"]
        last = {**last, "content": last["content"].split("Question: ")[-1]}
        return MockReply(answer({**body, "messages": [*before, last]}), first_delay=SECONDS)

    slow.answer = reply
    assert call("latency", "rag") in EXIT_CODES_OF_RULES.values()
    assert "rag against base at closed:4" in capsys.readouterr().out
    sent = [body["messages"] for body in slow.server.requests]
    with_both = [one for one in sent if one[1]["content"] == "Tell a."]
    facts = [one for one in with_both if "What" in one[-1]["content"]]
    assert facts
    assert all("Every fact is a value." in one[-1]["content"] for one in facts)
    # The baseline and its control are asked twice as much, as they are.
    assert len(sent) > 2.5 * len(with_both)
