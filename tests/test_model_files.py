"""A model's digest, and the dossiers that name a base by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.files import digest_json, directory_digest, file_digest
from harness.model_files import (
    chat_template_digest,
    chat_template_text,
    is_base,
    is_chat_template,
    model_digest,
)
from tests.serving.made import write_model

EARLIER = ("*.safetensors", "config.json", "tokenizer.json", "chat_template.jinja")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = write_model(tmp_path / "base")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    return folder


def change(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text('{"changed": true}')


def test_the_digest_is_of_names_and_contents(base: Path, tmp_path: Path) -> None:
    """The value is stored in runs and dossiers: it must never change for the same files."""
    for file in base.glob("*.safetensors"):
        file.write_bytes(b"weights")
    (base / "README.md").write_text("not a file of the model")
    assert model_digest(base) == (
        "sha256:8ae4fe8adfaa4dca3d5bca46d5889e3bf558b81ce8209ca29d61b18e560c1b7b"
    )
    with pytest.raises(UsageError, match="holds none of"):
        model_digest(tmp_path)


def test_a_dossier_of_today_matches_its_base(base: Path) -> None:
    assert is_base(base, model_digest(base), chat_template_digest(base))


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]
)
def test_another_base_or_another_template_does_not(base: Path, name: str) -> None:
    stored = model_digest(base), chat_template_digest(base)
    change(name)(base)
    assert not is_base(base, *stored)


def test_an_earlier_dossier_still_matches(base: Path) -> None:
    stored = directory_digest(base, EARLIER)
    assert stored != model_digest(base)
    assert is_base(base, stored, None)
    change("generation_config.json")(base)
    assert is_base(base, stored, None)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "chat_template.jinja"])
def test_an_earlier_dossier_of_another_base_does_not(base: Path, name: str) -> None:
    stored = directory_digest(base, EARLIER)
    change(name)(base)
    assert not is_base(base, stored, None)


def test_a_given_template_replaces_the_folders(base: Path, tmp_path: Path) -> None:
    own = chat_template_digest(base)
    text = chat_template_digest(base, "{{ x }}")
    file = tmp_path / "x.jinja"
    file.write_text("{{ x }}")
    assert own != text == chat_template_digest(base, str(file))
    (base / "chat_template.jinja").unlink()
    assert chat_template_digest(base) not in (None, own)
    (base / "tokenizer_config.json").write_text("{}")
    assert chat_template_digest(base) is None


def test_a_template_is_known_by_either_of_its_digests(tmp_path: Path) -> None:
    text = "{{ messages }}" * 40
    file = tmp_path / "own.jinja"
    file.write_text(text)
    for given in (text, str(file)):
        for digest in (file_digest(file), digest_json(text)):
            assert is_chat_template(digest, given)
        assert not is_chat_template(digest_json("other"), given)
    assert chat_template_digest(tmp_path, text) == file_digest(file)


def test_the_text_of_a_chat_template_is_found_where_its_digest_is(tmp_path: Path) -> None:
    assert chat_template_text(tmp_path) is None
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": "in the configuration"}')
    assert chat_template_text(tmp_path) == "in the configuration"
    file = tmp_path / "chat_template.jinja"
    file.write_text("in a file")
    assert chat_template_text(tmp_path) == "in a file"
    assert chat_template_text(tmp_path, "given") == "given"
    assert chat_template_text(tmp_path / "none", str(file)) == "in a file"
