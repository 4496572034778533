"""A section of lm-eval tasks: its keys in `suite.yaml`, and what it is once they are read."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from harness.records.base import Record
from harness.records.metric import Metric
from harness.records.suite import Section, Title

_HOURS_4 = 4 * 3600.0


class Settings(Record):
    """What lm-eval is told of a section's tasks besides their names; all of it changes scores.

    `limit` is a number of documents of each task, or a share below 1. What is None is left to
    lm-eval.
    """

    via: Literal["weights", "server"] = "weights"
    num_fewshot: int | None = Field(default=None, ge=0)
    limit: float | None = Field(default=None, gt=0.0)
    apply_chat_template: bool | None = None
    fewshot_as_multiturn: bool | None = None
    system_instruction: str | None = Field(default=None, min_length=1)
    seed: int | None = Field(default=None, ge=0)
    group_by: str | None = Field(default=None, min_length=1)
    unsafe_code: bool = False

    @property
    def chat(self) -> bool:
        """Whether prompts are chats: a server is always sent one."""
        return self.via == "server" or bool(self.apply_chat_template)

    @property
    def multiturn(self) -> bool:
        """Whether the examples of a chat are turns of it."""
        return self.chat if self.fewshot_as_multiturn is None else self.fewshot_as_multiturn


class Means(Record):
    """What the work on weights may take: seconds, GiB of memory, a device, documents at once."""

    timeout: float = Field(default=_HOURS_4, gt=0.0)
    memory: float | None = Field(default=None, gt=0.0)
    device: str | None = Field(default=None, min_length=1)
    batch_size: int = Field(default=1, ge=1)


class BenchmarkKeys(Settings, Means):
    """The keys of a section of lm-eval's tasks."""

    lm_eval: str | tuple[str, ...] = Field(min_length=1)
    metrics: tuple[str | Metric, ...] | None = Field(default=None, min_length=1)
    title: Title | dict[str, Title] | None = None


class BenchmarkTask(Record):
    """One task: what lm-eval is told to find it by, and the metrics of it that the section has."""

    name: str
    include: tuple[str, ...]
    overrides: dict[str, Any]
    hub: str
    digest: str
    # By the name in the section, the names of metric and filter in lm-eval.
    metrics: dict[str, tuple[str, str]]


class BenchmarkSection(Section):
    """Tasks of lm-eval; their documents are known once lm-eval has read them."""

    kind: ClassVar[str] = "benchmark"
    judged_again: ClassVar[tuple[str, str]] = (
        "documents of lm-eval tasks",
        "run both sides again with --no-cache",
    )

    scorer: str = "lm-eval"
    tasks: tuple[BenchmarkTask, ...]
    # Metrics of lm-eval that only a whole set of documents has a value of.
    left_out: tuple[str, ...] = ()
    settings: Settings
    means: Means
    place: str = Field(exclude=True)

    def describe(self) -> str:
        """The tasks, in a few words."""
        names = [task.name for task in self.tasks]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        hub = sorted({task.hub for task in self.tasks if task.hub})
        data = f", data from a hub: {', '.join(hub[:3])}" if hub else ""
        without = f", without {', '.join(self.left_out)}" if self.left_out else ""
        return f"lm-eval {', '.join(names[:3])}{more} via {self.settings.via}{data}{without}"
