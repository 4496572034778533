"""How torch's threads wait for each other on a machine that has other work too."""

from __future__ import annotations

import os

WAIT_POLICY = "OMP_WAIT_POLICY"


def import_torch_patiently() -> None:
    """Import torch so that its threads sleep while they wait, instead of spinning.

    OpenMP reads this when its library is loaded. Spinning threads wait for one that the system
    does not let run: one other busy process makes training on two cores dozens of times slower.
    Nothing changes where torch is imported already, or where the user set the policy.
    """
    given = os.environ.get(WAIT_POLICY)
    os.environ.setdefault(WAIT_POLICY, "PASSIVE")
    try:
        import torch  # noqa: F401 - for its library, which reads the environment now
    finally:
        if given is None:
            del os.environ[WAIT_POLICY]  # processes that we start have policies of their own
