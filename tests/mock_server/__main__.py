"""The mock server as a process: `python -m tests.mock_server --answer-file answers.json`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.mock_server.server import main

if __name__ == "__main__":
    sys.exit(main())
