"""The one line of a long log that says why."""

from pathlib import Path

import pytest

from harness.serving.log import between, compiling, last_error, length, phase, tail

ENGINE = """\
(APIServer pid=1) INFO 11-20 14:47:15 [api_server.py:1] vLLM API server version 0.32.0
(EngineCore pid=2) ERROR 11-20 14:47:16 [core.py:900] EngineCore failed to start.
(EngineCore pid=2) ERROR 11-20 14:47:16 [core.py:900] Traceback (most recent call last):
(EngineCore pid=2) ERROR 11-20 14:47:16 [core.py:900] ValueError: No room for the KV cache
(APIServer pid=1) Traceback (most recent call last):
(APIServer pid=1)   File "x.py", line 3, in y
(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above.
"""


WAITING = """\
(EngineCore pid=2) INFO 11-20 14:47:15 [cpu_model_runner.py:67] Warming up model
(EngineCore pid=2) INFO 11-20 14:48:15 [shm_broadcast.py:871] No available shared memory broadcast \
block found in 60 seconds. This typically happens when some processes are hanging.
"""

PYDANTIC = """\
pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig
  Value error, no such dtype [type=value_error]
    For further information"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (ENGINE, "ValueError: No room for the KV cache"),
        (
            "usage: x\napi_server.py: error: unrecognized arguments: --foo",
            "api_server.py: error: unrecognized arguments: --foo",
        ),
        (PYDANTIC, " ".join(PYDANTIC.split())),
        ("RuntimeError: Engine core initialization failed", "RuntimeError: Engine core initi"),
        ("just\nKilled", "Killed"),
        (WAITING, "Warming up model"),
        ("", ""),
    ],
)
def test_last_error(text: str, line: str) -> None:
    found = last_error(text)
    assert found.startswith(line) if line else found == ""


def test_tail_is_clean_and_begins_at_the_last_start(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"old\n\x1b[36mnew\x1b[0m\x07\r\n\n\xff bad\nlast")
    assert tail(log, 10) == "old\nnew\n\N{REPLACEMENT CHARACTER} bad\nlast"
    assert tail(log, 1) == "last"
    assert "old" not in tail(log, 10, start=4)
    assert tail(tmp_path / "none", 3) == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Initializing a V1 LLM engine (v0.32.0) with config: model='x'", "the engine starts"),
        ("Starting to load model /models/x...", "the weights are loaded"),
        ("Loading weights took 1.78 seconds", "the weights are there"),
        ("Dynamo bytecode transform time: 4.1 s", "the model is compiled"),
        ("Capturing CUDA graphs (decode, FULL)", "its graphs are captured"),
        ("CPU KV cache size: 23,296 tokens, Maximum", "the cache has room for 23,296 tokens"),
        ("Loaded new LoRA adapter: name 'v1', path '/a'", "the adapter v1 is loaded"),
        ("Enabled custom fusions: norm_quant", ""),
        ("Route: /docs, Methods: GET", ""),
    ],
)
def test_a_start_is_told_by_its_phases(line: str, words: str) -> None:
    head = "(EngineCore pid=2) INFO 11-30 19:24:30 [core.py:133] "
    assert phase(head + line) == words
    assert phase(f"{head}{line}\n{head}Supported tasks: ['generate']\n  warn(") == words
    assert phase(line) == "", "not vLLM's own line"


def test_of_a_wait_the_phase_before_is_told() -> None:
    assert phase(WAITING) == "the model is warmed up"
    assert phase("Triton is not installed") == ""


def test_between_two_moments(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"old\nhalf a")
    start = length(log)
    with log.open("ab") as file:
        file.write(b" line\n\n\x1b[36mnew\x1b[0m\r\nlater")
    end = length(log)
    assert between(log, start, end) == ["half a line", "new", "later"]
    assert between(log, 4, start) == ["half a"]
    assert between(log, start, start) == []
    assert between(log, end, start) == []
    assert between(tmp_path / "none", 0, 5) == []
    assert length(tmp_path / "none") == 0


@pytest.mark.parametrize(
    "said",
    [
        "Warming up model for the compilation...",
        "[backbone] saved AOT compiled function to /x",
        "[backbone] Initial profiling/warmup run took 0.01 s",
        "torch._dynamo hit config.recompile_limit (8)",
        "Triton kernel JIT compilation during inference: _kernel.",
        "Triton autotuning for function _kernel finished after 0.2s",
        "Capturing CUDA graphs (decode, FULL): 10%",
        "Graph capturing finished in 3 secs, took 0.10 GiB",
    ],
)
def test_what_tells_of_compiling(said: str) -> None:
    line = f"(Worker pid=5244) INFO 11-21 14:31:07 [cpu_model_runner.py:87] {said}"
    assert compiling([line, line, said]) == (said,)


@pytest.mark.parametrize(
    "said",
    [
        "Engine 000: Avg prompt throughput: 1.2 tokens/s, Avg generation throughput: 0.3 tokens/s",
        "Loaded new LoRA adapter: name 'tuned', path '/models/tuned'",
        "Application startup complete.",
        "Received request chatcmpl-1: params: SamplingParams(stop=['compile'])",
        "Generated response chatcmpl-1 (streaming delta): output: 'how to compile'",
        "Request chatcmpl-1 details: prompt: 'warm up'",
    ],
)
def test_what_does_not_tell_of_compiling(said: str) -> None:
    assert compiling([f"(APIServer pid=1) INFO 11-21 14:28:35 [loggers.py:335] {said}"]) == ()


def test_a_few_of_many_lines_of_compiling() -> None:
    assert len(compiling([f"Compiling graph {number}" for number in range(90)])) == 5
