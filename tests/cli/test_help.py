"""The names and options that users and scripts rely on; change them knowingly."""

from __future__ import annotations

import subprocess
import sys

import click

from harness.cli.main import COMMANDS, cli

OPTIONS = {
    "init": ["folder", "--model", "--url", "--base", "--candidate", "--domain", "--list"],
    "schema": ["kind", "--write"],
    "validate": ["--config"],
    "lint": ["--all", "--strict", "--config", "--suite", "--json"],
    "import": [
        "files", "--to", "--output", "-o", "--form", "--map", "--encoding", "--dry-run", "--force",
    ],
    "export": ["files", "--form", "--output", "-o", "--dry-run", "--force"],
    "data": ["files", "--recipe", "--base", "--max-length", "--redact", "--html", "--accept",
             "--strict", "--all", "--region", "--names", "--suite", "--encoding", "--force",
             "--config", "--json"],
    "split": ["files", "--output", "-o", "--part", "--source", "--time", "--stratify", "--salt",
              "--encoding", "--force", "--json"],
    "augment": ["files", "--output", "-o", "--by", "--variants", "--seed", "--generator", "--judge",
                "--from-documents", "--config", "--form", "--map", "--encoding", "--force"],
    "collect": ["logs", "--drift", "--before", "--form", "--map", "--rating", "--low",
                "--correction", "--user", "--region", "--encoding", "--output", "-o", "--least",
                "--most", "--suite-share", "--force", "--apply", "--review", "--port", "--by",
                "--cases", "--training", "--config", "--suite", "--json"],
    "lock": ["recipes", "--update", "--check", "--config"],
    "doctor": ["targets", "--start", "--config", "--json"],
    "train": ["recipes", "--force", "--estimate", "--on", "--processes", "--no-lint", "--config"],
    "merge": ["candidate", "--output", "--dtype", "--base", "--config"],
    "chain": ["targets", "--nats", "--margin", "--output", "--probes-only", "--config", "--suite",
              "--limit", "--case", "--repeats", "-j", "--concurrency", "--no-cache", "--json"],
    "serve": ["targets", "--idle", "--config"],
    "chat": ["targets", "--suite", "--config"],
    "run": ["targets", "--config", "--suite", "--limit", "--case", "--repeats", "-j",
            "--concurrency", "--no-cache", "--engine", "--ray-address", "--workers", "--json"],
    "score": ["targets", "--config", "--suite"],
    "show": ["run", "--output", "--config"],
    "compare": ["candidates", "--baseline", "--output", "--config", "--suite", "--json"],
    "leak": ["candidate", "--all", "--config", "--suite", "--json"],
    "gate": ["candidate", "--aa", "--baseline", "--stored", "--config", "--suite", "--repeats",
             "-j", "--concurrency", "--no-cache", "--engine", "--ray-address", "--workers",
             "--output-dir", "--summary", "--annotations", "--report-url", "--json"],
    "latency": ["candidate", "--baseline", "--load", "--requests", "--rounds", "--max-tokens",
                "--slo-ttft", "--slo-tta", "--slo-e2e", "--stored", "--no-cache", "--config",
                "--json"],
    "calibrate": ["section", "candidate", "--criterion", "--baseline", "--config", "--json"],
    "power": ["candidate", "--discordance", "--audit", "--config", "--suite", "--json"],
    "stats": ["--config", "--suite", "--json"],
    "review": ["candidate", "--task", "--against", "--alone", "--section", "--audit", "--suite",
               "--items", "--raters", "--rater", "--overlap", "--again", "--seed", "--name",
               "--host", "--port", "--status", "--export", "--pairs", "--sheet", "--import",
               "--map", "--alias", "--encoding", "--config", "--json"],
    "mutate": [
        "candidate", "--train", "--only", "--min-kill", "--seed", "--config", "--json",
    ],
    "promote": ["candidate", "--name", "--despite-looks", "--trust-stored", "--config"],
    "verify": ["receipt", "--sample", "--seed", "--key", "--weights", "--json"],
    "baselines": ["name", "--config", "--json"],
    "rollback": ["name", "--to", "--reason", "--config"],
    "report": ["candidate", "--history", "--from", "--baseline", "--config", "--suite", "--json"],
    "comment": ["folder", "--request"],
    "demo": ["--seed", "--config"],
}  # fmt: skip


def test_commands_and_options_are_pinned() -> None:
    context = click.Context(cli)
    found = {}
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        found[name] = [
            option
            for parameter in command.params
            for option in (parameter.opts if parameter.param_type_name == "option"
                           else [parameter.name])
        ]  # fmt: skip
    assert found == OPTIONS


def test_each_command_has_help_and_the_table_names_it() -> None:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        assert command.help


def test_help_and_version_import_nothing_heavy() -> None:
    program = (
        "import sys; from harness.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'numpy', 'scipy', 'aiohttp', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    assert "gate" in done.stdout


def test_judging_stored_runs_imports_nothing_that_it_does_not_need() -> None:
    program = (
        "import sys\n"
        "import harness.cli.gate, harness.cli.validate, harness.cli.report, harness.cli.run\n"
        "heavy = {'torch', 'transformers', 'vllm', 'trl', 'peft', 'datasets', 'ray', 'lm_eval',\n"
        "         'pandas', 'statsmodels', 'scipy.stats', 'scipy.optimize'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
