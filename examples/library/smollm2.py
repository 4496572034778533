"""Write SmolLM2-135M-Instruct as a folder that transformers and vLLM load, from its GGUF file.

Run as `python smollm2.py GGUF FOLDER`; `gguf` must be installed. The weights are those that
the quantised file stands for (Q4_1), in full precision; the tokenizer and the chat template are the
maker's own, as the file carries them.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM


def convert(gguf: Path, folder: Path) -> None:
    """Write weights, tokenizer and configuration into `folder`, which appears when all are there.

    Raises:
        OSError: `gguf` is no GGUF file, or there is no room for the folder (540 MB).
    """
    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    read = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    # A model that was read from GGUF counts as quantised and will not be saved: its tensors go into
    # a fresh one.
    config = AutoConfig.from_pretrained(**source)
    config.dtype = torch.float32
    plain = LlamaForCausalLM(config)
    plain.load_state_dict(read.state_dict())
    plain.tie_weights()
    tokenizer = AutoTokenizer.from_pretrained(**source)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        plain.save_pretrained(made)
        tokenizer.save_pretrained(made)
        made.chmod(0o755)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"written: {sys.argv[2]}")
