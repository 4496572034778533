"""Stored projects on disk, and ways to spoil what is stored."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.golden.worlds import World, write_yaml

STORED = Path(__file__).parent / "stored"

Row = dict[str, Any]


def unpack(world: World, folder: Path) -> None:
    """Write the project with all that was stored of it into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    world.write(folder)
    with tarfile.open(STORED / f"{world.name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")


class Project:
    """A project in a folder of its own."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder

    def configure(self, *rules: Row, gate: Row | None = None, **change: Any) -> None:
        """Write `harness.yaml` again, with these rules where any are given."""
        config = self.world.config(**change)
        if rules:
            config["gate"]["rules"] = list(rules)
        if gate:
            config["gate"].update(gate)
        write_yaml(self.folder / "harness.yaml", config)

    def leave_out(self, key: str) -> None:
        """Write `harness.yaml` again without one of its keys."""
        config = self.world.config()
        del config[key]
        write_yaml(self.folder / "harness.yaml", config)

    def run(self, target: str) -> Path:
        """The folder of the target's run on all suites."""
        found = sorted((self.folder / ".harness/runs").glob(f"{target}-*"))
        headers = [(json.loads((path / "run.json").read_text()), path) for path in found]
        return next(path for header, path in headers if not header["selection"])

    def edit_json(self, path: Path | str, change: Callable[[Row], object]) -> None:
        """Change what a JSON file holds."""
        file = self.folder / path
        content = json.loads(file.read_text(encoding="utf-8"))
        change(content)
        file.write_text(json.dumps(content) + "\n", encoding="utf-8")

    def edit_header(self, target: str, change: Callable[[Row], object]) -> None:
        """Change the header of a target's run."""
        self.edit_json(self.run(target) / "run.json", change)

    def edit_attempts(self, target: str, change: Callable[[Row], object]) -> None:
        """Change a target's stored answers, and seal them again; their scores are to be made."""
        path = self.run(target) / "attempts.jsonl"
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for row in rows:
            change(row)
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        path.write_bytes(data)
        seal = {"size": len(data), "digest": f"sha256:{hashlib.sha256(data).hexdigest()}"}
        self.edit_header(target, lambda header: header.update(journal=seal, scorers=None))

    def edit_recorded(self, target: str, change: Callable[[Row], object]) -> None:
        """Change what Python tests recorded of a target."""
        self.edit_json(self.run(target) / "recorded.json", change)

    def replace(self, path: str, old: str, new: str) -> None:
        """Put one text in the place of another in a file."""
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old}"
        file.write_text(text.replace(old, new), encoding="utf-8")
