"""What is done to which stored project, and what is kept of what comes out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.golden.capture import as_json, command, settled, visible, whole
from tests.golden.project import Project, unpack
from tests.golden.worlds import World

WHOLE = ("verdict.json", "report.md", "junit.xml", "report.page")
LIGHT = ("verdict.json",)


@dataclass(slots=True)
class Stage:
    """A project on disk, with what came out of it so far under names of its own."""

    project: Project
    checking: bool
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return self.project.folder

    def keep(self, name: str, text: str, *, times: bool = True) -> None:
        """Keep a text under the name, with a number behind it where that is taken."""
        number = 2
        stem, dot, ending = name.rpartition(".")
        while name in self.parts:
            name = f"{stem}-{number}{dot}{ending}" if dot else f"{name}-{number}"
            number += 1
        text = settled(text, self.folder, times=times).rstrip("\n")
        self.parts[name] = as_json(text) if name.endswith(".json") else text

    def call(self, *arguments: str, times: bool = True, json: bool = False) -> int:
        """Run a command, and keep its exit code and what it prints."""
        code, out, err = command(self.folder, *arguments)
        name = " ".join(arguments)
        text = "" if json else out
        text += "".join(f"stderr: {line}\n" for line in err.splitlines())
        self.keep(f"harness {name} -> {code}.txt", text, times=times)
        if json and out:
            self.keep(f"harness {name}.json", out, times=times)
        return code

    def gate(self, candidate: str, *arguments: str, files: tuple[str, ...] = LIGHT) -> int:
        """Gate a candidate on stored answers, and keep what is said and what is written."""
        code = self.call("gate", candidate, "--stored", *arguments)
        for folder in sorted((self.folder / "reports").glob(f"{candidate}-vs-*")):
            self.files(folder, *files)
        return code

    def files(self, folder: Path, *names: str, times: bool = True) -> None:
        """Keep files of a folder; of a page what is seen of it."""
        for name in names:
            path = folder / name.replace(".page", ".html")
            key = path.relative_to(self.folder).with_name(name).as_posix()
            if not path.exists():
                self.keep(f"{key} is not there.txt", "")
                continue
            text = path.read_text(encoding="utf-8")
            if name.endswith(".page"):
                text = whole(text) if self.checking else "\n".join(visible(text))
            self.keep(key, text, times=times)


Play = Callable[[Stage], object]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that is done to a world."""

    name: str
    world: World
    play: Play


ALL: dict[str, Scenario] = {}


def scenario(world: World) -> Callable[[Play], Play]:
    """Add the function as a scenario on the world, under its own name."""

    def added(play: Play) -> Play:
        name = play.__name__.strip("_")  # type: ignore[attr-defined]
        assert name not in ALL
        ALL[name] = Scenario(name, world, play)
        return play

    return added


def played(one: Scenario, fresh: Path, folder: Path, *, checking: bool) -> dict[str, str]:
    """What comes out of a scenario; `fresh` is where worlds are kept as they were stored."""
    untouched = fresh / one.world.name
    if not untouched.exists():
        unpack(one.world, untouched)
    shutil.copytree(untouched, folder)
    stage = Stage(Project(one.world, folder), checking)
    one.play(stage)
    return stage.parts
