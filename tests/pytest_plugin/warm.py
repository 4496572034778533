"""A process from which sessions of pytest are forked, with everything heavy already imported.

Each session has a process, a folder, an environment and an output of its own. Only imports are
spared, most of what a short session costs; the plugin's own modules are imported anew each time.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import random
import runpy
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
HEAVY = (
    "pytest", "scipy.optimize",
    "scipy.special", "jinja2", "uvloop", "harness.session.gate", "harness.client.dialect_client",
)  # fmt: skip


def run_warm(arguments: list[str], folder: Path, environment: dict[str, str], out: Path) -> int:
    """The exit code of pytest with the arguments, its output in the files `out` and `out`.err."""
    process = _parent()
    assert process.stdin is not None
    assert process.stdout is not None
    asked = {"arguments": arguments, "folder": str(folder), "environment": environment,
             "out": str(out)}  # fmt: skip
    process.stdin.write(json.dumps(asked) + "\n")
    process.stdin.flush()
    ready, _, _ = select.select([process.stdout], [], [], 300)
    if not ready:
        os.killpg(process.pid, signal.SIGKILL)
        _parent.cache_clear()
        raise TimeoutError(f"no end after 300 s: {arguments}")
    return int(process.stdout.readline())


@functools.cache
def _parent() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.pytest_plugin.warm"], cwd=ROOT, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    atexit.register(process.terminate)
    return process


def _serve() -> None:
    """Fork for each line of standard input, and tell how that ended, until there is no more."""
    for name in HEAVY:
        importlib.import_module(name)
    gc.freeze()  # a collection would write to all that is shared, and so copy it
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _become(arguments: list[str], folder: str, environment: dict[str, Any], out: str) -> None:
    """Leave as `python -m pytest` would, started in the folder."""
    for descriptor, path in enumerate((os.devnull, out, f"{out}.err")):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["pytest", *arguments]
    sys.path[0] = folder
    random.seed()
    try:
        runpy.run_module("pytest", run_name="__main__", alter_sys=True)
    except SystemExit as left:
        # Taking the interpreter down would copy what is shared, too.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(left.code or 0))
    finally:
        os._exit(1)  # whatever happens, no session comes back to be its own parent


if __name__ == "__main__":
    _serve()
