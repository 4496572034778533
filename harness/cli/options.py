"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.config import CONFIG_NAME, WORKING, Project, load_project
from harness.run.plan import Selection
from harness.run.ray_cluster import RayCluster

if TYPE_CHECKING:
    from harness.ci.job import CiOptions

F = TypeVar("F", bound=Callable[..., Any])


def config_option(command: F) -> F:
    """Add `--config`, given to the command as a path."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        default=Path(CONFIG_NAME),
        show_default=True,
        help="The project's configuration.",
    )(command)


def suite_option(command: F) -> F:
    """Add `--suite`, given to the command as a tuple of names."""
    return click.option(
        "--suite", "suite_names", multiple=True, metavar="NAME", help="Only this suite; repeatable."
    )(command)


def json_option(command: F) -> F:
    """Add `--json`, given to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")(
        command
    )


def generation_options(command: F) -> F:
    """Add what changes how a plan is asked: `--repeats`, `-j/--concurrency`, `--no-cache`."""
    for option in (
        click.option("--no-cache", is_flag=True, help="Ask everything again."),
        click.option(
            "-j", "--concurrency", type=click.IntRange(min=1), help="Requests under way at once."
        ),
        click.option("--repeats", type=click.IntRange(min=1), help="Attempts at each case."),
    ):
        command = option(command)
    return command


def engine_options(command: F) -> F:
    """Add what spreads the asking over machines: `--engine`, `--ray-address`, `--workers`."""
    for option in (
        click.option(
            "--workers",
            type=click.IntRange(min=1),
            help="With --engine ray: shards asked at once, instead of one a processor.",
        ),
        click.option(
            "--ray-address",
            metavar="ADDRESS",
            help="With --engine ray: `auto` or the head's host:port, instead of RAY_ADDRESS.",
        ),
        click.option(
            "--engine",
            type=click.Choice(["local", "ray"]),
            default="local",
            help="Ask from this process, or from the workers of a Ray cluster.",
        ),
    ):
        command = option(command)
    return command


def ci_options(command: F) -> F:
    """Add `--output-dir`, `--summary`, `--annotations`, `--report-url`; see `read_ci_options`."""
    for option in (
        click.option(
            "--report-url",
            metavar="URL",
            help="With --output-dir: where its files can be read; the CI job's page by default.",
        ),
        click.option(
            "--annotations",
            type=click.Choice(["github"]),
            help="Print what went wrong with file and line, as GitHub's workflow commands.",
        ),
        click.option(
            "--summary",
            type=click.Choice(["md"]),
            help="With --output-dir: write summary.md too, for a job's page.",
        ),
        click.option(
            "--output-dir",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            help="Write the report there too, with what CI shows and posts.",
        ),
    ):
        command = option(command)
    return command


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


@contextmanager
def chosen_cluster(
    engine: str, ray_address: str | None, workers: int | None, say: Callable[[str], None]
) -> Iterator[RayCluster | None]:
    """The cluster that does the asking, joined when it is needed; None where this process does it.

    Raises:
        click.UsageError: options of a cluster are given without one.
    """
    if engine == "ray":
        with RayCluster(ray_address, workers, say) as cluster:
            yield cluster
        return
    if ray_address is not None or workers is not None:
        raise click.UsageError("--ray-address and --workers go with --engine ray")
    yield None


def part_options(command: F) -> F:
    """Add what narrows a run to a part of the suites: `--case` and `--limit`."""
    for option in (
        click.option(
            "--case",
            "cases",
            multiple=True,
            metavar="ID",
            help="Only this case, by id or suite/section/id; repeatable.",
        ),
        click.option(
            "--limit", type=click.IntRange(min=1), help="Only the first N cases of each section."
        ),
    ):
        command = option(command)
    return command


def open_project(config: Path) -> Project:
    """The project of a configuration file, its root made absolute."""
    return load_project(config)


def whole(
    suite_names: tuple[str, ...] = (),
    repeats: int | None = None,
    concurrency: int | None = None,
) -> Selection:
    """The selection of every case, of the named suites where some are named."""
    return Selection(suites=suite_names, repeats=repeats, concurrency=concurrency)
