"""Live targets of a session, for its Python tests."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from harness.errors import UsageError
from harness.pytest_plugin.session import Workbench
from harness.pytest_plugin.xdist import Managed
from harness.records.run import Watcher
from harness.records.server import ManagedServer
from harness.targets.endpoint import Endpoint
from harness.targets.live_target import LiveTarget


class LiveTargets:
    """Connections by target, each opened when it is first asked for, all closed at the end.

    A managed server is started once, and serves every target of the session that is on it.
    `running` are those that another process has started.
    """

    def __init__(
        self, workbench: Workbench, watcher: Watcher, running: Mapping[str, Managed] | None = None
    ) -> None:
        self._workbench = workbench
        self._watcher = watcher
        self._running = running
        self._stack = ExitStack()
        self._endpoints: dict[str, Endpoint] = {}
        self._lines: dict[str, LiveTarget] = {}

    def line(self, target: str) -> LiveTarget:
        """The line to a target.

        Raises:
            UsageError: there is no such target, or it is a sealed baseline.
            ServerError: its server does not start, or cannot be reached.
        """
        if target not in self._lines:
            endpoint = self._endpoint(target)
            project = self._workbench.project
            order = self._workbench.options.order
            line = LiveTarget(project, target, endpoint, order.concurrency if order else None)
            self._lines[target] = self._stack.enter_context(line)
        return self._lines[target]

    def started(self) -> dict[str, Managed]:
        """The managed servers that run here, for other processes to ask."""
        servers = self._workbench.project.config.servers
        return {
            name: Managed(urls=endpoint.urls, api_key=endpoint.api_key or "")
            for name, endpoint in self._endpoints.items()
            if isinstance(servers[name], ManagedServer)
        }

    def close(self) -> None:
        """Close every connection, and stop what was started."""
        self._stack.close()

    def _endpoint(self, target: str) -> Endpoint:
        project = self._workbench.project
        server = project.target(target).server
        if server not in self._endpoints:
            known = None if self._running is None else self._running.get(server)
            if known is not None:
                self._endpoints[server] = Endpoint(known.urls, known.api_key)
            elif self._running is not None and self._is_managed(server):
                raise UsageError(
                    f"the server of `{target}` was not started for this session",
                    hint=f"name it: --target {target}",
                )
            else:
                live = self._workbench.live(target, self._log(target), self._watcher.say)
                self._endpoints[server] = self._stack.enter_context(live)
        return self._endpoints[server]

    def _is_managed(self, server: str) -> bool:
        return isinstance(self._workbench.project.config.servers[server], ManagedServer)

    def _log(self, target: str) -> Path:
        folder = self._workbench.project.root / ".harness" / "pytest"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self._workbench.project.target(target).server}.log"
