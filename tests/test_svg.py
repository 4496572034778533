"""SVG written straight."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from harness.svg import Drawing


def test_a_drawing_is_one_element_with_classes_and_escaped_words() -> None:
    drawing = Drawing(100, 50)
    drawing.box(0, 0, 10.004, 5, "allowed")
    drawing.line([(0, 1), (2.5, 3)], "ink", 1.5, dash="2 1")
    drawing.marker("diamond", (5, 5), 4, "pass")
    drawing.marker("circle", (5, 5), 4, "fail", filled=False)
    drawing.ring((5, 5), 9, "candidate", 1)
    drawing.text("a <b> & c", (1, 2), "muted", 11, anchor="end", bold=True)
    made = drawing.render("one", "A title <i>", "said & done")
    assert "style" not in made
    root = ET.fromstring(made)
    assert [element.tag for element in root] == [
        "title", "desc", "rect", "path", "path", "circle", "circle", "text",
    ]  # fmt: skip
    assert root.attrib == {
        "viewBox": "0 0 100 50", "class": "drawing", "role": "img",
        "aria-labelledby": "one-title one-desc",
    }  # fmt: skip
    assert (root.findtext("title"), root.findtext("text")) == ("A title <i>", "a <b> & c")
    assert [element.get("class") for element in root][2:] == [
        "fill-allowed", "stroke-ink", "fill-pass stroke-paper", "fill-paper stroke-fail",
        "stroke-candidate", "fill-muted",
    ]  # fmt: skip
    assert root[2].attrib["width"] == "10"


def test_a_document_has_its_own_colours() -> None:
    drawing = Drawing(10, 10)
    drawing.line([(0, 0), (1, 1)], "baseline", 1)
    written = drawing.render_document("loss", "Loss", "")
    assert "@media (prefers-color-scheme:dark){.fill-ink{fill:#e5e8ec}" in written
    root = ET.fromstring(written)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert ".stroke-baseline{stroke:#c05a00}" in (root.findtext("{*}style") or "")
