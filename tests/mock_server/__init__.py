"""A small OpenAI-compatible server for tests and benchmarks, without any model."""

import sys
from pathlib import Path

from tests.mock_server.replies import Fault, MockReply, spoken
from tests.mock_server.server import MockServer

__all__ = ["COMMAND", "Fault", "MockReply", "MockServer", "spoken"]

# Starts the server as a process, from any working directory.
COMMAND = (sys.executable, str(Path(__file__).with_name("__main__.py")))
