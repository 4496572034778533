"""A real Ray cluster of two nodes on this machine, one of which can be killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Nodes:
    def __init__(self, cluster: Any, second: Any) -> None:
        self.address = cluster.address
        self.session = Path(cluster.head_node.get_session_dir_path())
        self._cluster = cluster
        self._second = second

    def kill_second(self) -> None:
        self._cluster.remove_node(self._second, allow_graceful=False)

    def kill_head(self) -> None:
        self._cluster.head_node.kill_gcs_server(check_alive=False)
        self._cluster.head_node.kill_raylet(check_alive=False)


@contextmanager
def two_nodes() -> Iterator[Nodes]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    try:
        second = cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        yield Nodes(cluster, second)
    finally:
        cluster.shutdown()
