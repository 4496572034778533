"""Verify a receipt: that it is what was written, and that the verdict follows from the records."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from harness import strict_json
from harness.errors import EvidenceError, UsageError
from harness.files import cannot_read, open_regular, read_bytes
from harness.gate.seal import sealed_record
from harness.gate.sealed_file import Baseline, read_sealed
from harness.model_files import ADAPTER_CONFIG, model_digest
from harness.receipt.dsse import ReceiptRejected, read_envelope
from harness.receipt.evidence import Evidence, read_evidence
from harness.receipt.keys import keys_beside, signed_by
from harness.receipt.merkle import chance_seen, leaf, root
from harness.receipt.recompute import check_scores, check_verdict, sealed_suites
from harness.receipt.statement import Predicate, Side, Statement, predicate_of, statement_of
from harness.receipt.write import EVIDENCE, LEAVES, digests, leaves_text
from harness.records.base import explain
from harness.serving.adapter import read_adapter

# How many changed records the table of a sample speaks of.
CHANGED = (1, 10, 100)


@dataclass(frozen=True, slots=True)
class Draw:
    """How many answers are drawn, and by which seed; by chance without one."""

    size: int
    seed: int | None = None

    def of(self, total: int) -> list[int]:
        """The places drawn among the answers, in order."""
        source = random.SystemRandom() if self.seed is None else random.Random(self.seed)  # noqa: S311 - a seed is asked for to draw again
        return sorted(source.sample(range(total), self.size))


@dataclass(frozen=True, slots=True)
class Sampled:
    """A sample of the records: how many were drawn from how many, and what it would have seen.

    `seen` has the chance that a change of so many records shows, by their number; `sure` is the
    smallest number that shows with 95 %, None where none does.
    """

    drawn: int
    records: int
    seen: Mapping[int, float]
    sure: int | None


@dataclass(frozen=True, slots=True)
class Verified:
    """A receipt that holds.

    `scored` answers were scored again, `recorded` ones are of sections that are not: their scores
    stand. With a `sample` neither bounds nor the verdict were worked out again. It is
    `signed_by` the key of that id, None where it is unsigned.
    """

    predicate: Predicate
    scored: int
    recorded: int
    sample: Sampled | None = None
    signed_by: str | None = None


def verify_receipt(path: Path, draw: Draw | None = None, keys: Path | None = None) -> Verified:
    """What the receipt in a file says, once it was checked.

    Without a `draw`: every file is the one that was written, every record stands in the tree,
    every answer earns its score, and the records lead to the bounds and the verdict. With one:
    so many answers stand in the tree and earn their scores. `keys` is the file of the public keys,
    by default that of the folder of baselines.

    Raises:
        UsageError: there is no such receipt or key, or the sample is larger than the evidence.
        EvidenceError: a file that the receipt speaks of is gone.
        ReceiptRejected: something is not what was written, or does not follow.
        NotRecomputed: it cannot be worked out again here.
    """
    envelope = read_envelope(path)
    signer = signed_by(envelope, keys or keys_beside(path), str(path))
    statement = _statement(envelope.body, str(path))
    files = {one.name: one.digest["sha256"] for one in statement.subject}
    evidence, leaves = _companions(statement, path)
    if draw is not None:
        return replace(_sampled(statement, evidence, leaves, draw), signed_by=signer)
    found = {name: _read(path.parent / _inside(name, path), path) for name in files}
    for name, data in found.items():
        if hashlib.sha256(data).hexdigest() != files[name]:
            raise ReceiptRejected(
                "is not the file that the receipt was written for",
                where=str(path.parent / name),
                hint="restore the committed file",
            )
    return replace(_whole(statement, path, found), signed_by=signer)


def check_weights(folder: Path, promoted: Side) -> str:
    """What the folder is, "adapter" or "model": that of the side that was promoted.

    Raises:
        UsageError: the receipt has no digest of it, or there is nothing of the kind in the folder.
        ReceiptRejected: it is another one.
    """
    adapter = (folder / ADAPTER_CONFIG).is_file()
    what, wanted = ("adapter", promoted.adapter) if adapter else ("model", promoted.model)
    if wanted is None:
        raise UsageError(
            f"the receipt has no digest of `{promoted.target}`'s {what}: it has none, or it was "
            "behind a url",
            where=str(folder),
        )
    if adapter:
        found = {read_adapter(folder).digest}
    else:
        found = {model_digest(folder, with_code=code) for code in (False, True)}
    if wanted not in found:
        raise ReceiptRejected(f"is not the {what} that was promoted", where=str(folder))
    return what


def _statement(body: bytes, where: str) -> Statement:
    try:
        found = Statement.model_validate(strict_json.decode(body.decode()))
        if found.body != body:
            raise ValueError("is not written as a receipt's is")
    except ValidationError as error:
        raise ReceiptRejected(f"its statement: {explain(error)}", where=where) from None
    except ValueError as error:
        raise ReceiptRejected(f"its statement: {error}", where=where) from None
    return found


def _inside(name: str, receipt: Path) -> str:
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts or "\0" in name:
        raise ReceiptRejected(f"`{name}` does not lie beside the receipt", where=str(receipt))
    return name


def _companions(statement: Statement, receipt: Path) -> tuple[Path, Path]:
    """The files of the evidence and of its leaves."""
    name = _inside(statement.predicate.name, receipt)
    return receipt.parent / f"{name}{EVIDENCE}", receipt.parent / f"{name}{LEAVES}"


def _read(path: Path, receipt: Path) -> bytes:
    data = read_bytes(path)
    if data is None:
        raise EvidenceError(
            f"is gone, and {receipt.name} speaks of it",
            where=str(path),
            hint="restore the committed file",
        )
    return data


def _whole(statement: Statement, path: Path, files: Mapping[str, bytes]) -> Verified:
    where, predicate = str(path), statement.predicate
    names = (f"{predicate.name}{EVIDENCE}", f"{predicate.name}{LEAVES}")
    if any(name not in files for name in names):
        raise ReceiptRejected("does not speak of its evidence", where=where)
    lines = files[names[0]].split(b"\n")
    if lines.pop():
        raise ReceiptRejected("ends in the middle of a line", where=str(path.parent / names[0]))
    leaves = [leaf(line) for line in lines]
    if leaves_text(leaves, lines).encode() != files[names[1]]:
        raise ReceiptRejected("is not of these records", where=str(path.parent / names[1]))
    evidence = read_evidence(lines, str(path.parent / names[0]))
    rebuilt = statement_of(digests(files), predicate_of(evidence, root(leaves).hex(), len(lines)))
    _check_equal(statement, rebuilt, where)
    seals = {f"{suite}/{predicate.name}.json": suite for suite in predicate.suites}
    if files.keys() != {*names, *seals}:
        raise ReceiptRejected("speaks of other files than a seal of each suite", where=where)
    for name, suite in seals.items():
        _check_seal(path.parent / name, suite, evidence)
    with sealed_suites(evidence, where) as suites:
        checked = check_scores(evidence.cases, evidence, suites, where, whole=True)
        check_verdict(evidence, suites, where)
    return Verified(predicate, *checked)


def _check_equal(statement: Statement, rebuilt: Statement, where: str) -> None:
    if statement.body == rebuilt.body:
        return
    ours, theirs = statement.predicate, rebuilt.predicate
    parts = [
        name for name in type(ours).model_fields if getattr(ours, name) != getattr(theirs, name)
    ]
    raise ReceiptRejected(
        f"says of the records what they do not say: {', '.join(parts) or 'subject'}", where=where
    )


def _check_seal(path: Path, suite: str, evidence: Evidence) -> None:
    """Nothing, where the seal has what the evidence has."""
    gate, found = evidence.gate, read_sealed(path)
    again = sealed_record(
        evidence.run("candidate"), gate.verdict, gate.name, suite, gate.sealed, gate.exception
    )
    if _ordered(found) != _ordered(again):
        raise ReceiptRejected("is sealed on other records than the evidence", where=str(path))


def _ordered(record: Baseline) -> Baseline:
    attempts = tuple(sorted(record.attempts, key=lambda one: one.key))
    return record.model_copy(update={"attempts": attempts, "seal": ""})


def _sampled(statement: Statement, evidence: Path, leaves: Path, draw: Draw) -> Verified:
    """What a sample of the answers shows, with what they are scored by; the rest is not read."""
    predicate, where = statement.predicate, str(evidence)
    tree = predicate.tree
    if not 0 < draw.size <= tree.answers:
        raise UsageError(
            f"a sample of {draw.size}; there are {tree.answers} answers", hint="--sample N"
        )
    known = _leaves(_read(leaves, leaves), str(leaves))
    if (len(known), root(one for one, _ in known).hex()) != (tree.records, tree.root):
        raise ReceiptRejected("is not the tree of the receipt", where=str(leaves))
    first = tree.records - tree.answers
    wanted = [*range(first), *(first + place for place in draw.of(tree.answers))]
    lines = _lines(evidence, wanted, known)
    found = read_evidence(lines, where)
    if len(found.cases) != draw.size:
        raise ReceiptRejected("has answers at another place than the receipt says", where=where)
    with sealed_suites(found, where) as suites:
        checked = check_scores(found.cases, found, suites, where, whole=False)
    return Verified(predicate, *checked, _shown(draw.size, tree.answers))


def _leaves(data: bytes, where: str) -> list[tuple[bytes, int]]:
    """The hash of each record, and the length of its line."""
    try:
        pairs = [line.split(" ") for line in data.decode("ascii").splitlines()]
        return [(bytes.fromhex(digest), int(length)) for digest, length in pairs]
    except ValueError:
        raise ReceiptRejected("is no list of leaves", where=where) from None


def _lines(path: Path, wanted: Sequence[int], known: Sequence[tuple[bytes, int]]) -> list[bytes]:
    """The wanted lines of the evidence, each of which has its leaf in the tree."""
    begins = list(accumulate((length for _, length in known), initial=0))
    found = []
    try:
        with open_regular(path) as file:
            for place in wanted:
                file.seek(begins[place])
                line = file.read(known[place][1]).removesuffix(b"\n")
                if leaf(line) != known[place][0]:
                    raise ReceiptRejected("was changed since", where=f"{path}:{place + 1}")
                found.append(line)
    except FileNotFoundError:
        raise EvidenceError("is gone", where=str(path), hint="restore the file") from None
    except OSError as error:
        raise cannot_read(error, path) from error
    return found


def _shown(drawn: int, records: int) -> Sampled:
    def chance(changed: int) -> float:
        return chance_seen(records, drawn, changed)

    return Sampled(
        drawn=drawn,
        records=records,
        seen={changed: chance(changed) for changed in CHANGED if changed <= records},
        sure=_smallest(records, lambda changed: chance(changed) >= 0.95),
    )


def _smallest(most: int, enough: Callable[[int], bool]) -> int | None:
    """The smallest number up to `most` that is enough, as is every larger one."""
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low if low <= most and enough(low) else None
