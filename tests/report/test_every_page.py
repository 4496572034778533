"""What holds of the markup of every page."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

import pytest

from tests.report.every_page import write_every_page


class Ids(HTMLParser):
    """The ids of a page, and those that it points to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.wanted: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids.update([given["id"]] if "id" in given else [])
        for name in ("aria-labelledby", "aria-describedby", "for"):
            self.wanted.update(given.get(name, "").split())
        if given.get("href", "").startswith("#"):
            self.wanted.add(given["href"][1:])


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ids]:
    written = write_every_page(tmp_path_factory.mktemp("pages"))
    return {name: Ids(path.read_text(encoding="utf-8")) for name, path in written.items()}


def test_no_id_of_a_page_is_there_twice(pages: dict[str, Ids]) -> None:
    twice = {name: [one for one, many in page.ids.items() if many > 1]
             for name, page in pages.items()}  # fmt: skip
    assert {name: ids for name, ids in twice.items() if ids} == {}
    assert sum(page.ids.total() for page in pages.values()) > 500


def test_what_a_page_points_to_is_on_it(pages: dict[str, Ids]) -> None:
    missing = {name: page.wanted - set(page.ids) for name, page in pages.items()}
    assert {name: ids for name, ids in missing.items() if ids} == {}
