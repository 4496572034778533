"""The examination of a target: every step in its order, until one makes the rest pointless."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from harness.clock import SYSTEM_CLOCK
from harness.config import Project
from harness.doctor.access import check_adapter, check_context, check_key, check_models
from harness.doctor.answers import (
    check_answer,
    check_limits,
    check_logprobs,
    check_seed,
    check_system,
    check_usage,
)
from harness.doctor.connection import check_address, check_proxy, check_tls
from harness.doctor.machine import check_memory, check_vllm
from harness.doctor.step import Examination, Step
from harness.doctor.visit import Visit, patient
from harness.errors import HarnessError, UsageError
from harness.event_loop import run_async
from harness.model_files import chat_template_text
from harness.records.server import ManagedServer
from harness.serving.command import ServeSpec
from harness.targets.client_stack import open_stack
from harness.targets.connection import connect
from harness.targets.endpoint import Endpoint, model_name, serve_spec
from harness.targets.models import TOKENIZER, check_on_hub

Check = Callable[[Visit], Awaitable[Step]]

# The name of each step, its check, and whether nothing after it can pass where it failed.
_DOOR: tuple[tuple[str, Check, bool], ...] = (
    ("address", check_address, True),
    ("proxy", check_proxy, True),
    ("TLS", check_tls, True),
    ("key", check_key, True),
    ("models", check_models, True),
    ("answer", check_answer, True),
    ("usage", check_usage, False),
)
_MODEL: tuple[tuple[str, Check, bool], ...] = (
    ("logprobs", check_logprobs, False),
    ("seed", check_seed, False),
    ("limits", check_limits, False),
    ("adapter", check_adapter, False),
    ("context", check_context, False),
    ("system role", check_system, False),
)


def examine(
    project: Project, target: str, *, start: bool, say: Callable[[str], None]
) -> list[Examination]:
    """The examinations of a target, one an address of its server.

    A managed server is started where `start` says so; else its files and its memory are looked at.

    Raises:
        UsageError: there is no such target.
    """
    chosen = project.target(target)
    configured = project.config.servers[chosen.server]
    steps: list[Step] = []
    about = f"`{model_name(project, target)}` on {chosen.server}"
    try:
        if isinstance(configured, ManagedServer):
            steps = examine_files(project, target, fetch=start)
            if not start or any(step.outcome == "failed" for step in steps):
                rest = tuple(name for name, _, _ in (*_DOOR, *_MODEL))
                return [Examination(target, f"{about}, not started", tuple(steps), rest)]
        log = project.root / ".harness" / "doctor.log"
        with connect(project, chosen.server, [target], log, say) as endpoint:
            return [
                run_async(_visit(project, target, endpoint, url, steps)) for url in endpoint.urls
            ]
    except UsageError as error:
        steps = [*steps, Step.of_error("configuration", error)]
        return [Examination(target, about, tuple(steps))]
    except HarnessError as error:
        steps = [*steps, Step.of_error("start", error)]
        return [Examination(target, about, tuple(steps))]


async def _visit(
    project: Project, target: str, endpoint: Endpoint, url: str, before: Sequence[Step]
) -> Examination:
    settings = patient(project.generation(target))
    model = model_name(project, target)
    alone = endpoint.at(url)
    async with open_stack(alone, settings, SYSTEM_CLOCK) as clients:
        visit = Visit(project, target, model, alone, url, clients.client, settings)
        checks = _DOOR if visit.is_chatbot else (*_DOOR, *_MODEL)
        tried: list[Step] = []
        for _, check, needed in checks:
            tried.append(await check(visit))
            if needed and tried[-1].outcome == "failed":
                break
        about = f"`{model}` on {project.target(target).server} ({url})"
        rest = tuple(name for name, _, _ in checks[len(tried) :])
        return Examination(target, about, (*before, *tried), rest)


def examine_files(project: Project, target: str, *, fetch: bool) -> list[Step]:
    """What can be said of a managed target before its server runs: files, vLLM, memory.

    A model that is named on a hub and is not here is fetched where `fetch` says so; else the hub
    is asked whether it has one of that name.

    Raises:
        UsageError: a file of the model or the adapter is missing or does not fit.
    """
    server = project.target(target).server
    if not fetch:
        check_on_hub(project, target)
    spec = serve_spec(project, server, [target], project.root / "unused", here=not fetch)
    adapters = f", adapter {', '.join(map(str, spec.adapters.values()))}" if spec.adapters else ""
    return [
        Step("files", "ok", f"{spec.model}{adapters}"),
        _check_template(spec, project.generation(target).chat_template_kwargs or {}),
        check_vllm(needed=True),
        check_memory(project, server),
    ]


def _check_template(spec: ServeSpec, arguments: Mapping[str, object]) -> Step:
    """Whether there is a chat template, without which vLLM answers no conversation.

    An argument that it does not read changes nothing, and vLLM says nothing of it.
    """
    given = spec.args.get("chat-template", spec.args.get("chat_template"))
    tokenizer = Path(str(spec.args.get(TOKENIZER, spec.model)))
    text = given if given is None else str(given)
    texts = chat_template_text(tokenizer, text), chat_template_text(spec.model)
    found = next((one for one in texts if one is not None), None)
    if found is None:
        return Step(
            "chat template",
            "failed",
            "neither the model's folder nor the server's `args` have one",
            "write `args: {chat-template: FILE}` on the server, with the template that the model "
            "was trained with",
        )
    unread = [name for name in arguments if not re.search(rf"\b{re.escape(name)}\b", found)]
    if unread:
        return Step(
            "chat template",
            "cannot",
            f"it reads no `{'`, `'.join(unread)}`, so that nothing changes by it",
            "correct the name under `generation: {chat_template_kwargs: …}`, or take it out",
        )
    return Step("chat template", "ok", "of the server's `args`" if given else "the model's own")
