"""The process that merges an adapter into its base: `python -m harness.serving.merge_worker FILE`.

FILE holds the order in JSON. Steps are written to standard output as they begin, a line each; the
last line is the result, or the error, as JSON. What libraries print goes to standard error.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.model_files import CHAT_TEMPLATES, TOKENIZER_FILES

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

GENERATION = "generation_config.json"
# A token and its log-probability, for each token of an answer.
Answer = list[tuple[str, float]]


def merge(order: dict[str, Any], say: Callable[[str], None]) -> dict[str, Any]:
    """Write the merged model, and answer the order's probes before and after; see `MergeOrder`.

    Everything is computed in float32 and rounded once, when the result is written. `adapter` are
    the answers through the adapter, `noise` how far the same answers are from themselves when they
    are read at once instead of token by token, in nats; `base` are those of the base in float32,
    `rounded` in the result's precision, `merged` those of the files as they were written.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoTokenizer

    _quiet()
    tokenizer = AutoTokenizer.from_pretrained(order["tokenizer"], local_files_only=True)
    say("loading the base")
    dtype = getattr(torch, order["dtype"])
    base = _load(order["base"], torch.float32, order)
    prompts = _prompts(tokenizer, base, order)
    found: dict[str, Any] = {"base": _answers(base, tokenizer, prompts, order)[0]}
    _make_room(base, order)
    say("answering the probes through the adapter")
    adapted = PeftModel.from_pretrained(base, order["adapter"]).eval()
    found["adapter"], found["noise"] = _answers(adapted, tokenizer, prompts, order)
    say("merging")
    merged = adapted.merge_and_unload(safe_merge=True)
    _save(merged.to(dtype), order)
    del base, adapted, merged
    gc.collect()
    say("answering the probes from the merged files")
    merged = _load(order["folder"], dtype, order)
    found["merged"], _ = _answers(merged, tokenizer, prompts, order)
    del merged
    gc.collect()
    if dtype != torch.float32:
        say(f"answering the probes from the base in {order['dtype']}, for comparison")
        rounded = _load(order["base"], dtype, order)
        found["rounded"], _ = _answers(rounded, tokenizer, prompts, order)
    return found


def _quiet() -> None:
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.simplefilter("ignore")


def _load(folder: str, dtype: torch.dtype, order: dict[str, Any]) -> PreTrainedModel:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=dtype,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=order["trust_remote_code"],
    ).eval()


def _make_room(base: PreTrainedModel, order: dict[str, Any]) -> None:
    """Let the base take an adapter that changes its vocabulary, or one side of a tied embedding.

    A base whose output shares the weights of its input would else lose what was trained for one of
    the two when it is written.
    """
    import torch

    if order["rows"] is not None:
        base.resize_token_embeddings(order["rows"], mean_resizing=False)
    given, taken = base.get_input_embeddings(), base.get_output_embeddings()
    if order["embeddings"] and taken is not None and taken.weight is given.weight:
        taken.weight = torch.nn.Parameter(given.weight.detach().clone())
        base.config.tie_word_embeddings = False


def _save(model: PreTrainedModel, order: dict[str, Any]) -> None:
    """Write the model with the tokenizer's files and the generation settings as they are."""
    from transformers import GenerationConfig

    folder, base = Path(order["folder"]), Path(order["base"])
    model.generation_config = GenerationConfig()  # one that contradicts itself is not written
    model.save_pretrained(folder)
    (folder / GENERATION).unlink(missing_ok=True)
    copied = {
        path for pattern in (*TOKENIZER_FILES, *CHAT_TEMPLATES)
        for path in Path(order["tokenizer"]).glob(pattern)
    }  # fmt: skip
    code = base.glob("*.py") if order["trust_remote_code"] else ()
    for path in (*copied, *code, base / GENERATION):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)


def _prompts(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, order: dict[str, Any]
) -> list[torch.Tensor]:
    """The probes as the template renders them, or their words alone where it refuses them."""
    import torch

    longest = getattr(model.config, "max_position_embeddings", None) or 4096
    found = []
    for turns in order["probes"]:
        try:
            text = tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=True, **order["template_kwargs"]
            )
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        except Exception:  # noqa: BLE001 - a template may raise anything; both sides get the same
            ids = tokenizer("\n".join(turn["content"] for turn in turns))["input_ids"]
        found.append(torch.tensor([ids[-max(1, longest - order["tokens"]) :]]))
    return found


def _answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[torch.Tensor],
    order: dict[str, Any],
) -> tuple[list[Answer], float]:
    """Greedy answers to the prompts, and their largest distance to a second reading of them."""
    import torch
    from transformers import GenerationConfig

    ends = model.generation_config.eos_token_id or tokenizer.eos_token_id
    settings = GenerationConfig(
        do_sample=False,
        max_new_tokens=order["tokens"],
        eos_token_id=ends,
        pad_token_id=ends[0] if isinstance(ends, list) else ends,
        output_logits=True,
        return_dict_in_generate=True,
    )
    answers, noise = [], 0.0
    with torch.inference_mode():
        for prompt in prompts:
            mask = torch.ones_like(prompt)
            done = model.generate(prompt, attention_mask=mask, generation_config=settings)
            ids = done.sequences[0, prompt.shape[1] :]
            stepwise = _logprobs(torch.cat(done.logits), ids)
            at_once = model(done.sequences).logits[0, prompt.shape[1] - 1 : -1]
            noise = max(noise, float((stepwise - _logprobs(at_once, ids)).abs().max()))
            answers.append(list(zip(map(str, ids.tolist()), stepwise.tolist(), strict=True)))
    return answers, noise


def _logprobs(logits: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = logits.float().log_softmax(-1).gather(1, ids[:, None])[:, 0]
    return found


def main() -> None:
    """Carry out the order in the file that the command line names."""
    lines = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    order = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        result = {"result": merge(order, lambda text: print(text, file=lines))}
    except Exception as error:  # noqa: BLE001 - told to whoever gave the order
        result = {"error": {"what": f"{type(error).__name__}: {error}"}}
    lines.write(json.dumps(result) + "\n")
    lines.close()


if __name__ == "__main__":
    main()
