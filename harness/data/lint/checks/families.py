"""Families of questions that have far more conversations than the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.data.lint.check import CheckSettings, Inspection, found
from harness.data.lint.pairs import Compared
from harness.personal_data import Redactor
from harness.records.finding import Finding
from harness.visible_text import one_line

TIMES = 10  # the mean of the others
SHARE = 0.05  # of all conversations
FEWEST = 20  # conversations, from which a family can be too large


class Families:
    """Finds `large-family`."""

    name = "families"
    about = "groups, or questions that are alike, with far more conversations than others"

    def begin(self, settings: CheckSettings) -> Inspection:
        """A new inspection."""
        del settings
        return _Inspection()


class _Inspection(Inspection):
    def finish(self, compared: Compared) -> Iterator[Finding]:
        families: list[str | int] = [
            group or cluster
            for group, cluster in zip(compared.groups, compared.clusters, strict=True)
        ]
        sizes = Counter(families)
        self._groups = len(sizes)
        for family, size in sizes.most_common(20):
            others = (len(families) - size) / max(1, len(sizes) - 1)
            if size < FEWEST or size < SHARE * len(families) or size <= TIMES * others:
                break
            # A group's name is anybody's text.
            named = (
                f"group `{one_line(Redactor().text(family), 60)}`"
                if isinstance(family, str)  # else the number of its first question
                else "the family of questions like this one"
            )
            what = (
                f"{named} has {size} of {len(families)} conversations, others {others:.1f} on "
                "average: thin it out"
            )
            yield found(compared.places[families.index(family)], "large-family", what)

    def facts(self) -> Iterator[tuple[str, str]]:
        yield "families", f"{self._groups:,}"
