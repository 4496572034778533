"""Whether a managed server's context has room for the prompts of the suites and for an answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.config import Project
from harness.errors import UsageError
from harness.records.server import ManagedServer
from harness.records.suite import Suite
from harness.run.few_shot import examples_of
from harness.run.plan import system_prompts
from harness.serving.command import option_name
from harness.targets.models import server_model

_LENGTH = "max-model-len"
_READ = 5  # of the longest prompts in characters, which need not be the longest in tokens


def room_lines(project: Project, suites: Sequence[Suite]) -> Iterator[tuple[str, bool]]:
    """A warning for each target with requests that its managed server would refuse.

    Prompts are counted where the model's tokenizer is here and can be read, without passages and
    without what the chat template adds.
    """
    for name, target in project.config.targets.items():
        server = project.config.servers[target.server]
        if not isinstance(server, ManagedServer):
            continue
        try:
            folder = server_model(project, target.server, here=True).path
        except UsageError:
            continue  # another line says what is wrong with it
        context, most = _context(server, folder), project.generation(name).max_tokens
        if context is None:
            continue
        of = f"a context of {context} tokens"
        if most >= context:
            place = project.place(f"servers.{target.server}")
            what = f"`max_tokens` {most} of `{name}` leaves no room for a prompt in {of}"
            yield f"{place}: {what}", True
            continue
        case, length = _longest(_prompts(project, name, suites), folder)
        if length + most > context:
            place = project.place(f"servers.{target.server}")
            what = f"{case} has {length} tokens or more, which with the `max_tokens` {most} of"
            hint = f"lower `max_tokens`, or raise `{_LENGTH}` as far as the model allows"
            yield f"{place}: {what} `{name}` is more than {of}: {hint}", True


def _context(server: ManagedServer, folder: Path) -> int | None:
    """The longest prompt with its answer, in tokens; None where nothing here tells."""
    options = {option_name(key): value for key, value in server.args.items()}
    if _LENGTH in options:
        given = options[_LENGTH]  # vLLM also reads `4k` and `auto`
        return int(given) if str(given).isdecimal() else None
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return None
    found = config.get("max_position_embeddings")
    return found if isinstance(found, int) and not config.get("rope_scaling") else None


def _prompts(
    project: Project, target: str, suites: Sequence[Suite]
) -> Iterator[tuple[str, Sequence[str]]]:
    """Each case's name, and the texts that are put to the target for it."""
    first, examples = system_prompts(project, target, suites), examples_of(project, target)
    for suite in suites:
        for section in suite.asked:
            for case in section.cases:
                name = f"{suite.name}/{section.name}/{case.id}"
                turns = case.messages
                if examples is not None:
                    turns = examples.put_before(turns, case.group, name)
                yield name, [first[suite.name] or "", *(turn.content for turn in turns)]


def _longest(prompts: Iterable[tuple[str, Sequence[str]]], folder: Path) -> tuple[str, int]:
    """The longest prompt and its tokens, none where they cannot be counted."""
    longest = sorted(prompts, key=lambda one: -sum(map(len, one[1])))[:_READ]
    try:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception:  # noqa: BLE001 - not installed, or of whatever form it cannot read
        return "", 0
    counts = {
        name: sum(len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts)
        for name, texts in longest
    }
    name = max(counts, key=counts.__getitem__, default="")
    return name, counts.get(name, 0)
