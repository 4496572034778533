"""Every reason not to believe a measurement is found, and a sound one has none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from benchmarks.latency_arms import BASELINE, CANDIDATE
from benchmarks.latency_world import header
from harness.latency.validity import lateness, notes, problems
from harness.records.attempt import Timing
from harness.records.deployment import Deployment, Deployments
from harness.records.latency import ARMS, Arm, Block, LatencySettings, Sample, ServerHealth
from harness.records.load import Load
from tests.latency.builders import WELL, block, lost, sample

LOAD = Load(kind="poisson", rate=20.0)
SETTINGS = LatencySettings(loads=(LOAD,), requests=600, rounds=20, max_tokens=3)
HEADER = header(SETTINGS, (), 0.05).model_copy(update={"finished": True, "fixed": True})
PER_BLOCK = 30

Rounds = list[dict[Arm, Block]]
Change = Callable[[int, Arm, list[Sample]], Sequence[Sample]]


def rounds(change: Change = lambda _, __, samples: samples, **more: object) -> Rounds:
    """Twenty sound rounds, their samples changed by round and arm."""
    draw = np.random.default_rng(5)
    found: Rounds = []
    for number in range(20):
        turn: dict[Arm, Block] = {}
        for arm in ARMS:
            samples = [
                sample(0.2 * math.exp(0.2 * draw.standard_normal()), due=0.05 * place)
                for place in range(PER_BLOCK)
            ]
            given = {"load": LOAD, "round": number, **more}
            turn[arm] = block(change(number, arm, samples), arm, **given)
        found.append(turn)
    return found


def changed(found: Rounds, arm: Arm | None = None, **update: object) -> Rounds:
    return [
        {
            who: one.model_copy(update=update) if arm in (None, who) else one
            for who, one in turn.items()
        }
        for turn in found
    ]


def said(found: Rounds, **update: object) -> list[str]:
    return [*problems(HEADER.model_copy(update=update), LOAD, found), *lateness(found)[1]]


def slower(times: float) -> Callable[[Sample], Sample]:
    def slow(one: Sample) -> Sample:
        assert one.timing is not None
        chunks = tuple(times * moment for moment in one.timing.chunks)
        timing = Timing(sent=0.0, chunks=chunks, done=chunks[-1])
        return one.model_copy(update={"timing": timing})

    return slow


def test_a_sound_measurement_has_no_problem() -> None:
    assert said(rounds()) == []


def test_a_slow_candidate_is_no_problem() -> None:
    found = rounds(
        lambda _, arm, samples: list(map(slower(3.0), samples)) if arm == "candidate" else samples
    )
    assert said(found) == []


def sent_late(seconds: float, *arms: Arm) -> Rounds:
    def late(one: Sample) -> Sample:
        return one.model_copy(update={"late": seconds})

    return rounds(
        lambda _, arm, samples: [*map(late, samples[:2]), *samples[2:]] if arm in arms else samples
    )


@pytest.mark.parametrize("arm", ARMS)
def test_the_client_may_be_late_by_a_share_of_what_it_measures(arm: Arm) -> None:
    assert said(sent_late(0.009, arm)) == []
    (found,) = said(sent_late(0.011, arm))
    assert found.startswith(
        f"the client sent the {arm}'s requests late: by 11.0 ms at its p99, 10."
    )


@pytest.mark.parametrize(
    ("health", "words"),
    [
        ({"lag_p99": 0.02}, "loop lagged by up to 20.0 ms"),
        ({"cpu": 0.95}, "it used up to 95 % of a processor"),
        ({"gc_total": 0.2}, "memory was being tidied for 4.0 s of the candidate's blocks"),
    ],
)
def test_a_client_that_kept_no_time_for_one_arm_is_not_believed(
    health: dict[str, float], words: str
) -> None:
    (found,) = said(changed(rounds(), "candidate", client=WELL.model_copy(update=health)))
    assert words in found


def test_one_busy_moment_of_the_machine_ruins_nothing_and_two_blocks_do() -> None:
    late = WELL.model_copy(update={"lag_p99": 0.5})
    sound = rounds()
    sound[3]["control"] = sound[3]["control"].model_copy(update={"client": late})
    assert said(sound) == []
    sound[9]["control"] = sound[9]["control"].model_copy(update={"client": late})
    (found,) = said(sound)
    assert "the client read late in 2 of the control's 20 blocks" in found


def test_compiling_in_a_block_is_not_believed() -> None:
    sound = rounds()
    sound[3]["control"] = sound[3]["control"].model_copy(
        update={"server": ServerHealth(compiled=("Compiling a graph",))}
    )
    assert said(sound) == ["poisson:20/s: the server was still compiling: `Compiling a graph`"]


def test_a_cache_that_helps_one_arm_is_not_believed() -> None:
    even = changed(rounds(), server=ServerHealth(cache_hit_share=0.5))
    assert said(even) == []
    (found,) = said(changed(even, "candidate", server=ServerHealth(cache_hit_share=0.4)))
    assert "the prefix cache helped the arms unequally: candidate 40 %, baseline 50 %" in found


def test_others_on_the_server_are_found_by_its_own_count() -> None:
    ours = 3 * PER_BLOCK
    assert said(changed(rounds(), server=ServerHealth(generation_tokens=ours))) == []
    (found,) = said(changed(rounds(), server=ServerHealth(generation_tokens=ours + 9)))
    assert "the server generated 5940 tokens, 5400 of them here: others asked it too" in found


def test_a_failure_here_may_be_an_answer_there_and_hides_no_more_than_that() -> None:
    ours = 3 * PER_BLOCK
    failing = rounds(losing("candidate", 19))
    told = [
        {arm: one.model_copy(update={"server": ServerHealth(generation_tokens=ours)})
         for arm, one in turn.items()}
        for turn in failing
    ]  # fmt: skip
    assert said(told) == []
    (found,) = said(changed(failing, server=ServerHealth(generation_tokens=3 * ours)))
    assert "others asked it too" in found


def test_arms_with_other_prompts_may_be_cached_otherwise() -> None:
    longer = rounds(
        lambda _, arm, samples: [
            one.model_copy(update={"prompt_tokens": 90 if arm == "candidate" else 9})
            for one in samples
        ],
        server=ServerHealth(cache_hit_share=0.1),
    )
    assert said(changed(longer, "candidate", server=ServerHealth(cache_hit_share=0.9))) == []
    (found,) = said(changed(longer, "control", server=ServerHealth(cache_hit_share=0.9)))
    assert "baseline 10 %, control 90 %" in found


def losing(arm: Arm, every: int) -> Change:
    def lose(number: int, who: Arm, samples: list[Sample]) -> list[Sample]:
        if who != arm or number % every:
            return samples
        return [lost(one.due) if place == 9 else one for place, one in enumerate(samples)]

    return lose


@pytest.mark.parametrize("arm", ["candidate", "control"])
def test_arms_that_fail_unequally_were_not_under_the_same_load(arm: Arm) -> None:
    (found,) = said(rounds(losing(arm, 1)))
    assert f"requests failed unequally: 20 of 600 of the {arm}'s, 0 of 600 of" in found


def test_a_failure_now_and_then_is_chance() -> None:
    assert said(rounds(losing("candidate", 7))) == []


def test_an_arm_that_mostly_fails_is_said_first() -> None:
    found = said(
        rounds(lambda _, arm, samples: [lost()] * PER_BLOCK if arm == "candidate" else samples)
    )
    assert found[0] == "poisson:20/s: 100 % of the candidate's requests failed"


def test_waits_that_grow_within_blocks_are_a_rate_that_the_server_cannot_carry() -> None:
    def queue(_: int, __: Arm, samples: list[Sample]) -> list[Sample]:
        return [slower(1.0 + place / 10)(one) for place, one in enumerate(samples)]

    found = said(rounds(queue))
    assert len(found) == 3
    assert "no steady state: the candidate's TTFT grows 2." in found[0]
    assert "the server cannot carry poisson:20/s - ask for a lower rate" in found[0]


def test_a_server_that_moves_too_far_is_not_averaged() -> None:
    def drifting(number: int, _: Arm, samples: list[Sample]) -> list[Sample]:
        return list(map(slower(1.0 + number / 19), samples))

    (found,) = said(rounds(drifting))
    assert "the server drifted: the baseline's TTFT went from" in found


def test_a_baseline_that_differs_from_itself_is_not_believed() -> None:
    found = said(
        rounds(
            lambda _, arm, samples: list(map(slower(1.2), samples)) if arm == "control" else samples
        )
    )
    assert len(found) == 1
    assert "the baseline differs from itself: its TTFT asked twice has the ratio 1.2" in found[0]


def test_rounds_that_are_missing_are_no_matter_only_where_it_was_decided() -> None:
    few = rounds()[:10]
    assert said(few) == ["poisson:20/s: 10 of 20 rounds were measured"]
    assert said(few, stopped={str(LOAD): 10}) == []
    assert said([]) == ["poisson:20/s: no round was measured whole"]


def test_what_a_reader_should_know_is_noted() -> None:
    sound = changed(rounds(), server=ServerHealth(generation_tokens=90))
    assert list(notes(HEADER, sound)) == []
    told = list(notes(HEADER.model_copy(update={"fixed": False, "salted": False}), rounds()))
    assert len(told) == 3
    assert "natural length" in told[0]
    uneven = rounds(lambda _, __, samples: [sample(tokens=2), *samples[1:]])
    assert "not every answer is as long as it was told to be" in list(notes(HEADER, uneven))
    assert {CANDIDATE, BASELINE} == set(HEADER.models.values())


def test_of_two_servers_it_is_noted_which_tells_nothing() -> None:
    one = Deployment(server="a", version="1", model="m")
    both = Deployments(mode="side_by_side", candidate=one, baseline=one)
    two = HEADER.model_copy(update={"servers": both, "fixed": False})
    telling = changed(rounds(), server=ServerHealth(generation_tokens=90))
    assert list(notes(two, changed(telling, "candidate", server=ServerHealth()))) == [
        "not both servers can be told how long answers are: they have their natural length",
        (
            "the candidate's server has no metrics: what else it did during this measurement "
            "is not known"
        ),
    ]


def test_answers_that_are_all_thinking_are_noted() -> None:
    def cut(_: int, arm: Arm, samples: list[Sample]) -> list[Sample]:
        if arm != "candidate":
            return samples
        timing = Timing(sent=0.0, chunks=(0.2, 0.3), done=0.4, thinks=True)
        return [one.model_copy(update={"timing": timing}) for one in samples]

    (found,) = [note for note in notes(HEADER, rounds(cut)) if "thinking" in note]
    assert found.startswith("33 % of the answers are all thinking, so that TTA is infinite")
    assert not [note for note in notes(HEADER, rounds()) if "thinking" in note]
