"""Serve a GGUF file by llama.cpp, as an OpenAI-compatible server on this machine.

Run as `python serve_gguf.py GGUF PORT NAME`, with the package `xllamacpp`; Ctrl-C ends it.
"""

from __future__ import annotations

import sys
import threading

import xllamacpp  # type: ignore[import-not-found]  # in an environment of its own

CONTEXT = 512  # tokens of a conversation, as in harness.yaml
AT_ONCE = 4


def serve(gguf: str, port: int, name: str) -> None:
    """Serve until the process is ended."""
    params = xllamacpp.CommonParams()
    params.model.path = gguf
    params.hostnames, params.port = ["127.0.0.1"], port
    params.model_alias = {name}
    params.n_ctx, params.n_parallel = CONTEXT * AT_ONCE, AT_ONCE
    params.use_jinja = True  # the file's own chat template
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    print(f"{name} is served at {server.listening_address}/v1", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
