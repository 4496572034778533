from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.files import digest_json
from harness.gate.probed_answers import contradictions
from harness.records.plan import conversation
from harness.records.run import AdapterProof, Probe, RunRecord
from tests.builders import changed, make_run, proof, shop

Said = Callable[[str], str]


def told(
    tmp_path: Path,
    probed: Said = str,
    answered: Said = str,
    reasoning: Said | None = None,
    **header: Any,
) -> list[str]:
    """The problems of a run whose probes and whose answers were made of the same texts."""
    project, suites = shop(tmp_path)
    cases = {
        (suite.name, section.name, case.id): case
        for suite in suites
        for section, case in suite.cases()
    }
    run = make_run(
        project, suites, "candidate", lambda _, ask: answered(f"It is {ask.case.id} today."),
        adapter="sha256:a", adapter_proof=proof(),
    )  # fmt: skip
    if reasoning is not None:
        attempts = tuple(
            one.model_copy(update={"reasoning": reasoning(f"It is {one.case} today.")})
            for one in run.attempts
        )
        run = replace(run, attempts=attempts)
    return list(
        contradictions(
            "`x`", changed(run, adapter_proof=_proof(run, cases, probed), **header), cases
        )
    )


def _proof(run: RunRecord, cases: dict[Any, Any], probed: Said) -> AdapterProof:
    probes = []
    for (suite, _, name), case in list(cases.items())[:8]:
        messages = conversation(case, run.header.system_prompts.get(suite))
        tokens = probed(f"It is {name} today.").split()
        probes.append(
            Probe(
                prompt=digest_json([message.model_dump() for message in messages]),
                base=(("no", -0.1),),
                adapter=tuple((token, -0.1) for token in tokens[:3]),
            )
        )
    return proof().model_copy(update={"fingerprint": tuple(probes)})


def test_answers_that_begin_as_the_probes_did_are_the_adapters(tmp_path: Path) -> None:
    assert told(tmp_path) == []


@pytest.mark.parametrize(
    "shorter", [lambda text: text[:5], lambda text: text[:3] + "\N{REPLACEMENT CHARACTER} x"]
)
def test_either_may_be_the_beginning_of_the_other(tmp_path: Path, shorter: Said) -> None:
    assert told(tmp_path / "a", answered=lambda text: text[:5]) == []
    assert told(tmp_path / "b", probed=shorter) == []


def test_a_model_that_answers_otherwise_when_it_counts_is_named(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, answered=lambda text: text.replace("It is", "Perhaps"))
    assert "`x` answers 8 of 8 prompts differently from the adapter" in problem


def test_a_few_that_another_batch_turned_are_no_sign(tmp_path: Path) -> None:
    def three_turn(text: str) -> str:
        return text.replace("It is", "It was") if text[6:8] in {"g0", "g1", "g2"} else text

    assert told(tmp_path, answered=three_turn) == []


def test_sampled_answers_are_not_compared(tmp_path: Path) -> None:
    warm = {"temperature": 0.7}
    assert (
        told(tmp_path, answered=lambda text: text.replace("It is", "Perhaps"), generation=warm)
        == []
    )


@pytest.mark.parametrize(
    ("probed", "thought", "said"),
    [
        ("<think> </think> {}", None, "{}"),  # a block without a thought, cut out of the answer
        ("<think> {}", "{}", "Yes."),  # the proof ends in the middle of thinking
        ("{}", "{}", "Yes."),  # the template opened the thinking
    ],
)
def test_thinking_that_a_server_tells_apart_is_a_beginning_too(
    tmp_path: Path, probed: str, thought: str | None, said: str
) -> None:
    assert (
        told(
            tmp_path,
            probed=probed.format,
            answered=said.format,
            reasoning=None if thought is None else thought.format,
        )
        == []
    )


def test_a_word_of_thinking_hides_no_other_model(tmp_path: Path) -> None:
    (problem,) = told(
        tmp_path,
        answered=lambda text: text.replace("It is", "Perhaps"),
        reasoning=lambda _: "Let me see.",
    )
    assert "8 of 8 prompts" in problem
