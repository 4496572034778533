"""Personal data and secrets, which a model learns by heart and tells to others."""

from __future__ import annotations

from collections.abc import Iterator

from harness.data.lint.check import CheckSettings, Inspection, found
from harness.data.lint.row import DataRow
from harness.personal_data import Kind, NameFinder, find
from harness.records.finding import Finding

# A company's own address may be meant to be told; nobody's card is.
_ERRORS: frozenset[Kind] = frozenset({"secret", "card", "iban", "national-id"})
_WORDS: dict[Kind, str] = {
    "secret": "a key, token or password",
    "email": "an e-mail address",
    "iban": "an IBAN",
    "card": "the number of a payment card",
    "national-id": "a national identity number",
    "ip-address": "the address of a machine",
    "mac-address": "the address of a machine",
    "phone": "a telephone number",
    "person": "a person's name",
}


class PersonalData:
    """Finds `secret`, `card`, `iban`, `national-id`, `email`, `phone`, `person` and addresses."""

    name = "personal-data"
    about = "personal data, keys and tokens"

    def begin(self, settings: CheckSettings) -> Inspection:
        """A new inspection."""
        return _Inspection(settings.regions, settings.names)


class _Inspection(Inspection):
    def __init__(self, regions: tuple[str, ...], names: NameFinder | None) -> None:
        self._regions = regions
        self._names = names

    def see(self, row: DataRow) -> Iterator[Finding]:
        places: dict[Kind, list[str]] = {}
        for where, text in row.texts:
            for span in find(text, self._regions, self._names):
                places.setdefault(span.kind, []).append(where)
        for kind, turns in places.items():
            shown = ", ".join(dict.fromkeys(turns))
            what = f"{_WORDS[kind]} in {shown}: replace it, or write a copy with `--redact`"
            yield found(row, kind, what, level="error" if kind in _ERRORS else "warning")
