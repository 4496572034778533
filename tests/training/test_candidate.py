"""What a candidate was trained from, as it is kept beside its adapter."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.training.candidate import (
    CurvePoint,
    Curves,
    Dossier,
    Recipe,
    Split,
    checked_name,
    recipe_schema,
)
from tests.training.conftest import make_recipe

RECIPE = Recipe(name="a", base="b", data=("c.jsonl",), steps=5)


@given(st.text(max_size=80))
def test_a_name_is_one_folder_below_its_parent(text: str) -> None:
    try:
        name = checked_name(text)
    except ValueError:
        return
    assert name == text
    assert (Path("/candidates") / name).resolve().parent == Path("/candidates")


@pytest.mark.parametrize("name", ["a", "A-1_b.c", "0", "x" * 64])
def test_ordinary_names_are_names(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-a", "x" * 65, "a\n", "ä"])
def test_what_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        checked_name(name)


def test_a_dossier_and_its_curves_come_back_from_the_disk(tmp_path: Path) -> None:
    dossier = Dossier(
        name="a", recipe=RECIPE, recipe_hash="r", data_hash="d", base="b", base_digest="sha256:b",
        adapter_digest="sha256:a", seed=0, steps_done=5, best_step=4, best_validation_loss=1.5,
        stopped_early=False, seconds=1.0, versions={}, created="2026-01-01T00:00:00Z",
        split=Split(train_conversations=3, validation_conversations=1, train_groups=2,
                    validation_groups=("g",)),
    )  # fmt: skip
    curves = Curves(points=(CurvePoint(step=1, train=2.0), CurvePoint(step=2, validation=1.5)))
    for name, record in (("candidate.json", dossier), ("curves.json", curves)):
        (tmp_path / name).write_text(record.model_dump_json())
        assert type(record).model_validate_json((tmp_path / name).read_bytes()) == record


def test_a_dossier_without_the_fields_of_later_versions_is_read() -> None:
    split = {"train_conversations": 1, "validation_conversations": 0, "train_groups": 1,
             "validation_groups": []}  # fmt: skip
    old = {
        "name": "a", "recipe": RECIPE.model_dump(mode="json"), "recipe_hash": "r",
        "data_hash": "d", "base": "b", "base_digest": "x", "adapter_digest": "y", "split": split,
        "seed": 0, "steps_done": 1, "best_step": 1, "best_validation_loss": 1.0,
        "stopped_early": True, "seconds": 1.0, "versions": {}, "created": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    dossier = Dossier.model_validate(old)
    assert (dossier.schema_version, dossier.chat_template, dossier.resumed_from) == (1, None, 0)


def test_the_schema_asks_for_what_a_recipe_needs() -> None:
    schema = recipe_schema()
    assert set(schema["required"]) == {"name", "base", "data"}
    assert schema["additionalProperties"] is False


def test_keys_that_are_not_given_leave_the_hash_of_a_recipe_as_it_was() -> None:
    assert not {"system_as", "chat_template_kwargs"} & make_recipe().model_dump().keys()
    full = make_recipe(system_as="user", chat_template_kwargs={"enable_thinking": False})
    assert {"system_as", "chat_template_kwargs"} <= full.model_dump().keys()


def test_a_template_is_not_given_what_the_renderer_gives_it() -> None:
    with pytest.raises(ValidationError, match="`tokenize` is not the template's to choose"):
        make_recipe(chat_template_kwargs={"tokenize": False})


def test_a_recipe_without_later_keys_has_the_digest_of_before_they_were() -> None:
    later = {"dora", "rslora", "modules_to_save", "neftune_alpha", "gradient_checkpointing"}
    assert not {*later, "report_to"} & RECIPE.model_dump(mode="json").keys()
    assert RECIPE.model_copy(update={"dora": True}).model_dump(mode="json")["dora"]


@pytest.mark.parametrize("key", ["dropout", "neftune_alpha"])
def test_what_a_training_on_preferences_does_not_heed_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match=f"`{key}` is not for `method: dpo`"):
        make_recipe(method="dpo", **{key: 0.1})
