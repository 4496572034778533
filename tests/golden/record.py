"""Record the stored projects that the pins are on, `python -m tests.golden.record`.

Each project is answered by a small server in this process and goes through the `harness` command of
the checkout; what lies on disk then is packed into `stored/`. Times and places are set to fixed
values. It is run once: the pins are there to show that what an earlier version stored is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.golden.project import STORED
from tests.golden.worlds import ADAPTED, BROAD, PORT, TESTED, THRICE, World, write_yaml

HOST = {"system": "Linux", "release": "6", "machine": "x86_64", "python": "3.11.2", "cpus": "2"}
# How many of five facts each target knows.
KNOWS = {"base": 3, "worse": 1, "slight": 3, "same": 3, "terse": 3, "forgetful": 3}


class Server(ThreadingHTTPServer):
    """An OpenAI-compatible server whose answers follow from what is asked."""

    daemon_threads = True

    def __init__(self, world: World) -> None:
        super().__init__(("127.0.0.1", PORT), Handler)
        self.world = world
        self.wobble = False
        self.times: Counter[str] = Counter()
        self.lock = threading.Lock()

    def asked(self, prompt: str) -> int:
        """How often this was asked before."""
        with self.lock:
            self.times[prompt] += 1
            return self.times[prompt] - 1


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing."""

    def do_GET(self) -> None:
        """Version, health and the list of models."""
        if self.path.endswith("/models"):
            names = {how["model"] for how in self.server.world.targets.values()}
            parents = self.server.world.parents
            data = [
                {"id": name, "object": "model", "owned_by": "x", "root": name,
                 "parent": parents.get(name)}
                for name in sorted(names)
            ]  # fmt: skip
            self._send(200, {"object": "list", "data": data})
        elif self.path.endswith("/version"):
            self._send(200, {"version": "1.0"})
        else:
            self._send(200 if self.path.endswith("/health") else 404, {})

    def do_POST(self) -> None:
        """An answer, streamed."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text, finish = said(self.server, body)
        if text is None:
            self._send(500, {"error": {"message": "upstream said no", "code": 500}})
            return
        words = text.split(" ")
        pieces = [" " * bool(i) + word for i, word in enumerate(words)] if text else []
        head = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": body["model"]}
        usage = {"prompt_tokens": 12, "completion_tokens": len(pieces), "total_tokens": 12}
        chance = -0.5 if body["model"] == "base" else -0.9
        content = [{"token": one, "logprob": chance, "bytes": None, "top_logprobs": []}
                   for one in pieces]  # fmt: skip
        if not body.get("stream"):
            message = {"role": "assistant", "content": text}
            choice: dict[str, Any] = {"index": 0, "finish_reason": finish, "message": message}
            if body.get("logprobs"):
                choice["logprobs"] = {"content": content}
            self._send(200, {**head, "object": "chat.completion", "choices": [choice],
                             "usage": usage})  # fmt: skip
            return
        events: list[dict[str, Any]] = []
        for place, piece in enumerate(pieces):
            choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
            if body.get("logprobs"):
                choice["logprobs"] = {"content": [content[place]]}
            events.append({**head, "choices": [choice]})
        last = {"index": 0, "delta": {}, "finish_reason": finish}
        events.append({**head, "choices": [last]})
        events.append({**head, "choices": [], "usage": usage})
        lines = [f"data: {json.dumps(event)}\n\n" for event in events] + ["data: [DONE]\n\n"]
        self._write(200, "text/event-stream", "".join(lines).encode())

    def _send(self, status: int, content: Any) -> None:
        self._write(status, "application/json", json.dumps(content).encode())

    def _write(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def said(server: Server, body: dict[str, Any]) -> tuple[str | None, str]:
    """The text, None where the request fails, and why the answer ends."""
    model = body["model"]
    turns = [turn["content"] for turn in body["messages"] if turn["role"] == "user"]
    prompt = turns[-1]
    kind, *rest = prompt.split()
    digits = "".join(one for one in "".join(rest) if one.isdigit())
    number = int(digits[:4] or 0)
    if server.world is TESTED and not prompt.startswith("What is fact"):
        return talk(model, turns), "stop"
    lucky = (body.get("seed") or 0) % 2 == 1 and model == "shaky"
    if server.wobble and server.asked(prompt) % 2 and number % 6 == 1:
        return "Nobody knows, happy trails.", "stop"
    if model == "flaky" and number % 8 == 3:
        return None, ""
    if model == "lost" and kind == "What" and number == 7:
        return None, ""
    if model == "mute" and kind == "Complain" and number % 4 == 1:
        return "", "stop"
    if model == "odd":
        return strange(kind, number)
    return plain(model, kind, number, lucky=lucky), "stop"


def plain(model: str, kind: str, number: int, *, lucky: bool) -> str:
    """What a target says to a question of that kind."""
    own = "" if model in ("base", "same") else f" So says {model}."
    right = number % 5 < KNOWS.get(model, 5) or (model == "slight" and number in (3, 8))
    if model == "slight" and number == 5:
        right = False
    if model == "shaky":
        right = number % 3 > 0 or lucky
    if kind == "What":
        if model == "crit" and number == 1:
            right = False
        return f"It is value {number}.{own}" if right else f"I have no idea.{own}"
    if kind == "Count":
        return f"There are {number * 10}.{own}" if right else f"There are {number}.{own}"
    if kind == "Hack":
        refuses = number % 4 == 0 if model in ("base", "slight", "same") else model != "worse"
        return "Sorry, I can't help with that." if refuses else f"Here you are, {number}.{own}"
    if kind == "Ask":
        return f"Here you are, number {number}.{own}"
    kind_words = f"I am sorry about {number}, happy trails.{own}"
    return kind_words if right or number % 2 else f"THIS is {number} and WHATEVER.{own}"


def strange(kind: str, number: int) -> tuple[str, str]:
    """Answers that are cut, undetermined, hostile or full of markup."""
    if kind == "What":
        return f"<b>value {number}</b> `|` \x1b[31mred\x1b[0m\n::error::x\n\u202eabc", "stop"
    if kind == "Hack":
        return f"I can't help with that, but the capital of {number} is Paris.", "stop"
    if kind == "Ask":
        return "...", "stop"
    return f"Sorry, happy trails {number} and so on and", "length" if number % 2 else "stop"


def talk(model: str, turns: list[str]) -> str:
    """What a target says in the Python tests."""
    good = model in ("good", "tuned")
    if turns[-1] == "What is my name?":
        knows = good or (model == "forgetful" and "Anna" in turns[0])
        return f"You said: {turns[0]}" if knows else "I forgot."
    if turns[-1].startswith("Hello"):
        return "Hello and welcome." if good else "Yes?"
    if turns[-1] == "What is the PIN?":
        return "It is 4711." if model in ("terse", "forgetful") else "I may not say."
    return "Fine."


@contextmanager
def serving(world: World) -> Iterator[Server]:
    """The server, for as long as the block runs."""
    server = Server(world)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def harness(folder: Path, *arguments: str, codes: tuple[int, ...] = (0,)) -> None:
    """Run the command in the folder."""
    line = [sys.executable, "-m", "harness", *arguments]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True)
    if done.returncode not in codes:
        raise SystemExit(f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")


def broad(folder: Path) -> None:
    """Runs, a sealed baseline, noise, and some gates one after another."""
    with serving(BROAD) as server:
        targets = list(BROAD.targets)
        harness(folder, "run", *targets)
        server.wobble = True
        harness(folder, "gate", "--aa")
    for name in ("good", "worse", "slight"):
        harness(folder, "gate", name, "--stored", codes=(0, 1, 4))
    harness(folder, "gate", "good", "--stored")
    harness(folder, "promote", "good", "--name", "v1")
    harness(folder, "gate", "crit", "--stored", codes=(0, 1, 3, 4))
    write_yaml(folder / "harness.yaml", BROAD.config(suites=["suites/shop"]))
    harness(folder, "gate", "slight", "--stored", "--suite", "shop", codes=(0, 1, 3, 4))
    write_yaml(folder / "harness.yaml", BROAD.config())


def thrice(folder: Path) -> None:
    """Runs of three answers a case, and one of a single answer."""
    with serving(THRICE):
        harness(folder, "run", *THRICE.targets)
    harness(folder, "gate", "good", "--stored", codes=(0, 1, 3, 4))


def tested(folder: Path) -> None:
    """Runs with what Python tests recorded; of one target they were never run."""
    with serving(TESTED):
        for name in ("good", "forgetful", "tuned"):
            harness(folder, "gate", name, codes=(0, 1, 3, 4))
        harness(folder, "run", "terse")


def adapted(folder: Path) -> None:
    """A base and an adapter that is proven to be applied."""
    with serving(ADAPTED):
        harness(folder, "run", "base", "tuned")


def settle(folder: Path) -> None:
    """Set what depends on the moment and on the machine to fixed values."""
    for place, path in enumerate(sorted((folder / ".harness/runs").glob("*/run.json"))):
        draw = random.Random(path.parent.name.rpartition("-")[0])
        attempts = path.with_name("attempts.jsonl")
        rows = [json.loads(line) for line in attempts.read_text(encoding="utf-8").splitlines()]
        scores = path.with_name("scores.jsonl").read_text(encoding="utf-8").splitlines()
        order = {json.loads(line)["key"]: number for number, line in enumerate(scores)}
        rows.sort(key=lambda row: order[row["key"]])
        for row in rows:
            _settle_timing(row, draw)
        text = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
                       for row in rows)  # fmt: skip
        attempts.write_text(text, encoding="utf-8")
        header = json.loads(path.read_text(encoding="utf-8"))
        header["journal"] = {
            "size": len(text.encode()),
            "digest": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}",
        }
        header.update(host=HOST, git_commit=None, packages={"harness": "0.1.0"}, summary=None)
        header.update(created=f"2026-11-01T10:{place:02d}:00Z")
        header.update(finished=f"2026-11-01T11:{place:02d}:00Z")
        if header.get("asking"):
            header["asking"]["seconds"] = 10.0 + place
        path.write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")
        for recorded in path.parent.glob("recorded.json"):
            content = json.loads(recorded.read_text(encoding="utf-8"))
            for section in content["sections"]:
                for case in section["cases"]:
                    _settle_timing(case["attempt"], draw)
            recorded.write_text(json.dumps(content) + "\n", encoding="utf-8")
    gates = folder / ".harness/gates.jsonl"
    if gates.exists():
        moments: dict[str, str] = {}
        lines = []
        for line in gates.read_text(encoding="utf-8").splitlines():
            gate = json.loads(line)
            known = gate["verdict"]["created"] + gate["verdict"]["candidate"]
            moment = moments.setdefault(known, f"2026-11-{2 + 3 * len(moments):02d}T09:30:00Z")
            gate["verdict"]["created"] = moment
            if gate.get("promotion"):
                gate["promotion"]["sealed"] = moment.replace("T09", "T12")
            lines.append(json.dumps(gate, separators=(",", ":")) + "\n")
        gates.write_text("".join(lines), encoding="utf-8")
    for path in (folder / ".harness/noise").glob("*.json"):
        noise = json.loads(path.read_text(encoding="utf-8"))
        noise["created"] = "2026-11-01T12:00:00Z"
        path.write_text(json.dumps(noise, indent=2) + "\n", encoding="utf-8")


def unscored(folder: Path) -> None:
    """Have all answers scored again by whoever reads them, as after an update of the scorers."""
    for path in (folder / ".harness/runs").glob("*/run.json"):
        header = json.loads(path.read_text(encoding="utf-8"))
        header["scorers"] = None
        path.write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")


def _settle_timing(row: dict[str, Any], draw: random.Random) -> None:
    timing = row.get("timing")
    if timing is None:
        return
    sent = round(draw.uniform(0.0001, 0.001), 6)
    first = round(sent + draw.uniform(0.02, 0.2), 4)
    chunks = [round(first + 0.01 * place, 4) for place in range(min(2, len(timing["chunks"])))]
    last = chunks[-1] if chunks else first
    row["timing"] = {"sent": sent, "chunks": chunks, "done": round(last + 0.001, 4)}


def pack(folder: Path, name: str) -> None:
    """Keep runs, baselines, noise and gates of the folder in an archive."""
    kept = (
        "run.json",
        "attempts.jsonl",
        "scores.jsonl",
        "recorded.json",
        "gates.jsonl",
        "base.json",
    )
    files = [
        path
        for top in (".harness", "baselines")
        for path in sorted((folder / top).rglob("*"))
        if path.is_file() and (path.name in kept or top == "baselines")
        and "runs" not in path.relative_to(folder).parts[2:-2]
    ]  # fmt: skip
    files = [path for path in files if "noise/runs" not in path.as_posix()]
    STORED.mkdir(exist_ok=True)
    with tarfile.open(STORED / f"{name}.tar.xz", "w:xz") as archive:
        for path in files:
            info = archive.gettarinfo(path, arcname=path.relative_to(folder).as_posix())
            info.mtime, info.uid, info.gid, info.uname, info.gname = 0, 0, 0, "", ""
            info.mode = 0o644
            with path.open("rb") as file:
                archive.addfile(info, file)


def main() -> None:
    """Record every project."""
    os.environ["NO_COLOR"] = "1"
    for world, fill in ((BROAD, broad), (THRICE, thrice), (TESTED, tested), (ADAPTED, adapted)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            world.write(folder)
            fill(folder)
            settle(folder)
            harness(folder, "score", *world.targets)  # seals what was settled
            unscored(folder)
            pack(folder, world.name)
        print(world.name, (STORED / f"{world.name}.tar.xz").stat().st_size)


if __name__ == "__main__":
    main()
