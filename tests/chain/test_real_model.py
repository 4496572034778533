"""A chain of real files: a trained model with its tokenizer and template, an adapter, its merge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.chain.conftest import Examine
from tests.micro_base import micro_base
from tests.mock_server import MockReply

__all__ = ["micro_base"]

pytestmark = pytest.mark.slow  # torch, transformers and peft are imported


@dataclass(frozen=True, slots=True)
class Served:
    """A model of transformers behind a chat route."""

    model: Any
    tokenizer: Any
    template: str
    context: int = 128
    refuses_long: bool = True

    def tokens(self, turns: list[dict[str, str]]) -> list[int]:
        text = self.tokenizer.apply_chat_template(
            turns, chat_template=self.template, tokenize=False, add_generation_prompt=True
        )
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def answer(self, body: dict[str, Any]) -> MockReply:
        import torch

        ids = self.tokens(body["messages"])
        if len(ids) + body["max_tokens"] > self.context:
            return MockReply("maximum context length exceeded", status=400)
        prompt = torch.tensor([ids])
        with torch.inference_mode():
            done = self.model.generate(
                prompt, attention_mask=torch.ones_like(prompt), do_sample=False,
                max_new_tokens=body["max_tokens"], output_logits=True,
                return_dict_in_generate=True, pad_token_id=0,
            )  # fmt: skip
        said = done.sequences[0, prompt.shape[1] :].tolist()
        logs = [
            float(logits[0].log_softmax(-1)[token])
            for logits, token in zip(done.logits, said, strict=True)
        ]
        ended = len(said) < body["max_tokens"]
        pairs = tuple((f"t{token} ", log) for token, log in zip(said, logs, strict=True))
        text = "".join(token for token, _ in pairs)
        finish = "stop" if ended else "length"
        return MockReply(text, finish_reason=finish, logprobs=pairs, prompt_tokens=len(ids))


@dataclass(frozen=True, slots=True)
class Forms:
    base: Served
    adapter: Served
    merged: Served


@pytest.fixture(scope="module")
def forms(micro_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Forms:
    """The forms of one model; the merged one is read from the files that a merge wrote."""
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from harness.serving.merge_worker import merge

    folder = tmp_path_factory.mktemp("forms")

    def load(path: Path) -> Any:
        return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()

    adapted = get_peft_model(
        load(micro_base),
        LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules="all-linear"),
    )
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in (one for one in adapted.parameters() if one.requires_grad):
            weight.add_(torch.randn_like(weight) * 0.2)
    adapted.save_pretrained(folder / "a")
    order = {
        "base": str(micro_base), "adapter": str(folder / "a"), "tokenizer": str(micro_base),
        "folder": str(folder / "merged"), "dtype": "float32", "tokens": 2,
        "probes": [[{"role": "user", "content": "Hi"}]], "template_kwargs": {}, "rows": None,
        "embeddings": False, "trust_remote_code": False,
    }  # fmt: skip
    merge(order, lambda _: None)

    def served(model: Any, files: Path) -> Served:
        tokenizer = AutoTokenizer.from_pretrained(files)
        return Served(model, tokenizer, tokenizer.chat_template)

    return Forms(
        base=served(load(micro_base), micro_base),
        adapter=served(
            PeftModel.from_pretrained(load(micro_base), folder / "a").eval(), micro_base
        ),
        merged=served(load(folder / "merged"), folder / "merged"),
    )


def test_a_merge_is_the_same_model_and_another_template_is_not(
    forms: Forms, chained: Examine
) -> None:
    other = replace(
        forms.merged, template=forms.merged.template.replace("<|end|>", "<|end|><|end|>")
    )
    assert other.template != forms.merged.template
    links = {"merged": forms.merged, "far": other}
    hops = chained(links, adapter=forms.adapter, base=forms.base)
    assert [hop.outcome for hop in hops] == ["same", "different"]
    assert hops[0].probes.largest is not None
    assert hops[0].probes.largest < 1e-3
    assert hops[1].cause == "template"


def test_a_merge_that_lost_the_adapter_is_named(forms: Forms, chained: Examine) -> None:
    hops = chained({"merged": forms.base}, adapter=forms.adapter, base=forms.base)
    assert (hops[0].outcome, hops[0].cause) == ("different", "adapter not applied")
