"""Text with names in place of personal data and secrets, the same name for the same thing."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.personal_data.detector import find
from harness.personal_data.names import NameFinder
from harness.personal_data.span import Kind

_SIGNS = re.compile(r"[\W_]+")
_BY_LETTERS = ("email", "ip-address")  # in which signs tell two apart
_LONG_NUMBER = 8  # digits, from which a number in JSON may be a person's


class Redactor:
    """Replaces what is found by `<KIND_N>`; the same value has the same name in every text.

    Values differ only by what they say: spaces, punctuation and letter case make no other one. Only
    digests are kept. `counts` says how many places of each kind were replaced.
    """

    def __init__(self, regions: Sequence[str] = (), names: NameFinder | None = None) -> None:
        self._regions = tuple(regions)
        self._people = names
        self._names: dict[tuple[Kind, bytes], str] = {}
        self._given: Counter[Kind] = Counter()
        self.counts: Counter[Kind] = Counter()

    def text(self, text: str) -> str:
        """The text with every span replaced."""
        parts, at = [], 0
        for span in find(text, self._regions, self._people):
            parts += [text[at : span.begin], self._name(span.kind, text[span.begin : span.end])]
            self.counts[span.kind] += 1
            at = span.end
        return "".join([*parts, text[at:]])

    def value(self, value: Any) -> Any:
        """A JSON value with every text in it replaced, the keys of objects included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(one) for one in value]
        if isinstance(value, int) and len(str(value)) >= _LONG_NUMBER:
            written = self.text(str(value))
            return value if written == str(value) else written
        return value

    def _name(self, kind: Kind, value: str) -> str:
        plain = value
        if kind in _BY_LETTERS:
            plain = value.casefold()
        elif kind != "secret":
            plain = _SIGNS.sub("", value).casefold()
        key = (
            kind,
            hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16).digest(),
        )
        if key not in self._names:
            self._given[kind] += 1
            self._names[key] = f"<{kind.upper().replace('-', '_')}_{self._given[kind]}>"
        return self._names[key]
