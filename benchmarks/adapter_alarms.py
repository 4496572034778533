"""How often the proof of an adapter cries wolf in bfloat16, and whether it finds another adapter.

A small Llama in bfloat16 answers the probes through transformers, in batches of 1 to 64 with other
prompts: rounding depends on the batch. An adapter is proven on a server and later held against that
proof, by the code that a run uses. What is loaded later is the same adapter (every alarm is false)
or another one: trained from another seed, or the same one some steps further (no alarm is a miss).
Half of the proofs are made in batches of one size; with `--busy` all batches are drawn.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from harness.client.dialect import ModelEntry, ServerDescription
from harness.client.protocol import Answer, ChatRequest, Reply
from harness.errors import AdapterNotApplied
from harness.records.attempt import Timing
from harness.records.plan import Plan, RequestList
from harness.run.plan import plan
from harness.targets.adapter_proof import prove
from harness.targets.fingerprint import check_unchanged
from harness.targets.probes import PROBE_TOKENS, Logprobs, gaps_between
from tests.builders import identity, shop

SIZES = (1, 2, 4, 16, 64)
PROMPTS = 24
QUIET = {"at once": (16,), "alone": (1,)}
BUSY = {"at once": SIZES, "alone": SIZES}
LOADS = ((QUIET, QUIET), (QUIET, BUSY), (BUSY, QUIET), (BUSY, BUSY))
TABLES = 2  # compositions of batches that each size is drawn from
NEAR, FAR = 6, 6
RANK, FURTHER = 4, 0.5
STRENGTHS = (0.15, 0.3, 0.6)

Table = Mapping[int, Sequence[Mapping[str, Logprobs]]]


def build_model(seed: int) -> Any:
    """A Llama that is about as sure of its tokens as a trained one."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=256,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=256,
        initializer_range=0.06,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        model.lm_head.weight.mul_(4.0)  # else every next token is about as likely as the others
    return model.to(torch.bfloat16).eval()


def deltas(model: Any, seed: int) -> dict[str, Any]:
    """An adapter: a product of two thin matrices for every projection."""
    import torch

    draw = torch.Generator().manual_seed(seed)
    found = {}
    for name, weight in model.named_parameters():
        if "proj" in name:
            rows, columns = weight.shape
            left = torch.randn(rows, RANK, generator=draw)
            right = torch.randn(RANK, columns, generator=draw)
            found[name] = (left @ right) / RANK**0.5
    return found


def with_adapter(model: Any, *adapters: tuple[float, dict[str, Any]]) -> Any:
    """The model with the adapters added to its weights, each as strongly as said."""
    import copy

    import torch

    found = copy.deepcopy(model)
    with torch.no_grad():
        for share, adapter in adapters:
            for name, weight in found.named_parameters():
                if name in adapter:
                    weight += (share * adapter[name]).to(weight.dtype)
    return found


def answers(model: Any, prompts: Sequence[str], size: int, draw: random.Random) -> dict[str, Any]:
    """What the model says to each prompt in batches of that size, others filling them up."""
    import torch

    order = draw.sample(list(prompts), len(prompts))
    found: dict[str, Any] = {}
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        batch += draw.choices(list(prompts), k=size - len(batch))
        longest = max(map(len, batch))
        ids = torch.tensor([[0] * (longest - len(one)) + list(one.encode()) for one in batch])
        mask = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in batch])
        said: list[list[tuple[str, float]]] = [[] for _ in batch]
        past = None
        for _ in range(PROBE_TOKENS):
            with torch.no_grad():
                out = model(input_ids=ids, attention_mask=mask, past_key_values=past)
            past = out.past_key_values
            best, token = out.logits[:, -1].float().log_softmax(-1).max(-1)
            for row, (value, number) in enumerate(zip(best.tolist(), token.tolist(), strict=True)):
                said[row].append((f"{number:02x}", value))
            ids = token[:, None]
            mask = torch.cat([mask, torch.ones_like(token)[:, None]], 1)
        found |= {text: tuple(told) for text, told in zip(batch, said, strict=True)}
    return found


def table(model: Any, prompts: Sequence[str], draw: random.Random, tables: int = TABLES) -> Table:
    """Answers by the size of the batch, each in several compositions."""
    return {size: [answers(model, prompts, size, draw) for _ in range(tables)] for size in SIZES}


@dataclass
class Server:
    """Answers probes of base and adapter from tables, as busy as its sizes say."""

    tables: Mapping[str, Table]
    sizes: Mapping[str, Sequence[int]]
    draw: random.Random
    under_way: int = 0

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The answer in a batch of a size that is drawn."""
        del intended
        self.under_way += 1
        await asyncio.sleep(0)
        size = self.draw.choice(self.sizes["at once" if self.under_way > 1 else "alone"])
        await asyncio.sleep(0)
        self.under_way -= 1
        told = self.draw.choice(self.tables[request.model][size])[request.messages[-1].content]
        return Answer("", None, "stop", None, Timing(sent=0.0, done=0.0), 1, request.model, told)


LISTED = ServerDescription(
    models=tuple(
        ModelEntry(id=name, parent=parent, root=None, max_model_len=None)
        for name, parent in (("base", None), ("tuned", "base"))
    ),
    version="1",
)


def alarm(planned: Plan, then: Server, now: Server) -> str:
    """What the proof of today says against that of then; empty where nothing."""

    async def both() -> str:
        try:
            earlier = await prove(then, LISTED, planned)
            later = await prove(now, LISTED, planned)
            check_unchanged(later, earlier, "then")
        except AdapterNotApplied as error:
            return error.what
        return ""

    return asyncio.run(both())


def main() -> None:
    """Print a line for each strength of the adapter."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=200, help="of the same adapter")
    parser.add_argument("--exchanges", type=int, default=1, help="checks of each other adapter")
    parser.add_argument("--busy", action="store_true", help="draw the size of every batch")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)  # more of them wait for each other at this size
    draw = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        project, suites = shop(Path(folder))
        behind_a_url = identity("tuned", "sha256:a").model_copy(update={"weights": None})
        planned = plan(project, "candidate", suites, behind_a_url)
        step = max(1, len(planned.pool) // PROMPTS)
        planned = replace(planned, pool=RequestList(list(planned.pool)[::step]))
    prompts = sorted({ask.messages[-1].content for ask in planned.pool})
    model = build_model(given.seed)
    base = table(model, prompts, draw)
    print("adapter  its gap  noise  false alarms  another seed  some steps further")
    for strength in STRENGTHS:
        ours = deltas(model, 1)
        tuned = with_adapter(model, (strength, ours))
        own = {"base": base, "tuned": table(tuned, prompts, draw)}
        loads = LOADS[-1:] if given.busy else LOADS
        false = 0
        for _ in range(given.checks):
            then, now = draw.choice(loads)
            false += bool(alarm(planned, Server(own, then, draw), Server(own, now, draw)))
        found = [0, 0]
        for number in range(NEAR + FAR):
            other, near = deltas(model, 100 + number), number < NEAR
            parts = (
                ((strength, ours), (FURTHER * strength, other)) if near else ((strength, other),)
            )
            later = table(with_adapter(model, *parts), prompts, draw, tables=1)
            for check in range(given.exchanges):
                then, now = loads[(number + check) % len(loads)]
                after = Server({**own, "tuned": later}, now, draw)
                found[near] += bool(alarm(planned, Server(own, then, draw), after))
        gap, noise = (
            median(gaps_between(list(one.values()), [other[name] for name in one]))
            for one, other in (
                (own["tuned"][16][0], base[16][0]),
                (own["tuned"][16][0], own["tuned"][1][0]),
            )
        )
        print(
            f"{strength:7.2f} {gap:8.2f} {noise:6.3f} {false:6d} of {given.checks}"
            f" {found[0]:8d} of {FAR * given.exchanges}"
            f" {found[1]:14d} of {NEAR * given.exchanges}",
            flush=True,
        )


if __name__ == "__main__":
    main()
