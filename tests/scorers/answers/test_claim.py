import pytest

from harness.scorers.answers.claim import final_claim
from harness.scorers.answers.numbers import numbers, prepared


@pytest.mark.parametrize(
    ("text", "question", "expected"),
    [
        ("2 and 3 make 5.", "", 5),
        ("3 * 4 = 12 apples in 2 bags", "", 12),
        ("The answer is 8. There were 9 before.", "", 8),
        (r"\boxed{8} and not 9", "", 8),
        ("#### 8\n(9 before)", "", 8),
        ("If 20 leave, the number left is 34", "", 34),
        ("There are 34 women left of 50.", "How many women are left?", 34),
        ("It costs £4 for orders under £30.", "How much is it?", 4),
        ("The tower is 30 m high and has 2 lifts.", "How tall is the tower?", 30),
        ("The answer is 12, as 3 * 4 = 13 - 1.", "", 12),
        ("The answer is 3 * 4 = 12.", "", 12),
        ("Rs. 500 in 2 parts", "What is the fee?", 500),
    ],
)
def test_the_claim_of_an_answer(text: str, question: str, expected: float) -> None:
    clean = prepared(text)
    claim = final_claim(clean, numbers(clean), question, "")
    assert claim is not None
    assert claim.number.values[0] == expected


def test_numbers_that_may_be_meant_as_well_are_rivals() -> None:
    clean = prepared("There are 4 red ones, 7 in the shop.")
    claim = final_claim(clean, numbers(clean), "", "")
    assert claim is not None
    assert [number.values[0] for number in (claim.number, *claim.rivals)] == [7, 4]


def test_the_reference_s_unit_tells_numbers_apart() -> None:
    clean = prepared("Within 30 days at each of 12 shops.")
    claim = final_claim(clean, numbers(clean), "", "day")
    assert claim is not None
    assert (claim.number.values[0], claim.rivals) == (30, ())


def test_no_number_is_no_claim() -> None:
    assert final_claim("none", [], "How many?", "") is None
