"""The mock server as a process, and without streaming."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import aiohttp
import pytest

from harness.client.mock import MockServer, main


def test_as_a_process(tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"hi": {"good": "hello", "*": "hm"}, "*": "what?"}))
    line = [sys.executable, "-m", "harness.client.mock", "--answer-file", str(answers)]
    line += ["--model", "base", "--model", "good=base", "--api-key-env", "MOCK_KEY"]
    process = subprocess.Popen(
        line, stdout=subprocess.PIPE, text=True, env={**os.environ, "MOCK_KEY": "secret"}
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        for prompt, model, said in [
            ("hi", "good", "hello"),
            ("hi", "base", "hm"),
            ("?", "base", "what?"),
        ]:
            body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
            ask = urllib.request.Request(
                f"{url}/chat/completions",
                json.dumps(body).encode(),
                {"Content-Type": "application/json", "Authorization": "Bearer secret"},
            )
            with urllib.request.urlopen(ask) as response:
                answer = json.load(response)
            assert answer["choices"][0]["message"]["content"] == said
        with urllib.request.urlopen(url.removesuffix("/v1") + "/requests-count") as response:
            assert json.load(response) == {"count": 3, "by_prompt": {"hi": 2, "?": 1}}
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_a_bad_answer_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "answers.json"
    bad.write_text("{")
    assert main(["--answer-file", str(bad)]) == 2
    assert "not JSON" in capsys.readouterr().err
    bad.write_text("[]")
    assert main(["--answer-file", str(bad)]) == 2
    assert main(["--answer-file", str(tmp_path / "none.json")]) == 2


async def test_an_unknown_model_is_a_404() -> None:
    async with MockServer(lambda _: "x") as server, aiohttp.ClientSession() as session:
        body = {"model": "nope", "messages": [{"role": "user", "content": "x"}]}
        async with session.post(f"{server.url}/chat/completions", json=body) as response:
            assert response.status == 404
