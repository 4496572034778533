"""The envelope of a statement (DSSE v1), and the file that it stands in."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Final, Literal

from pydantic import ConfigDict, Field, ValidationError

from harness import strict_json
from harness.errors import EvidenceError, UsageError
from harness.files import canonical_json, read_bytes
from harness.records.base import Record, explain

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
# A bundle of in-toto: JSON Lines, one envelope a line. Ours has one.
SUFFIX = ".intoto.jsonl"


class ReceiptRejected(EvidenceError):
    """A receipt does not hold: it, or what it speaks of, is not what was written."""


class Signature(Record):
    """A signature of the envelope's content, in base64, and the key that it is of."""

    keyid: str
    sig: str


class Envelope(Record):
    """A DSSE envelope; without a signature it authenticates nothing."""

    model_config = ConfigDict(populate_by_name=True)

    payload: str
    payload_type: Literal["application/vnd.in-toto+json"] = Field(
        default=PAYLOAD_TYPE, alias="payloadType"
    )
    signatures: tuple[Signature, ...] = ()

    @property
    def body(self) -> bytes:
        """The payload, decoded.

        Raises:
            ValueError: it is no base64, or not its only spelling.
        """
        try:
            body = base64.b64decode(self.payload, validate=True)
        except binascii.Error as error:
            raise ValueError(str(error)) from None
        if base64.b64encode(body).decode() != self.payload:
            raise ValueError("is not written as base64 is")
        return body

    @property
    def text(self) -> str:
        """The envelope as its file has it."""
        return canonical_json(self.model_dump(mode="json", by_alias=True)) + "\n"


def pae(payload_type: str, body: bytes) -> bytes:
    """What a signature covers: the pre-authentication encoding of DSSE v1."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def envelope_of(body: bytes, *signatures: Signature) -> Envelope:
    """The body in an envelope."""
    return Envelope(payload=base64.b64encode(body).decode(), signatures=signatures)


def read_envelope(path: Path) -> Envelope:
    """The envelope in a file; a single one, written as this package writes it.

    Raises:
        UsageError: there is no such file.
        ReceiptRejected: it holds something else.
    """
    data = read_bytes(path)
    if data is None:
        raise UsageError(
            "no such receipt", where=str(path), hint="`harness promote` writes it into baselines/"
        )
    try:
        found = Envelope.model_validate(strict_json.decode(data.decode()))
        found.body  # noqa: B018 - that it can be decoded is part of its form
        if found.text.encode() != data:
            raise ValueError("is not written as a receipt is")
    except ValidationError as error:
        raise ReceiptRejected(f"is no receipt: {explain(error)}", where=str(path)) from None
    except ValueError as error:  # UnicodeDecodeError is one
        raise ReceiptRejected(f"is no receipt: {error}", where=str(path)) from None
    return found
