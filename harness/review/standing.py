"""How far a review is: who has done what, how far they agree, and where they do not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.records.label import Label
from harness.review.export import labels_of
from harness.review.items import Draw
from harness.review.store import ReviewStore
from harness.sections.rater_agreement import (
    Ratings,
    agreement_of,
    disagreements,
    distances,
    ratings_of,
    repeated,
)


@dataclass(frozen=True, slots=True)
class OfRater:
    """What one rater has done.

    `distance` is the mean distance from the others, as a share of the scale; `same` of the
    `repeats` that were shown again got the same reply. `secret` is that of the rater's link.
    """

    name: str
    secret: str
    done: int
    total: int
    untold: int
    distance: float | None
    same: int
    repeats: int

    @property
    def distance_words(self) -> str:
        """The distance as text."""
        return "–" if self.distance is None else f"{self.distance:.2f}"

    @property
    def again_words(self) -> str:
        """The consistency as text."""
        return f"{self.same} of {self.repeats}" if self.repeats else "–"


@dataclass(frozen=True, slots=True)
class OfCriterion:
    """Krippendorff's alpha of one criterion between its bounds; None where it cannot be told."""

    criterion: str
    measurement: str
    estimate: float | None
    low: float | None
    high: float | None
    units: int

    @property
    def estimate_words(self) -> str:
        """The estimate as text."""
        return "–" if self.estimate is None else f"{self.estimate:.2f}"

    @property
    def interval_words(self) -> str:
        """The bounds as text."""
        return "–" if self.low is None else f"{self.low:.2f} to {self.high:.2f}"


@dataclass(frozen=True, slots=True)
class ToAdjudicate:
    """An answer on which people disagree, or that one of them flagged."""

    path: str
    target: str
    criterion: str
    values: dict[str, float]
    flagged_by: tuple[str, ...]
    comments: tuple[str, ...]
    answer: str

    @property
    def words(self) -> str:
        """Who said what, as text."""
        said = [f"{rater} {value:g}" for rater, value in self.values.items()]
        flags = [f"flagged by {name}" for name in self.flagged_by]
        return "; ".join([", ".join(said), *flags, *self.comments])


@dataclass(frozen=True, slots=True)
class Standing:
    """The whole review as it stands."""

    raters: tuple[OfRater, ...]
    agreement: tuple[OfCriterion, ...]
    to_adjudicate: tuple[ToAdjudicate, ...]

    def as_json(self) -> dict[str, Any]:
        """The same for programs, without the secrets of links."""
        found = asdict(self)
        for rater in found["raters"]:
            del rater["secret"]
        return found


@dataclass(slots=True)
class _Notes:
    """What was remarked on one answer by one criterion, and the answer's text."""

    text: str
    flagged_by: set[str] = field(default_factory=set)
    comments: set[str] = field(default_factory=set)

    def to_adjudicate(self, label: Label, values: dict[str, float]) -> ToAdjudicate:
        return ToAdjudicate(
            path=label.path,
            target=label.target,
            criterion=label.criterion,
            values=values,
            flagged_by=tuple(sorted(self.flagged_by)),
            comments=tuple(sorted(self.comments)),
            answer=self.text,
        )


def standing(store: ReviewStore) -> Standing:
    """How far the review is.

    Raises:
        StorageError: its file cannot be read.
    """
    draw, items = store.draw(), store.items()
    told = labels_of(store)
    by_criterion: defaultdict[str, list[Label]] = defaultdict(list)
    notes: dict[tuple[object, ...], _Notes] = {}
    for label, given in told:
        # The other label of a preference says the same the other way round.
        if draw.task == "prefer" and label.target != draw.candidate:
            continue
        by_criterion[label.criterion].append(label)
        texts = {answer.target: answer.text for answer in items[given.item].answers}
        about = notes.setdefault(_key(label), _Notes(texts[label.target]))
        if given.flagged:
            about.flagged_by.add(label.rater)
        if given.comment:
            about.comments.add(f"{label.rater}: {given.comment}")
    tables = {name: ratings_of(labels) for name, labels in by_criterion.items()}
    split = {
        _key(each.label): (each.label, each.values)
        for table in tables.values()
        for each in disagreements(table)
    }
    flagged = {
        _key(label): (label, split.get(_key(label), (label, {}))[1])
        for labels in by_criterion.values()
        for label in labels
        if notes[_key(label)].flagged_by
    }
    return Standing(
        raters=_raters(store, [label for label, _ in told], tables),
        agreement=tuple(_criterion(name, draw, table) for name, table in tables.items()),
        to_adjudicate=tuple(
            notes[key].to_adjudicate(label, values)
            for key, (label, values) in {**flagged, **split}.items()
        ),
    )


def _key(label: Label) -> tuple[object, ...]:
    return *label.of_answer, label.criterion


def _raters(
    store: ReviewStore, labels: Sequence[Label], tables: Mapping[str, Ratings]
) -> tuple[OfRater, ...]:
    """What each rater has done; the distance is the mean over the criteria."""
    apart = [distances(table) for table in tables.values()]
    again = repeated(labels)
    untold = Counter(label.rater for label in labels if label.value is None and not label.again)
    found = []
    for rater in store.raters():
        progress = store.progress(rater.id)
        own = [each[rater.name] for each in apart if rater.name in each]
        found.append(
            OfRater(
                *(rater.name, rater.secret, progress.done, progress.total, untold[rater.name]),
                *(sum(own) / len(own) if own else None, *again.get(rater.name, (0, 0))),
            )
        )
    return tuple(found)


def _criterion(name: str, draw: Draw, table: Ratings) -> OfCriterion:
    known = {one.criterion: one.measurement for each in draw.questions.values() for one in each}
    # Better, no difference, worse: that is an order.
    level = known.get(name, "ordinal")
    found = agreement_of(table, level)
    if found is None:
        return OfCriterion(name, level, None, None, None, 0)
    return OfCriterion(name, level, found.estimate, found.low, found.high, found.units)
