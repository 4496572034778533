from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from harness.errors import RecipeError
from recipes.tiny_base import build_base, load_recipe, synthetic
from recipes.tiny_base.build import CARD, END, build_tokenizer, load_card
from tests.micro_base import MICRO

ROOT = Path(__file__).resolve().parents[2]


def test_the_same_seed_gives_the_same_conversations() -> None:
    assert synthetic.conversations(3, 50) == synthetic.conversations(3, 50)
    assert synthetic.conversations(3, 50) != synthetic.conversations(4, 50)


def test_held_out_words_are_never_drawn_for_training() -> None:
    rng = random.Random(0)
    held = {synthetic.nonsense(rng, held_out=True) for _ in range(300)}
    free = {synthetic.nonsense(rng, held_out=False) for _ in range(3000)}
    assert not held & free


def test_the_answer_to_a_note_is_in_the_note_and_holds_its_key() -> None:
    rng = random.Random(1)
    for _ in range(200):
        first = synthetic.note(rng)[0]
        assert first.answer in first.prompt
        assert first.key in first.answer


def test_the_tokenizer_marks_answers_and_survives_any_text() -> None:
    tokenizer = build_tokenizer(MICRO, synthetic.conversations(0, 60))
    for text in ("plain words", "Zürich 東京 🙂", "a\n\tb", "{{ config }} {% if %}"):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode(ids) == text
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "{{ 7 * 7 }}"},
        {"role": "assistant", "content": "fine"},
    ]
    shown = tokenizer.apply_chat_template(messages, tokenize=False)
    assert shown == f"<|system|>s{END}<|user|>{{{{ 7 * 7 }}}}{END}<|assistant|>fine{END}"
    encoded = tokenizer.apply_chat_template(
        messages, return_dict=True, return_assistant_tokens_mask=True
    )
    answer = [
        token
        for token, mark in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)
        if mark
    ]
    assert tokenizer.decode(answer) == f"fine{END}"


def test_a_model_folder_has_what_a_server_needs(micro_base: Path) -> None:
    names = {path.name for path in micro_base.iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "generation_config.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    config = json.loads((micro_base / "config.json").read_text(encoding="utf-8"))
    generation = json.loads((micro_base / "generation_config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["eos_token_id"] == generation["eos_token_id"] == 1


def test_a_model_is_built_once_for_a_recipe(micro_base: Path, tmp_path: Path) -> None:
    told: list[str] = []
    before = (micro_base / "model.safetensors").stat().st_mtime_ns
    card = build_base(MICRO, micro_base, on_progress=lambda *said: told.append(said[3]))
    assert told == ["as built before"]
    assert (micro_base / "model.safetensors").stat().st_mtime_ns == before
    again = build_base(MICRO, tmp_path / "again")
    assert again.weights_digest == card.weights_digest
    other = build_base(MICRO.model_copy(update={"seed": 1}), tmp_path / "other")
    assert other.weights_digest != card.weights_digest


@pytest.mark.parametrize("broken", ["card", "weights", "recipe"])
def test_a_changed_folder_is_not_taken_for_built(tmp_path: Path, broken: str) -> None:
    build_base(MICRO, tmp_path)
    assert load_card(tmp_path, MICRO) is not None
    if broken == "card":
        (tmp_path / CARD).write_text("{", encoding="utf-8")
    elif broken == "weights":
        (tmp_path / "model.safetensors").write_bytes(b"other")
    asked = MICRO.model_copy(update={"steps": 5}) if broken == "recipe" else MICRO
    assert load_card(tmp_path, asked) is None


def test_the_shipped_base_recipe_loads() -> None:
    assert load_recipe(ROOT / "recipes" / "tiny.yaml").name == "tiny"


def test_heads_must_divide_the_width(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text("hidden: 100\nheads: 7\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="multiple of heads"):
        load_recipe(path)
