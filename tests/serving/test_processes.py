"""Whether a process is still the one that was noted."""

from __future__ import annotations

import os
import subprocess
import sys

from harness.serving.processes import started, this_machine


def test_a_process_is_told_from_one_that_has_its_number_later() -> None:
    own = started(os.getpid())
    assert own
    assert own == started(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    began = started(child.pid)
    assert began
    assert int(began) >= int(own)
    child.kill()
    assert started(child.pid) in (None, began)  # until it is known to be dead
    child.wait()
    assert started(child.pid) is None
    child.communicate()


def test_a_machine_is_always_the_same() -> None:
    assert this_machine() == this_machine() != ""
