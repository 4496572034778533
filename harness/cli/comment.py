"""`harness comment`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from harness.ci.change_request import COMMENT, MARK, Nothing, find_request, put_comment
from harness.ci.http_api import Refused
from harness.errors import UsageError
from harness.files import read_text

_NOT_ALLOWED = (401, 403)


@click.command("comment")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option(
    "--request",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    help="The pull or merge request, where the CI job does not say which.",
)
def command(folder: Path, number: int | None) -> None:
    """Post the comment that `harness gate --output-dir DIR` wrote, or update it where it stands.

    On the pull request of a GitHub Actions job, with GITHUB_TOKEN, or on the merge request of a
    GitLab job, with GITLAB_TOKEN. Where there is none, or the token may not comment, that is said
    and is no error.
    """
    body = read_text(folder / COMMENT)
    if not body.startswith(MARK):
        raise UsageError(
            "is no comment of a gate",
            where=str(folder / COMMENT),
            hint=f"harness gate CANDIDATE --output-dir {folder}",
        )
    try:
        request = find_request(os.environ, number)
        done = put_comment(request, body)
    except Nothing as reason:
        click.echo(f"no comment: {reason}")
    except Refused as refused:
        if refused.status not in _NOT_ALLOWED:
            raise
        click.echo(
            f"no comment: the token may not write one ({refused.what}); "
            "jobs of forks have tokens that only read"
        )
    else:
        click.echo(f"comment {done.how}{f': {done.url}' if done.url else ''}")
