"""Training conversations asked in other forms too, with the same answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from harness.data.convert import Rejected, Rejects, Writer, expanded, read_samples, rejects_of
from harness.data.form import Form, detect
from harness.data.generate.paraphrase import Paraphraser
from harness.data.rows import as_line, read_rows
from harness.errors import UsageError
from harness.files import replacing
from harness.perturb import Draw, perturbations, read, variants
from harness.records.suite import Case, Message
from harness.training.data_files import Conversation
from harness.validation import nearest

_TOGETHER = 100  # conversations whose paraphrases are asked for at once


@dataclass(slots=True)
class Augmented:
    """How many conversations were read, how many variants each form added, and what was not read.

    Rows that cannot be taken are in a file beside the output, as those of an import are.
    """

    conversations: int = 0
    added: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    first_rejected: Rejected | None = None


def augment(
    files: Sequence[Path],
    output: Path,
    names: Sequence[str] = (),
    *,
    most: int = 2,
    seed: int = 0,
    form: Form | None = None,
    encoding: str = "utf-8",
    paraphraser: Paraphraser | None = None,
) -> Augmented:
    """Write the conversations of the files, each followed by at most `most` variants of it.

    A variant has the group and the answer of its source and says what it was derived by; only the
    user's last turn is in another form. Without `names` all forms are used, or with a
    `paraphraser` its paraphrases alone.

    Raises:
        UsageError: a file that cannot be read, no conversation in any, or no form of that name.
        StorageError: the place cannot be written.
    """
    known = perturbations().names()
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        near = nearest(unknown, known) or f"; there is {', '.join(known)}"
        raise UsageError(f"no perturbation `{unknown}`{near}", where="--by")
    done, waiting = Augmented(), list[Conversation]()
    forms = names or (() if paraphraser else known)
    with ExitStack() as stack:
        lines = stack.enter_context(replacing(output))

        def write() -> None:
            written = paraphraser.of(waiting) if paraphraser else [[] for _ in waiting]
            for one, more in zip(waiting, written, strict=True):
                for made in (one, *_variants(one, forms, most, seed), *more):
                    lines.write(as_line(made.model_dump(mode="json")).encode("utf-8"))
                    if made.derived:
                        done.added[made.derived] += 1
            waiting.clear()

        rejects = Rejects(rejects_of(output))
        stack.enter_context(rejects)
        for one in _conversations(files, form, encoding):
            if isinstance(one, Rejected):
                done.rejected += 1
                done.first_rejected = done.first_rejected or one
                rejects.add(one)
                continue
            done.conversations += 1
            waiting.append(one)
            if len(waiting) == _TOGETHER:
                write()
        write()
        if not done.conversations:
            why = f"; {done.first_rejected.why}" if done.first_rejected else ""
            raise UsageError(f"no conversation could be read{why}", where=str(files[0]))
    return done


def _conversations(
    files: Sequence[Path], form: Form | None, encoding: str
) -> Iterator[Conversation | Rejected]:
    writer = Writer("training")
    for source in expanded(files):
        known = source.form or form
        for place, row in read_rows(source.path, encoding):
            if not isinstance(row, dict):
                why = str(row) if isinstance(row, ValueError) else "must be an object"
                yield Rejected(place, why, None)
                continue
            if row.get("derived"):
                yield Rejected(place, "is derived itself: augment its source", row)
                continue
            known = known or detect(row, place)
            samples = read_samples(known, place, row)
            if isinstance(samples, Rejected):
                yield samples
                continue
            for sample in samples:
                try:
                    yield Conversation.model_validate(writer.row(sample, place))
                except ValueError as error:
                    yield Rejected(place, str(error), row)


def _variants(
    one: Conversation, names: Sequence[str], most: int, seed: int
) -> Iterator[Conversation]:
    """At most so many variants, of forms that are drawn for each conversation anew."""
    *before, asked, answer = one.messages
    if asked.role != "user":
        return
    key = f"{one.group}/{asked.content}"
    case = Case(id="-", group="-", messages=(*before, asked), expect={"answers": [answer.content]})
    seen = {asked.content}
    found = list(variants(read(case), names, seed, key))
    for name, text in Draw(seed, key, "forms").some(found, most):
        if text not in seen:
            seen.add(text)
            turns = (*before, Message(role="user", content=text), answer)
            yield Conversation(group=one.group, messages=turns, derived=name)
