from harness.scorers.answers.reference import forms_of, leading_off, phrase


def test_a_reference_is_read_once_with_its_variants() -> None:
    found = phrase("in the old mill (1830)")
    assert found.bare == ("in", "old", "mill", "1830")
    assert ("without what stands in brackets", ("old", "mill")) in found.variants
    assert phrase("in the old mill (1830)") is found


def test_kinds_of_references() -> None:
    assert phrase("4 May 2010").date is not None
    assert [word.form for word in phrase("Dr. Ivo Brandt").name] == ["ivo", "brandt"]
    assert phrase("the old mill").name == ()
    assert phrase("grass, sedge and moss").parts == (("grass",), ("sedge",), ("moss",))
    assert phrase("!=").signs == "!="
    assert phrase("hepatitis A").whole == ("hepatitis", "a")
    assert phrase("a week").whole == ("a", "week")


def test_words_that_only_place_a_fact() -> None:
    assert leading_off(forms_of("usually in the spring")) == ("spring",)
    assert leading_off(("in",)) == ("in",)
