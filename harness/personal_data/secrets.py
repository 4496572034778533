"""Keys, tokens and passwords, by the forms that their makers give them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.personal_data.span import Span

_SHORTEST = 15  # characters of a token
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?:AKIA|ASIA)[A-Z0-9]{16}"  # AWS
    r"|gh[oprsu]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255}"
    r"|glpat-[A-Za-z0-9_-]{20,}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}"  # Slack
    r"|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}"  # Stripe
    r"|sk-[A-Za-z0-9_-]{20,}"  # providers of language models
    r"|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}"
    r"|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}"  # Google
    r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"  # SendGrid
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # a JSON Web Token, RFC 7519
    r")(?![A-Za-z0-9])"
)
_PEM = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s]{0,20000}"
    r"(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
)
_IN_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,100}:(?P<value>[^\s/:@]{3,200})@")
_BEARER = re.compile(r"\b[Bb]earer (?P<value>[A-Za-z0-9_.~+/-]{20,}=*)")
_NAMED = re.compile(
    r"(?i)\b(?:password|passwd|passphrase|pwd|secret|api[_ -]?key|access[_ -]?key|"
    r"(?:auth|access|api)[_ -]?token|passwort|kennwort|contraseña|mot de passe)\b"
    r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<value>[^\s\"'<>]{6,200})"
)


def find_secrets(text: str) -> list[Span]:
    """The spans of keys, tokens, private keys and passwords that are named as such."""
    found = []
    if max(map(len, text.split()), default=0) >= _SHORTEST:
        found += [_span(match) for match in _TOKEN.finditer(text)]
        found += [_span(match, "value") for match in _BEARER.finditer(text)]
    if "PRIVATE KEY" in text:
        found += [_span(match) for match in _PEM.finditer(text)]
    if "://" in text and "@" in text:
        found += [_span(match, "value") for match in _IN_URL.finditer(text)]
    if ":" in text or "=" in text:
        found += _named(text)
    return found


def _named(text: str) -> Iterator[Span]:
    """Passwords that stand behind their name; a plain word there is a sentence's."""
    for match in _NAMED.finditer(text):
        value = match["value"].rstrip(".,;:!?)")
        if len(value) >= 6 and not value.isalpha():
            yield Span(match.start("value"), match.start("value") + len(value), "secret")


def _span(match: re.Match[str], group: str | int = 0) -> Span:
    begin, end = match.span(group)
    return Span(begin, end, "secret")
