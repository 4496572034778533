from harness.scorers.answers import vocabulary


def test_units_have_one_way_of_writing() -> None:
    assert {vocabulary.UNITS[word] for word in ("h", "hr", "hours", "hour")} == {"hour"}
    assert vocabulary.UNITS["percent"] == vocabulary.UNITS["%"] == "%"


def test_numbers_in_words() -> None:
    assert vocabulary.CARDINALS["ninety"] == 90
    assert vocabulary.ORDINALS["twentieth"] == 20
    assert vocabulary.ORDINALS["twelfth"] == 12
