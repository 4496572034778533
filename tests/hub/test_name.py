"""A hub's name is told from a folder, and a slip of the pen from both."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.hub.name import HubName, check_readings, check_there, hub_name, parse

NAMES = {
    "Qwen/Qwen2.5-1.5B-Instruct": HubName("Qwen/Qwen2.5-1.5B-Instruct", "main"),
    "org/name@v1.0": HubName("org/name", "v1.0"),
    "org/name@refs/pr/3": HubName("org/name", "refs/pr/3"),
    "hf:org/name@main": HubName("org/name", "main"),
}
NO_NAMES = (
    ".harness/models/tiny",
    "models/my/base",
    "./models/tiny",
    "/models/tiny",
    "~/models",
    "tiny",
    "org/name@",
    "org/name@../../x",
    "org/name@/x",
    "org/na--me",
    "org/..name",
    "org/name.git",
    "org/name with blanks",
    f"org/{'x' * 93}",
    "ürg/name",
    "",
)


@pytest.mark.parametrize("text", NAMES)
def test_names(text: str) -> None:
    assert parse(text) == NAMES[text]


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_is_no_name(text: str, tmp_path: Path) -> None:
    assert parse(text) is None
    assert hub_name(text, tmp_path) is None


def test_a_commit_is_known_as_one() -> None:
    assert HubName("a/b", "0123456789" * 4).commit == "0123456789" * 4
    assert HubName("a/b", "0123456789").commit is None
    assert str(HubName("a/b")) == "a/b@main"


def test_a_folder_that_exists_wins_and_hf_means_the_hub(tmp_path: Path) -> None:
    assert hub_name("org/name", tmp_path) == HubName("org/name")
    (tmp_path / "org/name").mkdir(parents=True)
    assert hub_name("org/name", tmp_path) is None
    assert hub_name("hf:org/name", tmp_path) == HubName("org/name")
    check_readings("org/name", tmp_path, "here")
    check_readings("hf:org/name", tmp_path, "here")


def test_a_slip_in_a_folders_name_is_no_name_on_a_hub(tmp_path: Path) -> None:
    (tmp_path / "models/tiny").mkdir(parents=True)
    assert hub_name("models/tinny", tmp_path) is None
    with pytest.raises(UsageError) as caught:
        check_readings("models/tinny", tmp_path, "here")
    assert caught.value.line == (
        "here: no such folder: `models/tinny`, though there is `models/` - did you mean "
        "`models/tiny`? a model of that name on a hub is written `hf:models/tinny`"
    )
    with pytest.raises(UsageError, match="check the path; "):
        check_readings("models/other", tmp_path, "here")


def test_hf_before_something_else(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"no model's name on a hub - after `hf:` write `ORG/NAME`"
    ):
        check_readings("hf:tiny", tmp_path, "here")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("gpt2", "no such folder: `gpt2` - check the path; a model on a hub is written with its"),
        ("mdels", "no such folder: `mdels` - did you mean `models`? a model on a hub is written"),
        ("./models/tny", "no such folder: `./models/tny` - did you mean `models/tiny`? "),
        ("https://huggingface.co/org/name", "an address is neither a folder nor a model's name on"),
        ("https://hub.example/org/name/tree/v1.0", "on a hub - write `org/name@v1.0`"),
        ("https://hub.example/org/name?show=1", "on a hub - write `org/name`"),
        ("https://me:secret@hub.example/org/name", "on a hub - write `ORG/NAME` or"),
        ("s3://bucket/folder", "on a hub - write `ORG/NAME` or"),
        ("hf:tiny", "no model's name on a hub"),
    ],
)  # fmt: skip
def test_what_is_neither_a_folder_nor_a_name_on_a_hub_is_told(
    given: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "models/tiny").mkdir(parents=True)
    with pytest.raises(UsageError) as caught:
        check_there(given, tmp_path, "here")
    assert words in caught.value.line
    assert "secret" not in caught.value.line
    assert caught.value.line.startswith("here: ")


def test_what_is_there_is_taken(tmp_path: Path) -> None:
    (tmp_path / "models/tiny").mkdir(parents=True)
    for given in ("models/tiny", "./models", str(tmp_path), "org/name@v1", "hf:models/other"):
        check_there(given, tmp_path, "here")
