"""Options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.config import CONFIG_NAME, WORKING
from harness.data.columns import FIELDS
from harness.run.plan import Selection
from harness.run.ray_cluster import RayCluster

if TYPE_CHECKING:
    from harness.ci.job import CiOptions

Command = Callable[..., Any]
Option = Callable[[Command], Command]


def _added(*options: Option) -> Option:
    """A decorator that adds the options in their order."""
    return lambda command: functools.reduce(lambda so_far, add: add(so_far), options[::-1], command)


def as_record(parameter: str, record: type[Any], *options: Option) -> Option:
    """A decorator that adds options named as the fields of a record, and passes them as one."""
    names = [field.name for field in fields(record)]

    def add(command: Command) -> Command:
        @functools.wraps(command)
        def call(**given: Any) -> Any:
            own = {name: given.pop(name) for name in names if name in given}
            return command(**given, **{parameter: record(**own)})

        return _added(*options)(call)

    return add


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What sends the requests: this process, or the workers of a Ray cluster."""

    engine: str = "local"
    ray_address: str | None = None
    workers: int | None = None

    @contextmanager
    def cluster(self, say: Callable[[str], None]) -> Iterator[RayCluster | None]:
        """The cluster that does the asking, joined when it is needed; None for this process.

        Raises:
            click.UsageError: options of a cluster are given without one.
        """
        if self.engine == "ray":
            with RayCluster(self.ray_address, self.workers, say) as cluster:
                yield cluster
            return
        if self.ray_address is not None or self.workers is not None:
            raise click.UsageError("--ray-address and --workers go with --engine ray")
        yield None


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path(CONFIG_NAME),
    show_default=True,
    help="The project's configuration.",
)
baseline_option = click.option(
    "--baseline", metavar="NAME", help="Instead of the policy's: a target or sealed:NAME."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
form_option = click.option(
    "--form", metavar="FORM", help="The form of the files; found out without it."
)
# Given to the command as a tuple, `columns`, of FIELD=COLUMN.
map_option = click.option(
    "--map",
    "columns",
    multiple=True,
    metavar="FIELD=COLUMN",
    help=f"The column of a field: {', '.join(FIELDS)}. Repeatable.",
)
encoding_option = click.option("--encoding", default="utf-8", help="How the text is written down.")
no_cache_option = click.option("--no-cache", is_flag=True, help="Ask everything again.")

# Given to the command as a tuple of names.
suite_option = click.option(
    "--suite", "suites", multiple=True, metavar="NAME", help="Only this suite; repeatable."
)
_PART = (
    click.option(
        "--limit", type=click.IntRange(min=1), help="Only the first N cases of each section."
    ),
    click.option(
        "--case",
        "cases",
        multiple=True,
        metavar="ID",
        help="Only this case, by id or suite/section/id; repeatable.",
    ),
)
_GENERATION = (
    click.option("--repeats", type=click.IntRange(min=1), help="Attempts at each case."),
    click.option(
        "-j", "--concurrency", type=click.IntRange(min=1), help="Requests under way at once."
    ),
)
# `--suite`, `--repeats` and `-j`, given to the command as a `Selection`; and with a part of suites.
selection_options = as_record("selection", Selection, suite_option, *_GENERATION)
part_options = as_record("selection", Selection, suite_option, *_PART, *_GENERATION)

engine_options = as_record(
    "engine",
    EngineOptions,
    click.option(
        "--engine",
        type=click.Choice(["local", "ray"]),
        default="local",
        help="Ask from this process, or from the workers of a Ray cluster.",
    ),
    click.option(
        "--ray-address",
        metavar="ADDRESS",
        help="With --engine ray: `auto` or the head's host:port, instead of RAY_ADDRESS.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        help="With --engine ray: shards asked at once, instead of one a processor.",
    ),
)

# See `read_ci_options`.
ci_options = _added(
    click.option(
        "--output-dir",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Write the report there too, with what CI shows and posts.",
    ),
    click.option(
        "--summary",
        type=click.Choice(["md"]),
        help="With --output-dir: write summary.md too, for a job's page.",
    ),
    click.option(
        "--annotations",
        type=click.Choice(["github"]),
        help="Print what went wrong with file and line, as GitHub's workflow commands.",
    ),
    click.option(
        "--report-url",
        metavar="URL",
        help="With --output-dir: where its files can be read; the CI job's page by default.",
    ),
)


def read_ci_options(given: dict[str, Any], config: Path) -> CiOptions:
    """The options of a CI job, as `ci_options` gives them.

    Raises:
        click.UsageError: they do not go together, or one of them cannot be.
    """
    folder: Path | None = given["output_dir"]
    if folder is None and (given["summary"] or given["report_url"]):
        raise click.UsageError("--summary and --report-url go with --output-dir")
    if folder is not None and folder.resolve() == (config.parent / WORKING).resolve():
        raise click.BadParameter(
            "is where the project keeps its own records", param_hint="--output-dir"
        )
    url = given["report_url"] or ""
    if url and not url.startswith(("https://", "http://")):
        raise click.BadParameter("begins with https://", param_hint="--report-url")
    from harness.ci.job import CiOptions  # only a gate pays for it

    summary, annotations = given["summary"] is not None, given["annotations"] is not None
    return CiOptions(folder, summary, annotations, url)
