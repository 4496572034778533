"""Documents as passages: parts of their sections, none longer than so many words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.files import digest_json, read_bytes

# Changes with how documents become passages: another form is another target.
FORM = 1

_HEADING = re.compile(r"(#{1,6})[ \t]+(.+?)[ \t#]*$")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a section: its id, the section's heading, empty before the first, and its text."""

    id: str
    heading: str
    text: str

    @property
    def whole(self) -> str:
        """The text with its heading."""
        return f"{self.heading}\n{self.text}" if self.heading else self.text


@dataclass(frozen=True, slots=True)
class Documents:
    """All passages of some documents, and a digest of what they were made of."""

    chunks: tuple[Chunk, ...]
    digest: str


def read_documents(path: Path, words: int, where: str) -> Documents:
    """The passages of a folder's text files, or of one file, of at most `words` words each.

    Hidden files are left out. `where` names the place in the configuration, for errors.

    Raises:
        UsageError: there is no such folder or file, it holds no word, or a file is not text.
    """
    texts = dict(_texts(path, where))
    chunks = tuple(chunk for name, text in texts.items() for chunk in _chunks(name, text, words))
    if not chunks:
        raise UsageError(f"`{path}` holds no text", where=where, hint="put text files there")
    return Documents(chunks, digest_json([FORM, words, sorted(texts.items())]))


def _texts(path: Path, where: str) -> Iterator[tuple[str, str]]:
    """The name of each file, seen from the folder, and its text."""
    if path.is_file():
        files = [path]
    elif path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.is_file())
    else:
        raise UsageError(f"no such folder or file: `{path}`", where=where, hint="check the path")
    folder = path.parent if path.is_file() else path
    for file in files:
        name = file.relative_to(folder)
        if any(part.startswith(".") for part in name.parts):
            continue
        data = read_bytes(file) or b""
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise UsageError(
                f"`{file}` is not text in UTF-8", where=where, hint="convert it, or move it out"
            )
        yield name.as_posix(), text


def _chunks(name: str, text: str, words: int) -> Iterator[Chunk]:
    """The passages of one file, in order, with ids of their own."""
    known: Counter[str] = Counter()
    for heading, blocks in _sections(text):
        slug = _slug(heading)
        place = f"{name}#{slug}" if slug else name
        # The second section of a name has a number behind it, as on code hosts.
        known[place] += 1
        place += f"-{known[place] - 1}" if known[place] > 1 else ""
        parts = list(_parts(blocks, words))
        for number, part in enumerate(parts, start=1):
            yield Chunk(f"{place}/{number}" if len(parts) > 1 else place, heading, part)


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each heading of Markdown with the blocks below it: paragraphs, items, code."""
    heading, blocks, open_block, fenced = "", list[str](), list[str](), False

    def close() -> None:
        if open_block:
            blocks.append("\n".join(open_block))
            open_block.clear()

    for line in text.splitlines():
        found = None if fenced else _HEADING.match(line)
        if found or (not fenced and (not line.strip() or _ITEM.match(line))):
            close()
        if found:
            if blocks:
                yield heading, blocks
            heading, blocks = found[2].strip(), []
        elif line.strip():
            open_block.append(line.rstrip())
            fenced ^= bool(_FENCE.match(line))
    close()
    if blocks:
        yield heading, blocks


def _parts(blocks: list[str], words: int) -> Iterator[str]:
    """Blocks joined as long as they fit, those that are too long cut at sentences."""
    held: list[str] = []
    size = 0
    for piece in (piece for block in blocks for piece in _cut(block, words)):
        count = len(piece.split())
        if held and size + count > words:
            yield "\n".join(held)
            held, size = [], 0
        held.append(piece)
        size += count
    if held:
        yield "\n".join(held)


def _cut(block: str, words: int) -> Iterator[str]:
    if len(block.split()) <= words:
        yield block
        return
    held: list[str] = []
    for sentence in _SENTENCE_END.split(block):
        said = sentence.split()
        if held and len(held) + len(said) > words:
            yield " ".join(held)
            held = []
        held += said
        while len(held) > words:
            yield " ".join(held[:words])
            held = held[words:]
    if held:
        yield " ".join(held)


def _slug(heading: str) -> str:
    """The heading as the anchor that code hosts give it."""
    return re.sub(r"[^\w\- ]", "", heading.casefold()).strip().replace(" ", "-")
