"""`harness chat`."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import click

from harness.cli.console import Console
from harness.cli.options import config_option
from harness.client.protocol import Answer, Reply
from harness.config import Project, load_project
from harness.errors import INTERRUPTED, ServerError, UsageError
from harness.records.suite import Message
from harness.run.few_shot import examples_of
from harness.run.plan import system_prompts
from harness.sections.section_kinds import load_suites
from harness.targets.live_target import LiveTarget, open_targets
from harness.targets.models import fetch_models
from harness.visible_text import visible

MOST = 2
NARROWEST = 72  # columns of a terminal that has room for two answers side by side
ANEW = "/new"


@dataclass(slots=True)
class _Side:
    """One target with the turns that it has heard and given."""

    live: LiveTarget
    system: tuple[Message, ...]
    turns: list[Message] = field(default_factory=list)

    def stream(self, text: str) -> Iterator[str | Reply]:
        """The pieces of the answer to one more message, then the reply."""
        message = Message(role="user", content=text)
        return self.live.stream((*self.system, *self.turns, message))

    def keep(self, text: str, reply: Reply) -> None:
        """Make an exchange part of the conversation, where there was an answer."""
        if isinstance(reply, Answer) and reply.text:
            self.turns.append(Message(role="user", content=text))
            self.turns.append(Message(role="assistant", content=reply.text))


@click.command("chat")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET [TARGET]")
@click.option("--suite", metavar="NAME", help="Whose system prompt to use; the first suite's.")
@config_option
def command(targets: tuple[str, ...], suite: str | None, config: Path) -> None:
    """Talk to one TARGET, or to two side by side.

    Each line of standard input is a message, and every answer hears what was said before; `/new`
    begins anew. The targets are asked with their own settings and the suite's system prompt. A
    managed server is started, or the one that `harness serve` keeps is asked. Nothing is recorded:
    what is said here is no evidence. The end of the input, such as Ctrl-D, ends it with 0. Where
    the input is no terminal, an answer that fails ends it with 3.
    """
    names = tuple(dict.fromkeys(targets))
    if len(names) > MOST:
        raise UsageError(f"{len(names)} targets are named", hint="chat with one, or with two")
    project = load_project(config)
    for name in names:
        project.target(name)
    systems = {name: _system(project, name, suite) for name in names}
    try:
        with ExitStack() as stack:
            with Console() as console:
                fetch_models(project, names, console)
                log = project.root / ".harness" / "chat.log"
                live = stack.enter_context(
                    open_targets(project, names, log, console.say, retries=0)
                )
            _talk([_Side(*each) for each in zip(live, systems.values(), strict=True)])
    except KeyboardInterrupt:
        click.echo(err=True)  # nothing is left to go on with, so nothing more is said
        sys.exit(INTERRUPTED)


def _system(project: Project, target: str, suite: str | None) -> tuple[Message, ...]:
    suites = load_suites(project, () if suite is None else (suite,))
    found = system_prompts(project, target, suites[:1])
    examples = examples_of(project, target)
    return (
        *(Message(role="system", content=text) for text in found.values() if text),
        *(() if examples is None else examples.drawn("", "", "a chat")),
    )


def _talk(sides: Sequence[_Side]) -> None:
    """Put each line of standard input to the targets, until its end."""
    asked_by_hand = sys.stdin.isatty()
    while True:
        if asked_by_hand:
            click.echo("> ", nl=False, err=True)
        line = _line()
        if not line:
            if asked_by_hand:
                click.echo(err=True)
            return
        text = line.strip()
        if text == ANEW:
            for side in sides:
                side.turns.clear()
            click.echo("a new conversation", err=True)
        elif text:
            replies = _one(sides[0], text) if len(sides) == 1 else _both(sides, text)
            for side, reply in zip(sides, replies, strict=True):
                side.keep(text, reply)
                _tell(side.live.target, reply, fatal=not asked_by_hand)


def _line() -> str:
    """The next line of standard input, empty at its end.

    Raises:
        UsageError: it is not UTF-8.
    """
    try:
        line = sys.stdin.readline()
        line.encode()  # some locales read what is no text as half characters
    except UnicodeError:
        hint = "send text in UTF-8"
        raise UsageError("is not UTF-8", where="standard input", hint=hint) from None
    return line


def _one(side: _Side, text: str) -> list[Reply]:
    """Print the answer as it comes, and give the reply."""
    replies: list[Reply] = []
    for piece in side.stream(text):
        if isinstance(piece, str):
            click.echo(_shown(piece), nl=False)
            sys.stdout.flush()
        else:
            replies.append(piece)
    click.echo()
    return replies


def _both(sides: Sequence[_Side], text: str) -> list[Reply]:
    """Ask one after the other, and print the answers side by side.

    vLLM's CPU build (seen in 0.32.0) lets an adapter that is in the same batch answer for the base.
    """
    replies = [
        next(each for each in side.stream(text) if not isinstance(each, str)) for side in sides
    ]
    texts = [reply.text if isinstance(reply, Answer) else "" for reply in replies]
    names = [side.live.target for side in sides]
    for line in columns(names, texts, shutil.get_terminal_size().columns):
        click.echo(line)
    return replies


def columns(names: Sequence[str], texts: Sequence[str], width: int) -> Iterator[str]:
    """The lines of two texts under their names: side by side, or one below the other."""
    if width < NARROWEST:
        for name, text in zip(names, texts, strict=True):
            yield f"{name}: {_shown(text)}"
        return
    each = (width - 3) // 2
    cells = [
        [name, *(part for line in _shown(text).split("\n") for part in _wrapped(line, each))]
        for name, text in zip(names, texts, strict=True)
    ]
    for left, right in zip_longest(*cells, fillvalue=""):
        yield f"{left:<{each}} | {right}".rstrip()


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width) or [""]


def _shown(text: str) -> str:
    """The text as it can be printed: no terminal code in it is active."""
    return "\n".join(visible(line) for line in text.split("\n"))


def _tell(target: str, reply: Reply, *, fatal: bool) -> None:
    """Say what else is to be known of a reply.

    Raises:
        ServerError: there was no answer, and nobody is there to ask again.
    """
    if isinstance(reply, Answer):
        note = "" if reply.text else "an empty answer"
        if reply.finish_reason == "length":
            note = "cut off at max_tokens"
        if note:
            click.echo(f"{target}: {note}", err=True)
        return
    what = f"`{target}` did not answer: {reply.failure.detail}"
    if fatal:
        raise ServerError(what, hint=reply.failure.remedy or "")
    click.echo(f"error: {visible(what)}", err=True)
