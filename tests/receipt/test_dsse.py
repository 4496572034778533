from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.receipt.dsse import ReceiptRejected, Signature, envelope_of, pae, read_envelope


def test_what_a_signature_covers_is_as_the_specification_has_it() -> None:
    """The example of the DSSE protocol."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("é", b"") == b"DSSEv1 2 \xc3\xa9 0 "


def test_an_envelope_comes_back_from_its_file(tmp_path: Path) -> None:
    made = envelope_of(b'{"a": 1}', Signature(keyid="k", sig="c2ln"))
    path = tmp_path / "receipt.jsonl"
    path.write_text(made.text)
    assert read_envelope(path) == made
    assert made.body == b'{"a": 1}'
    assert '"payloadType":"application/vnd.in-toto+json"' in made.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "bad JSON"),
        ("[]", "is no receipt"),
        ('{"payload":"e30=","payloadType":"text/plain","signatures":[]}\n', "payloadType"),
        ('{"payload":"e30=","signatures":[],"more":1}\n', "more"),
        ('{"payload":"e3 0=","payloadType":"application/vnd.in-toto+json","signatures":[]}\n',
         "is no receipt"),
        ('{"payload":"e31=","payloadType":"application/vnd.in-toto+json","signatures":[]}\n',
         "is not written as base64 is"),
        ('{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[]}\n',
         "is not written as a receipt is"),
    ],
    ids=["empty", "list", "type", "key", "spaces", "spelling", "order"],
)  # fmt: skip
def test_what_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "receipt.jsonl"
    path.write_text(text)
    with pytest.raises(ReceiptRejected, match=message):
        read_envelope(path)
    with pytest.raises(UsageError, match="no such receipt"):
        read_envelope(tmp_path / "other.jsonl")
