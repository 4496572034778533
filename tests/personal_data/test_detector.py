from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.personal_data import find

# No token of a kind that a maker gave out: the forms alone.
TOKEN = "A1b2C3d4E5" * 4
FOUND = {
    "write to jane.doe@shop.example, please": [("email", "jane.doe@shop.example")],
    "(Mail: JÜRGEN+x@mail.example.co.uk.)": [("email", "JÜRGEN+x@mail.example.co.uk")],
    "call +49 30 901820 or (212) 555-0123": [
        ("phone", "+49 30 901820"),
        ("phone", "(212) 555-0123"),
    ],
    "Tel.: 030 1234567": [("phone", "030 1234567")],
    "my card is 4111 1111 1111 1111.": [("card", "4111 1111 1111 1111")],
    "378282246310005": [("card", "378282246310005")],
    "pay DE89 3704 0044 0532 0130 00 NOW": [("iban", "DE89 3704 0044 0532 0130 00")],
    "GB82WEST12345698765432": [("iban", "GB82WEST12345698765432")],
    "SSN 123-45-6789": [("national-id", "123-45-6789")],
    "DNI 12345678Z": [("national-id", "12345678Z")],
    "RSSMRA85T10A562S": [("national-id", "RSSMRA85T10A562S")],
    "my bsn is 111222333": [("national-id", "111222333")],
    "PESEL: 44051401458": [("national-id", "44051401458")],
    "host 10.0.0.12, or 2001:db8::8a2e:1": [
        ("ip-address", "10.0.0.12"),
        ("ip-address", "2001:db8::8a2e:1"),
    ],
    "mac 00:1A:2B:3C:4D:5E": [("mac-address", "00:1A:2B:3C:4D:5E")],
    f"export T=ghp_{TOKEN}": [("secret", f"ghp_{TOKEN}")],
    f"Authorization: Bearer {TOKEN}": [("secret", TOKEN)],
    "password: Hunter2!x.": [("secret", "Hunter2!x")],
    "https://me:s3cr3t@host/x": [("secret", "s3cr3t")],
    "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----": [
        ("secret", "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----")
    ],
}
CLEAN = (
    "Order 12345678901 of 2024-01-15 10:30 costs $1,234,567.89.",
    "The code on the box is 4006381333931.",
    "Firmware version 10.4.2.1 is on port 8080 of localhost, 127.0.0.1.",
    "Your password: forgotten? Ask for a new one.",
    "Call us within 24 hours, Monday 10:00-18:00 or Sunday 12:00-16:00.",
    "4111 1111 1111 1112",
    "DE89 3704 0044 0532 0130 01",
    "12345678A",
    "@home at 9am, see section 1.2.3.4",
    "It weighs 111222333 grams.",
    "Item 20240115-12345678, size 255.255.255.0",
)


@pytest.mark.parametrize("text", FOUND, ids=range(len(FOUND)))
def test_each_kind_is_found_where_it_stands(text: str) -> None:
    spans = find(text)
    assert [(span.kind, text[span.begin : span.end]) for span in spans] == FOUND[text]


@pytest.mark.parametrize("text", CLEAN, ids=range(len(CLEAN)))
def test_numbers_of_other_things_are_left(text: str) -> None:
    assert find(text) == ()


def test_a_region_has_its_numbers_recognised_as_people_there_write_them() -> None:
    text = "Reach me under 030 901820 please"
    assert find(text) == ()
    assert [span.kind for span in find(text, ["DE"])] == ["phone"]
    assert find("from 2024-01-15 to 2024-02-15", ["DE", "US"]) == ()


@given(st.text(alphabet=st.sampled_from("a1@.-:+ /=AZ9_sk"), max_size=200))
def test_spans_stand_in_their_order_and_apart(text: str) -> None:
    at = 0
    for span in find(text):
        assert at <= span.begin < span.end <= len(text)
        at = span.end
