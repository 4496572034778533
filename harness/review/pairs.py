"""What people prefer as pairs of answers, as a training with `method: dpo` and TRL read them."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from harness.data.convert import Writer
from harness.data.rows import as_line
from harness.data.sample import Sample
from harness.errors import UsageError
from harness.files import write_atomic
from harness.review.items import CANNOT_TELL, Item
from harness.review.store import ReviewStore
from harness.review.tasks import LEFT, RIGHT


def write_pairs(store: ReviewStore, file: Path) -> tuple[int, int]:
    """The numbers of pairs that were written, and of graded items that are none.

    An item is a pair where more than half of its raters prefer the one answer to the other; who
    cannot tell is not counted, and neither is a second look.

    Raises:
        UsageError: the review compares no answers, or nobody prefers one.
        StorageError: the file cannot be written.
    """
    if file.suffix != ".jsonl":
        raise UsageError("must end in .jsonl", where=str(file))
    if store.draw().task != "prefer":
        raise UsageError(
            "compares no two answers", where=str(store.path), hint="draw it with `--task prefer`"
        )
    said: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for given in store.given():
        if not given.again and given.code != CANNOT_TELL:
            said[given.item][given.code] += 1
    items, writer = store.items(), Writer("pairs")
    found = [_pair(items[number], codes) for number, codes in sorted(said.items())]
    pairs = [one for one in found if one is not None]
    if not pairs:
        raise UsageError(
            f"of {len(found)} items that were graded, most people prefer an answer in none",
            where=str(store.path),
        )
    write_atomic(file, "".join(as_line(writer.row(one, str(file))) for one in pairs))
    return len(pairs), len(found) - len(pairs)


def _pair(item: Item, codes: Counter[str]) -> Sample | None:
    first, second = (answer.text for answer in item.answers)
    if first.strip() == second.strip() or not (first.strip() and second.strip()):
        return None
    for code, chosen, rejected in ((LEFT, first, second), (RIGHT, second, first)):
        if 2 * codes[code] > codes.total():
            return Sample(item.messages, (chosen,), rejected=rejected, group=item.group)
    return None
