"""Placeholders, expressions and presets, as data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records.http_mapping import (
    IN_A_URL,
    KNOWN,
    PRESETS,
    check_expression,
    placeholder,
    placeholders,
    url_placeholders,
    with_preset,
)

NAMES = st.sampled_from(sorted(KNOWN))
PLAIN = st.none() | st.booleans() | st.integers() | st.text()


def nested(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.text().filter(lambda key: key != "$")
    return st.recursive(leaf, lambda inner: st.lists(inner) | st.dictionaries(keys, inner))


@given(nested(PLAIN))
def test_data_holds_no_placeholder(data: Any) -> None:
    assert list(placeholders(data)) == []
    assert placeholder(data) is None


@given(st.lists(NAMES), st.data())
def test_every_placeholder_is_found_wherever_it_stands(
    names: list[str], data: st.DataObject
) -> None:
    request: Any = []
    for name in names:
        request = data.draw(
            st.sampled_from([[request, {"$": name}], {"a": request, "b": {"$": name}}])
        )
    assert sorted(placeholders(request)) == sorted(names)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"a": [{"b": {"$": "messages", "c": 1}}]},
         "a[0].b: `$` must be the only key of a placeholder"),
        ({1: "x"}, "the key 1 must be a string"),
        ({"a": float("nan")}, "a: JSON cannot hold nan; write it in quotes"),
        ([{1, 2}], "[0]: JSON cannot hold {1, 2}; write it in quotes"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_named_with_its_place(data: Any, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        list(placeholders(data))
    assert str(caught.value) == said


@given(st.lists(st.sampled_from(sorted(IN_A_URL)), max_size=3))
def test_placeholders_of_an_address_are_found_in_its_path(names: list[str]) -> None:
    url = "https://h/" + "/".join(f"{{{name}}}" for name in names)
    assert url_placeholders(url) == tuple(names)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://h/{prompt}", "no placeholder `{prompt}` here; there is `model`, `session`"),
        ("https://h/{session", "holds a brace that opens or closes nothing"),
        ("https://h/session}", "holds a brace that opens or closes nothing"),
        ("https://{session}/x", "placeholders belong into the path"),
    ],
)
def test_an_address_that_cannot_be_filled_is_refused(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        url_placeholders(url)
    assert str(caught.value) == said


@pytest.mark.parametrize("path", ["reply", "a[].text || b", "length(a[?b == 'c'])"])
def test_an_expression_stays_as_it_is(path: str) -> None:
    assert check_expression(path) == path


@pytest.mark.parametrize("path", ["a[", "", "a..b", "upper(a)", "a[?upper(b) == 'C']"])
def test_what_is_no_expression_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is no JMESPath: "):
        check_expression(path)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_holds_only_what_is_known(name: str) -> None:
    preset = PRESETS[name]
    assert set(placeholders(preset.settings["request"])) <= KNOWN
    assert set(url_placeholders(f"https://h{preset.route}")) <= IN_A_URL
    assert check_expression(preset.settings["answer"])


def test_what_a_server_says_stands_on_top_of_its_preset() -> None:
    preset = PRESETS["ollama"]
    url = f"http://h:11434{preset.route}"
    for given_url in ("http://h:11434", "http://h:11434/", url, f" {url}/ "):
        assert with_preset({"url": given_url}, preset)["url"] == url
    own = {"request": {"options": {"seed": 7, "mirostat": 1}}, "answer": "other", "end": None}
    found = with_preset(own, preset)
    options = preset.settings["request"]["options"]
    assert found["request"]["options"] == {**options, "seed": 7, "mirostat": 1}
    assert found["request"]["messages"] == {"$": "messages"}
    assert (found["answer"], found["end"]) == ("other", "done")
    assert preset.settings["request"]["options"] == options
