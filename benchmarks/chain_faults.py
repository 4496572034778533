"""Whether `harness chain` names planted faults at their hop, and is silent on clean chains.

    python -m benchmarks.chain_faults                        a tiny model, made for it
    python -m benchmarks.chain_faults BASE ADAPTER OTHER     folders, as `make demo` leaves them

Each link is a model computed by transformers behind a server of its own, which gives away answers
and no files. A fault is planted in the weights, the template, the tokenizer or the server.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from harness.chain.hop import Hop
from harness.training.libraries import import_torch_patiently
from recipes.tiny_base import TinyRecipe, build_base
from tests.chain.conftest import hops_of, write_links
from tests.chain.planted import CLEAN, FAULTS, Links
from tests.chain.real_model import Files, RealModel
from tests.conftest import ThreadedMock
from tests.e2e.micro import build_adapter

RECIPE = TinyRecipe(
    vocabulary=1024, hidden=96, intermediate=256, layers=2, heads=3, conversations=2000,
    copying_steps=10, steps=150, batch_size=16, warmup_steps=10,
)  # fmt: skip
STRENGTH = 0.1


def made(folder: Path) -> Files:
    """A base that is trained a little, and two adapters of random weights."""
    base = folder / "base"
    build_base(RECIPE, base)
    adapters = {
        name: build_adapter(base, folder / name, seed=seed, scale=STRENGTH)
        for seed, name in enumerate(("ours", "other"))
    }
    return Files(base, adapters)


def chain(model: RealModel, links: Links) -> list[Hop]:
    """The hops from the adapter over the links."""
    mock = ThreadedMock()
    try:
        with tempfile.TemporaryDirectory() as name:
            forms = {link: replace(model, **changes) for link, changes in links.items()}
            adapter = replace(model, merged=False)
            base = replace(model, share=0.0)
            names = write_links(Path(name), mock, forms, adapter, base)
            return hops_of(Path(name), names)
    finally:
        mock.stop()


def rows(model: RealModel) -> Iterator[tuple[str, str, str, bool]]:
    """What was planted, at which hop, what was named at which, and whether that is right."""
    for what, planted in FAULTS.items():
        hops = chain(model, planted.links)
        broken = next((hop for hop in hops if hop.outcome == "different"), None)
        named = "nothing" if broken is None else f"{place(broken)}: {broken.cause}"
        at = hops[planted.at]
        yield what, f"{place(at)}: {planted.cause}", named, planted.named(hops)
    for what, links in CLEAN.items():
        hops = chain(model, links)
        alarms = [
            f"{place(hop)}: {hop.cause or hop.outcome}" for hop in hops if hop.outcome != "same"
        ]
        yield f"*{what}*", "nothing", ", ".join(alarms) or "nothing", not alarms


def place(hop: Hop) -> str:
    """The hop in words."""
    return f"{hop.before} → {hop.after}"


def main() -> int:
    """Print the table; 1 where a fault is missed or a clean chain is called broken."""
    import_torch_patiently()
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        if len(sys.argv) > 1:
            base, ours, other = map(Path, sys.argv[1:])
            files = Files(base, {"ours": ours, "other": other})
        else:
            files = made(Path(name))
        print("| planted | where | named |")
        print("| --- | --- | --- |")
        right = []
        for what, planted, named, is_right in rows(RealModel(files=files)):
            print(f"| {what} | {planted} | {named} |", flush=True)
            right.append(is_right)
    print(f"\n{sum(right)} of {len(right)} right")
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
