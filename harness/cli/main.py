"""The `harness` command: which commands there are, and how errors become exit codes."""

from __future__ import annotations

import importlib
import sys
import traceback

import click

from harness.cli.console import unbroken
from harness.errors import HarnessError
from harness.version import __version__

INTERRUPTED = 130
BROKEN_PIPE = 141  # 128 + SIGPIPE, as a shell counts it

COMMANDS = {
    "init": "Make a new project folder with a small suite and a configuration.",
    "validate": "Check the configuration, the suites and the policy.",
    "train": "Train candidates from recipes.",
    "serve": "Serve a base model and its adapters with vLLM until Ctrl-C.",
    "run": "Put the suites to targets and score the answers.",
    "score": "Score stored answers again, without a server.",
    "compare": "Show what changed between stored runs.",
    "gate": "Judge a candidate by the policy; the exit code is the verdict.",
    "latency": "Measure whether a candidate is slower than the baseline.",
    "power": "Show what drop each rule can detect with the suites as they are.",
    "promote": "Seal a promoted candidate's run as a baseline.",
    "report": "Write a verdict's report again from stored records.",
    "comment": "Post a gate's comment on the pull request of a CI job.",
    "demo": "Train, serve, test and judge three small candidates.",
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
        module = importlib.import_module(f"harness.cli.{cmd_name}")
        command: click.Command = module.command
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


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with the exit code of section 4 of the design."""
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given
    try:
        code = _run(given)
    except click.exceptions.Exit as left:
        code = left.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = 2
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
        hint = f" - try `{where} --help`" if where else ""
        code = _say(f"error: {' '.join(error.format_message().split())}{hint}", 2)
    except HarnessError as error:
        code = _fail(f"error: {error.line}", error.exit_code, debug)
    except (KeyboardInterrupt, click.exceptions.Abort):
        code = _say(
            "interrupted; what was finished is kept, run the same command to go on", INTERRUPTED
        )
    except BrokenPipeError:
        code = BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last line of defence
        what = " ".join(f"{type(error).__name__}: {error}".split())
        code = _fail(f"internal error: {what} - `harness --debug …` shows where", 3, debug)
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    """Run a command; click's own `main` would turn a closed pipe into exit code 1, a BLOCK."""
    with cli.make_context("harness", list(arguments)) as context:
        cli.invoke(context)
    with unbroken():
        pass
    return 0


def _fail(line: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    return _say(line, code)


def _say(line: str, code: int) -> int:
    click.echo(line, err=True)
    return code
