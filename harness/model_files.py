"""The files of a model or an adapter: which they are, their digest, their tensors' shapes."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.files import digest_bytes, digest_json, directory_digest, file_digest, read_text

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
# What transformers and vLLM read from a folder, chat templates aside. Several of these go by other
# names elsewhere; what is not there is not counted.
TOKENIZER_FILES = (
    "tekken.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
    "*.tiktoken",
)
MODEL_FILES = (
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "params.json",
    "generation_config.json",
    "*quant*_config.json",
    *TOKENIZER_FILES,
)
# Weights as PyTorch pickles them.
_PICKLES = ("pytorch_model*.bin", "consolidated*.pth", "*.ckpt")
CHAT_TEMPLATES = ("chat_template.jinja", "chat_template.json")
# The files behind `base_digest` in dossiers that were written before it was the model's digest.
_EARLIER_BASE_FILES = ("*.safetensors", "config.json", "tokenizer.json", "chat_template.jinja")

Shapes = dict[str, tuple[int, ...]]
AS_SAFETENSORS = "save it again as safetensors"
_LONGEST_HEADER = 100 * 1024 * 1024


def check_model(folder: Path) -> None:
    """Return if the folder holds a model that can be served.

    Raises:
        UsageError: it does not.
    """
    if folder.is_file():
        hint = "name the folder that it lies in"
        raise UsageError("is a file, not a model's folder", where=str(folder), hint=hint)
    if not folder.is_dir():
        raise UsageError(
            "no such model",
            where=str(folder),
            hint="check the path (`make demo` builds the demo's); a model on a hub is written "
            "`ORG/NAME`",
        )
    if not (folder / "config.json").is_file():
        raise UsageError("is not a model: no config.json", where=str(folder), hint="check the path")
    if found := pickles_alone(folder):
        raise UsageError(found, where=str(folder), hint=AS_SAFETENSORS)
    if next(folder.glob("*.safetensors"), None) is None:
        raise UsageError(
            "the model holds no *.safetensors; other formats can run code when loaded",
            where=str(folder),
            hint=AS_SAFETENSORS,
        )


def pickles_alone(folder: Path) -> str | None:
    """What is wrong with a folder whose weights are pickles and no safetensors, else None."""
    found = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
    if not found or next(folder.glob("*.safetensors"), None) is not None:
        return None
    return f"the weights are pickles ({found[0]}), which can run code when loaded"


def model_digest(folder: Path, *, with_code: bool = False) -> str:
    """The digest of a model's weights, configuration and tokenizer.

    It is what a run calls `weights` and a dossier `base_digest`. The chat template has a digest of
    its own. `with_code` adds the Python files of a model that brings its own code.

    Raises:
        UsageError: the folder holds none of these files.
    """
    return directory_digest(folder, (*MODEL_FILES, "*.py") if with_code else MODEL_FILES)


def chat_template_digest(folder: Path, given: str | None = None) -> str | None:
    """The digest of a model's chat template, or None where it has none.

    `given` is a path or a text that replaces the folder's own template, which is looked for where
    vLLM and transformers look.

    Raises:
        UsageError: a file that may hold it cannot be read.
    """
    if given is not None:
        return file_digest(Path(given)) if _names_file(given) else digest_bytes(given.encode())
    alone = folder / "chat_template.jinja"
    if alone.is_file():
        return file_digest(alone)
    for name in ("tokenizer_config.json", "chat_template.json"):
        if (folder / name).is_file():
            settings = read_json(folder / name)
            if isinstance(settings, dict) and (template := settings.get("chat_template")):
                return digest_json(template)
    return None


def chat_template_text(folder: Path, given: str | None = None) -> str | None:
    """The text of the chat template whose digest `chat_template_digest` is; several are one text.

    Raises:
        UsageError: a file that may hold it cannot be read.
    """
    if given is not None:
        return read_text(Path(given)) if _names_file(given) else given
    alone = folder / "chat_template.jinja"
    if alone.is_file():
        return read_text(alone)
    for name in ("tokenizer_config.json", "chat_template.json"):
        if (folder / name).is_file():
            settings = read_json(folder / name)
            if isinstance(settings, dict) and (template := settings.get("chat_template")):
                return template if isinstance(template, str) else str(template)
    return None


def is_chat_template(digest: str, given: str) -> bool:
    """Whether a chat template, given as a path or a text, is the one with that digest.

    A template has one digest as a file and another in a tokenizer's configuration; both count.

    Raises:
        UsageError: the file cannot be read.
    """
    text = read_text(Path(given)) if _names_file(given) else given
    return digest in (chat_template_digest(Path(), given), digest_json(text))


def _names_file(given: str) -> bool:
    try:
        return Path(given).is_file()
    except OSError:  # a template's text is too long to be a name
        return False


def is_base(folder: Path, base_digest: str, chat_template: str | None) -> bool:
    """Whether a dossier's digests are of the base model in this folder.

    Earlier dossiers have one digest for a few of the files and the template together.

    Raises:
        UsageError: the folder holds no model.
    """
    if base_digest == model_digest(folder):
        return chat_template == chat_template_digest(folder)
    return base_digest == directory_digest(folder, _EARLIER_BASE_FILES)


def read_json(path: Path) -> Any:
    """The JSON in a file of a model or an adapter.

    Raises:
        UsageError: the file cannot be read, or holds something else.
    """
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {error}", where=str(path)) from None


def read_shapes(path: Path) -> Shapes:
    """The shape of every tensor in one file, by name.

    The format: eight bytes with the header's length, little-endian, then the header in JSON
    (huggingface/safetensors, README).

    Raises:
        UsageError: missing, or not such a file.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(size - 8, _LONGEST_HEADER):
                raise ValueError
            header = json.loads(file.read(length))
        shapes: Shapes = {}
        last = 0
        for name, entry in header.items():
            if name != "__metadata__":
                shapes[name] = tuple(int(number) for number in entry["shape"])
                last = max(last, int(entry["data_offsets"][1]))
    except FileNotFoundError:
        raise UsageError("no such file", where=str(path), hint="check the path") from None
    except OSError as error:
        raise UsageError(f"cannot read: {error.strerror}", where=str(path)) from None
    except (struct.error, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise UsageError(
            "is not a safetensors file", where=str(path), hint="save or copy it again"
        ) from None
    if 8 + length + last != size:
        raise UsageError(
            f"is cut: {size} bytes instead of {8 + length + last}",
            where=str(path),
            hint="save or copy it again",
        )
    return shapes


def read_model_shapes(folder: Path) -> Shapes:
    """The shapes in all safetensors files of a model's folder.

    Raises:
        UsageError: there is none, or one cannot be read.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise UsageError(
            "holds no *.safetensors", where=str(folder), hint="save the model as safetensors"
        )
    shapes: Shapes = {}
    for file in files:
        shapes.update(read_shapes(file))
    return shapes
