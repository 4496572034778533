"""Write the receipt of a promotion beside its seals."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config import Project
from harness.errors import EvidenceError
from harness.files import write_atomic
from harness.gate.judge import Circumstances
from harness.receipt.dsse import SUFFIX, envelope_of
from harness.receipt.evidence import GateLine, gather, policy_record
from harness.receipt.keys import publish, signature_of
from harness.receipt.merkle import leaf, root
from harness.receipt.statement import predicate_of, statement_of
from harness.records.comparison import ComparisonRecord
from harness.records.latency import Block, Measurement
from harness.records.rule import Policy
from harness.records.suite import Suite
from harness.records.verdict import Verdict
from harness.sections.section_kinds import kinds, load_suites
from harness.storage.working_files import MeasurementFolder
from harness.suites.load import suite_files

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

EVIDENCE, LEAVES, UNSIGNED = ".evidence.jsonl", ".leaves.txt", f".unsigned{SUFFIX}"


@dataclass(frozen=True, slots=True)
class Promoted:
    """What was compared and judged, and by what, where it was promoted."""

    comparison: ComparisonRecord
    suites: Sequence[Suite]
    policy: Policy
    verdict: Verdict
    now: Circumstances


def write_receipt(
    project: Project,
    promoted: Promoted,
    seals: Sequence[Path],
    key: Ed25519PrivateKey | None = None,
) -> Path:
    """The receipt of a promotion that was just sealed in the files `seals`, signed with the key.

    `baselines/<name>.evidence.jsonl` has the records and `<name>.leaves.txt` the hash and length of
    each; the receipt is `<name>.intoto.jsonl`, and `<name>.unsigned.intoto.jsonl` without a key.

    Raises:
        StorageError: a file cannot be read or written.
    """
    name, folder = seals[0].stem, project.baselines
    comparison, verdict = promoted.comparison, promoted.verdict
    files = _files(project, promoted.suites)
    gate = GateLine(
        name=name,
        sealed=promoted.now.created,
        exception=promoted.now.exception,
        policy=policy_record(promoted.policy),
        suites={suite: next(iter(found)) for suite, found in files.items()},
        verdict=verdict,
        labels_left_out=dict(comparison.labels_left_out),
        leakage=comparison.leakage,
    )
    evidence = gather(comparison, gate, files, _latency(project, verdict))
    lines = [line.encode() for line in evidence.lines()]
    leaves = [leaf(line) for line in lines]
    written = {
        f"{name}{EVIDENCE}": b"".join(line + b"\n" for line in lines),
        f"{name}{LEAVES}": leaves_text(leaves, lines).encode(),
    }
    for file, data in written.items():
        write_atomic(folder / file, data, access="public")
    written |= {seal.relative_to(folder).as_posix(): seal.read_bytes() for seal in seals}
    predicate = predicate_of(evidence, root(leaves).hex(), len(lines))
    body = statement_of(digests(written), predicate).body
    signatures = () if key is None else (signature_of(body, key),)
    if key is not None:
        publish(key, folder)
    path = folder / f"{name}{SUFFIX if signatures else UNSIGNED}"
    write_atomic(path, envelope_of(body, *signatures).text, access="public")
    return path


def leaves_text(leaves: Sequence[bytes], lines: Sequence[bytes]) -> str:
    """The hash of each record as a leaf, with how many bytes its line has, its end among them."""
    pairs = zip(leaves, lines, strict=True)
    return "".join(f"{each.hex()} {len(line) + 1}\n" for each, line in pairs)


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """The SHA-256 of each file in hexadecimal."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def _files(project: Project, suites: Sequence[Suite]) -> dict[str, dict[str, Path]]:
    """The files of each suite, by the suite's name and their place in its folder."""
    wanted = {suite.name for suite in suites}
    return {
        suite.name: suite_files(project.resolve(path, "suites"), kinds())
        for suite, path in zip(load_suites(project), project.config.suites, strict=True)
        if suite.name in wanted
    }


def _latency(project: Project, verdict: Verdict) -> tuple[Measurement, Sequence[Block]] | None:
    if verdict.latency is None:
        return None
    folder = MeasurementFolder(project.measurements / verdict.latency.measurement)
    header = folder.header()
    if header is None:
        raise EvidenceError("the measurement is gone", where=str(folder.path))
    return header, folder.blocks()
