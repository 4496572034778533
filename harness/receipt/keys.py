"""Signatures of receipts: Ed25519 (RFC 8032) by a key of the project.

The private key comes from the environment; the public ones stand in `baselines/keys.pem`, so that
everybody who has the repository can check a receipt.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config import SIGNING_KEY
from harness.errors import PromotionRefused, UsageError
from harness.files import append_line, read_bytes
from harness.gate.ledger import EARLIER
from harness.receipt.dsse import PAYLOAD_TYPE, Envelope, ReceiptRejected, Signature, pae

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

KEYS = "keys.pem"
_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)
_MAKE = "`openssl genpkey -algorithm ed25519` makes one"


def signing_key() -> Ed25519PrivateKey | None:
    """The key from the environment, as PEM or the path of a PEM file; None where there is none.

    Raises:
        UsageError: it cannot be read, or is no private Ed25519 key without a password.
    """
    given = os.environ.get(SIGNING_KEY, "").strip()
    if not given:
        return None
    _needs_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data: bytes | None = given.encode()
    if "-----BEGIN" not in given:
        data = read_bytes(Path(given)) if "\0" not in given else None
        if data is None:  # the value may be a key, so it is not shown
            raise UsageError(f"{SIGNING_KEY} is neither PEM nor the path of a file", hint=_MAKE)
    try:
        key = load_pem_private_key(data or b"", password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(
            f"{SIGNING_KEY} is no private Ed25519 key in PEM without a password", hint=_MAKE
        )
    return key


def checked_key(folder: Path) -> Ed25519PrivateKey | None:
    """The signing key of the project whose baselines lie in the folder, None where it has none.

    Raises:
        PromotionRefused: the project signs its receipts, and there is no key or another one.
        UsageError: the key or `keys.pem` cannot be read.
    """
    key, path = signing_key(), folder / KEYS
    if not path.exists():
        return key
    known = public_keys(path)
    hint = f"set {SIGNING_KEY}, or change {KEYS} if this project's key is another now"
    if key is None:
        raise PromotionRefused("this project signs its receipts", where=str(path), hint=hint)
    if key_id(key.public_key()) not in known:
        raise PromotionRefused(
            f"{SIGNING_KEY} is none of this project's keys", where=str(path), hint=hint
        )
    return key


def publish(key: Ed25519PrivateKey, folder: Path) -> None:
    """Write the public key into `keys.pem` of the folder, where there is none yet.

    Raises:
        StorageError: it cannot be written.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    path = folder / KEYS
    if not path.exists():
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        append_line(path, pem.decode().rstrip("\n"), access="public")


def signature_of(body: bytes, key: Ed25519PrivateKey) -> Signature:
    """The signature of a statement."""
    signed = key.sign(pae(PAYLOAD_TYPE, body))
    return Signature(keyid=key_id(key.public_key()), sig=base64.b64encode(signed).decode())


def public_keys(path: Path) -> dict[str, Ed25519PublicKey]:
    """The public keys in a PEM file, by their ids.

    Raises:
        UsageError: there is no such file, or it holds no Ed25519 key, or something else besides.
    """
    _needs_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = read_bytes(path)
    if data is None:
        raise UsageError("no such file of public keys", where=str(path), hint="check --key")
    found = {}
    for block in _BLOCK.findall(data):
        try:
            key = load_pem_public_key(block)
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise UsageError("holds a key that is no public Ed25519 key", where=str(path))
        found[key_id(key)] = key
    if not found:
        raise UsageError(
            "holds no public Ed25519 key in PEM",
            where=str(path),
            hint="`openssl pkey -in KEY -pubout` writes it",
        )
    return found


def keys_beside(receipt: Path) -> Path | None:
    """The `keys.pem` of the folder of baselines that the receipt lies in, None where there is none.

    Earlier promotions lie two folders below it. No other folder is looked into: whoever could write
    a file above the receipt would say whose word counts.
    """
    folder = receipt.absolute().parent
    if folder.parent.name.endswith(EARLIER):
        folder = folder.parent.parent
    return folder / KEYS if (folder / KEYS).is_file() else None


def key_id(key: Ed25519PublicKey) -> str:
    """The SHA-256 of the public key as SubjectPublicKeyInfo (RFC 5280), in hexadecimal."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    data = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(data).hexdigest()


def signed_by(envelope: Envelope, keys: Path | None, where: str) -> str | None:
    """The id of the key that signed, after the signature was checked; None of an unsigned receipt.

    Raises:
        UsageError: it is signed, and no key is known; or the keys cannot be read.
        ReceiptRejected: the signature is not that of a known key, or it is missing although the
            project has a key.
    """
    if keys is None:
        if not envelope.signatures:
            return None
        raise UsageError(
            "is signed, and there is no key to check that with",
            where=where,
            hint=f"--key FILE names the public key; a project has it in baselines/{KEYS}",
        )
    known = public_keys(keys)
    if len(envelope.signatures) != 1:
        what = "has several signatures" if envelope.signatures else "is unsigned"
        raise ReceiptRejected(
            f"{what}, and the receipts of this project have one",
            where=where,
            hint=f"promote again with {SIGNING_KEY}, or restore the committed file",
        )
    (signature,) = envelope.signatures
    _check(signature, envelope.body, known, where)
    return signature.keyid


def _check(
    signature: Signature, body: bytes, known: Mapping[str, Ed25519PublicKey], where: str
) -> None:
    from cryptography.exceptions import InvalidSignature

    key = known.get(signature.keyid)
    if key is None:
        raise ReceiptRejected(
            f"is signed by the key {signature.keyid[:12]!r}, which is none of those known: it is "
            "another project's receipt, or that of a key taken out since",
            where=where,
            hint=f"the known ones are {', '.join(one[:12] for one in known)}",
        )
    try:
        sig = base64.b64decode(signature.sig, validate=True)
        if base64.b64encode(sig).decode() != signature.sig:
            raise InvalidSignature
        key.verify(sig, pae(PAYLOAD_TYPE, body))
    except (ValueError, InvalidSignature):
        raise ReceiptRejected("the signature is not that of this statement", where=where) from None


def _needs_cryptography() -> None:
    try:
        import cryptography  # noqa: F401 - only whether it is there
    except ImportError:
        raise UsageError(
            "signatures need the package `cryptography`", hint="pip install 'harness[sign]'"
        ) from None
