"""Names and shapes of the tensors in safetensors files, from their headers alone."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from harness.errors import UsageError

Shapes = dict[str, tuple[int, ...]]
_LONGEST_HEADER = 100 * 1024 * 1024


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
