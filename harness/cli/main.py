"""The `harness` command: which commands there are, and how errors become exit codes."""

from __future__ import annotations

import atexit
import importlib
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass

import click

from harness.cli.console import discard, lost_output, open_streams, say_last
from harness.errors import INTERRUPTED, HarnessError, StorageError, UsageError
from harness.version import __version__
from harness.visible_text import visible

INTERNAL = 3
BROKEN_PIPE = 141  # 128 + SIGPIPE, as a shell counts it

COMMANDS = {
    "init": "Make a new project folder with a small suite and a configuration.",
    "schema": "Print the JSON schema of a file, for editors.",
    "validate": "Check the configuration, the suites and the policy.",
    "lint": "Say what weakens the evidence that the suites give.",
    "import": "Read other tools' data into cases or training data.",
    "export": "Write training data or cases in another tool's form.",
    "data": "Say what is wrong with training data; write a copy without personal data.",
    "split": "Divide training data into parts that do not leak into each other.",
    "augment": "Ask the questions of training data in other forms too.",
    "collect": "Propose what suites and training lack, from production logs.",
    "lock": "Pin the commits of the models that are named on a hub.",
    "doctor": "Try targets or this machine step by step, and say what to do.",
    "train": "Train candidates from recipes.",
    "merge": "Merge a candidate's adapter into its base, and prove the result.",
    "chain": "Say at each form of a model on its way to users whether it is the same.",
    "serve": "Serve a base model and its adapters with vLLM until Ctrl-C.",
    "chat": "Talk to a target, or to two side by side.",
    "run": "Put the suites to targets and score the answers.",
    "score": "Score stored answers again, without a server.",
    "show": "Write a page of one run: its metrics, and every answer.",
    "compare": "Show what changed between stored runs.",
    "leak": "Look for the suites' prompts in a candidate's training data.",
    "gate": "Judge a candidate by the policy; the exit code is the verdict.",
    "calibrate": "Hold a section's scorer against people's labels.",
    "latency": "Measure whether a candidate is slower than the baseline.",
    "power": "Show what drop each rule can detect with the suites as they are.",
    "stats": "Say which cases of the suites carry evidence, over all stored runs.",
    "review": "Let people grade stored answers on a local page.",
    "mutate": "Break a candidate in many ways and say which the gate would promote.",
    "promote": "Seal a promoted candidate's run as a baseline.",
    "verify": "Check the receipt of a promotion, offline.",
    "baselines": "List the sealed baselines with their history.",
    "rollback": "Make an earlier promotion the baseline again.",
    "report": "Write a verdict's report again from stored records.",
    "comment": "Post a gate's comment on the pull request of a CI job.",
    "demo": "Train, serve, test and judge three small candidates.",
}

# Where a command is that shares a module: the module, and the command's name in it.
_SHARED = {
    "score": ("run", "score"),
    "import": ("data", "import_command"),
    "export": ("data", "export_command"),
    "data": ("data_lint", "command"),
    "rollback": ("baselines", "rollback"),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """The command of that name, its module imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, name = _SHARED.get(cmd_name, (cmd_name, "command"))
        command: click.Command = getattr(importlib.import_module(f"harness.cli.{module}"), name)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="harness")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Decide, with evidence, whether a fine-tuned chatbot may replace what is in production.

    Exit codes: 0 PROMOTE or success, 1 BLOCK, 2 usage or configuration, 3 INVALID or
    infrastructure, 4 INCONCLUSIVE, 130 interrupted.
    """


@dataclass(frozen=True, slots=True)
class CommandFailure:
    """What went wrong, where, what to do about it, and the exit code that follows.

    `kind` is the name of the error's class, `Interrupted` or `InternalError`; `lead` is what the
    line for people begins with.
    """

    kind: str
    where: str
    what: str
    hint: str
    exit_code: int
    lead: str = "error: "

    @property
    def line(self) -> str:
        """The line for people; no terminal code in what others have said is active."""
        error = HarnessError(self.what, where=self.where, hint=self.hint)
        return f"{self.lead}{visible(error.line)}"

    def as_json(self) -> str:
        """The object for programs."""
        fields = asdict(self)
        del fields["lead"]
        return json.dumps({"error": fields}, indent=2)


def failure_of(error: BaseException) -> CommandFailure:
    """What an error that ended a command amounts to."""
    if isinstance(error, HarnessError):
        kind = type(error).__name__
        return CommandFailure(kind, error.where, error.what, error.hint, error.exit_code)
    if isinstance(error, click.exceptions.Abort | KeyboardInterrupt):
        what = "interrupted; what was finished is kept, run the same command to go on"
        return CommandFailure("Interrupted", "", what, "", INTERRUPTED, lead="")
    if isinstance(error, click.ClickException):
        what = " ".join(error.format_message().split())
        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = f"try `{context.command_path} --help`" if context else ""
        return CommandFailure(UsageError.__name__, "", what, hint, UsageError.exit_code)
    what = " ".join(f"{type(error).__name__}: {error}".split())
    hint = "`harness --debug …` shows where"
    return CommandFailure("InternalError", "", what, hint, INTERNAL, lead="internal error: ")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with the exit code of section 4 of the design."""
    given = sys.argv[1:] if arguments is None else arguments
    if arguments is None:
        open_streams()
        # A core file would hold the keys that were read from the environment.
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    code: str | int | None
    try:
        code = _run(given)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = UsageError.exit_code
    except BrokenPipeError:
        if arguments is None:
            discard(1)  # what is still held would be written again when the interpreter ends
        code = BROKEN_PIPE
    except KeyboardInterrupt as error:
        with _uninterrupted() if arguments is None else nullcontext():
            code = _fail(error, given)
    except Exception as error:  # noqa: BLE001 - the last line of defence
        code = _fail(error, given)
    sys.exit(code)


def _run(arguments: list[str]) -> str | int | None:
    """Run a command; click's own `main` would turn a closed pipe into exit code 1, a BLOCK."""
    code: str | int | None = 0
    try:
        with cli.make_context("harness", list(arguments)) as context:
            cli.invoke(context)
    except click.exceptions.Exit as left:
        code = left.exit_code
    except SystemExit as left:
        code = left.code
    if lost := lost_output():
        raise StorageError(f"cannot be written: {lost.strerror}", where="standard output")
    return code


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let a process that is interrupted again print its line, and end with its own exit code.

    The block ignores Ctrl-C; whatever hangs after it is ended by the next one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    # At its very end the interpreter leaves to the system what is not ignored.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


def _fail(error: BaseException, given: list[str]) -> int:
    """Tell people on standard error, programs that asked for JSON on standard output as well."""
    failure = failure_of(error)
    known = isinstance(error, click.ClickException | click.exceptions.Abort | KeyboardInterrupt)
    if "--debug" in given and not known:
        say_last(visible("".join(traceback.format_exception(error))), err=True, nl=False)
    say_last(failure.line, err=True)
    asked = given[: given.index("--")] if "--" in given else given
    # Also without a text: what could not be printed before is then dropped without an error.
    say_last(failure.as_json() if "--json" in asked else "", nl=False)
    return failure.exit_code
