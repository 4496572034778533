"""Every stretch of a text that holds personal data or a secret."""

from __future__ import annotations

from collections.abc import Sequence

from harness.personal_data.names import NameFinder
from harness.personal_data.network import find_addresses
from harness.personal_data.numbers import find_numbers
from harness.personal_data.phones import find_phones
from harness.personal_data.secrets import find_secrets
from harness.personal_data.span import Span


def find(
    text: str, regions: Sequence[str] = (), names: NameFinder | None = None
) -> tuple[Span, ...]:
    """The spans of a text in their order, none within another.

    `regions` are countries (ISO 3166, such as `DE`) whose telephone numbers are recognised as
    people there write them; with `names` people's names are found too. Where two kinds claim the
    same characters, the more specific one wins: a secret, an e-mail address, an account, a card,
    an identity, an address of a machine, a number, a name.
    """
    taken: list[Span] = []
    for finder in (find_secrets, find_addresses, find_numbers):
        _add(taken, finder(text))
    _add(taken, find_phones(text, regions))
    if names is not None:
        _add(taken, names.find(text))
    return tuple(sorted(taken, key=lambda span: span.begin))


def _add(taken: list[Span], found: Sequence[Span]) -> None:
    for span in found:
        if all(span.end <= other.begin or other.end <= span.begin for other in taken):
            taken.append(span)
