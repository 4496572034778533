"""The memory of trainings, estimated and measured.

    python -m benchmarks.training_memory MODEL… [--length TOKENS] [--batch SEQUENCES]

Each MODEL is the folder of a base with a chat template. Two steps of each kind of training are
done, each in a process of its own, on made-up conversations of about LENGTH tokens. Measured is
how far the process grew from the moment of the estimate, when its libraries were loaded and the
base was not, to its peak (`VmHWM` of proc(5)); the error is the estimate's share above it. CPU
only: on a GPU nothing of this is known.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from harness.machine_memory import size

KINDS: dict[str, dict[str, Any]] = {
    "lora": {},
    "lora, checkpointing": {"gradient_checkpointing": True},
    "qlora": {"method": "qlora"},
}


def main() -> None:
    """Print a line for each model and kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL")
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        _train(json.loads(given.child))
        return
    print(f"{'model':<16} {'training':<22} {'estimated':>10} {'measured':>10} {'error':>7}")
    for model in given.models:
        for kind, settings in KINDS.items():
            with tempfile.TemporaryDirectory() as folder:
                recipe = {
                    "name": "measured", "base": str(model.resolve()), "data": ["data.jsonl"],
                    "steps": 2, "evaluate_every": 2, "validation_share": 0.5,
                    "batch_size": given.batch, "max_length": given.length, **settings,
                }  # fmt: skip
                child = json.dumps({"folder": folder, "recipe": recipe})
                done = subprocess.run(
                    [sys.executable, "-m", "benchmarks.training_memory", "--child", child],
                    capture_output=True,
                    text=True,
                    check=False,
                    env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
                )
            if done.returncode != 0:
                print(f"{model.name:<16} {kind:<22} {done.stderr.strip().splitlines()[-1]}")
                continue
            estimated, measured = json.loads(done.stdout.splitlines()[-1])
            error = estimated / measured - 1
            sizes = f"{size(estimated):>10} {size(measured):>10}"
            print(f"{model.name:<16} {kind:<22} {sizes} {error:>+7.0%}", flush=True)


def _train(job: dict[str, Any]) -> None:
    """Train in this process, and print the estimate and what was measured."""
    from harness.training import train
    from harness.training.candidate import Recipe
    from harness.training.libraries import import_torch_patiently

    import_torch_patiently()
    import trl  # noqa: F401 - its memory is not the training's
    from trl import DPOTrainer, SFTTrainer  # noqa: F401 - loaded when they are named

    import harness.training.memory as memory

    folder, recipe = Path(job["folder"]), Recipe.model_validate(job["recipe"])
    _write_data(folder / "data.jsonl", recipe.max_length, 4 * recipe.batch_size)
    found: list[int] = []
    estimate = memory.estimate_memory

    def remember(*args: Any) -> memory.Estimate:
        told = estimate(*args)
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        found.extend((told.total, _status("VmRSS")))
        return told

    memory.estimate_memory = remember  # type: ignore[assignment]  # one seam, for this process
    train(recipe, project_dir=folder)
    print(json.dumps([found[0], _status("VmHWM") - found[1]]))


def _write_data(path: Path, tokens: int, lines: int) -> None:
    answer = " ".join(f"{place % 7} days" for place in range(tokens))
    with path.open("w", encoding="utf-8") as file:
        for place in range(lines):
            turns = [
                {"role": "user", "content": "How long?"},
                {"role": "assistant", "content": answer},
            ]
            file.write(json.dumps({"group": str(place), "messages": turns}) + "\n")


def _status(field: str) -> int:
    """A number of this process's status, in bytes."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * next(int(line.split()[1]) for line in text.splitlines() if field in line)


if __name__ == "__main__":
    main()
