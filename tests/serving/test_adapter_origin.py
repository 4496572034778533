"""Adapters of other trainers, known by the files that each leaves. The files are written anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.serving.adapter_origin import Origin, describe_adapter, read_origin
from tests.serving import made

CARD = "---\nbase_model: some/base\nlibrary_name: peft\ntags:\n- {tag}\n- lora\n---\n\n# A card\n"
AXOLOTL = """---
tags:
- axolotl
- generated_from_trainer
---
<details><summary>See axolotl config</summary>

axolotl version: `0.9.1`
```yaml
base_model: some/base
datasets:
  - path: data/support.jsonl
    type: chat_template
  - path: org/set
chat_template: chatml
sequence_len: 2048
learning_rate: 0.0002
```

</details><br>
"""
STATE = {
    "global_step": 120, "epoch": 2.98,
    "log_history": [
        {"loss": 2.5, "step": 10}, {"loss": 1.25, "step": 120}, {"eval_loss": 1.5, "step": 120},
        {"train_runtime": 9.0, "step": 120},
    ],
}  # fmt: skip


def adapter(folder: Path, card: str = "", **config: object) -> Path:
    made.write_adapter(folder, peft_version="0.17.0", inference_mode=True, **config)
    if card:
        (folder / "README.md").write_text(card, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("card", "config", "trainer"),
    [
        (CARD.format(tag="trl"), {}, "TRL"),
        (CARD.format(tag="unsloth") + "trl", {}, "unsloth"),
        (CARD.format(tag="trl"), {"base_model_name_or_path": "unsloth/llama"}, "unsloth"),
        ("", {"auto_mapping": {"unsloth_fixed": True}}, "unsloth"),
        (CARD.format(tag="llama-factory"), {}, "LLaMA-Factory"),
        (CARD.format(tag="axolotl"), {}, "axolotl"),
        (AXOLOTL, {}, "axolotl 0.9.1"),
        ("", {}, "peft 0.17.0"),
        ("no front matter: trl, unsloth", {}, "peft 0.17.0"),
        ("---\ntags: [a: b: c\n---\n", {"auto_mapping": None}, "peft 0.17.0"),
    ],
)
def test_a_trainer_is_known_by_what_it_alone_writes(
    card: str, config: dict[str, object], trainer: str, tmp_path: Path
) -> None:
    assert read_origin(adapter(tmp_path / "a", card, **config)).trainer == trainer


def test_torchtune_writes_no_more_than_peft_needs(tmp_path: Path) -> None:
    folder = made.write_adapter(tmp_path / "epoch_0")
    assert read_origin(folder).trainer == "peft"
    (tmp_path / "recipe_state").mkdir()
    assert read_origin(folder).trainer == "torchtune"


def test_the_state_of_the_trainer_tells_steps_and_losses(tmp_path: Path) -> None:
    folder = adapter(tmp_path / "a")
    for step, state in ((9, {"global_step": 9}), (120, STATE)):
        (folder / f"checkpoint-{step}").mkdir()
        path = folder / f"checkpoint-{step}" / "trainer_state.json"
        path.write_text(json.dumps(state), encoding="utf-8")
    known = Origin("peft 0.17.0", steps=120, epochs=2.98, loss=1.25, validation_loss=1.5)
    assert read_origin(folder) == known
    (folder / "trainer_state.json").write_text('{"global_step": 7}', encoding="utf-8")
    assert read_origin(folder) == Origin("peft 0.17.0", steps=7)


def test_settings_and_data_are_read_where_a_trainer_keeps_them(tmp_path: Path) -> None:
    found = read_origin(adapter(tmp_path / "a", AXOLOTL))
    assert found.data == ("data/support.jsonl", "org/set")
    assert found.settings == (
        ("learning rate", "0.0002"), ("sequences of", "2048"), ("chat template", "chatml"),
    )  # fmt: skip
    factory = adapter(tmp_path / "b")
    (factory / "trainer_log.jsonl").write_text("", encoding="utf-8")
    (factory / "training_args.yaml").write_text(
        "dataset: one,two\ncutoff_len: 1024\ntemplate: qwen\n", encoding="utf-8"
    )
    found = read_origin(factory)
    assert (found.trainer, found.data) == ("LLaMA-Factory", ("one", "two"))
    assert found.settings == (("sequences of", "1024"), ("chat template", "qwen"))


@pytest.mark.parametrize("text", ["[]", "{", "[[[[", '{"log_history": [1, {"loss": "x"}]}', "\x00"])
def test_files_that_are_not_as_a_trainer_writes_them_tell_nothing(
    text: str, tmp_path: Path
) -> None:
    folder = adapter(tmp_path / "a", text)
    for name in ("trainer_state.json", "training_args.yaml"):
        (folder / name).write_text(text, encoding="utf-8")
    assert read_origin(folder) == Origin("peft 0.17.0")


def test_an_adapter_is_described_on_one_line(tmp_path: Path) -> None:
    folder = adapter(tmp_path / "a", AXOLOTL, use_rslora=True, modules_to_save=["lm_head"])
    (folder / "trainer_state.json").write_text(json.dumps(STATE), encoding="utf-8")
    assert describe_adapter(folder) == (
        "rank-stabilised LoRA of rank 4, alpha 8, on down_proj, q_proj; whole lm_head; base "
        "somewhere/else; trained by axolotl 0.9.1 (120 steps, 2.98 epochs, loss 1.25, validation "
        "loss 1.5); learning rate 0.0002, sequences of 2048, chat template chatml; data "
        "data/support.jsonl, org/set"
    )
    paths = ["model.layers.0.mlp.up_proj", "model.layers.1.mlp.up_proj"]
    for targets, shown in ((paths, "up_proj"), (r".*\.q_proj", r".*\.q_proj")):
        folder = made.write_adapter(tmp_path / "c", target_modules=targets)
        assert f", on {shown}; base" in describe_adapter(folder)
    assert describe_adapter(made.write_adapter(tmp_path / "b", use_dora=True), Origin("us")) == (
        "DoRA of rank 4, alpha 8, on down_proj, q_proj; base somewhere/else; trained by us"
    )
