from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import AdapterNotApplied
from harness.records.run import AdapterProof, Probe
from harness.run.plan import plan
from harness.run.resume import Job
from harness.storage import RunFolder
from harness.targets.fingerprint import check_unchanged
from harness.targets.fingerprint import proven as proofs
from tests.builders import identity, make_run, proof, shop

Said = tuple[tuple[str, float], ...]

BASE: Said = (("a", -0.5), ("b", -0.25))
TUNED: Said = (("a", -0.9), ("c", -0.1))
OTHER: Said = (("a", -0.7), ("c", -0.3))
WEAK: Said = (("a", -0.501), ("b", -0.25))


def proven(base: Said = BASE, adapter: Said = TUNED, noise: float = 0.0) -> AdapterProof:
    probes = tuple(Probe(prompt=f"p{i}", base=base, adapter=adapter) for i in range(8))
    return proof().model_copy(update={"fingerprint": probes, "noise": noise})


def moved(said: Said, nats: float) -> Said:
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
    assert proofs(project, job) == []
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
    assert [one.created for one in proofs(project, job)] == ["2026-01-02", "2026-01-05"]
