"""TTFT as we measure it, as `vllm bench serve` does, and as the server counts it itself.

Run `make demo`, which trains the models, then `python -m benchmarks.latency_vllm`. One managed vLLM
serves the demo's base and a candidate. Both clients put prompts to it at the same load, in turns,
and no prompt is asked twice. It wants a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.client.dialect_client import DialectClient
from harness.clock import SYSTEM_CLOCK
from harness.event_loop import run_async
from harness.latency.block import Asked, Due, run_block
from harness.latency.health import ServerWatch
from harness.latency.quantities import answered
from harness.records.latency import Sample, ServerHealth
from harness.records.load import Load
from harness.records.suite import Message
from harness.records.target import Generation
from harness.serving.command import ServeSpec, environment, require_vllm
from harness.serving.vllm import VllmServer
from harness.targets.endpoint import Endpoint
from tests.dialects import openai_dialect

ROOT = Path(__file__).parent.parent
CLIENTS = ("ours", "vllm bench")
# `vllm bench serve` without its console script, which wants a distribution named `vllm`.
BENCH = """\
from vllm.benchmarks import serve
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = FlexibleArgumentParser()
serve.add_cli_args(parser)
serve.main(parser.parse_args())
"""
WORDS = ("return", "order", "parcel", "tent", "boots", "refund", "size", "delivery", "week", "shop")
HEADER = """\
| load | model | client | requests | failed | mean | p50 | p95 | p99 | server's mean | difference \
| tokens | cache hits |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"""


@dataclass(frozen=True, slots=True)
class Job:
    """What one client is to do in one turn."""

    server: VllmServer
    tokenizer: Path
    model: str
    load: Load
    prompts: tuple[str, ...]
    max_tokens: int
    seed: int


@dataclass(slots=True)
class Seen:
    """What one client saw of one model, over its turns; TTFT in seconds, endless for a failure."""

    ttfts: list[float] = field(default_factory=list)
    server: list[ServerHealth] = field(default_factory=list)

    def row(self) -> str:
        """The columns of the table from the requests on, in milliseconds."""
        answered = [ttft for ttft in self.ttfts if math.isfinite(ttft)]
        mean = sum(answered) / len(answered) if answered else math.inf
        told = [turn.ttft_mean for turn in self.server if turn.ttft_mean is not None]
        own = sum(told) / len(told) if told else math.nan
        tokens = sum(turn.generation_tokens or 0 for turn in self.server)
        hits = max((turn.cache_hit_share or 0.0 for turn in self.server), default=0.0)
        ordered = np.sort(self.ttfts)
        ranks = [ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.95, 0.99)]
        times = [1000 * value for value in (mean, *ranks, own, mean - own)]
        shown = " | ".join(f"{value:.1f}" for value in times)
        failed = len(self.ttfts) - len(answered)
        return f"{len(self.ttfts)} | {failed} | {shown} | {tokens} | {hits:.0%}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency_vllm")
    parser.add_argument("--model", type=Path, default=ROOT / ".harness/models/tiny")
    parser.add_argument("--adapter", type=Path, default=ROOT / ".harness/candidates/good")
    parser.add_argument("--load", action="append", help="poisson:5/s, closed:4 or single")
    parser.add_argument("--requests", type=int, default=100, help="of each client in each turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--max-tokens", type=int, default=32)
    given = parser.parse_args(arguments)
    loads = [Load.model_validate(load) for load in given.load or ("poisson:5/s", "closed:4")]
    if any(load.share is not None for load in loads):
        parser.error("a share of the capacity is not known here: give a rate")
    with tempfile.TemporaryDirectory() as folder:
        spec = ServeSpec(
            model=given.model,
            log=Path(folder) / "server.log",
            adapters={"candidate": given.adapter},
            args={"max-model-len": 512, "dtype": "float32"},
        )
        with VllmServer(spec, lambda line: print(line, file=sys.stderr)) as server:
            print(
                f"{require_vllm()}, {os.cpu_count()} processors for server and client together; "
                f"TTFT in ms, {given.turns} turns each\n\n{HEADER}"
            )
            for load in loads:
                measure(server, load, given)
    return 0


def measure(server: VllmServer, load: Load, given: argparse.Namespace) -> None:
    """Print the rows of one load."""
    seen = {(model, client): Seen() for model in ("base", "candidate") for client in CLIENTS}
    watch = ServerWatch(Endpoint((server.url,), server.api_key))
    for turn in range(given.turns):
        # Who comes first changes from turn to turn.
        for model, client in list(seen)[:: 1 if turn % 2 else -1]:
            named = f"{load} {model} {client} {turn}"
            prompts = tuple(_prompts(named, given.requests))
            job = Job(server, given.model, model, load, prompts, given.max_tokens, turn)
            print(named, file=sys.stderr)
            before = asyncio.run(watch.look())
            ttfts = ours(job) if client == "ours" else theirs(job)
            after = asyncio.run(watch.look())
            seen[model, client].ttfts += ttfts
            seen[model, client].server.append(watch.health(before, after))
    for (model, client), found in seen.items():
        print(f"| {load} | {model} | {client} | {found.row()} |", flush=True)


def _prompts(name: str, count: int) -> list[str]:
    """Prompts of about thirty words; the first ones differ, so that no cache knows them."""
    draw = random.Random(name)
    return [
        f"{draw.getrandbits(60):x} {' '.join(draw.choices(WORDS, k=30))}?" for _ in range(count)
    ]


def ours(job: Job) -> list[float]:
    """The TTFT of every request as a block of `harness latency` measures it."""
    return [
        sample.timing.chunks[0] if answered(sample) and sample.timing is not None else math.inf
        for sample in run_async(_samples(job))
    ]


async def _samples(job: Job) -> tuple[Sample, ...]:
    prompts = {
        number: (Message(role="user", content=prompt),) for number, prompt in enumerate(job.prompts)
    }
    settings = Generation(concurrency=len(prompts), max_tokens=job.max_tokens)
    length = {"ignore_eos": True, "min_tokens": job.max_tokens}
    asked = Asked(job.model, prompts, settings, extra=length)
    offsets = np.zeros(len(prompts))
    if job.load.rate is not None:
        draw = np.random.default_rng(job.seed)
        offsets = np.cumsum(draw.exponential(1.0 / job.load.rate, size=len(prompts)))
    dues = [Due(number, float(offset), uncounted=False) for number, offset in enumerate(offsets)]
    async with DialectClient(
        openai_dialect(job.server.url, job.server.api_key), generation=settings, clock=SYSTEM_CLOCK
    ) as client:
        return await run_block(job.load, dues, asked, client, SYSTEM_CLOCK)


def theirs(job: Job) -> list[float]:
    """The same, as `vllm bench serve` measures it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = folder / "prompts.jsonl"
        cases.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in job.prompts))
        line = [sys.executable, "-P", "-c", BENCH, "--backend", "openai-chat"]
        line += ["--base-url", job.server.url.removesuffix("/v1")]
        line += ["--endpoint", "/v1/chat/completions"]
        line += ["--model", job.model, "--tokenizer", str(job.tokenizer)]
        line += ["--dataset-name", "custom", "--dataset-path", str(cases), "--skip-chat-template"]
        line += ["--num-prompts", str(len(job.prompts)), "--seed", str(job.seed)]
        line += ["--custom-output-len", str(job.max_tokens), "--temperature", "0"]
        line += ["--disable-tqdm", "--save-result", "--save-detailed"]
        line += ["--result-dir", name, "--result-filename", "result.json"]
        if job.load.rate is not None:
            line += ["--request-rate", str(job.load.rate)]
        else:
            line += ["--max-concurrency", str(job.load.concurrency)]
        key = job.server.api_key
        secrets = {**environment(key), "OPENAI_API_KEY": key}
        done = subprocess.run(line, cwd=folder, env=secrets, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        found = json.loads((folder / "result.json").read_text())
    seen = zip(found["ttfts"], found["errors"], found["generated_texts"], strict=True)
    return [math.inf if error else ttft for ttft, error, text in seen if error or text]


if __name__ == "__main__":
    sys.exit(main())
