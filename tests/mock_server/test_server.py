"""The mock server as a process, and without streaming."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import aiohttp
import pytest

from tests.mock_server import COMMAND, MockServer
from tests.mock_server.server import main


def test_as_a_process(tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"hi": {"good": "hello", "*": "hm"}, "*": "what?"}))
    line = [*COMMAND, "--answer-file", str(answers)]
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


def test_a_port_in_use_and_a_key_that_is_not_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--answer-file", str(answers), "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert said == f"127.0.0.1:{port}: cannot listen: Address already in use - choose a port\n"
    assert main(["--answer-file", str(answers), "--port", "99999"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.delenv("NOPE", raising=False)
    assert main(["--answer-file", str(answers), "--api-key-env", "NOPE"]) == 2
    assert capsys.readouterr().err == "the environment variable NOPE is not set\n"


def test_a_client_that_goes_away_leaves_no_traceback(tmp_path: Path) -> None:
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"*": "one two three four"}))
    line = [*COMMAND, "--answer-file", str(answers)]
    process = subprocess.Popen(
        [*line, "--gap", "0.2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().split(":")[2].split("/")[0])
        message = {"role": "user", "content": "x"}
        body = json.dumps({"model": "mock", "stream": True, "messages": [message]})
        head = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: "
        for length in (len(body), len(body) + 9):  # in the middle of the answer, of the request
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(f"{head}{length}\r\n\r\n{body}".encode())
                time.sleep(0.3)
        time.sleep(1.0)
    finally:
        process.terminate()
    assert process.communicate(timeout=10)[1] == ""


async def test_an_unknown_model_is_a_404() -> None:
    async with MockServer(lambda _: "x") as server, aiohttp.ClientSession() as session:
        body = {"model": "nope", "messages": [{"role": "user", "content": "x"}]}
        async with session.post(f"{server.url}/chat/completions", json=body) as response:
            assert response.status == 404
