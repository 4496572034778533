"""Files of labels, a JSON object a line, and the digests that bind a label to its answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from harness.config import Project
from harness.errors import UsageError
from harness.files import digest_bytes, digest_json, read_text, seen_from
from harness.records.base import explain
from harness.records.label import Label
from harness.records.suite import Section


def answer_digest(text: str | None) -> str:
    """The digest of an answer's text."""
    return digest_bytes((text or "").encode())


def cases_digest(section: Section) -> str:
    """The digest of a section's cases: a sample of its groups is one of these cases alone."""
    return digest_json([case.model_dump(mode="json") for case in section.cases])


def label_line(label: Label) -> str:
    """The label as a line of a file, without its end."""
    return label.model_dump_json(exclude_defaults=True)


def read_labels(path: Path, name: str | None = None) -> tuple[Label, ...]:
    """The labels of a file in its order; `name` is what messages call the file.

    Raises:
        UsageError: the file cannot be read, or a line is no label.
    """
    where = name or str(path)
    return tuple(
        _parse(line, f"{where}:{number}")
        for number, line in enumerate(read_text(path).removeprefix("\ufeff").split("\n"), 1)
        if line.strip()
    )


def project_labels(project: Project) -> tuple[Label, ...]:
    """All labels that the project's `labels:` name, each file once, in the order of their paths.

    Raises:
        UsageError: a pattern matches no file, a line is no label, two files or lines contradict
            each other, or one rater is written in two ways.
    """
    found = tuple(
        label
        for path in label_files(project)
        for label in read_labels(path, seen_from(project.root, path))
    )
    check_labels(found)
    return found


def label_files(project: Project) -> tuple[Path, ...]:
    """The files that the project's `labels:` name, sorted.

    Raises:
        UsageError: a pattern matches no file.
    """
    found: set[Path] = set()
    for number, pattern in enumerate(project.config.labels):
        key = f"labels[{number}]"
        project.resolve(pattern, key)  # an error where it leaves the project
        files = matching(project.root, pattern)
        if not files:
            raise UsageError(
                f"`{pattern}` matches no file",
                where=project.place(key),
                hint="`harness review --export` writes one",
            )
        found.update(files)
    return tuple(sorted(found))


def matching(root: Path, pattern: str) -> list[Path]:
    """The files that a pattern matches; a relative one begins in the folder `root`."""
    anchor = Path(pattern).anchor
    base = Path(anchor) if anchor else root
    return sorted(one for one in base.glob(pattern.removeprefix(anchor)) if one.is_file())


def check_labels(labels: Sequence[Label]) -> None:
    """Nothing, where each rater has one word on each answer by each criterion, and one name.

    Raises:
        UsageError: a rater contradicts themselves, or is written in two ways.
    """
    names: dict[str, str] = {}
    said: dict[tuple[object, ...], float | None] = {}
    scales: dict[tuple[str, ...], tuple[float, float]] = {}
    for label in labels:
        name = names.setdefault(" ".join(label.rater.split()).casefold(), label.rater)
        if name != label.rater:
            what = f"one rater is called `{name}` and `{label.rater}`"
            raise UsageError(what, where="labels", hint="write one name in all lines")
        scale = scales.setdefault((*label.place, label.criterion), label.scale)
        if scale != label.scale:
            what = f"`{label.criterion}` of {'.'.join(label.place)} has two scales"
            raise UsageError(what, where="labels", hint="give each scale a criterion of its own")
        if label.again:
            continue
        key = (*label.of_answer, label.answer, label.rater, label.criterion)
        if said.setdefault(key, label.value) != label.value:
            what = (
                f"`{label.rater}` gave {label.path} of `{label.target}` two values of "
                f"`{label.criterion}`: {_value(said[key])} and {_value(label.value)}"
            )
            hint = "keep one of the lines; a second look is marked `again: true`"
            raise UsageError(what, where="labels", hint=hint)


def labels_digest(labels: Iterable[Label]) -> str:
    """One digest of the labels, whatever their order."""
    return digest_json(sorted(label_line(label) for label in labels))


def _value(value: float | None) -> str:
    return "cannot tell" if value is None else f"{value:g}"


def _parse(line: str, where: str) -> Label:
    try:
        return Label.model_validate_json(line)
    except ValidationError as error:
        hint = "correct or delete that line"
        raise UsageError(f"is no label: {explain(error, Label)}", where=where, hint=hint) from None
