from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import Project, load_project
from harness.errors import SuiteError, UsageError
from harness.gate.compare import compare
from harness.records.run import RunRecord
from harness.records.suite import Suite
from harness.records.target import Generation
from harness.run.plan import Selection, plan
from harness.run.provenance import header
from harness.run.resume import Job
from harness.sections import perplexity
from harness.sections.evidence import grounds
from harness.sections.perplexity import PerplexityKind, PerplexitySection
from harness.sections.section_kinds import load_suites
from harness.sections.work import SectionJob, SectionWork
from harness.storage import RunFolder
from harness.weights.child import Child
from harness.weights.events import Events
from harness.weights.perplexity import main
from tests.builders import identity
from tests.e2e.micro import CHAT_TEMPLATE, build_adapter, build_model
from tests.manual_clock import ManualClock

NAME = "shop.words"
CHATS = [
    {"messages": [{"role": "user", "content": f"What is {n}?"},
                  {"role": "assistant", "content": f"It is {n}."}]}
    for n in range(3)
]  # fmt: skip


class Quiet:
    def say(self, text: str) -> None: ...
    def progress(self, stage: str, done: int, total: int, detail: str) -> None: ...


def write(folder: Path, chats: list[Any], model: Path | None = None, **keys: Any) -> Project:
    suite = folder / "suites/shop"
    suite.mkdir(parents=True, exist_ok=True)
    written = {"name": "shop", "domain": "A shop", "version": 1,
               "sections": {"words": {"perplexity": "chats.jsonl", **keys}}}  # fmt: skip
    (suite / "suite.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    (suite / "chats.jsonl").write_text("".join(json.dumps(one) + "\n" for one in chats))
    server = {"engine": "vllm", "model": str(model), "args": {"dtype": "float32"}}
    config = {
        "suites": ["suites/shop"],
        "servers": {"main": server, "far": {"url": "http://127.0.0.1:1"}},
        "targets": {
            "base": {"server": "main"},
            "candidate": {"server": "main", "adapter": str(folder / "adapter")},
            "far": {"server": "far", "model": "x"},
        },
    }
    (folder / "harness.yaml").write_text(yaml.safe_dump(config))
    return load_project(folder / "harness.yaml")


def jobs(project: Project, suites: tuple[Suite, ...], *targets: str) -> list[SectionJob]:
    found = []
    for target in targets:
        planned = plan(project, target, suites, identity(target), None)
        job = Job(planned, RunFolder(project.runs / planned.run_id))
        head = header(project, job, suites, None, ManualClock())
        job.folder.path.mkdir(parents=True, exist_ok=True)
        section = suites[0].sections[0]
        found.append(SectionJob(head, Generation(), suites[0], section, section.cases))
    return found


def run(project: Project, *targets: str) -> list[dict[str, Any]]:
    """The recorded cases of each target, by their ids."""
    suites = load_suites(project)
    work = SectionWork(project, jobs(project, suites, *targets), Quiet(), Selection(),
                       grounds(project, None))  # fmt: skip
    PerplexityKind().run(work)
    found = []
    for job in work.jobs:
        recording = RunFolder(project.runs / job.run.run_id).recording()
        assert recording is not None
        found.append({case.case.id: case for case in recording.sections[0].cases})
    return found


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The orders to children, each carried out here: another process would import torch again."""
    found: list[Any] = []

    def carry_out(child: Child, _: Any) -> None:
        found.append(child.order)
        child.folder.mkdir(parents=True, exist_ok=True)
        main(child.order, Events(child.folder / "events"))

    monkeypatch.setattr(Child, "run", carry_out)
    return found


def test_both_sides_are_one_child_and_no_conversation_is_scored_twice(
    tmp_path: Path, orders: list[Any]
) -> None:
    model = build_model(tmp_path / "model")
    build_adapter(model, tmp_path / "adapter")
    project = write(tmp_path, CHATS, model)
    candidate, base = run(project, "candidate", "base")
    assert len(orders) == 1
    name = next(iter(base))
    ours, theirs = candidate[name], base[name]
    assert ours.judge == theirs.judge, "both sides read the same tokens"
    terms = ours.score.terms
    assert list(terms) == ["nats_per_token", "next_token_accuracy", "bits_per_byte"]
    assert ours.score.value == terms["nats_per_token"].num
    assert 0.0 <= terms["next_token_accuracy"].num <= 1.0
    assert terms["nats_per_token"].num != theirs.score.terms["nats_per_token"].num

    run(project, "candidate", "base")
    assert len(orders) == 1, "everything was known"
    (cached,) = (tmp_path / ".harness/cache/perplexity").glob(
        f"{Path(orders[0]['sides'][0]['file']).name}"
    )
    lines = cached.read_text().splitlines(keepends=True)
    cached.write_text("".join(lines[:2]) + lines[2][:10])  # as a kill leaves it
    again = run(project, "candidate")[0]
    assert len(orders[1]["sides"][0]["chats"]) == 1
    assert again[name].score.terms == terms


@pytest.mark.parametrize(
    ("chats", "keys", "message"),
    [
        ([], {}, "holds no conversation"),
        ([{"messages": [{"role": "user", "content": "Hi"}]}], {},
         "no turn of this conversation is the assistant's"),
        ([{"messages": [{"role": "assistant", "content": "Hi"}]}], {}, "messages"),
        ([{"turns": []}], {}, "turns"),
        ([CHATS[0], CHATS[0]], {}, "is taken by"),
        (CHATS, {"metrics": ["nats"]}, "metrics"),
        (CHATS, {"window": 1}, "window"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_scored_is_told_with_its_line(
    tmp_path: Path, chats: list[Any], keys: dict[str, Any], message: str
) -> None:
    project = write(tmp_path, chats, tmp_path, **keys)
    with pytest.raises(SuiteError) as found:
        load_suites(project)
    assert message in found.value.what
    assert "chats.jsonl" in found.value.where or "suite.yaml" in found.value.where


def test_the_words_of_a_case_are_its_last_answer_and_all_before(tmp_path: Path) -> None:
    chat = [*CHATS[0]["messages"], *CHATS[1]["messages"], {"role": "user", "content": "Bye"}]
    suites = load_suites(write(tmp_path, [{"messages": chat, "id": "a", "tags": ["t"]}], tmp_path))
    section = suites[0].sections[0]
    assert isinstance(section, PerplexitySection)
    (case,) = section.cases
    assert (case.id, case.group, case.tags) == ("a", "a", ("t",))
    assert [turn.content for turn in case.messages] == ["What is 0?", "It is 0.", "What is 1?"]
    assert case.expect == {"answer": "It is 1."}


def test_missing_libraries_are_named_before_any_weights_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write(tmp_path, CHATS, tmp_path)
    monkeypatch.setattr(perplexity, "find_spec", lambda name: None if name == "peft" else 1)
    with pytest.raises(UsageError, match="needs peft, not installed here"):
        run(project, "base")


def test_a_target_behind_a_url_has_no_weights(tmp_path: Path) -> None:
    project = write(tmp_path, CHATS, tmp_path)
    with pytest.raises(UsageError, match="the weights of `far` are behind a url"):
        run(project, "far")


@pytest.mark.usefixtures("orders")
def test_sides_read_as_other_tokens_are_not_compared(tmp_path: Path) -> None:
    model = build_model(tmp_path / "model")
    build_adapter(model, tmp_path / "adapter")
    project = write(tmp_path, CHATS, model)
    suites = load_suites(project)
    run(project, "candidate")
    (model / "chat_template.jinja").write_text(CHAT_TEMPLATE.replace("<|end|>", "<|end|> "))
    run(project, "base")

    def record(target: str) -> RunRecord:
        (job,) = jobs(project, suites, target)
        folder = RunFolder(project.runs / job.run.run_id)
        recording = folder.recording()
        assert recording is not None
        done = job.run.model_copy(update={"finished": "2026-01-01T00:00:00Z"})
        return RunRecord(done, (), ()).with_recording(recording)

    found = compare(record("candidate"), record("base"), suites)
    said = [one for one in found.problems if "tokenizer" in one]
    assert len(said) == 1
    assert said[0].startswith("another tokenizer or chat template read the baseline in 3")
    assert "write `metrics: [bits_per_byte]`" in said[0]
