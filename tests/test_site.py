"""The documentation's pages: each is in the site's contents, and no link between them is broken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.site import CONTENTS, ROOT, write_sources

PAGES = sorted((ROOT / "docs").glob("*.md"))
BESIDE = [ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md")]
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s:]*)\)")


def prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives the page's headings."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[^\w\s-]", "", plain).strip().lower().replace(" ", "-"))
    return found


def links() -> Iterator[tuple[Path, str]]:
    for page in (*PAGES, *BESIDE):
        for target in _LINK.findall(prose(page)):
            yield page, target


def test_no_link_between_pages_is_broken() -> None:
    broken = []
    for page, target in links():
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        if not file.is_file() or (anchor and anchor not in anchors(file)):
            broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken


def test_every_page_begins_with_what_its_reader_will_be_able_to_do() -> None:
    for page in PAGES:
        title, first, _ = page.read_text(encoding="utf-8").split("\n\n", 2)
        assert title.startswith("# ")
        assert first.startswith("With this page you can "), page.name


def test_the_links_are_seen() -> None:
    assert sum(1 for _ in links()) > 100


def test_every_page_stands_in_the_contents(tmp_path: Path) -> None:
    write_sources(tmp_path / "source")
    written = {path.stem for path in (tmp_path / "source").glob("*.md")}
    listed = [page for pages in CONTENTS.values() for page in pages]
    assert sorted([*listed, "index"]) == sorted(written)
    assert "additionalProperties" in (tmp_path / "source/schemas.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["images/report.png", "conf.py"])
def test_what_the_pages_need_is_beside_them(tmp_path: Path, name: str) -> None:
    write_sources(tmp_path)
    assert (tmp_path / name).is_file()
