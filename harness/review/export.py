"""What people said as labels: JSON Lines that the harness reads, and CSV for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from harness.errors import UsageError
from harness.files import write_atomic
from harness.labels.files import label_line
from harness.records.label import PREFERRED_OVER, Label
from harness.review.items import CANNOT_TELL, REASONS, Draw, Item, Question
from harness.review.sheets import questions_of
from harness.review.spreadsheet import as_csv
from harness.review.store import ReviewStore
from harness.review.stored import Given, Sheet
from harness.review.tasks import BOTH_BAD, LEFT, RIGHT

COLUMNS = (
    "suite", "section", "case", "repeat", "target", "rater", "criterion", "value", "reason",
    "comment", "flagged", "again", "probability", "sample", "time", "answer", "item",
)  # fmt: skip
SHEET_COLUMNS = (
    "item", "rater", "criterion", "question", "levels", "prompt", "reference", "answer", "left",
    "right", "value", "reason", "comment",
)  # fmt: skip
_OF_FIRST = {LEFT: 1.0, RIGHT: 0.0}


def labels_of(store: ReviewStore) -> list[tuple[Label, Given]]:
    """Every reply as a label, beside what was given.

    A preference is two labels, one of each answer: 1 for the better one, 0 for the other, one half
    each where neither is better.
    """
    draw, items = store.draw(), store.items()
    return [
        (label, given)
        for given in store.given()
        for label in _labels(given, items[given.item], draw)
    ]


def export(store: ReviewStore, file: Path) -> int:
    """The number of labels that were written to the file: JSON Lines, or CSV by its suffix.

    Raises:
        UsageError: the file is to be of another kind, or nothing has been graded.
        StorageError: it cannot be written.
    """
    if file.suffix not in (".jsonl", ".csv"):
        raise UsageError("must end in .jsonl or .csv", where=str(file))
    labels = labels_of(store)
    if not labels:
        raise UsageError("nothing has been graded yet", where=str(store.path))
    text = (
        "".join(f"{label_line(label)}\n" for label, _ in labels)
        if file.suffix == ".jsonl"
        else _csv(labels, store.items())
    )
    write_atomic(file, text)
    return len(labels)


def _labels(given: Given, item: Item, draw: Draw) -> Iterator[Label]:
    question = next(
        one for one in draw.questions[item.questions] if one.criterion == given.criterion
    )
    for at, answer in enumerate(item.answers):
        criterion, scale, value = question.criterion, _scale(question), _value(question, given, at)
        if len(item.answers) > 1:
            criterion = f"{PREFERRED_OVER}{item.answers[1 - at].target}"
        yield Label(
            suite=item.suite,
            section=item.section,
            cases=draw.cases[f"{item.suite}.{item.section}"],
            case=item.case,
            repeat=item.repeat,
            target=answer.target,
            answer=answer.digest,
            rater=given.rater,
            criterion=criterion,
            scale=scale,
            value=value,
            reason=_reason(given),
            probability=item.probability,
            sample=f"{draw.candidate} {draw.created}",
            time=datetime.fromisoformat(given.at),
            comment=given.comment,
            again=given.again,
        )


def _value(question: Question, given: Given, at: int) -> float | None:
    if given.code == CANNOT_TELL:
        return None
    if question.values:
        return question.values[given.code]
    of_first = _OF_FIRST.get(given.code, 0.5)
    return 1.0 - of_first if at else of_first


def _reason(given: Given) -> str:
    if given.code == BOTH_BAD:
        return "both bad"
    return REASONS.get(given.reason, "")


def _scale(question: Question) -> tuple[float, float]:
    values = question.values.values()
    return (min(values), max(values)) if values else (0.0, 1.0)


def _csv(labels: Sequence[tuple[Label, Given]], items: Mapping[int, Item]) -> str:
    rows = []
    for label, given in labels:
        row = label.model_dump(mode="json", include=set(COLUMNS))
        texts = {answer.target: answer.text for answer in items[given.item].answers}
        row |= {"flagged": given.flagged, "answer": texts[label.target], "item": given.item}
        rows.append([row[column] for column in COLUMNS])
    return as_csv(COLUMNS, rows)


def write_sheet(store: ReviewStore, file: Path) -> int:
    """The number of open questions that were written to the file, a CSV to fill in and import.

    Items that come a second time are left out: side by side they would tell nothing.

    Raises:
        UsageError: the file is to be of another kind, or nothing is open.
        StorageError: it cannot be written.
    """
    if file.suffix != ".csv":
        raise UsageError("must end in .csv", where=str(file))
    draw, names = store.draw(), {one.id: one.name for one in store.raters()}
    rows = [
        [each.number, names[each.rater], *_to_grade(each.sheet, question)]
        for each in store.assigned()
        if not each.again
        for question in questions_of(each.sheet.item, draw)
        if question.criterion not in each.sheet.replies
    ]
    if not rows:
        raise UsageError("nothing is left to grade", where=str(store.path))
    write_atomic(file, as_csv(SHEET_COLUMNS, rows))
    return len(rows)


def _to_grade(sheet: Sheet, question: Question) -> list[str]:
    """The cells of an open question after those of item and rater."""
    item = sheet.item
    texts = [answer.text for answer in item.answers]
    if sheet.flipped:
        texts.reverse()
    one_of = ", ".join(choice.title for choice in question.choices)
    prompt = "\n\n".join(
        message.content if len(item.messages) == 1 else f"{message.role}: {message.content}"
        for message in item.messages
    )
    answers = ["", *texts] if len(texts) > 1 else [*texts, "", ""]
    asked = [question.criterion, question.title, one_of, prompt, "\n".join(item.reference)]
    return [*asked, *answers, "", "", ""]
