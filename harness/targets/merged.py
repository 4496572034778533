"""A candidate's adapter merged into its base, with the proof that it is the same model."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from harness.config import Project
from harness.errors import AdapterNotApplied, EvidenceError, UsageError
from harness.files import make_folder, seen_from, write_atomic
from harness.hub.resolve import ModelFolder, find
from harness.machine_memory import size
from harness.model_files import chat_template_digest, model_digest, read_json
from harness.records.server import ManagedServer, RemoteServer
from harness.records.suite import Message
from harness.serving.adapter import read_adapter
from harness.serving.command import ArgValue
from harness.serving.merge import (
    MergeAnswers,
    MergeOrder,
    Room,
    base_dtype,
    check_free,
    check_mergeable,
    check_room,
    needed_room,
    new_folder,
    resized_rows,
    run_merge,
    tokenizer_folder,
    touches_embeddings,
)
from harness.targets.models import server_model, target_adapter
from harness.targets.probes import TOLERANCES, gaps_between
from harness.training.candidate import DOSSIER
from harness.version import installed_versions

RECORD = "merge.json"
BASE_DTYPE = "base"
_VERSIONS = ("torch", "transformers", "peft", "safetensors")
_LORA_OPTIONS = ("lora", "loras")


@dataclass(frozen=True, slots=True)
class MergeProof:
    """How far the merged model's answers are from the adapter's, in nats.

    `noise` is what answers of one model differ by here, `threshold` what is allowed; `changed`
    counts the probes that the adapter answers differently from its base.
    """

    probes: int
    largest: float
    noise: float
    threshold: float
    same_texts: int
    changed: int

    @property
    def holds(self) -> bool:
        """Whether every answer is within what is allowed."""
        return self.largest <= self.threshold


@dataclass(frozen=True, slots=True)
class Merging:
    """A merge that nothing stands against so far: where it reads, where it writes, how."""

    target: str
    base: ModelFolder
    adapter: ModelFolder
    folder: Path
    dtype: str
    room: Room


def prepare(
    project: Project, target: str, base: str | None, folder: Path | None, dtype: str
) -> Merging:
    """The merge of a target's adapter into its server's model, or the `base` given instead.

    Models on a hub are fetched. The `dtype` is float32, bfloat16, float16, or `base` for that of
    the base's weights.

    Raises:
        UsageError: no adapter, no base, two that do not fit, or the folder is there already.
        InfrastructureError: no room in memory or on the disk, or a hub cannot be reached.
    """
    chosen = project.target(target)
    if chosen.adapter is None:
        raise UsageError(
            f"`{target}` has no adapter, so there is nothing to merge",
            where=project.place(f"targets.{target}"),
            hint="name a target with `adapter:`",
        )
    where = folder or project.root / ".harness" / "models" / f"{target}-merged"
    check_free(where)
    model, adapter = _base(project, target, base), target_adapter(project, target)
    check_mergeable(model.path, adapter.path)
    if dtype == BASE_DTYPE:
        dtype = base_dtype(model.path)
    room = needed_room(model.path, adapter.path, dtype)
    check_room(room, where)
    return Merging(target, model, adapter, where, dtype, room)


def _base(project: Project, target: str, given: str | None) -> ModelFolder:
    server = project.target(target).server
    if given is not None:
        named = find(given, project.root, "model", "--base", None)
        return named or ModelFolder(Path(given))
    if isinstance(project.config.servers[server], ManagedServer):
        return server_model(project, server)
    raise UsageError(
        f"`{target}` is on a server at a url, whose base is not known here",
        where=project.place(f"targets.{target}.server"),
        hint="name the base's weights: --base FOLDER or ORG/NAME",
    )


def merge(
    project: Project,
    merging: Merging,
    probes: Sequence[Sequence[Message]],
    say: Callable[[str], None],
) -> MergeProof:
    """The proof of the merged model, which stands in its folder by then.

    Raises:
        EvidenceError: it does not answer as the adapter does, or the adapter changes no answer;
            nothing is left in the folder.
        InfrastructureError: the merge did not come to its end.
    """
    log = project.root / ".harness" / "merge.log"
    make_folder(log.parent)
    with new_folder(merging.folder) as work:
        order = _order(project, merging, probes)
        proof = prove(run_merge(replace(order, folder=str(work)), log, say))
        _check(merging, proof)
        write_atomic(work / RECORD, json.dumps(_record(merging, proof), indent=2) + "\n")
    return proof


def prove(answers: MergeAnswers) -> MergeProof:
    """How the merged model's answers compare with the adapter's.

    In a shorter type they may differ by what the same rounding does to the base.
    """
    gaps = gaps_between(answers.adapter, answers.merged)
    noise = answers.noise
    if answers.rounded is not None:
        noise = max(noise, *gaps_between(answers.base, answers.rounded))
    pairs = zip(answers.adapter, answers.merged, strict=True)
    beyond = max(TOLERANCES.repeated, TOLERANCES.noise_factor * answers.noise)
    return MergeProof(
        probes=len(gaps),
        largest=max(gaps),
        noise=noise,
        threshold=TOLERANCES.threshold(TOLERANCES.replica, noise),
        same_texts=sum([t for t, _ in one] == [t for t, _ in other] for one, other in pairs),
        changed=sum(gap > beyond for gap in gaps_between(answers.base, answers.adapter)),
    )


def _check(merging: Merging, proof: MergeProof) -> None:
    if proof.changed == 0:
        raise AdapterNotApplied(
            f"the adapter answers all {proof.probes} probes exactly as its base does",
            where=str(merging.adapter.path),
            hint="it is empty: train it again, or check its files",
        )
    if not proof.holds:
        raise EvidenceError(
            f"the merged model is not the adapter's: its answers to {proof.probes} probes differ "
            f"by up to {proof.largest:.2g} nats, {proof.threshold:.2g} are allowed (noise "
            f"{proof.noise:.2g}); nothing was written",
            where=str(merging.folder),
            hint="--dtype float32 rounds nothing"
            if merging.dtype != "float32"
            else "see docs/merge.md",
        )


def _order(project: Project, merging: Merging, probes: Sequence[Sequence[Message]]) -> MergeOrder:
    base, adapter = merging.base.path, merging.adapter.path
    server = project.config.servers[project.target(merging.target).server]
    arguments = project.generation(merging.target).chat_template_kwargs
    return MergeOrder(
        base=str(base.absolute()),
        adapter=str(adapter.absolute()),
        tokenizer=str(tokenizer_folder(base, adapter).absolute()),
        folder="",
        dtype=merging.dtype,
        probes=tuple(
            tuple({"role": turn.role, "content": turn.content} for turn in turns)
            for turns in probes
        ),
        template_kwargs=dict(arguments or {}),
        rows=resized_rows(base, adapter),
        embeddings=touches_embeddings(adapter),
        trust_remote_code=isinstance(server, ManagedServer) and server.trust_remote_code,
    )


def _record(merging: Merging, proof: MergeProof) -> dict[str, Any]:
    """What `merge.json` holds: what was merged, how it was proved, with what it was made."""
    return {
        "schema_version": 1,
        "base": merging.base.source or str(merging.base.path),
        "base_digest": model_digest(merging.base.path),
        "adapter": merging.adapter.source or str(merging.adapter.path),
        "adapter_digest": read_adapter(merging.adapter.path).digest,
        "dtype": merging.dtype,
        "proof": {
            "probes": proof.probes,
            "largest_gap": proof.largest,
            "threshold": proof.threshold,
            "noise": proof.noise,
            "same_texts": proof.same_texts,
            "changed_by_adapter": proof.changed,
        },
        "versions": installed_versions(_VERSIONS),
    }


def notes(merging: Merging) -> list[str]:
    """What a user should know of the merge before it begins, a line each."""
    base, adapter = merging.base.path, merging.adapter.path
    stored = base_dtype(base)
    found = [
        f"about {size(merging.room.memory)} of memory and {size(merging.room.disk)} of disk; "
        f"weights in {merging.dtype}"
        + (
            f", the base's are in {stored}: `--dtype {BASE_DTYPE}` keeps that"
            if merging.dtype != stored
            else ""
        )
    ]
    if tokenizer_folder(base, adapter) == adapter:
        found.append("tokenizer and chat template are the adapter's own")
    elif chat_template_digest(adapter) not in (None, chat_template_digest(base)):
        found.append(
            "the adapter's folder has another chat template than the base, with which it is "
            "served; the base's is taken"
        )
    if _trained_in_4_bit(adapter):
        found.append(
            "the adapter was trained on a 4-bit base (QLoRA); it is merged into the full weights, "
            "on which it is served too"
        )
    return found


def _trained_in_4_bit(adapter: Path) -> bool:
    """Whether our dossier says so, or the base's name, as unsloth gives it."""
    if "bnb-4bit" in read_adapter(adapter).base_name:
        return True
    dossier = read_json(adapter / DOSSIER) if (adapter / DOSSIER).is_file() else None
    recipe = dossier.get("recipe") if isinstance(dossier, dict) else None
    return isinstance(recipe, dict) and recipe.get("method") == "qlora"


def configuration(project: Project, merging: Merging) -> str:
    """The lines to add to the configuration, so that the merged model can be tested as a target."""
    chosen = project.target(merging.target)
    server = project.config.servers[chosen.server]
    name = f"{merging.target}-merged"
    folder = seen_from(project.root, merging.folder)
    lines: dict[str, Any] = {"engine": "vllm", "model": folder}
    if isinstance(server, ManagedServer):
        if args := _args(server.args, merging):
            lines["args"] = args
        if server.trust_remote_code:
            lines["trust_remote_code"] = True
    if isinstance(server, ManagedServer | RemoteServer) and server.request:
        lines["request"] = server.request.model_dump(mode="json", exclude_defaults=True)
    target: dict[str, Any] = {"server": name}
    if chosen.system_prompt is not None:
        target["system_prompt"] = chosen.system_prompt
    target |= chosen.model_dump(include={"few_shot", "retrieval"})
    if chosen.generation:
        target["generation"] = chosen.generation
    return f"servers:\n  {name}: {_flow(lines)}\ntargets:\n  {name}: {_flow(target)}"


def _args(given: Mapping[str, ArgValue], merging: Merging) -> dict[str, ArgValue]:
    """The server's options without those for adapters; the type stays what it was."""
    kept = {
        name: value
        for name, value in given.items()
        if not any(word in _LORA_OPTIONS for word in name.replace("_", "-").split("-"))
    }
    if "dtype" not in kept and merging.dtype != base_dtype(merging.base.path):
        kept["dtype"] = merging.dtype
    return kept


def _flow(value: Mapping[str, Any]) -> str:
    return yaml.safe_dump(
        dict(value), default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True
    ).strip()
