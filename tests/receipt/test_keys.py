from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("cryptography")
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from harness.config import SIGNING_KEY
from harness.errors import HarnessError, PromotionRefused, UsageError
from harness.files import canonical_json
from harness.receipt.dsse import ReceiptRejected, envelope_of, pae, read_envelope
from harness.receipt.keys import (
    checked_key,
    key_id,
    keys_beside,
    publish,
    signature_of,
    signing_key,
)
from harness.receipt.verify import Draw, verify_receipt
from tests.receipt.builders import Sealed, fields, mutated, promotion, sealed_again


def pem(key: Ed25519PrivateKey | X25519PrivateKey, password: bytes | None = None) -> str:
    locked = NoEncryption() if password is None else BestAvailableEncryption(password)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked).decode()


@pytest.fixture(scope="module")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def signed(tmp_path: Path, key: Ed25519PrivateKey) -> Sealed:
    return sealed_again(promotion(tmp_path), key=key)


def test_the_key_comes_from_the_environment_as_text_or_as_a_file(
    tmp_path: Path, key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SIGNING_KEY, raising=False)
    assert signing_key() is None
    file = tmp_path / "key.pem"
    file.write_text(pem(key))
    for given in (pem(key), str(file)):
        monkeypatch.setenv(SIGNING_KEY, given)
        found = signing_key()
        assert found is not None
        assert key_id(found.public_key()) == key_id(key.public_key())


@pytest.mark.parametrize("kind", ["nothing", "locked", "another", "text"])
def test_what_is_no_key_is_one_line_that_does_not_show_it(
    key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    given = {
        "nothing": "s3cr3t-words",
        "locked": pem(key, b"word"),
        "another": pem(X25519PrivateKey.generate()),
        "text": "-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY-----",
    }[kind]
    monkeypatch.setenv(SIGNING_KEY, given)
    with pytest.raises(UsageError, match=SIGNING_KEY) as refused:
        signing_key()
    assert "s3cr3t" not in str(refused.value)


def test_a_project_with_keys_is_promoted_in_with_one_of_them_alone(
    tmp_path: Path, key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SIGNING_KEY, pem(key))
    assert checked_key(tmp_path) is not None
    publish(key, tmp_path)
    assert checked_key(tmp_path) is not None
    monkeypatch.setenv(SIGNING_KEY, pem(Ed25519PrivateKey.generate()))
    with pytest.raises(PromotionRefused, match="is none of this project's keys"):
        checked_key(tmp_path)
    monkeypatch.delenv(SIGNING_KEY)
    with pytest.raises(PromotionRefused, match="this project signs its receipts"):
        checked_key(tmp_path)


def test_the_signature_covers_type_and_statement(signed: Sealed, key: Ed25519PrivateKey) -> None:
    envelope = read_envelope(signed.receipt)
    assert signed.receipt.name == "v1.intoto.jsonl"
    assert envelope.signatures == (signature_of(envelope.body, key),)
    assert verify_receipt(signed.receipt).signed_by == key_id(key.public_key())
    assert verify_receipt(signed.receipt, Draw(3)).signed_by == key_id(key.public_key())
    assert pae(envelope.payload_type, envelope.body).startswith(b"DSSEv1 28 application/vnd.in-")


def test_every_field_of_a_signed_envelope_counts(signed: Sealed) -> None:
    whole = json.loads(signed.receipt.read_text())
    assert len(fields(whole)) == 4
    for place in fields(whole):
        signed.receipt.write_text(canonical_json(mutated(whole, place)) + "\n")
        with pytest.raises(HarnessError):
            verify_receipt(signed.receipt)


def test_a_signature_does_not_come_off_and_another_does_not_go_on(
    signed: Sealed, key: Ed25519PrivateKey
) -> None:
    body = read_envelope(signed.receipt).body
    own, other = signature_of(body, key), signature_of(body, Ed25519PrivateKey.generate())
    for signatures, message in (
        ((), "is unsigned, and the receipts of this project have one"),
        ((own, own), "has several signatures"),
        ((other,), "which is none of those known: it is another project's receipt"),
        ((other.model_copy(update={"keyid": own.keyid}),), "is not that of this statement"),
        ((own.model_copy(update={"sig": own.sig + "="}),), "is not that of this statement"),
    ):
        signed.receipt.write_text(envelope_of(body, *signatures).text)
        with pytest.raises(ReceiptRejected, match=message):
            verify_receipt(signed.receipt)


def test_the_keys_are_those_of_the_folder_of_baselines_and_of_none_above(tmp_path: Path) -> None:
    (tmp_path / "keys.pem").write_text("of a stranger")
    for place in ("v1.intoto.jsonl", "v1.earlier/0123/v1.intoto.jsonl"):
        receipt = tmp_path / "baselines" / place
        receipt.parent.mkdir(parents=True)
        assert keys_beside(receipt) is None
    own = tmp_path / "baselines/keys.pem"
    own.write_text("our own")
    for place in ("v1.intoto.jsonl", "v1.earlier/0123/v1.intoto.jsonl"):
        assert keys_beside(tmp_path / "baselines" / place) == own


def test_the_key_may_come_from_elsewhere_and_is_needed(
    signed: Sealed, key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    file = signed.folder / "keys.pem"
    elsewhere = tmp_path / "known.pem"
    other = Ed25519PrivateKey.generate().public_key()
    text = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    elsewhere.write_text(text + file.read_text())
    file.unlink()
    with pytest.raises(UsageError, match="is signed, and there is no key to check that with"):
        verify_receipt(signed.receipt)
    assert verify_receipt(signed.receipt, keys=elsewhere).signed_by == key_id(key.public_key())
    elsewhere.write_text(text)
    with pytest.raises(ReceiptRejected, match="none of those known"):
        verify_receipt(signed.receipt, keys=elsewhere)
    elsewhere.write_text("no key")
    with pytest.raises(UsageError, match="holds no public Ed25519 key in PEM"):
        verify_receipt(signed.receipt, keys=elsewhere)
    with pytest.raises(UsageError, match="no such file of public keys"):
        verify_receipt(signed.receipt, keys=tmp_path / "none.pem")
