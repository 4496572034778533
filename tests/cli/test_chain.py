"""`harness chain`: the table, the JSON, the exit codes, and one line for what cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.chain.conftest import serve
from tests.chain.form import refuses_system, renamed
from tests.chain.tiny_model import ADAPTED, BASE, TinyModel
from tests.cli.builders import call

__all__ = ["serve"]

Serve = Callable[[dict[str, TinyModel]], list[str]]


def test_the_table_names_the_hop_and_the_cause(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    int8 = replace(ADAPTED, bits=8)
    names = serve({"merged": ADAPTED, "int8": int8, "far": replace(int8, template=renamed)})
    assert call("chain", *names, "--limit", "5") == 1
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert [line.split("  ")[0] for line in lines[:4]] == [
        "hop", "adapter → merged", "merged → int8", "int8 → far"
    ]  # fmt: skip
    assert "different" in lines[3]
    assert lines[3].endswith("template")
    assert "  template: other prompt tokens in short, words, system, turns, filler" in shown.out
    assert lines[-1] == "the chain breaks at int8 → far: likeliest cause template"
    assert "far: asking 8 probes" in shown.err


def test_a_clean_chain_is_zero_and_its_json_says_so(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    names = serve({"merged": ADAPTED})
    assert call("chain", *names, "--probes-only", "--json", "--output", "out") == 0
    shown = capsys.readouterr()
    assert shown.err.endswith("out/chain.html\nout/chain.json\n")
    assert Path("out/chain.json").read_text() == shown.out
    (hop,) = json.loads(shown.out)["hops"]
    assert (hop["before"], hop["after"]) == ("adapter", "merged")
    assert (hop["outcome"], hop["cause"], hop["findings"]) == ("same", None, [])
    assert hop["probes"]["largest"] == 0.0


def test_an_adapter_that_is_not_applied_is_named_by_its_own_proof(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve({"adapter": BASE, "merged": ADAPTED})
    assert call("chain", "merged", "adapter", "--limit", "5") == 1
    shown = capsys.readouterr().out
    assert "the chain breaks at merged → adapter: likeliest cause adapter not applied" in shown
    assert "probes exactly as its base does" in shown


def test_a_link_that_refuses_the_suites_is_named_and_not_run(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    names = serve({"far": replace(ADAPTED, template=refuses_system)})
    assert call("chain", *names, "--limit", "2") == 1
    shown = capsys.readouterr()
    assert "template: `far` refuses the probes: HTTP 400: System role not supported" in shown.out
    assert "asking far" not in shown.err
    assert call("chain", *reversed(names), "--limit", "2") == 2
    assert "`harness doctor far` says what to write" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["adapter"], "a chain has two links at least"),
        (["adapter", "nobody"], "no target `nobody`"),
        (["adapter", "merged", "adapter"], "`adapter` is in the chain twice"),
        (["adapter", "merged", "--nats", "3"], "--nats"),
        (["adapter", "merged", "--suite", "none"], "none"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], says: str, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve({"merged": ADAPTED})
    assert call("chain", *arguments) == 2
    assert says in capsys.readouterr().err.splitlines()[-1]


def test_a_link_that_is_not_there_is_no_word_on_the_model(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = serve({"merged": ADAPTED})
    path = tmp_path / "harness.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["servers"]["merged"]["url"] = "http://127.0.0.1:1"
    path.write_text(yaml.safe_dump(settings))
    assert call("chain", *names, "--probes-only") == 3
    shown = capsys.readouterr().err
    assert "http://127.0.0.1:1" in shown
    assert "asking 8 probes" not in shown
