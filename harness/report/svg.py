"""matplotlib's SVG made fit for a strict page: classes for colours, no styles, safe ids."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

# Stand-ins that matplotlib draws with; the page gives each class its colour in light and dark.
COLOURS = {
    "ink": "#010101",
    "muted": "#020202",
    "line": "#030303",
    "allowed": "#040404",
    "paper": "#050505",
    "pass": "#060606",
    "fail": "#070707",
    "inconclusive": "#080808",
    "invalid": "#090909",
    "candidate": "#0a0a0a",
    "baseline": "#0b0b0b",
    "control": "#0c0c0c",
}
_NAMES = {colour: name for name, colour in COLOURS.items()}
_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_FONT = re.compile(r"(?:(?P<weight>bold|[1-9]00) )?(?P<size>[\d.]+)px")
_URL = re.compile(r"url\(#([^)]+)\)")
_ROOT_KEPT = ("viewBox",)


def clean_svg(
    data: bytes, *, prefix: str, title: str, description: str, css: str = "forest"
) -> str:
    """The drawing as one `<svg>` element with a title and a description for screen readers.

    Style attributes become attributes and classes (`fill-pass`, `stroke-line`), because a strict
    Content-Security-Policy refuses them; every id gets the prefix, the element the class `css`.
    """
    root = ET.fromstring(data)  # noqa: S314 - this is what matplotlib has just written
    for name in [name for name in root.attrib if name not in _ROOT_KEPT]:
        del root.attrib[name]
    dropped = (f"{_SVG}style", f"{_SVG}metadata")
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in dropped or not child.tag.startswith(_SVG):
                parent.remove(child)
    used = {value[1:] for e in root.iter() if (value := e.get(_HREF))}
    used |= {name for e in root.iter() for v in e.attrib.values() for name in _URL.findall(v)}
    for element in root.iter():
        _clean(element, prefix, used)
        element.tag = element.tag.removeprefix(_SVG)
    root.set("class", css)
    _describe(root, prefix, title, description)
    return re.sub(r">\s+<", "><", ET.tostring(root, encoding="unicode")).strip()


def _clean(element: ET.Element, prefix: str, used: set[str]) -> None:
    name = element.attrib.pop("id", None)
    if name in used:
        element.set("id", f"{prefix}-{name}")
    link = element.attrib.pop(_HREF, None)
    if link is not None:
        element.set("href", f"#{prefix}-{link[1:]}")
    _unstyle(element)
    classes = []
    for key in ("fill", "stroke"):
        named = _NAMES.get(element.get(key, ""))
        if named is not None:
            del element.attrib[key]
            classes.append(f"{key}-{named}")
    if classes:
        element.set("class", " ".join(classes))
    for key, value in list(element.attrib.items()):
        if "url(#" in value:
            element.set(key, _URL.sub(rf"url(#{prefix}-\1)", value))


def _unstyle(element: ET.Element) -> None:
    for part in element.attrib.pop("style", "").split(";"):
        key, _, value = (piece.strip() for piece in part.partition(":"))
        found = _FONT.search(value) if key == "font" else None
        if found is not None:
            element.set("font-size", found["size"])
            if found["weight"]:
                element.set("font-weight", "600")
        elif key not in ("", "font", "-inkscape-stroke"):
            element.set(key, value)


def _describe(root: ET.Element, prefix: str, title: str, description: str) -> None:
    root.set("role", "img")
    root.set("aria-labelledby", f"{prefix}-title {prefix}-desc")
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        node = ET.Element(tag, {"id": f"{prefix}-{tag}"})
        node.text = text
        root.insert(place, node)
