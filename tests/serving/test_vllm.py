"""The managed process, with a stub in vLLM's place: started, watched, and never left behind."""

import os
import re
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import ServerError, StorageError, UsageError
from harness.serving import vllm
from harness.serving.command import ServeSpec
from harness.serving.vllm import VllmServer

STUB = """
import http.server, json, os, subprocess, sys
port, mode = int(sys.argv[1]), sys.argv[2]
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
stray = subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
)
print("pids", os.getpid(), child.pid, stray.pid, flush=True)
print("INFO 11-20 14:47:15 [x.py:1] Starting to load model x...", flush=True)
if mode == "die":
    child.kill()
    sys.exit("ValueError: no such dtype")
if mode == "hang":
    import time
    time.sleep(600)
if mode == "stubborn":
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.headers["Authorization"] == "Bearer " + os.environ["VLLM_API_KEY"]
        name = "stranger" if mode == "stranger" else "base"
        body = b"" if self.path == "/health" else json.dumps({"data": [{"id": name}]}).encode()
        self.send_response(200 if known or self.path == "/health" else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def spec(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServeSpec:
    use_stub(tmp_path, "run", monkeypatch)
    return ServeSpec(model=model, log=tmp_path / "logs" / "server.log", start_timeout=300.0)


def use_stub(folder: Path, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = folder / "stub.py"
    stub.write_text(STUB)
    monkeypatch.setattr(vllm, "require_vllm", lambda: "vllm 0")
    monkeypatch.setattr(vllm, "GRACE", 1.0)
    monkeypatch.setattr(
        vllm, "command", lambda _spec, port: [sys.executable, str(stub), str(port), mode]
    )


def pids(log: Path) -> list[int]:
    lines = [line for line in log.read_text().splitlines() if line.startswith("pids")]
    return [int(word) for line in lines for word in line.split()[1:]]


def all_gone(numbers: list[int]) -> bool:
    """Whether the processes end; waits for what is being ended, up to 120 s."""
    deadline = time.monotonic() + 120.0
    while time.monotonic() < deadline:
        if not any(alive(pid) for pid in numbers):
            return True
        time.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_started_and_stopped_with_all_descendants(spec: ServeSpec) -> None:
    lines: list[str] = []
    with VllmServer(spec, lines.append) as server:
        assert server.alive()
        assert server.url.startswith("http://127.0.0.1:")
        assert server.url.endswith("/v1")
        assert "pids" in server.log_tail()
        assert server.api_key not in spec.log.read_text()
        running = pids(spec.log)
        assert len(running) == 3
        assert all(alive(pid) for pid in running)
        for pid in running:
            assert server.api_key not in Path(f"/proc/{pid}/cmdline").read_text()
        server.start()
        assert pids(spec.log) == running
    assert not server.alive()
    assert all_gone(running)
    server.stop()


def test_restarted_at_the_same_address(spec: ServeSpec) -> None:
    with VllmServer(spec) as server:
        url, key = server.url, server.api_key
        os.kill(pids(spec.log)[0], signal.SIGKILL)
        assert all_gone(pids(spec.log))
        while server.alive():
            time.sleep(0.05)
        server.stop()
        server.start()
        assert server.alive()
        assert (server.url, server.api_key) == (url, key)
    assert all_gone(pids(spec.log))


def test_a_killed_guard_leaves_its_group_to_the_harness(
    spec: ServeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stub(tmp_path, "stubborn", monkeypatch)
    server = VllmServer(spec)
    server.start()
    owner, child, stray = pids(spec.log)
    assert server._guard is not None
    server._guard.kill()
    server.stop()
    assert all_gone([owner, child])
    # What had left the group before its guard was killed is nobody's to find.
    os.kill(stray, signal.SIGKILL)


def test_one_that_ignores_being_asked_is_killed(
    spec: ServeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stub(tmp_path, "stubborn", monkeypatch)
    with VllmServer(spec):
        pass
    assert all_gone(pids(spec.log))


def test_one_that_dies_while_starting(
    spec: ServeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stub(tmp_path, "die", monkeypatch)
    with pytest.raises(ServerError) as caught:
        VllmServer(spec).start()
    assert "ended while starting: ValueError: no such dtype" in caught.value.line
    assert str(spec.log) in caught.value.line
    assert all_gone(pids(spec.log))


def test_one_that_is_never_ready(
    spec: ServeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stub(tmp_path, "hang", monkeypatch)
    with pytest.raises(ServerError, match="not ready in 1 s") as caught:
        VllmServer(replace(spec, start_timeout=1.0)).start()
    assert "raise the server's `start_timeout`, or write `enforce-eager: true`" in caught.value.line
    assert all_gone(pids(spec.log))


def test_one_that_takes_long_is_seen_to_be_at_it(
    spec: ServeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stub(tmp_path, "hang", monkeypatch)
    monkeypatch.setattr(vllm, "_SAY_AGAIN", 0.0)
    heard: list[str] = []
    eager = replace(spec, start_timeout=1.0, args={"enforce-eager": True})
    with pytest.raises(ServerError) as caught:
        VllmServer(eager, heard.append).start()
    assert "enforce-eager" not in caught.value.line
    assert len(heard) > 1
    assert all(
        re.fullmatch(r"vLLM, \d+ s: (starting|the weights are loaded)", line) for line in heard
    ), heard


def test_a_stranger_on_the_port(
    spec: ServeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stub(tmp_path, "stranger", monkeypatch)
    with pytest.raises(ServerError, match="another server"):
        VllmServer(spec).start()
    assert all_gone(pids(spec.log))


def test_a_port_in_use(spec: ServeSpec) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} cannot be used"):
            VllmServer(replace(spec, port=port)).start()
    assert not spec.log.exists()


def test_a_log_that_cannot_be_written(spec: ServeSpec, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        VllmServer(replace(spec, log=tmp_path / "file" / "server.log")).start()


def test_no_address_before_the_start(spec: ServeSpec) -> None:
    with pytest.raises(ServerError):
        _ = VllmServer(spec).url


def test_ctrl_c_while_starting(
    spec: ServeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stub(tmp_path, "hang", monkeypatch)

    def interrupt(_line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        VllmServer(spec, interrupt).start()
    assert all_gone(pids(spec.log))
