"""A child that does what its order says instead of work on weights."""

import os
import signal
import time

from harness.errors import UsageError
from harness.weights.events import carry_out


def work(order, events):
    do = order["do"]
    events.progress("working", 1, 2)
    events.say("half of it is done")
    if do == "finish":
        from pathlib import Path

        Path(order["result"]).write_text(os.environ.get("HF_HUB_OFFLINE", "online"))
    elif do == "usage":
        raise UsageError("no such task", where="suite.yaml:3", hint="name another")
    elif do == "memory":
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
    elif do == "fail":
        raise ValueError("two\nlines")
    elif do == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif do == "exit":
        print("the library gave up")
        os._exit(4)
    elif do == "eat":
        order["eaten"] = bytearray(os.urandom(1024)) * 1024 * 400
        time.sleep(60)
    else:
        time.sleep(60)


if __name__ == "__main__":
    carry_out(work)
