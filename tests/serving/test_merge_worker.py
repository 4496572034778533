"""Real merges of a random model of a few thousand weights, with adapters of several kinds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.model_files import ADAPTER_WEIGHTS, chat_template_digest, read_model_shapes
from harness.serving.merge import resized_rows, touches_embeddings
from harness.training.libraries import import_torch_patiently

pytestmark = pytest.mark.slow  # torch, transformers and peft are imported

WORDS = ["<unk>", "<s>", "</s>", *(f"w{number}" for number in range(29))]
TEMPLATE = "{% for m in messages %}<s> {{ m.content }} {% endfor %}"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import_torch_patiently()
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("merge") / "base"
    words = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=32, hidden_size=16, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=64, tie_word_embeddings=True,
        bos_token_id=1, eos_token_id=2, initializer_range=0.3,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    # As several makers ship it: transformers would refuse to write it.
    (folder / "generation_config.json").write_text('{"temperature": 0.6, "do_sample": false}')
    return folder


def adapter_of(base: Path, folder: Path, rows: int | None = None, **settings: Any) -> Path:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if rows is not None:
        model.resize_token_embeddings(rows, mean_resizing=False)
    settings = {"target_modules": ["q_proj", "down_proj"], "r": 4, **settings}
    adapted = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings))
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if weight.requires_grad and "magnitude" not in name:
                weight.add_(torch.randn_like(weight) * 0.3)
    adapted.save_pretrained(folder)
    return folder


def merged(base: Path, adapter: Path, folder: Path, dtype: str = "float32") -> dict[str, Any]:
    from harness.serving.merge_worker import merge

    turns = [[{"role": "user", "content": f"w{one} w{one + 3}"}] for one in range(2)]
    order = {
        "base": str(base), "adapter": str(adapter), "tokenizer": str(base), "folder": str(folder),
        "dtype": dtype, "probes": turns, "template_kwargs": {}, "tokens": 6,
        "rows": resized_rows(base, adapter), "embeddings": touches_embeddings(adapter),
        "trust_remote_code": False,
    }  # fmt: skip
    return merge(order, lambda _: None)


def gap(one: list[Any], two: list[Any]) -> float:
    """The largest difference of log-probabilities, infinite where the tokens differ."""
    if [[token for token, _ in each] for each in one] != [[t for t, _ in each] for each in two]:
        return float("inf")
    pairs = [pair for each in zip(one, two, strict=True) for pair in zip(*each, strict=True)]
    return max(abs(a[1] - b[1]) for a, b in pairs)


@pytest.mark.parametrize(
    "settings",
    [
        {"use_dora": True, "target_modules": ["q_proj", "lm_head"]},
        {"use_rslora": True, "target_modules": ["q_proj", "embed_tokens"]},
        {"modules_to_save": ["embed_tokens", "lm_head"], "rows": 40},
    ],
    ids=["output", "embedding", "tokens"],
)
def test_the_files_answer_as_the_adapter_does(
    settings: dict[str, Any], base: Path, tmp_path: Path
) -> None:
    """Also where one side of a tied embedding was trained, or tokens were added."""
    found = merged(base, adapter_of(base, tmp_path / "a", **settings), tmp_path / "m")
    assert found["noise"] < 1e-4
    assert gap(found["adapter"], found["merged"]) < 1e-4
    assert gap(found["base"], found["adapter"]) > 0.01


def test_what_stands_beside_the_weights_is_the_bases_own(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    found = merged(base, adapter_of(base, tmp_path / "a"), folder, "bfloat16")
    assert json.loads((folder / "config.json").read_text())["dtype"] == "bfloat16"
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        assert (folder / name).read_bytes() == (base / name).read_bytes()
    assert chat_template_digest(folder) == chat_template_digest(base)
    assert read_model_shapes(folder) == read_model_shapes(base)
    assert not (folder / ADAPTER_WEIGHTS).exists()
    assert len(found["rounded"]) == len(found["merged"]) == 2
