"""The `args` of managed servers, held against what vLLM knows."""

from __future__ import annotations

from collections.abc import Iterator

from harness.config import Project
from harness.errors import ConfigError
from harness.records.server import ManagedServer
from harness.serving.option_names import option_problem


def option_lines(project: Project) -> Iterator[tuple[str, bool]]:
    """A warning for each option that vLLM may not know, as far as a list of another version tells.

    Raises:
        ConfigError: an option that the vLLM that is installed does not know, or that the harness
            sets itself.
    """
    for name, server in project.config.servers.items():
        for key in server.args if isinstance(server, ManagedServer) else ():
            problem = option_problem(key)
            if problem is None:
                continue
            place = project.place(f"servers.{name}.args.{key}")
            if problem.certain:
                raise ConfigError(problem.what, where=place)
            yield f"{place}: {problem.what}", True
