"""What the files of a link say: template, tokenizer, precision, context, what was merged."""

from __future__ import annotations

import contextlib
import datetime
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from harness.chain.conversations import TESTS
from harness.chain.link import LinkFiles
from harness.errors import HarnessError, UsageError
from harness.files import digest_bytes, digest_json, read_bytes
from harness.model_files import chat_template_digest, read_json
from harness.serving.adapter import read_adapter
from harness.training.bounded_template import TooMuch, bounded, check_length

MERGE_RECORD = "merge.json"
_SPECIAL = ("bos_token", "eos_token")
_GENERATION_MARK = re.compile(r"\{%-?\s*(end)?generation\s*-?%\}")
# What a name says of the weights behind it, where no file does.
_NAMED = re.compile(
    r"(?<![a-z0-9])(int8|int4|w4a16|w8a8|fp8|nf4|awq|gptq|bnb|4-?bit|8-?bit|i?q[2-8](?:_[0-9a-z]+)*"
    r"|bf16|fp16|f16|fp32|f32)(?![a-z0-9])"
)
_FULL_NAMES = {
    "bf16": "bfloat16", "fp16": "float16", "f16": "float16", "half": "float16",
    "fp32": "float32", "f32": "float32", "float": "float32",
}  # fmt: skip


def read_files(
    model: Path, adapter: Path | None, args: Mapping[str, Any], kwargs: Mapping[str, Any]
) -> LinkFiles:
    """What a model's folder says, with the options of the server that serves it.

    `kwargs` are what the chat template is given besides. What cannot be read is not known.
    """
    tokenizer = Path(str(args.get("tokenizer", model)))
    tokenizer = tokenizer if tokenizer.is_dir() else model
    given = args.get("chat-template", args.get("chat_template"))
    text, special = _template(tokenizer, given), _special(tokenizer)
    config = _mapping(model / "config.json")
    context = args.get("max-model-len", config.get("max_position_embeddings"))
    merged = _mapping(model / MERGE_RECORD).get("adapter_digest")
    with contextlib.suppress(HarnessError, OSError):
        digest = chat_template_digest(tokenizer, given if isinstance(given, str) else None)
        return LinkFiles(
            template=digest,
            rendered={} if text is None else render(text, special, kwargs),
            tokenizer=_vocabulary(tokenizer),
            special=special,
            adapter=None if adapter is None else read_adapter(adapter).digest,
            merged=merged if isinstance(merged, str) else None,
            context=int(context) if str(context).isdecimal() else None,
        )
    return LinkFiles()


def precision(
    model: Path | None, args: Mapping[str, Any] | None, names: tuple[str, ...]
) -> str | None:
    """The precision in which a link computes: its quantisation, else the type of its weights.

    By the options of a server that is ours, by the files, and where there are none by the names.
    """
    if args is not None and (quantised := args.get("quantization")):
        return str(quantised)
    config = {} if model is None else _mapping(model / "config.json")
    packed = config.get("quantization_config")
    if isinstance(packed, dict):
        kind = packed.get("quant_method", packed.get("format", "quantised"))
        bits = packed.get("bits") or (4 if packed.get("load_in_4bit") else "")
        return f"{kind}{f' {bits}-bit' if bits else ''}"
    asked = "auto" if args is None else str(args.get("dtype", "auto"))
    if asked != "auto":
        return _FULL_NAMES.get(asked, asked)
    own = str(config.get("dtype") or config.get("torch_dtype") or "").removeprefix("torch.")
    if own == "float32" and args is not None:
        return "half (vLLM's choice for float32)"
    named = next((found for name in names if (found := _NAMED.search(name.lower()))), None)
    return own or (None if named is None else _FULL_NAMES.get(named[1], named[1]))


def render(template: str, special: Mapping[str, str], kwargs: Mapping[str, Any]) -> dict[str, str]:
    """The test conversations as the template writes them; those that it refuses are left out."""
    world = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    world.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)

    def refuse(message: str) -> None:
        raise TemplateError(message)

    today = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    world.globals.update(raise_exception=refuse, strftime_now=today.strftime)
    found = {}
    for name, turns in TESTS.items():
        try:
            with bounded():
                text = world.from_string(_GENERATION_MARK.sub("", template)).render(
                    messages=[{"role": turn.role, "content": turn.content} for turn in turns],
                    add_generation_prompt=True, **special, **kwargs,
                )  # fmt: skip
                found[name] = check_length(text)
        except TooMuch:
            break
        except Exception:  # noqa: BLE001, S112 - a stranger's template may raise anything
            continue
    return found


def _template(folder: Path, given: Any) -> str | None:
    """The chat template's text: what the server was given, or that of the folder."""
    if isinstance(given, str):
        path = Path(given)
        with contextlib.suppress(OSError):
            return path.read_text("utf-8") if path.is_file() else given
        return given
    alone = read_bytes(folder / "chat_template.jinja")
    if alone is not None:
        return alone.decode(errors="replace")
    for name in ("tokenizer_config.json", "chat_template.json"):
        found = _mapping(folder / name).get("chat_template")
        if isinstance(found, list):
            named = {str(one.get("name")): one.get("template") for one in found}
            found = named.get("default")
        if isinstance(found, str):
            return found
    return None


def _special(folder: Path) -> dict[str, str]:
    both: dict[str, Any] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        both |= _mapping(folder / name)
    found = {}
    for name in _SPECIAL:
        token = both.get(name)
        token = token.get("content") if isinstance(token, dict) else token
        found[name] = token if isinstance(token, str) else ""
    return found


def _vocabulary(folder: Path) -> str | None:
    """The digest of what cuts text into tokens, however the file is laid out."""
    found = _mapping(folder / "tokenizer.json")
    if found:
        model = found.get("model")
        model = dict(model) if isinstance(model, dict) else {}
        merges = model.pop("merges", None) or []
        # Written as one text or as two, by the version of the library.
        pairs = [" ".join(one) if isinstance(one, list) else one for one in merges]
        return digest_json([model.get("vocab"), pairs, found.get("pre_tokenizer")])
    for name in ("tokenizer.model", "tekken.json", "vocab.json"):
        data = read_bytes(folder / name)
        if data is not None:
            return digest_bytes(data)
    return None


def _mapping(path: Path) -> dict[str, Any]:
    with contextlib.suppress(UsageError, HarnessError):
        found = read_json(path) if path.is_file() else None
        if isinstance(found, dict):
            return found
    return {}
