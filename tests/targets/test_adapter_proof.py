from __future__ import annotations

import asyncio
from dataclasses import replace
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
from harness.targets.adapter_proof import check_unchanged, earlier_proofs, prove
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
        round_ = 0 if self.asked[request.model] <= PROBES + DRAWN else -1
        logprobs = self.adapter if request.model == "tuned" else self.base[round_]
        return Answer("x", None, "stop", None, timing, 1, request.model, logprobs)


def listed(parent: str | None = "base", name: str = "tuned") -> ServerDescription:
    entries = (
        ModelEntry(id="base", parent=None, root=None, max_model_len=None),
        ModelEntry(id=name, parent=parent, root=None, max_model_len=None),
    )
    return ServerDescription(models=entries, version="1")


def tuned(tmp_path: Path) -> Plan:
    project, suites = shop(tmp_path)
    return plan(project, "candidate", suites, identity("tuned", "sha256:a"))


SAME: Logprobs = (("a", -0.5), ("b", -0.25))


async def test_a_weak_but_real_adapter_is_accepted(tmp_path: Path) -> None:
    """Greedy text is the same; only the log-probabilities move."""
    server = Server([SAME], (("a", -0.5), ("b", -0.2512)))
    found = await prove(server, listed(), tuned(tmp_path))
    assert (found.probes, found.differing, found.adapter) == (12, 12, "sha256:a")
    assert found.largest_gap == pytest.approx(0.0012)


async def test_an_adapter_without_effect_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterNotApplied, match="12 of 12 probes exactly as its base does"):
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
    with pytest.raises(AdapterNotApplied, match="contradicts itself on 12 of 12"):
        await prove(server, listed(), tuned(tmp_path))


async def test_a_failed_probe_is_no_proof(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="a probe of `tuned` failed: 500"):
        await prove(Server([SAME], None), listed(), tuned(tmp_path))


async def test_log_probabilities_must_come(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="gave no log-probabilities"):
        await prove(Server([SAME], ()), listed(), tuned(tmp_path))


BASE: Logprobs = (("a", -0.5), ("b", -0.25))
TUNED: Logprobs = (("a", -0.9), ("c", -0.1))
OTHER: Logprobs = (("a", -0.7), ("c", -0.3))
WEAK: Logprobs = (("a", -0.501), ("b", -0.25))


def proven(base: Logprobs = BASE, adapter: Logprobs = TUNED, noise: float = 0.0) -> AdapterProof:
    probes = tuple(Probe(prompt=f"p{i}", base=base, adapter=adapter) for i in range(8))
    return proof().model_copy(update={"fingerprint": probes, "noise": noise})


def moved(said: Logprobs, nats: float) -> Logprobs:
    return tuple((token, value + nats) for token, value in said)


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (proven(), proven()),
        # Other hardware moves base and adapter alike.
        (proven(), proven(moved(BASE, 0.02), moved(TUNED, 0.05))),
        (proven(adapter=WEAK), proven(moved(BASE, 0.01), moved(WEAK, -0.01))),
        (proven(noise=0.03), proven(BASE, moved(TUNED, 0.1))),
        (proven(adapter=WEAK), proven(adapter=moved(WEAK, 4e-6))),
        # Nothing in common, nothing to compare.
        (proof(), proven()),
    ],
)
def test_what_is_still_the_same(then: AdapterProof, now: AdapterProof) -> None:
    check_unchanged(now, then, "2026-01-01")


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        (proven(), proven(adapter=OTHER), "another adapter answers as `m`"),
        (proven(), proven(adapter=BASE), "another adapter answers as `m`"),
        (proven(adapter=WEAK), proven(adapter=moved(WEAK, 1e-4)), "another adapter"),
        (proven(), proven(base=OTHER), "another model answers as `b`, the base of `m`"),
        (proven(), proven(OTHER, OTHER), "another model answers as `b`"),
        (proven(), proven(TUNED, BASE), "`m` and its base `b` changed places"),
        (proven(adapter=WEAK), proven(WEAK, BASE), "`m` and its base `b` changed places"),
    ],
)
def test_what_is_not(then: AdapterProof, now: AdapterProof, words: str) -> None:
    with pytest.raises(AdapterNotApplied, match=words) as caught:
        check_unchanged(now, then, "2026-01-01")
    assert caught.value.exit_code == 3


async def test_what_rounding_in_another_batch_moves_is_noise_and_no_other_adapter(
    tmp_path: Path,
) -> None:
    """The adapter alone is moved, as of weights in bfloat16."""

    class Rounding(Server):
        def __init__(self, drift: float) -> None:
            super().__init__([BASE], TUNED)
            self.drift, self.under_way = drift, 0

        async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
            self.under_way += 1
            await asyncio.sleep(0)
            alone, reply = self.under_way == 1, await super().ask(request, intended=intended)
            self.under_way -= 1
            assert isinstance(reply, Answer)
            if request.model != "tuned" or alone:
                return reply
            return replace(reply, token_logprobs=moved(TUNED, self.drift))

    planned = tuned(tmp_path)
    then = await prove(Rounding(0.03), listed(), planned)
    assert then.noise == pytest.approx(0.03)
    check_unchanged(await prove(Rounding(-0.04), listed(), planned), then, "2026-01-01")
    other = await prove(Server([BASE], OTHER), listed(), planned)
    with pytest.raises(AdapterNotApplied, match="another adapter"):
        check_unchanged(other, then, "2026-01-01")


async def test_models_that_are_certain_of_other_tokens_differ(tmp_path: Path) -> None:
    """Log-probabilities of 0, which float32 reaches, and what stands for minus infinity."""
    for base, adapter in ((0.0, 0.0), (0.0, -9999.0)):
        found = await prove(
            Server([(("a", base),)], (("b", adapter),)), listed(), tuned(tmp_path / f"{adapter}")
        )
        assert found.differing == found.probes
        AdapterProof.model_validate_json(found.model_dump_json())


def test_however_noisy_a_contradiction_is_a_difference() -> None:
    noisy = proven(noise=0.5)
    with pytest.raises(AdapterNotApplied, match="another adapter"):
        check_unchanged(proven(adapter=moved(TUNED, -1.6)), noisy, "2026-01-01")


async def test_every_proof_asks_the_same_probes_and_some_that_are_drawn(tmp_path: Path) -> None:
    planned = tuned(tmp_path)
    proofs = [await prove(Server([BASE], TUNED), listed(), planned) for _ in range(20)]
    same = {tuple(probe.prompt for probe in one.fingerprint if not probe.drawn) for one in proofs}
    drawn = {frozenset(probe.prompt for probe in one.fingerprint if probe.drawn) for one in proofs}
    assert [len(prompts) for prompts in same] == [PROBES]
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


def test_half_of_the_probes_decide() -> None:
    then, other = proven(), proven(adapter=OTHER)
    few = then.model_copy(update={"fingerprint": other.fingerprint[:3] + then.fingerprint[3:]})
    check_unchanged(few, then, "2026-01-01")
    half = then.model_copy(update={"fingerprint": other.fingerprint[:4] + then.fingerprint[4:]})
    with pytest.raises(AdapterNotApplied):
        check_unchanged(half, then, "2026-01-01")


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
