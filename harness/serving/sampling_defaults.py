"""The sampling that a model's `generation_config.json` gives to requests that do not say theirs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from harness.model_files import read_json
from harness.records.target import Generation, Identity

FILE = "generation_config.json"
OPTION = "generation-config"
# What vLLM takes from the file, by the name of the request's field that goes before it
# (vllm.config.ModelConfig.get_diff_sampling_param).
_FIELDS = {
    "repetition_penalty": "repetition_penalty",
    "temperature": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
    "min_p": "min_p",
    "max_new_tokens": "max_tokens",
}


def sampling_defaults(folder: Path) -> dict[str, Any]:
    """The defaults in a folder's file, by the name of the request's field; often none.

    Raises:
        UsageError: the file is no JSON.
    """
    path = folder / FILE
    found = read_json(path) if path.is_file() else None
    if not isinstance(found, dict):
        return {}
    return {field: found[name] for name, field in _FIELDS.items() if found.get(name) is not None}


def fields_of_the_model(args: Mapping[str, Any]) -> Collection[str]:
    """The fields that a server with these options may take from files of its model."""
    given = args.get(OPTION, args.get(OPTION.replace("-", "_"), "vllm"))
    return () if given == "vllm" else _FIELDS.values()


def defaults_in_force(folder: Path, identity: Identity, generation: Generation) -> dict[str, Any]:
    """The defaults that a managed server adds to the requests of a run, where its options ask.

    Fields that the requests hold go before them.

    Raises:
        UsageError: the file is no JSON.
    """
    given = str(identity.engine_args.get(OPTION, "vllm"))
    name, _, digest = given.rpartition(" ")
    given = name if digest.startswith("sha256:") else given  # as it stands behind a folder
    if given == "vllm":
        return {}
    sent = {"temperature", "top_p", "max_tokens", *generation.request_fields()}
    sent -= set(identity.request.omit)
    known = sampling_defaults(folder if given == "auto" else Path(given))
    return {name: value for name, value in known.items() if name not in sent}
