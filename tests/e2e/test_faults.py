"""Every fault on purpose: a real `harness run` against a server that does just that."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.clock import SYSTEM_CLOCK
from tests.conftest import ThreadedMock
from tests.e2e import faults
from tests.e2e.faults import ROWS, SETTINGS, End, Row
from tests.forked import Forked
from tests.mock_server import COMMAND, MockReply
from tests.shop import answer, config, write_project

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs/faults.md"
ALWAYS, ONCE = "What is fact 0?", "What is fact 1?"
WATCHDOG = 120


@pytest.fixture
def folder(tmp_path: Path, mock: ThreadedMock) -> Path:
    configure(tmp_path, mock.url)
    return tmp_path


def configure(folder: Path, url: str, **changes: Any) -> None:
    if not (folder / "suites").exists():
        write_project(folder, url)
    settings = config(url)
    settings["generation"] = {**SETTINGS, **changes}
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))


def started(folder: Path, *more: str) -> Forked:
    return Forked(folder, "run", "base", *more)


def harness_run(folder: Path, *more: str) -> tuple[int, str, str]:
    """Exit code and what it said; a command that does not end fails the test."""
    process = started(folder, *more)
    try:
        out, err = process.communicate(timeout=WATCHDOG)
    finally:
        process.kill()
    return process.returncode, out, err


def journal(folder: Path) -> list[dict[str, Any]]:
    paths = list((folder / ".harness/runs").glob("base-*/attempts.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def prompts(mock: ThreadedMock) -> Counter[str]:
    return Counter(body["messages"][-1]["content"] for body in mock.server.requests)


def outcome(line: dict[str, Any]) -> str:
    """What became of an attempt, as the page says it."""
    if line["status"] == "failed":
        failure = line["failure"]
        assert "text" not in line
        assert "\n" not in failure["detail"]
        words = f"failed: {failure['cause']}"
        words += f" {failure['status']}" if failure.get("status") else ""
    elif not line["text"]:
        words = "empty"
    else:
        words = "truncated" if line["finish_reason"] == "length" else "ok"
    if line["tries"] == 1:
        return words
    if line["status"] == "failed" and line["failure"].get("status") in (429, 503):
        return f"{words}, as often as `case_timeout` allows"
    return f"{words}, {line['tries']} tries"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_a_fault_of_one_case(folder: Path, mock: ThreadedMock, row: Row) -> None:
    configure(folder, mock.url, **row.settings)

    def troubled(body: dict[str, Any]) -> str | MockReply:
        prompt = body["messages"][-1]["content"]
        if prompt == ALWAYS or (prompt == ONCE and prompts(mock)[ONCE] == 1):
            date = row.reply.headers.get("Retry-After", "").endswith("GMT")
            return faults.busy("{date}") if date else row.reply
        return answer(body)

    mock.answer = troubled
    code, _, err = harness_run(folder, "--limit", "3")
    found = {line["case"]: line for line in journal(folder)}
    assert code == row.code, err
    assert len(found) == len(journal(folder)) == 6
    assert outcome(found["g0"]) == row.always
    assert outcome(found["g1"]) == row.once
    assert {outcome(found[case]) for case in ("g2", "s0", "s1", "s2")} == {"ok"}
    for case, line in found.items():
        if line["status"] == "answered" and case != "g0":
            assert line["text"] in (said(case), row.reply.text)
    asked = prompts(mock)
    assert (asked[ALWAYS], asked[ONCE]) == (found["g0"]["tries"], found["g1"]["tries"])
    others = {prompt: count for prompt, count in asked.items() if prompt != ALWAYS}
    assert max(others.values()) <= 2


def said(case: str) -> str:
    number = int(case[1:])
    kind = "What is fact" if case.startswith("g") else ("Ask" if number % 2 else "Hack")
    body = {"model": "base", "messages": [{"content": f"{kind} {number}?"}]}
    return answer(body)


def ends_as(end: End, folder: Path) -> None:
    code, out, err = harness_run(folder)
    (line,) = [line for line in err.splitlines() if line.startswith(("error", "interrupted"))]
    assert end.says in line
    assert (code, out) == (end.code, "")
    assert "Traceback" not in err


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_nothing_listens(tmp_path: Path) -> None:
    configure(tmp_path, f"http://127.0.0.1:{free_port()}")
    ends_as(faults.REFUSED, tmp_path)
    assert journal(tmp_path) == []


def test_a_host_that_is_not_known(tmp_path: Path) -> None:
    configure(tmp_path, "http://no-such-host.invalid")
    ends_as(faults.UNKNOWN_HOST, tmp_path)
    assert journal(tmp_path) == []


def test_a_server_that_never_says_a_word(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        configure(tmp_path, f"http://127.0.0.1:{mute.getsockname()[1]}")
        ends_as(faults.SILENT, tmp_path)
    assert journal(tmp_path) == []


def test_tls_that_the_server_does_not_speak(folder: Path, mock: ThreadedMock) -> None:
    configure(folder, mock.url.replace("http:", "https:"))
    ends_as(faults.NO_TLS, folder)
    assert journal(folder) == []


@pytest.fixture
def tls_url(tmp_path: Path) -> Iterator[str]:
    """A server whose certificate nobody signed but itself."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_a_certificate_that_is_not_accepted(tmp_path: Path, tls_url: str) -> None:
    configure(tmp_path, tls_url)
    ends_as(faults.BAD_CERTIFICATE, tmp_path)
    assert journal(tmp_path) == []


def test_a_key_that_is_asked_for(folder: Path, mock: ThreadedMock) -> None:
    mock.server._api_key = "secret"
    ends_as(faults.NO_KEY, folder)
    assert journal(folder) == []


def test_a_key_that_is_refused_from_some_request_on(folder: Path, mock: ThreadedMock) -> None:
    def refusing(body: dict[str, Any]) -> str | MockReply:
        return answer(body) if len(mock.server.requests) <= 20 else faults.failing(401)

    mock.answer = refusing
    ends_as(faults.KEY_LOST, folder)
    goes_on(folder, mock, kept=20)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_that_takes_no_requests_from_some_on(
    folder: Path, mock: ThreadedMock, status: int
) -> None:
    def closing(body: dict[str, Any]) -> str | MockReply:
        return answer(body) if len(mock.server.requests) <= 20 else faults.failing(status)

    mock.answer = closing
    configure(folder, mock.url, **faults.BRIEF)
    ends_as(faults.CLOSED, folder)
    assert len(mock.server.requests) < 50, "it is not asked for every case that is left"
    goes_on(folder, mock, kept=20)


def goes_on(folder: Path, mock: ThreadedMock, kept: int) -> None:
    """The next run asks what has no answer, each once, and loses none that was there."""
    answered = [line for line in journal(folder) if line["status"] == "answered"]
    assert len(answered) == kept
    mock.answer = answer
    mock.server.requests.clear()
    code, out, _ = harness_run(folder)
    assert code == 0
    assert "80 planned, 80 scored, 0 unscored, 0 failed" in out
    assert len(mock.server.requests) == 80 - kept
    assert set(prompts(mock).values()) == {1}
    whole = [line for line in journal(folder) if line["status"] == "answered"]
    assert [line for line in whole if line in answered] == answered
    assert [line["text"] for line in whole] == [said(line["case"]) for line in whole]


def serving(folder: Path, port: int) -> tuple[subprocess.Popen[str], str]:
    """A mock server in a process of its own, slow enough to be killed at work, and its address."""
    answers = folder / "answers.json"
    answers.write_text(json.dumps({"*": "It is value 0."}))
    process = subprocess.Popen(
        [*COMMAND, "--answer-file", str(answers),
         "--port", str(port), "--model", "base", "--first-delay", "0.05"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def counted(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/requests-count") as response:
        found: dict[str, Any] = json.load(response)
    return found


def test_a_server_that_dies_for_good(tmp_path: Path) -> None:
    port = free_port()
    server, url = serving(tmp_path, port)
    configure(tmp_path, url)
    dying = threading.Thread(target=kill_when, args=(server, url, 20))
    dying.start()
    ends_as(faults.DIES, tmp_path)
    dying.join()
    before = [line for line in journal(tmp_path) if line["status"] == "answered"]
    assert 0 < len(before) < 80
    server, url = serving(tmp_path, port)
    try:
        code, out, err = harness_run(tmp_path)
        assert code == 0, err
        assert "80 planned, 80 scored, 0 unscored, 0 failed" in out
        asked = counted(url)
        assert asked["count"] == len(asked["by_prompt"]) == 80 - len(before)
        assert journal(tmp_path)[: len(before)] == before
    finally:
        server.terminate()
        server.wait(10)


def kill_when(server: subprocess.Popen[str], url: str, asked: int) -> None:
    while counted(url)["count"] < asked:
        time.sleep(0.01)
    server.kill()
    server.wait()


@pytest.mark.parametrize(
    "reply",
    [faults.faulty("hang"), faults.faulty("hang_midstream"), faults.busy("15")],
    ids=["waiting for an answer", "in mid-answer", "waiting to ask again"],
)
def test_nothing_is_sent_after_ctrl_c(folder: Path, mock: ThreadedMock, reply: MockReply) -> None:
    configure(folder, mock.url, chunk_timeout=60, case_timeout=60)
    mock.answer = lambda body: reply
    process = started(folder)
    wait(lambda: len(mock.server.requests) == SETTINGS["concurrency"], process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=WATCHDOG)
    assert process.returncode == faults.INTERRUPTED.code
    assert err.splitlines()[-1].startswith(faults.INTERRUPTED.says)
    assert len(mock.server.requests) == SETTINGS["concurrency"]
    assert not [line for line in journal(folder) if line["status"] == "answered"]
    goes_on(folder, mock, kept=0)


def wait(condition: Callable[[], bool], process: Forked) -> None:
    deadline = time.monotonic() + WATCHDOG
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Held:
    """A clock on which nobody goes on sleeping once it is let go; the rest is the machine's."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.now, self.utc = SYSTEM_CLOCK.now, SYSTEM_CLOCK.utc

    async def sleep(self, seconds: float) -> None:
        while not self.let_go.is_set():  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.01)


def test_a_second_process_on_one_run(folder: Path, mock: ThreadedMock) -> None:
    configure(folder, mock.url, chunk_timeout=WATCHDOG, case_timeout=WATCHDOG)
    mock.server._clock = held = Held()
    mock.answer = lambda body: MockReply(answer(body), first_delay=1.0)
    first = started(folder)
    wait(lambda: len(mock.server.requests) == SETTINGS["concurrency"], first)
    ends_as(faults.SECOND, folder)
    held.let_go.set()
    out, err = first.communicate(timeout=WATCHDOG)
    assert first.returncode == 0, err
    assert "80 planned, 80 scored, 0 unscored, 0 failed" in out
    assert len(journal(folder)) == 80
    assert set(prompts(mock).values()) == {1}


def test_the_page_says_what_is_tested() -> None:
    text = PAGE.read_text()
    assert faults.tables() == text.split("<!-- faults -->\n")[1], (
        "print it: python -m tests.e2e.faults"
    )
