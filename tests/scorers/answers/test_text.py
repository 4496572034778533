from harness.scorers.answers.text import Text, guarded, line_of, reading


def test_lost_spaces_and_glued_marks_are_mended_at_need() -> None:
    mended = Text("It was opened byIvo Brandt12. Then in1980.").mended
    assert mended is not None
    assert " ivo brandt " in mended.bare_line
    assert " 1980 " in mended.bare_line
    assert Text("It was opened by Ivo Brandt.").mended is None


def test_sentences_hold_their_words() -> None:
    found = Text("It is red. The roof is green.").sentences
    assert [[word.form for word in part] for part in found] == [
        ["it", "is", "red"],
        ["roof", "is", "green"],
    ]


def test_lines_and_runs_of_words() -> None:
    assert line_of(["a", "b"]) == " a b "
    assert guarded("12") + guarded("3") != guarded("123")
    assert reading("one text") is reading("one text")
