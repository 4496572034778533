"""The child that runs lm-eval: `python -m harness.lm_eval.worker ORDER_FILE`.

An order has `tasks`, and what answers them: `weights`, loaded once for all of them, or for each
task the file of `answers` that a server gave. Without either the requests are only built. What
comes of a task is written to its file as soon as the task is over.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.clock import SYSTEM_CLOCK
from harness.errors import HarnessError, InfrastructureError, UsageError
from harness.files import write_atomic
from harness.lm_eval.documents import collect, requested, until_cut
from harness.lm_eval.results import TaskResult
from harness.weights.events import Events, carry_out

_OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")
_EVERY = 0.5  # seconds between two reports of progress
# lm-eval's own draws for a standard error; that of a mean needs none.
_DRAWS = 100
_TORCH = "torch_random_seed"
_SEEDS = ("random_seed", "numpy_random_seed", _TORCH, "fewshot_random_seed")


@dataclass
class Runner:
    """What answers the tasks, and where their progress goes."""

    order: Mapping[str, Any]
    events: Events
    lm: Any = None
    _managers: dict[tuple[str, ...], Any] = field(default_factory=dict)

    def run(self) -> None:
        """Load every task, then the weights, then work on one task after the other."""
        tasks = self.order["tasks"]
        loaded = []
        for number, one in enumerate(tasks):
            self.events.progress("loading tasks", number, len(tasks))
            loaded.append(self._load(one))
        self.events.progress("loading tasks", len(tasks), len(tasks))
        if self.order.get("weights"):
            self.lm = self._model()
        for one, task in zip(tasks, loaded, strict=True):
            if self.lm is not None:
                result = self._evaluated(one, task, self.lm, limit=one["limit"])
            elif one.get("answers"):
                result = self._answered(one, task)
            else:
                result = self._requested(one, task)
            write_atomic(Path(one["out"]), result.model_dump_json(exclude_defaults=True))

    def _load(self, one: Mapping[str, Any]) -> Any:
        """The task; groups and tags were followed before, so that only its name is left.

        As a member of a group it takes settings besides its file's.
        """
        from lm_eval.tasks import TaskManager

        paths = tuple(one["include"])
        if paths not in self._managers:
            self._managers[paths] = TaskManager(include_path=list(paths), include_defaults=False)
        member = {**one["overrides"], "task": one["task"]}
        with _data_of(one):
            loaded = self._managers[paths].load([{"group": "section", "task": [member]}])
        (task,) = loaded["tasks"].values()
        return task

    def _model(self) -> Any:
        """lm-eval's model of the weights."""
        self.events.say("lm-eval loads the weights")
        import torch
        from lm_eval.models.huggingface import HFLM

        weights, settings = self.order["weights"], self.order["model"]
        model = HFLM(
            pretrained=weights["base"],
            peft=weights["adapter"],
            dtype=weights["dtype"],
            trust_remote_code=weights["trust_remote_code"],
            batch_size=settings["batch_size"],
            device=settings["device"] or ("cuda" if torch.cuda.is_available() else "cpu"),
        )
        if settings["chat_template"] is not None:
            model.tokenizer.chat_template = settings["chat_template"]
        return model

    def _evaluated(
        self,
        one: Mapping[str, Any],
        task: Any,
        lm: Any,
        *,
        limit: float | None = None,
        samples: list[int] | None = None,
    ) -> TaskResult:
        from lm_eval import evaluator

        # It describes the machine with each result, which takes seconds.
        evaluator.add_env_info = lambda _: None
        seeds: dict[str, int | None] = {}
        if one["seed"] is not None:
            seeds = dict.fromkeys(_SEEDS, one["seed"])
        own = bool(self.order.get("weights"))
        if not own:
            seeds[_TORCH] = None  # torch would be loaded for it
        with _progress(self.events, one["task"]) if own else nullcontext():
            found = evaluator.simple_evaluate(
                model=lm,
                tasks=[task],
                task_manager=self._managers[tuple(one["include"])],
                num_fewshot=one["num_fewshot"],
                limit=limit,
                samples=None if samples is None else {task.task_name: samples},
                system_instruction=one["system_instruction"],
                apply_chat_template=one["apply_chat_template"],
                fewshot_as_multiturn=one["fewshot_as_multiturn"],
                confirm_run_unsafe_code=one["unsafe_code"],
                bootstrap_iters=_DRAWS,
                **seeds,
            )
        return collect(one, task, found, version("lm-eval"))

    def _requested(self, one: Mapping[str, Any], task: Any) -> TaskResult:
        lm = server_model(None)
        try:
            self._evaluated(one, task, lm, limit=one["limit"])
        except _Collected:
            return requested(one, task, lm.asked, version("lm-eval"))
        raise InfrastructureError(f"lm-eval asked nothing for task `{one['task']}`")

    def _answered(self, one: Mapping[str, Any], task: Any) -> TaskResult:
        """The result on those documents that were answered."""
        given = json.loads(Path(one["answers"]).read_text(encoding="utf-8"))
        answers = {int(number): texts for number, texts in given.items()}
        samples = sorted(answers)
        lm = server_model([answers[number] for number in samples])
        return self._evaluated(one, task, lm, samples=samples)


class _Collected(Exception):
    """The requests are built, and nobody answers them here."""


def server_model(answers: list[list[str]] | None) -> Any:
    """A model of lm-eval's that has the answers to each document, or that takes the requests.

    A chat is JSON, which our own client sends as it is.
    """
    from lm_eval.api.model import LM

    class Server(LM):  # type: ignore[misc]  # the library's class is untyped
        """Stands for the server, which was asked or is to be asked by our own client."""

        asked: list[Any]

        @property
        def tokenizer_name(self) -> str:
            return "server"

        def apply_chat_template(
            self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
        ) -> str:
            if not add_generation_prompt:
                raise UsageError(
                    "a task begins the answer itself (`gen_prefix`), and a chat server takes no "
                    "begun answer",
                    hint="via: weights",
                )
            return json.dumps([dict(one) for one in chat_history], ensure_ascii=False)

        def generate_until(self, requests: list[Any], *_: Any, **__: Any) -> list[str]:
            if answers is None:
                self.asked = requests
                raise _Collected
            left = [iter(texts) for texts in answers]
            return [until_cut(next(left[one.doc_id]), one.args[1]) for one in requests]

        def loglikelihood(self, *_: Any, **__: Any) -> list[Any]:
            raise UsageError("a server is not asked for log-likelihoods", hint="via: weights")

        loglikelihood_rolling = loglikelihood

    return Server()


@contextmanager
def _data_of(one: Mapping[str, Any]) -> Iterator[None]:
    """Say of a task whose data cannot be had what it is and where it was looked for."""
    try:
        yield
    except HarnessError:
        raise
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        if not one["hub"]:
            raise UsageError(f"task `{one['task']}` cannot be loaded: {text}") from error
        what = f"the data of task `{one['task']}`, {one['hub']} on a hub, cannot be had: {text}"
        offline = [name for name in _OFFLINE if os.environ.get(name, "0") not in ("", "0")]
        if offline:
            raise UsageError(
                what, hint=f"{offline[0]} is set: unset it, or fetch the data before"
            ) from error
        raise InfrastructureError(what) from error


@contextmanager
def _progress(events: Events, task: str) -> Iterator[None]:
    """Tell the progress that lm-eval shows for its requests."""
    from lm_eval.models import huggingface

    usual, last = huggingface.tqdm, [0.0]

    def update(bar: Any, n: float = 1) -> Any:
        shown = usual.update(bar, n)
        # A disabled bar counts nothing; a rolling window has a bar of its own.
        if bar.total and bar.total > 1 and not bar.disable:
            now = SYSTEM_CLOCK.now()
            if now - last[0] > _EVERY or bar.n >= bar.total:
                last[0] = now
                events.progress(f"lm-eval {task}", int(bar.n), int(bar.total))
        return shown

    huggingface.tqdm = type("Told", (usual,), {"update": update})
    try:
        yield
    finally:
        huggingface.tqdm = usual


def work(order: Mapping[str, Any], events: Events) -> None:
    """Carry out the order."""
    logging.basicConfig(level=logging.WARNING)
    Runner(order, events).run()


if __name__ == "__main__":
    carry_out(work)
