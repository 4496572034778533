"""The test files that a change may break, nearest first: `python -m tests.affected [--most N]`.

What changed is everything since the branch left the main one, committed or not. A test file is
near a changed module when few imports lie between the two; one that changed itself is nearest.
Tests that start processes of minutes (tests/e2e, tests/benchmarks) are left to `make test`.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import grimp

ROOT = Path(__file__).parent.parent
MAIN = ("origin/main", "main", "origin/master", "master")
LEFT_OUT = ("tests/e2e/", "tests/benchmarks/")


def main() -> None:
    """Print the files, one a line; say on standard error how many were left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=40, help="print no more files than this")
    most = parser.parse_args().most
    found = affected(changed_files(), imports_of_tests(ROOT), importers_in("harness"))
    print("\n".join(found[:most]))
    if len(found) > most:
        left = len(found) - most
        print(f"the {most} nearest test files; `make test` runs {left} more", file=sys.stderr)


def changed_files() -> list[str]:
    """The paths, from the root, that differ from where the branch left the main one."""
    start = next((name for name in MAIN if _git("rev-parse", "-q", "--verify", name)), "HEAD")
    base = _git("merge-base", "HEAD", start) or ["HEAD"]
    return [
        *_git("diff", "--name-only", "--diff-filter=d", base[0]),
        *_git("ls-files", "--others", "--exclude-standard"),
    ]


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


def importers_in(package: str) -> dict[str, set[str]]:
    """By module of the package, the modules of it that import it.

    A module that none imports is a plugin, found by name: its folder stands for whoever uses it.
    """
    graph = grimp.build_graph(package, cache_dir=None)
    found = {name: set(graph.find_modules_that_directly_import(name)) for name in graph.modules}
    return {name: users or {name.rpartition(".")[0]} for name, users in found.items()}


def imports_of_tests(root: Path) -> dict[str, set[str]]:
    """By file below tests/, as a path from the root, the names of modules that it imports."""
    return {
        path.relative_to(root).as_posix(): set(_imported(ast.parse(path.read_text())))
        for path in sorted((root / "tests").rglob("*.py"))
    }


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # The package imports its public names when they are used: it would reach everything.
            yield from () if node.module == "harness" else (node.module,)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def affected(
    changed: Iterable[str], tests: Mapping[str, set[str]], importers: Mapping[str, set[str]]
) -> list[str]:
    """The test files that reach a changed file by imports, those with the fewest between first.

    `tests` has the imports of each file below tests/, `importers` who imports each module. A file
    of data that changed counts as a change of the modules beside it.
    """
    users: dict[str, set[str]] = {name: set(those) for name, those in importers.items()}
    for file, names in tests.items():
        for name in names:
            users.setdefault(name, set()).add(_module(file))
    distance = dict.fromkeys(_changed_modules(changed, importers, tests), 0)
    twins = {f"test_{name.rpartition('.')[2]}" for name in distance}
    waiting = deque(distance)
    while waiting:
        name = waiting.popleft()
        for user in users.get(name, ()):
            if user not in distance:
                distance[user] = distance[name] + 1
                waiting.append(user)
    reached = [
        (distance[_module(file)], PurePosixPath(file).stem not in twins, file)
        for file in tests
        if _module(file) in distance
        and PurePosixPath(file).name.startswith("test_")
        and not file.startswith(LEFT_OUT)
    ]
    return [file for *_, file in sorted(reached)]


def _changed_modules(
    changed: Iterable[str], modules: Iterable[str], tests: Iterable[str]
) -> set[str]:
    found = set()
    for file in changed:
        if file.endswith(".py"):
            found.add(_module(file))
        elif file.startswith("harness/"):
            found.update(_beside(PurePosixPath(file).parent, modules))
        elif file.startswith("tests/"):
            found.update(_beside(PurePosixPath(file).parent, map(_module, tests)))
    return found


def _beside(folder: PurePosixPath, modules: Iterable[str]) -> set[str]:
    """The modules of the nearest folder upwards that has any."""
    known = list(modules)
    for place in (folder, *folder.parents):
        package = ".".join(place.parts)
        if found := {name for name in known if name.rpartition(".")[0] == package}:
            return found
    return set()


def _module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


if __name__ == "__main__":
    main()
