"""What lm-eval built or scored, turned into our records; it runs in lm-eval's process."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import UsageError
from harness.lm_eval.results import Document, TaskResult
from harness.records.suite import Message

_EMPTY = "(an empty prompt)"
# lm-eval's own length of an answer where a task names none.
_MAX_TOKENS = 256
_SENT = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
_BITS = math.log(2)


def requested(one: Mapping[str, Any], task: Any, asked: Sequence[Any], version: str) -> TaskResult:
    """The documents of a task with what is to be asked about each, and no values.

    Raises:
        UsageError: a request cannot be sent to a chat server.
    """
    documents: dict[int, Document] = {}
    for request in asked:
        if request.doc_id in documents:
            if request.idx:
                raise UsageError(
                    f"task `{one['task']}` asks several things about a document",
                    hint="via: weights",
                )
            continue  # the same again, as often as the task repeats it
        context, settings = request.args
        documents[request.doc_id] = Document(
            hash=_hash(request.doc),
            messages=_messages(context),
            target=str(task.doc_to_target(request.doc)),
            group=_group(one, request.doc),
            sampling=_sampling(one["task"], settings),
            repeats=request.repeats or 1,
        )
    ordered = tuple(documents[number] for number in sorted(documents))
    return TaskResult(
        task=one["task"],
        version=str(task.VERSION),
        lm_eval=version,
        judge=one["judge"],
        documents=ordered,
    )


def collect(
    one: Mapping[str, Any], task: Any, found: Mapping[str, Any], version: str
) -> TaskResult:
    """The documents of a task with their values, and lm-eval's own results."""
    name = task.task_name
    rows: dict[int, list[Mapping[str, Any]]] = {}
    for row in found["samples"][name]:
        rows.setdefault(row["doc_id"], []).append(row)
    results, errors = {}, {}
    for called, (metric, filtering) in one["metrics"].items():
        value = found["results"][name].get(f"{metric},{filtering}")
        error = found["results"][name].get(f"{metric}_stderr,{filtering}")
        if isinstance(value, int | float):
            results[called] = float(value)
        if isinstance(error, int | float) and math.isfinite(error):
            errors[called] = float(error)
    return TaskResult(
        task=one["task"],
        version=str(found["versions"].get(name, task.VERSION)),
        lm_eval=version,
        judge=one["judge"],
        documents=tuple(_document(one, rows[number]) for number in sorted(rows)),
        results=results,
        errors=errors,
    )


def until_cut(text: str, settings: Mapping[str, Any]) -> str:
    """The answer up to the first of the texts that end it, as lm-eval's own models give it."""
    for end in _ends(settings):
        text = text.split(end)[0]
    return text


def _document(one: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Document:
    first = rows[0]
    arguments, answers = first["arguments"], first["resps"]
    values = {}
    for called, (metric, filtering) in one["metrics"].items():
        for row in rows:
            if row["filter"] == filtering and metric in row:
                term = _term(row[metric])
                if term is not None:
                    values[called] = term
    common: dict[str, Any] = {
        "hash": first["doc_hash"], "messages": _messages(arguments[0][0]),
        "target": _target(first), "group": _group(one, first["doc"]), "values": values,
    }  # fmt: skip
    if isinstance(answers[0][0], str):
        filtered = {
            row["filter"]: str(row["filtered_resps"][0])[:200]
            for row in rows
            if row["filter"] != "none"
        }
        return Document(**common, answers=tuple(answers[0]), filtered=filtered)
    contexts = {pair[0] for pair in arguments}
    return Document(
        **common,
        # Where the contexts differ, they are what is chosen among.
        choices=tuple(
            "".join(map(str, pair)) if len(contexts) > 1 else str(pair[-1]) for pair in arguments
        ),
        loglikelihoods=tuple(_likelihood(reply[0]) for reply in answers),
    )


def _likelihood(reply: Any) -> float:
    return float(reply[0] if isinstance(reply, tuple | list) else reply)


def _term(value: Any) -> tuple[float, float] | None:
    """The value's part in a mean, or in bits per byte; None where it is no number."""
    if isinstance(value, tuple | list) and len(value) == 2:
        nats, size = map(float, value)
        return (-nats / _BITS, size) if math.isfinite(nats) and size > 0 else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return (number, 1.0) if math.isfinite(number) else None


def _target(row: Mapping[str, Any]) -> str:
    """What is expected: of a choice its text and not its number."""
    target, arguments = row["target"], row["arguments"]
    if isinstance(target, int) and 0 <= target < len(arguments) and len(arguments) > 1:
        return str(arguments[target][-1]).strip()
    return str(target)


def _messages(context: Any) -> tuple[Message, ...]:
    """The prompt as messages; what a chat template has made of it is one of the user's."""
    text = str(context)
    try:
        chat = json.loads(text) if text.startswith('[{"role"') else None
    except ValueError:
        chat = None
    if chat is not None:
        return tuple(Message(role=turn["role"], content=turn["content"]) for turn in chat)
    return (Message(role="user", content=text if text.strip() else _EMPTY),)


def _group(one: Mapping[str, Any], doc: Any) -> str | None:
    key = one["group_by"]
    if key is None:
        return None
    if key not in doc:
        raise UsageError(
            f"the documents of task `{one['task']}` have no `{key}`",
            where=f"{one['where']}: group_by",
            hint=f"they have {', '.join(map(str, doc))}",
        )
    return str(doc[key]).strip() or None


def _sampling(task: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a request as our client sends them."""
    own = {"until", "do_sample", "max_gen_toks", "max_tokens", "max_new_tokens"}
    unknown = sorted(settings.keys() - own - set(_SENT))
    if unknown:
        raise UsageError(
            f"task `{task}` sets `{unknown[0]}` in generation_kwargs, which no chat server takes",
            hint="via: weights",
        )
    longest = next(
        (settings[one] for one in sorted(own) if one.startswith("max_") and one in settings), None
    )
    found = {name: settings[name] for name in _SENT if name in settings}
    if not settings.get("do_sample", False):
        found["temperature"] = 0.0
    ends = _ends(settings)
    return {
        **found,
        "max_tokens": int(longest or _MAX_TOKENS),
        **({"stop": ends} if ends else {}),
    }


def _ends(settings: Mapping[str, Any]) -> list[str]:
    until = settings.get("until") or []
    return [one for one in ([until] if isinstance(until, str) else until) if one]


def _hash(doc: Any) -> str:
    """The digest of a document as lm-eval's samples have it."""
    from lm_eval.utils import handle_non_serializable, hash_string

    text = json.dumps(doc, indent=2, default=handle_non_serializable, ensure_ascii=False)
    return str(hash_string(text))
