"""One training in several processes, a GPU each: data-parallel, as torchrun starts it.

Each process has a whole model and a share of every batch. Gradients are averaged over the tokens of
all of them before a step (torch's DistributedDataParallel), so a step learns from as many examples
as in one process. The processes find each other by the environment that torchrun sets.
"""

from __future__ import annotations

import math
import os
import socket
import threading
from collections.abc import Iterable
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import Any

from harness.errors import HarnessError, RecipeError, TrainingError, UsageError
from harness.training import child
from harness.training.candidate import Recipe
from harness.training.fit import Outcome, fit
from harness.training.job import Divided, TrainingJob
from harness.training.libraries import (
    OnProgress,
    OnSay,
    import_torch_patiently,
    silent,
    unheard,
)

LOOPBACK = "127.0.0.1"


def share(recipe: Recipe, processes: int) -> Recipe:
    """The recipe of each of several processes, which together make the recipe's steps.

    Fewer batches are accumulated as far as that goes; beyond that the batches are smaller.

    Raises:
        RecipeError: the examples of a step cannot be divided by the number of processes.
    """
    fewer = math.gcd(recipe.gradient_accumulation, processes)
    smaller = processes // fewer
    if recipe.batch_size % smaller:
        raise RecipeError(
            f"a step of {recipe.batch_size} x {recipe.gradient_accumulation} examples "
            f"(`batch_size` x `gradient_accumulation`) cannot be divided among {processes} "
            "processes",
            where=f"recipe {recipe.name}",
            hint=f"make `batch_size` a multiple of {smaller}, or take fewer processes",
        )
    changes = {
        "batch_size": recipe.batch_size // smaller,
        "gradient_accumulation": recipe.gradient_accumulation // fewer,
    }
    return recipe.model_copy(update=changes)


def fit_in_processes(
    job: TrainingJob, divided: Divided, processes: int, on_progress: OnProgress, on_say: OnSay
) -> Outcome:
    """The outcome of `fit` in so many processes on this machine, of which the first one reports.

    All of them end with this call, however it ends: one that waits for one that failed would wait
    for ever.

    Raises:
        UsageError: there are GPUs, and fewer of them.
        RecipeError, TrainingError: as `share` and `fit`, from the process that failed first.
    """
    _check_gpus(processes)
    shared = replace(job, recipe=share(job.recipe, processes))
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))
        port = int(held.getsockname()[1])
    ranks: dict[Connection[Any, Any], Any] = {}
    try:
        for rank in range(processes):
            place = rank, processes, port
            end, process = child.start(_work, job.recipe.name, (shared, divided, place))
            ranks[end] = process
        while True:
            for reports in wait(list(ranks)):
                assert isinstance(reports, Connection)
                try:
                    report = reports.recv()
                except (EOFError, OSError):
                    ranks[reports].join()
                    raise child.died(job.recipe.name, ranks[reports]) from None
                if isinstance(report, Outcome):
                    return report
                if isinstance(report, HarnessError):
                    raise _first(report, job.recipe.name, ranks.values())
                if isinstance(report, tuple):
                    on_progress(*report)
                else:
                    on_say(report)
    finally:
        child.kill(ranks.values())


def several_gpus() -> bool:
    """Whether this machine has more GPUs than one, which transformers would take for one model."""
    import_torch_patiently()
    import torch

    return bool(torch.cuda.device_count() > 1)


def _check_gpus(processes: int) -> None:
    import_torch_patiently()
    import torch

    if torch.cuda.is_available() and torch.cuda.device_count() < processes:
        raise UsageError(
            f"{processes} processes need as many GPUs, and {torch.cuda.device_count()} are here",
            hint="give --processes as many as there are",
        )


def _first(error: HarnessError, name: str, processes: Iterable[Any]) -> HarnessError:
    """The error, or that of a process that was killed: the others then find their peer gone."""
    killed = (one for one in processes if one.exitcode not in (None, 0))
    return next((child.died(name, one) for one in killed), error)


def _work(
    job: TrainingJob,
    divided: Divided,
    place: tuple[int, int, int],
    reports: Connection[Any, Any],
) -> None:
    """Train in a process of several: only the first one speaks, and each one says its error.

    `place` is the process's number, how many there are, and the port at which they meet.
    """
    child.obey_parent()
    rank, processes, port = place
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE=str(processes),
        LOCAL_WORLD_SIZE=str(processes),
        MASTER_ADDR=LOOPBACK,
        MASTER_PORT=str(port),
    )
    import_torch_patiently()
    import torch

    if torch.cuda.is_available():
        torch.cuda.set_device(rank)  # where a base in 4 bits is loaded

    def send(stage: str, done: int, total: int, detail: str) -> None:
        reports.send((stage, done, total, detail))

    leads = rank == 0
    try:
        outcome = fit(
            job, divided, send if leads else silent, reports.send if leads else unheard, processes
        )
    except HarnessError as error:
        reports.send(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the others wait
        reports.send(TrainingError(f"{type(error).__name__}: {error}", where=job.recipe.name))
    else:
        if leads:
            reports.send(outcome)
    # Until the first process kills this one: were it gone, the others would fail in their turn.
    threading.Event().wait()
