from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from harness.errors import StorageError
from harness.review.app import ReviewApp
from harness.review.store import ReviewStore
from harness.sections.review import TaskName
from tests.manual_clock import ManualClock
from tests.review.builders import review

BASE = "http://127.0.0.1"


class Person:
    """A rater at a browser without JavaScript."""

    def __init__(self, app: ReviewApp, store: ReviewStore, rater: int = 0) -> None:
        self.client = TestClient(app.asgi, base_url=BASE)
        self.home = f"/r/{store.raters()[rater].secret}"
        self.text = ""
        self.path = ""

    def open(self, path: str = "") -> int:
        return self._shown(self.client.get(path or self.home))

    def press(self, **fields: str) -> int:
        """Post the first form of the page, as a browser would."""
        token = re.search(r'name="token" value="(\w+)"', self.text)
        comment = re.search(r"<textarea[^>]*>(.*?)</textarea>", self.text, re.DOTALL)
        form = {"token": token[1] if token else "", "comment": comment[1] if comment else ""}
        return self._shown(self.client.post(self.path, data={**form, **fields}))

    def _shown(self, answer: object) -> int:
        self.text, self.path = answer.text, urlsplit(str(answer.url)).path
        return answer.status_code


def opened(
    tmp_path: Path, task: TaskName = "label", **given: object
) -> tuple[ReviewApp, ReviewStore]:
    store = review(tmp_path, task, **given)
    return ReviewApp(store, clock=ManualClock()), store


def test_a_rater_goes_through_all_items(tmp_path: Path) -> None:
    app, store = opened(tmp_path, items=2)
    anna = Person(app, store)
    assert anna.open() == 200
    assert anna.path.endswith("/1")
    anna.press(**{"q.correct": "right"})
    assert anna.path.endswith("/2")
    assert "1 done" in anna.text
    anna.press(**{"q.correct": "cannot-tell:unclear"})
    assert anna.path.endswith("/done")
    assert "All 2 items are done" in anna.text
    assert [(one.code, one.reason) for one in store.given()] == [
        ("right", ""), ("cannot-tell", "unclear")]  # fmt: skip


def test_each_choice_is_saved_and_the_next_question_becomes_the_active_one(tmp_path: Path) -> None:
    app, store = opened(tmp_path, "grade")
    anna = Person(app, store)
    anna.open()
    anna.press(**{"q.relevance": "4"})
    assert re.findall(r'fieldset id="q.([\w-]+)" class="active"', anna.text) == ["accuracy"]
    assert 'value="4" data-keys="4" aria-pressed="true"' in anna.text
    assert [(one.criterion, one.code) for one in store.given()] == [("relevance", "4")]
    assert anna.path.endswith("/1")


@pytest.mark.parametrize(
    "fields", [{"q.correct": "perhaps"}, {"q.correct": "cannot-tell:"}, {"q.other": "right"}, {}]
)
def test_what_no_button_sends_is_no_choice(tmp_path: Path, fields: dict[str, str]) -> None:
    app, store = opened(tmp_path)
    anna = Person(app, store)
    anna.open()
    assert anna.press(**fields) == 200
    assert store.given() == []


def test_undo_goes_back_to_the_item(tmp_path: Path) -> None:
    app, store = opened(tmp_path)
    anna = Person(app, store)
    anna.open()
    anna.press(**{"q.correct": "right"})
    last = re.search(r'name="undo" value="(\d+)"', anna.text)
    assert last is not None
    anna.press(undo=last[1])
    assert anna.path.endswith("/1")
    assert store.given() == []
    assert 'name="undo"' not in anna.text


def test_a_comment_and_a_flag_are_kept_with_any_button(tmp_path: Path) -> None:
    app, store = opened(tmp_path)
    anna = Person(app, store)
    anna.open()
    anna.press(comment="<b>odd</b>", flag="yes")
    assert "&lt;b&gt;odd&lt;/b&gt;" in anna.text
    anna.press(comment="odd", **{"q.correct": "wrong"})
    (given,) = store.given()
    assert (given.comment, given.flagged) == ("odd", True)


def test_nothing_tells_whose_answer_it_is(tmp_path: Path) -> None:
    app, store = opened(tmp_path, "prefer", items=12)
    anna = Person(app, store)
    found = set()
    for place in range(1, 13):
        anna.open(f"{anna.home}/{place}")
        sides = re.findall(r'<p class="text" dir="auto">It is so. \((\w+)\)', anna.text)
        found.add(tuple(sides))
        anna.press(**{"q.preferred": re.search(r'value="(\w+)" data-keys="1 Arr', anna.text)[1]})
        left = store.given()[-1].code
        assert (left == "first") == (sides[0] == "good")
    assert found == {("good", "base"), ("base", "good")}
    stripped = re.sub(r"It is so. \(\w+\)", "", anna.text)
    assert not re.search(r"\b(good|base)\b", stripped)


def test_an_answer_is_text(tmp_path: Path) -> None:
    app, store = opened(tmp_path, text="<script>alert(1)</script>\u202eevil")
    anna = Person(app, store)
    anna.open()
    assert "&lt;script&gt;alert(1)" in anna.text
    assert "\u202e" not in anna.text


def test_a_form_without_its_token_changes_nothing(tmp_path: Path) -> None:
    app, store = opened(tmp_path)
    anna, other = Person(app, store), Person(app, store, 1)
    anna.open()
    other.open()
    theirs = re.search(r'name="token" value="(\w+)"', other.text)[1]
    for token in ("", theirs, "x"):
        assert anna.press(token=token, **{"q.correct": "right"}) == 403
        anna.open()
    assert store.given() == []


def test_links_that_are_none_open_nothing(tmp_path: Path) -> None:
    app, store = opened(tmp_path)
    anna = Person(app, store)
    secret, admin = store.raters()[0].secret, store.secrets()[0]
    for path in (f"/r/{admin}", f"/a/{secret}", "/r/x/1", f"/r/{secret}/99"):
        assert anna.open(path) == 404
    for path in ("/", "/static/item.html.j2", "/static/..%2fapp.py", f"/r/{secret}/x"):
        assert anna.open(path) == 404


def test_two_people_on_one_link_are_told_and_lose_nothing(tmp_path: Path) -> None:
    app, store = opened(tmp_path)
    one, two = Person(app, store), Person(app, store)
    one.open()
    assert two.open() == 409
    assert "Is that you as well?" in two.text
    two.press(here="yes")
    assert two.open() == 200
    # The first one now holds a page that is not the link's any more.
    one.path = f"{one.home}/1"
    assert one.press(**{"q.correct": "right"}) == 409
    assert store.given() == []
    kept = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', one.text))
    assert kept["q.correct"] == "right"
    one.press(**kept)
    assert [given.code for given in store.given()] == ["right"]


def test_another_device_later_is_the_same_person(tmp_path: Path) -> None:
    store = review(tmp_path)
    for hour in (8, 9):
        app = ReviewApp(store, clock=ManualClock(utc=datetime(2026, 1, 1, hour, tzinfo=UTC)))
        assert Person(app, store).open() == 200


def test_what_cannot_be_saved_is_said_and_can_be_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, store = opened(tmp_path)
    anna = Person(app, store)
    anna.open()
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise StorageError("cannot write: the disk is full", hint="free space")

        patch.setattr(ReviewStore, "choose", full)
        assert anna.press(comment="mine", **{"q.correct": "right"}) == 503
    assert "the disk is full" in anna.text
    kept = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', anna.text))
    anna.open()
    anna.press(**{name: value for name, value in kept.items() if name != "token"})
    assert [(one.code, one.comment) for one in store.given()] == [("right", "mine")]


def test_the_overview_shows_raters_agreement_and_disagreements(tmp_path: Path) -> None:
    app, store = opened(tmp_path)
    for rater, code in ((0, "right"), (1, "wrong")):
        person = Person(app, store, rater)
        person.open()
        while not person.path.endswith("/done"):
            person.press(**{"q.correct": code})
    admin = TestClient(app.asgi, base_url=BASE).get(f"/a/{store.secrets()[0]}")
    assert admin.status_code == 200
    assert "anna 1, ben 0" in admin.text
    assert f"{BASE}/r/{store.raters()[0].secret}" in admin.text
