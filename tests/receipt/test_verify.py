from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import EvidenceError, HarnessError, UsageError
from harness.files import canonical_json
from harness.model_files import model_digest
from harness.receipt import recompute
from harness.receipt.dsse import ReceiptRejected, envelope_of, read_envelope
from harness.receipt.evidence import read_evidence
from harness.receipt.recompute import NotRecomputed
from harness.receipt.statement import Side
from harness.receipt.verify import Draw, check_weights, verify_receipt
from harness.records.run import RunRecord
from harness.serving.adapter import read_adapter
from tests.receipt.builders import Sealed, fields, mutated, promotion, sealed_again
from tests.serving.made import write_adapter


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    return promotion(tmp_path_factory.mktemp("project"))


@pytest.fixture
def copied(made: Sealed, tmp_path: Path) -> Sealed:
    """The promotion in a folder of its own, which has no project any more."""
    shutil.copytree(made.folder, tmp_path / "baselines")
    return replace(
        made, folder=tmp_path / "baselines", receipt=tmp_path / "baselines" / made.receipt.name
    )


def test_scores_bounds_and_verdict_follow_from_what_is_sealed_alone(copied: Sealed) -> None:
    found = verify_receipt(copied.receipt)
    assert (found.scored, found.recorded, found.sample) == (24, 0, None)
    assert found.predicate.verdict.decision == "PROMOTE"


def test_it_is_worked_out_as_the_policy_weighs(tmp_path: Path) -> None:
    made = promotion(tmp_path, weigh="groups")
    assert "each group counts once" in made.promoted.verdict.rules[0].reason
    assert verify_receipt(made.receipt).scored == 24


def statement(made: Sealed) -> Any:
    return json.loads(read_envelope(made.receipt).body)


def test_it_is_an_in_toto_statement(made: Sealed) -> None:
    found = statement(made)
    assert list(found) == ["_type", "predicate", "predicateType", "subject"]
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    assert [one["name"] for one in found["subject"]] == [
        "shop/v1.json", "v1.evidence.jsonl", "v1.leaves.txt",
    ]  # fmt: skip


def test_every_field_of_the_statement_counts(copied: Sealed) -> None:
    whole = statement(copied)
    for place in fields(whole):
        body = canonical_json(mutated(whole, place)).encode()
        copied.receipt.write_text(envelope_of(body).text)
        with pytest.raises(HarnessError):
            verify_receipt(copied.receipt)
    assert len(fields(whole)) > 30


def test_every_field_of_the_envelope_counts(copied: Sealed) -> None:
    whole = json.loads(copied.receipt.read_text())
    for place in fields(whole):
        copied.receipt.write_text(canonical_json(mutated(whole, place)) + "\n")
        with pytest.raises(HarnessError):
            verify_receipt(copied.receipt)


def test_every_field_of_every_record_counts(copied: Sealed) -> None:
    """A changed record is seen by the digest of its file, by its leaf, and by the sample."""
    lines = copied.evidence.read_text().splitlines()
    for number, line in enumerate(lines):
        whole = json.loads(line)
        for place in fields(whole):
            other = canonical_json(mutated(whole, place))
            copied.evidence.write_text(
                "\n".join([*lines[:number], other, *lines[number + 1 :], ""])
            )
            with pytest.raises(ReceiptRejected):
                verify_receipt(copied.receipt)
    copied.evidence.write_text("\n".join([*lines[:number], other, ""]))
    with pytest.raises(ReceiptRejected, match=rf"evidence.jsonl:{len(lines)}: was changed since"):
        verify_receipt(copied.receipt, Draw(24))


@pytest.mark.parametrize(
    ("kind", "key", "value", "message"),
    [
        ("file", "path", "../../outside.txt", "leads out of its suite's folder"),
        ("file", "suite", "/outside", "leads out of its suite's folder"),
        ("gate", "suites", {"../shop": "suite.yaml"}, "names a suite whose file it does not hold"),
    ],
    ids=["above", "elsewhere", "another's"],
)
def test_evidence_of_a_stranger_writes_and_reads_nothing_else(
    made: Sealed, kind: str, key: str, value: Any, message: str
) -> None:
    lines = [json.loads(line) for line in made.evidence.read_text().splitlines()]
    next(line for line in lines if line["kind"] == kind)[key] = value
    evidence = read_evidence([json.dumps(line).encode() for line in lines], "v1.evidence.jsonl")
    with (
        pytest.raises(ReceiptRejected, match=message),
        recompute.sealed_suites(evidence, "v1.evidence.jsonl"),
    ):
        pass


@pytest.mark.parametrize("file", ["evidence", "leaves", "seal"])
def test_a_file_that_is_gone_or_cut_is_no_file(copied: Sealed, file: str) -> None:
    path: Path = getattr(copied, file)
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(ReceiptRejected, match="is not the file that the receipt was written for"):
        verify_receipt(copied.receipt)
    path.unlink()
    with pytest.raises(EvidenceError, match=f"{path.name}: is gone"):
        verify_receipt(copied.receipt)


def forged_runs(run: RunRecord) -> Iterator[tuple[str, RunRecord]]:
    attempts, scores = list(run.attempts), list(run.scores)
    for place, attempt in enumerate(attempts):
        other = attempt.model_copy(update={"text": "It is something else altogether."})
        yield "answer", replace(run, attempts=(*attempts[:place], other, *attempts[place + 1 :]))
    for place, score in enumerate(scores):
        terms = {name: one.model_copy(update={"num": 0.5}) for name, one in score.terms.items()}
        other_score = score.model_copy(update={"value": 0.5, "terms": terms})
        yield "score", replace(run, scores=(*scores[:place], other_score, *scores[place + 1 :]))


def test_a_forger_who_makes_every_digest_anew_is_caught_by_the_scores(
    made: Sealed, tmp_path: Path
) -> None:
    shutil.copytree(made.folder.parent, tmp_path / "project")
    mine = replace(made, folder=tmp_path / "project/baselines")
    base = made.promoted.comparison
    for kind, run in forged_runs(base.baseline):
        forged = sealed_again(mine, comparison=replace(base, baseline=run))
        with pytest.raises(ReceiptRejected, match=r"does not earn the score|another verdict"):
            verify_receipt(forged.receipt)
        assert kind


def test_a_forged_number_of_the_verdict_does_not_follow(made: Sealed, tmp_path: Path) -> None:
    shutil.copytree(made.folder.parent, tmp_path / "project")
    mine = replace(made, folder=tmp_path / "project/baselines")
    honest = made.promoted.verdict
    rule = honest.rules[0].model_copy(update={"ci_low": 0.99})
    verdict = honest.model_copy(update={"rules": (rule, *honest.rules[1:])})
    forged = sealed_again(mine, verdict=verdict)
    with pytest.raises(ReceiptRejected, match="lead to another verdict: rules differ"):
        verify_receipt(forged.receipt)
    other = honest.model_copy(update={"rules": verdict.rules, "harness_version": "0.0.1"})
    now = replace(made.promoted.now, harness_version="0.0.1")
    with pytest.raises(NotRecomputed, match=r"it was given by harness 0\.0\.1"):
        verify_receipt(sealed_again(mine, verdict=other, now=now).receipt)


def test_scorers_of_another_version_are_no_change(
    copied: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recompute, "fingerprint", lambda suites: "sha256:other")
    with pytest.raises(NotRecomputed, match="nothing says that they were changed - use harness"):
        verify_receipt(copied.receipt)


def test_without_a_fingerprint_a_score_that_differs_is_not_called_a_change(tmp_path: Path) -> None:
    mine = promotion(tmp_path, scorers=None)
    assert verify_receipt(mine.receipt).scored == 24
    base = mine.promoted.comparison
    _, run = next(forged_runs(base.baseline))
    forged = sealed_again(mine, comparison=replace(base, baseline=run))
    with pytest.raises(NotRecomputed, match="whether its scorer has changed since"):
        verify_receipt(forged.receipt)


def test_a_suite_that_reads_otherwise_here_is_no_change(
    copied: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = recompute.load_suite

    def other(*given: Any) -> Any:
        return load(*given).model_copy(update={"digest": "sha256:other"})

    monkeypatch.setattr(recompute, "load_suite", other)
    with pytest.raises(NotRecomputed, match="suite `shop` is another version as it is read here"):
        verify_receipt(copied.receipt)


def test_a_sample_checks_so_many_answers_and_says_what_it_would_have_seen(copied: Sealed) -> None:
    found = verify_receipt(copied.receipt, Draw(12, 1))
    assert found.scored == 12
    assert found.sample is not None
    assert (found.sample.drawn, found.sample.records) == (12, 24)
    assert found.sample.seen == pytest.approx({1: 0.5, 10: 1.0 - 91 / 2704156})
    assert found.sample.sure == 4
    with pytest.raises(UsageError, match="a sample of 25; there are 24 answers"):
        verify_receipt(copied.receipt, Draw(25))


def test_a_sample_reads_nothing_else(copied: Sealed) -> None:
    copied.seal.unlink()
    lines = copied.evidence.read_bytes().split(b"\n")
    lines[-2] = b"x" * len(lines[-2])
    copied.evidence.write_bytes(b"\n".join(lines))
    seen = 0
    for seed in range(20):
        try:
            verify_receipt(copied.receipt, Draw(12, seed))
        except ReceiptRejected:
            seen += 1
    assert 0 < seen < 20
    copied.leaves.write_text(copied.leaves.read_text().replace("a", "b", 1))
    with pytest.raises(ReceiptRejected, match=r"leaves\.txt: is not the tree of the receipt"):
        verify_receipt(copied.receipt, Draw(1))


def test_weights_are_those_that_were_promoted_or_refused(tmp_path: Path) -> None:
    adapter, base = write_adapter(tmp_path / "adapter"), tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text("{}")
    promoted = Side(
        target="candidate",
        run="r",
        model=model_digest(base),
        adapter=read_adapter(adapter).digest,
        identity="i",
        answers="a",
        scores="s",
    )
    assert check_weights(adapter, promoted) == "adapter"
    assert check_weights(base, promoted) == "model"
    other = write_adapter(tmp_path / "other", fill=2)
    with pytest.raises(ReceiptRejected, match="is not the adapter that was promoted"):
        check_weights(other, promoted)
    (base / "config.json").write_text("{ }")
    with pytest.raises(ReceiptRejected, match="is not the model that was promoted"):
        check_weights(base, promoted)
    with pytest.raises(UsageError, match="has no digest of `candidate`'s adapter"):
        check_weights(adapter, promoted.model_copy(update={"adapter": None}))
