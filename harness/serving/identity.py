"""What a managed server's answers depend on, known without starting it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.files import digest_bytes, digest_json, directory_digest, file_digest, read_text
from harness.records.target import Identity
from harness.serving.adapter import read_adapter
from harness.serving.command import effective_args, require_vllm
from harness.serving.spec import ArgValue, ServeSpec

# Several of these go by other names elsewhere; what is not there is not counted.
_MODEL_FILES = (
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "params.json",
    "generation_config.json",
    "*quant*_config.json",
    "tekken.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
    "*.tiktoken",
)


def model_identity(
    server_name: str, spec: ServeSpec, adapter: str | None, version: str | None = None
) -> Identity:
    """The identity of the base of `spec`, or of one of its adapters by name.

    `version` stands for that of the vLLM installed here, which is asked for where it is None.

    Raises:
        UsageError: the model or the adapter is not there or cannot be read; no vLLM installed.
    """
    check_model(spec.model)
    if adapter is not None and adapter not in spec.adapters:
        raise UsageError(f"serves no adapter `{adapter}`", where=server_name)
    patterns = (*_MODEL_FILES, "*.py") if spec.trust_remote_code else _MODEL_FILES
    return Identity(
        server=server_name,
        server_version=version or require_vllm(),
        model=adapter or spec.base_name,
        weights=directory_digest(spec.model, patterns),
        adapter=None if adapter is None else read_adapter(spec.adapters[adapter]).digest,
        chat_template=_chat_template(spec),
        engine_args=_args(spec),
    )


def check_model(model: Path) -> None:
    """Return if the folder holds a model that can be served.

    Raises:
        UsageError: it does not.
    """
    if not model.is_dir():
        raise UsageError(
            "no such model", where=str(model), hint="`make demo` builds the demo's; check the path"
        )
    if not (model / "config.json").is_file():
        raise UsageError("is not a model: no config.json", where=str(model), hint="check the path")
    if next(model.glob("*.safetensors"), None) is None:
        raise UsageError(
            "the model holds no *.safetensors; other formats can run code when loaded",
            where=str(model),
            hint="save it again as safetensors",
        )


def _args(spec: ServeSpec) -> dict[str, ArgValue]:
    """The options in effect; one that is a path stands for what lies there too."""
    found = effective_args(spec)
    for name, value in found.items():
        if isinstance(value, str) and (digest := _digest_at(value)) is not None:
            found[name] = f"{value} {digest}"
    return found


def _digest_at(value: str) -> str | None:
    """The digest of the file or folder that an option's value names, if there is one."""
    path = Path(value)
    with contextlib.suppress(OSError, ValueError):  # no path at all: too long, or with a NUL
        if path.is_file():
            return file_digest(path)
        if path.is_dir() and any(file.is_file() for file in path.iterdir()):
            return directory_digest(path, ("*",))
    return None


def _chat_template(spec: ServeSpec) -> str | None:
    """The digest of the template in use, looked for where vLLM and transformers look."""
    given = spec.args.get("chat-template", spec.args.get("chat_template"))
    if isinstance(given, str):
        file = Path(given)
        return file_digest(file) if file.is_file() else digest_bytes(given.encode())
    alone = spec.model / "chat_template.jinja"
    if alone.is_file():
        return file_digest(alone)
    for name in ("tokenizer_config.json", "chat_template.json"):
        if (spec.model / name).is_file():
            template = _json(spec.model / name).get("chat_template")
            if template:
                return digest_json(template)
    return None


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}", where=str(path)) from None
    return data if isinstance(data, dict) else {}
