from __future__ import annotations

from pathlib import Path

import pytest

from harness.client.dialect import ModelEntry, ServerDescription
from harness.client.protocol import Answer, ChatRequest, Failed, Reply
from harness.errors import AdapterNotApplied, ServerError
from harness.records.attempt import Failure, Timing
from harness.records.plan import Plan
from harness.records.run import AdapterProof, Probe
from harness.run.plan import Selection, plan
from harness.run.resume import Job
from harness.storage import RunFolder
from harness.targets.adapter_proof import FURTHER, earlier_proofs, prove
from harness.targets.probes import DRAWN, PROBES
from tests.builders import identity, make_run, proof, shop

Logprobs = tuple[tuple[str, float], ...]


class Server:
    """Answers probes with log-probabilities by model and by how often it was asked."""

    def __init__(self, base: list[Logprobs], adapter: Logprobs | None) -> None:
        self.base, self.adapter = base, adapter
        self.asked: dict[str, int] = {}

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        assert request.logprobs
        self.asked[request.model] = self.asked.get(request.model, 0) + 1
        timing = Timing(sent=0.0, done=0.0)
        if request.model == "tuned" and self.adapter is None:
            return Failed(Failure(cause="http", detail="500", status=500), timing, 1)
        round_ = 0 if self.asked[request.model] <= SHARED + DRAWN else -1
        logprobs = self.adapter if request.model == "tuned" else self.base[round_]
        return Answer("x", None, "stop", None, timing, 1, request.model, logprobs)


def listed(parent: str | None = "base", name: str = "tuned") -> ServerDescription:
    entries = (
        ModelEntry(id="base", parent=None, root=None, max_model_len=None),
        ModelEntry(id=name, parent=parent, root=None, max_model_len=None),
    )
    return ServerDescription(models=entries, version="1")


SHARED = PROBES + FURTHER


def tuned(tmp_path: Path, weights: str | None = None) -> Plan:
    project, suites = shop(tmp_path)
    served = identity("tuned", "sha256:a").model_copy(update={"weights": weights})
    return plan(project, "candidate", suites, served)


SAME: Logprobs = (("a", -0.5), ("b", -0.25))
BASE: Logprobs = (("a", -0.5), ("b", -0.25))
TUNED: Logprobs = (("a", -0.9), ("c", -0.1))


def proven(base: Logprobs = BASE, adapter: Logprobs = TUNED, noise: float = 0.0) -> AdapterProof:
    probes = tuple(Probe(prompt=f"p{i}", base=base, adapter=adapter) for i in range(8))
    return proof().model_copy(update={"fingerprint": probes, "noise": noise})


async def test_a_weak_but_real_adapter_is_accepted(tmp_path: Path) -> None:
    """Greedy text is the same; only the log-probabilities move."""
    server = Server([SAME], (("a", -0.5), ("b", -0.2512)))
    found = await prove(server, listed(), tuned(tmp_path))
    assert (found.probes, found.differing, found.adapter) == (16, 16, "sha256:a")
    assert found.largest_gap == pytest.approx(0.0012)


async def test_an_adapter_without_effect_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterNotApplied, match="16 of 16 probes exactly as its base does"):
        await prove(Server([SAME], SAME), listed(), tuned(tmp_path))


async def test_a_difference_within_the_noise_of_the_base_proves_nothing(tmp_path: Path) -> None:
    noisy = [SAME, (("a", -0.501), ("b", -0.25))]
    server = Server(noisy, (("a", -0.5), ("b", -0.252)))
    with pytest.raises(AdapterNotApplied, match=r"noise 0\.001"):
        await prove(server, listed(), tuned(tmp_path))


@pytest.mark.parametrize(
    "server", [listed(parent="other"), listed(parent=None), listed(name="else")]
)
async def test_an_adapter_that_the_server_does_not_list_under_its_base_is_refused(
    tmp_path: Path, server: ServerDescription
) -> None:
    with pytest.raises(AdapterNotApplied, match="does not list `tuned` as an adapter of a base"):
        await prove(Server([SAME], SAME), server, tuned(tmp_path))


async def test_a_base_that_contradicts_itself_everywhere_proves_nothing(tmp_path: Path) -> None:
    server = Server([SAME, (("z", -0.1), ("b", -0.25))], (("q", -0.1),))
    with pytest.raises(AdapterNotApplied, match="contradicts itself on 16 of 16"):
        await prove(server, listed(), tuned(tmp_path))


async def test_a_failed_probe_is_no_proof(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="a probe of `tuned` failed: 500"):
        await prove(Server([SAME], None), listed(), tuned(tmp_path))


async def test_log_probabilities_must_come(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="gave no log-probabilities"):
        await prove(Server([SAME], ()), listed(), tuned(tmp_path))


async def test_models_that_are_certain_of_other_tokens_differ(tmp_path: Path) -> None:
    """Log-probabilities of 0, which float32 reaches, and what stands for minus infinity."""
    for base, adapter in ((0.0, 0.0), (0.0, -9999.0)):
        found = await prove(
            Server([(("a", base),)], (("b", adapter),)), listed(), tuned(tmp_path / f"{adapter}")
        )
        assert found.differing == found.probes
        AdapterProof.model_validate_json(found.model_dump_json())


async def test_every_proof_asks_the_same_probes_and_some_that_are_drawn(tmp_path: Path) -> None:
    planned = tuned(tmp_path)
    proofs = [await prove(Server([BASE], TUNED), listed(), planned) for _ in range(20)]
    same = {tuple(probe.prompt for probe in one.fingerprint if not probe.drawn) for one in proofs}
    drawn = {frozenset(probe.prompt for probe in one.fingerprint if probe.drawn) for one in proofs}
    assert [len(prompts) for prompts in same] == [SHARED]
    assert {len(prompts) for prompts in drawn} == {DRAWN}
    assert len(drawn) > 1
    assert not {*next(iter(same))} & frozenset[str]().union(*drawn)


async def test_probes_do_not_depend_on_what_is_selected(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    who = identity("tuned", "sha256:a")
    part = plan(project, "candidate", suites, who, Selection(limit=1))
    one = await prove(Server([BASE], TUNED), listed(), part)
    all_of_it = plan(project, "candidate", suites, who)
    whole = await prove(Server([BASE], TUNED), listed(), all_of_it)
    assert [probe.prompt for probe in one.fingerprint if not probe.drawn] == [
        probe.prompt for probe in whole.fingerprint if not probe.drawn
    ]


def test_only_runs_whose_answers_count_are_held_against(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    who = identity("m", "sha256:a")
    planned = plan(project, "candidate", suites, who)
    job = Job(planned, RunFolder(project.runs / planned.run_id))
    assert earlier_proofs(project, job.plan, job.freshness) == []
    run = make_run(project, suites, "candidate", adapter="sha256:a", adapter_proof=proven())
    for number, changes in enumerate(
        [
            {"created": "2026-01-05"},
            {"created": "2026-01-02"},
            {"created": "2026-01-01", "adapter_proof": None},
            {"created": "2026-01-01", "freshness": 1},
            {"created": "2026-01-01", "identity": identity("m", "sha256:b")},
        ]
    ):
        head = run.header.model_copy(update={"identity": who, **changes})
        RunFolder(project.runs / f"candidate-{number}").write_header(head)
    assert [since for _, since in earlier_proofs(project, job.plan, job.freshness)] == [
        "2026-01-02",
        "2026-01-05",
    ]
