"""The one line of a long log that says why."""

from pathlib import Path

import pytest

from harness.serving.log import last_error, progress, tail

ENGINE = """\
(APIServer pid=1) INFO 11-20 14:47:15 [api_server.py:1] vLLM API server version 0.32.0
(EngineCore pid=2) ERROR 11-20 14:47:16 [core.py:900] EngineCore failed to start.
(EngineCore pid=2) ERROR 11-20 14:47:16 [core.py:900] Traceback (most recent call last):
(EngineCore pid=2) ERROR 11-20 14:47:16 [core.py:900] ValueError: No room for the KV cache
(APIServer pid=1) Traceback (most recent call last):
(APIServer pid=1)   File "x.py", line 3, in y
(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above.
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


def test_progress_is_what_the_server_says_of_itself() -> None:
    assert progress(ENGINE + "  warnings.warn(") == "vLLM API server version 0.32.0"
    assert progress("Triton is not installed") == ""
