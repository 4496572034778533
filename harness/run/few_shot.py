"""Examples before a conversation: drawn by a seed, and none that would tell the case's answer."""

from __future__ import annotations

from dataclasses import dataclass

from harness.config import Project
from harness.errors import UsageError
from harness.files import digest_json
from harness.leak.conversations import of_turns
from harness.leak.search import TrainingTexts
from harness.records.plan import PlannedRequest
from harness.records.suite import Message
from harness.targets.additions import examples_file
from harness.training.data_files import Conversation, read_conversation_file


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples of a target in the order in which its seed draws them; `k` are wanted."""

    rows: tuple[Conversation, ...]
    k: int
    where: str

    def conversation(self, ask: PlannedRequest) -> tuple[Message, ...]:
        """The request's conversation with its examples.

        Raises:
            UsageError: there are too few that the case may be shown.
        """
        return self.put_before(ask.messages, ask.case.group, ask.path)

    def put_before(
        self, messages: tuple[Message, ...], group: str, path: str
    ) -> tuple[Message, ...]:
        """The conversation of the case at `path` with examples after its system message.

        Raises:
            UsageError: there are too few that the case may be shown.
        """
        own = 1 if messages[0].role == "system" else 0
        return (*messages[:own], *self.drawn(group, messages[-1].content, path), *messages[own:])

    def drawn(self, group: str, question: str, path: str) -> list[Message]:
        """The turns of the examples for a question, of which nothing is told that it asks.

        None is of the case's group, and none asks nearly the same. Two are never of one group.

        Raises:
            UsageError: there are too few such examples.
        """
        chosen: dict[str, Conversation] = {}
        for row in self.rows:
            known = row.group in chosen or _is_of(row.group, group)
            if not known and not _asks_the_same(row, question):
                chosen[row.group] = row
                if len(chosen) == self.k:
                    break
        else:
            raise UsageError(
                f"has {len(chosen)} of the {self.k} examples that {path} is to be shown: all "
                "others are of its group or of one that was drawn, or ask nearly the same",
                where=self.where,
                hint="add examples of other groups, or lower `k`",
            )
        return [turn for row in chosen.values() for turn in row.messages if turn.role != "system"]


def examples_of(project: Project, target: str) -> Examples | None:
    """The examples of a target; None where it has none.

    Raises:
        UsageError: the file is missing, or a line of it is no conversation.
    """
    given = project.target(target).few_shot
    if given is None:
        return None
    path = examples_file(project, target, given)
    rows = [row for _, row in read_conversation_file(path, given.file)]
    drawn = sorted(rows, key=lambda row: digest_json([given.seed, row.model_dump(mode="json")]))
    return Examples(tuple(drawn), given.k, project.place(f"targets.{target}.few_shot"))


def _is_of(row: str, case: str) -> bool:
    """Whether a row's group is the case's, or a family within it such as `returns/2`."""
    return row == case or row.startswith(f"{case}/") or case.startswith(f"{row}/")


def _asks_the_same(row: Conversation, question: str) -> bool:
    said = of_turns("", [(turn.role, turn.content) for turn in row.messages])
    return any(TrainingTexts([said], [(question, "")]).matches(question))
