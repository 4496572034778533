"""The page of every command's help, made from the commands: `python -m docs.cli_reference`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import click

from harness.cli.main import BROKEN_PIPE, COMMANDS, CommandFailure, cli
from harness.errors import INTERRUPTED, EvidenceError, InfrastructureError, UsageError
from harness.records.verdict import EXIT_CODES

_HEAD = """\
# Commands

With this page you can look up every command and each of its options.

Made from the commands themselves: `make docs` writes this page, and a test holds it against them.
`harness COMMAND --help` says the same.
"""
_TYPED = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*|[\w./-]*<\w+>[\w./<>-]*[\w/>]")


def page() -> str:
    """The page, in Markdown: every command with its usage, its text and its options."""
    context = click.Context(cli, info_name="harness", **cli.context_settings)
    parts = [_HEAD, _contents(), _codes(), _errors()]
    parts += ["## For every command\n", _options(cli, context)]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        parts += _command(command, click.Context(command, info_name=name, parent=context))
    return "\n".join(parts)


def _contents() -> str:
    lines = ["| command | what it does |", "| --- | --- |"]
    for name, meaning in COMMANDS.items():
        lines.append(f"| [`harness {name}`](#harness-{name}) | {_prose(meaning)} |")
    return "\n".join(lines) + "\n"


def _codes() -> str:
    told = {
        0: "success; of `gate`, PROMOTE",
        1: "of `gate`, BLOCK",
        UsageError.exit_code: "something is to be corrected first: command line, files or "
        "configuration",
        InfrastructureError.exit_code: "a server, the disk or the machine fails",
        EXIT_CODES["INCONCLUSIVE"]: "of `gate`, INCONCLUSIVE",
        INTERRUPTED: "interrupted by Ctrl-C; what was finished is kept",
        BROKEN_PIPE: "whoever read the output went away",
    }
    assert EvidenceError.exit_code == EXIT_CODES["INVALID"] == InfrastructureError.exit_code
    told[EvidenceError.exit_code] += ", or the evidence cannot be trusted; of `gate`, INVALID"
    lines = ["## Exit codes\n", "| code | meaning |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| {code} | {told[code]} |" for code in sorted(told))]) + "\n"


def _errors() -> str:
    hint = "add a baseline and rules to it"
    example = CommandFailure("ConfigError", "harness.yaml", "has no `gate:`", hint, 2)
    return f"""\
## Errors

An error is one line on standard error: where, what, and what to do. With `--json` standard output
then holds one object instead of a result:

```json
{example.as_json()}
```

`kind` is the error's class as `harness/errors.py` has it, or a narrower one; `UsageError` also for
the command line itself, `Interrupted` after Ctrl-C, `InternalError` for a mistake of the harness.
`where` and `hint` may be empty, `exit_code` is the code that the command leaves with. A verdict of
BLOCK, INCONCLUSIVE or INVALID is a result and no error.
"""


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"## {context.command_path}\n"
    yield f"```\n{context.command_path} {pieces}\n```\n"
    for paragraph in (command.help or "").replace("\f", "").split("\n\n"):
        first, _, rest = paragraph.partition("\n")
        if first.strip() == "\b":  # click's mark of a paragraph whose lines stay
            yield f"```\n{rest}\n```\n"
        else:
            yield f"{_prose(paragraph)}\n"
    yield _options(command, context)


def _options(command: click.Command, context: click.Context) -> str:
    lines = ["| option | meaning |", "| --- | --- |"]
    for parameter in command.get_params(context):
        names, meaning = parameter.get_help_record(context) or ("", "")
        if meaning and ("--help" not in parameter.opts or context.parent is None):
            lines.append(f"| {_cell(f'`{names}`')} | {_cell(_prose(meaning))} |")
    return "\n".join(lines) + "\n"


def _prose(text: str) -> str:
    """Help as a paragraph on one line, options and places to fill in set as code."""
    pieces = " ".join(text.split()).split("`")
    return "`".join(
        piece if place % 2 else _TYPED.sub(r"`\g<0>`", piece) for place, piece in enumerate(pieces)
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
