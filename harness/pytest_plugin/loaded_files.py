"""The files of a project's own that pytest loads besides tests, on which recorded outcomes rest."""

from __future__ import annotations

import site
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from harness.sections.evidence import FILE, loaded_digest

# The hooks by which a plugin can change what a test comes to, or which test is run.
_OUTCOMES = frozenset({
    "pytest_collection_modifyitems", "pytest_itemcollected", "pytest_pyfunc_call",
    "pytest_runtest_call", "pytest_runtest_logreport", "pytest_runtest_makereport",
    "pytest_runtest_protocol", "pytest_runtest_setup",
})  # fmt: skip
# Where packages are installed, pytest's own place included: an environment may lie over another.
_INSTALLED = (
    *(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")),
    Path(site.getusersitepackages()).resolve(),
    Path(pytest.__file__).resolve().parent.parent,
)
_OURS = Path(__file__).resolve().parent.parent


def loaded_files(config: pytest.Config, root: Path) -> dict[str, str]:
    """By the name of each file, seen from `root`, its digest.

    They are every conftest.py and plugin that is not installed, the files of their hooks, and the
    configuration file of pytest.
    """
    found = {file for module in _own_plugins(config) for file in _files_of(module)}
    if config.inipath is not None:
        found.add(config.inipath.resolve())
    return {FILE + _seen_from(root, file): loaded_digest(file) for file in sorted(found)}


def changing_files(config: pytest.Config) -> list[str]:
    """The files among them whose hooks can change what a test comes to, seen from the root."""
    modules = (each for each in _own_plugins(config) if _hooks(each) & _OUTCOMES)
    files = {Path(module.__file__).resolve() for module in modules if module.__file__}
    return sorted(_seen_from(config.rootpath, file) for file in files)


def is_own(file: Path) -> bool:
    """Whether a file is a project's own: neither installed nor the harness's."""
    resolved = file.resolve()
    return not any(resolved.is_relative_to(place) for place in (*_INSTALLED, _OURS))


def _own_plugins(config: pytest.Config) -> Iterator[ModuleType]:
    for plugin in config.pluginmanager.get_plugins():
        if isinstance(plugin, ModuleType) and plugin.__file__ and is_own(Path(plugin.__file__)):
            yield plugin


def _files_of(module: ModuleType) -> Iterator[Path]:
    """The module's own file, and those that define the hooks which it has from elsewhere."""
    assert module.__file__ is not None
    yield Path(module.__file__).resolve()
    for name in _hooks(module):
        code = getattr(getattr(module, name), "__code__", None)
        if code is not None and is_own(Path(code.co_filename)):
            yield Path(code.co_filename).resolve()


def _hooks(module: ModuleType) -> frozenset[str]:
    return frozenset(name for name in vars(module) if name.startswith("pytest_"))


def _seen_from(root: Path, file: Path) -> str:
    """The path below the folder, or below one of the folders above it, else the whole path."""
    above = root.resolve()
    for steps, folder in enumerate((above, *above.parents[:-1])):
        if file.is_relative_to(folder):
            return "../" * steps + file.relative_to(folder).as_posix()
    return file.as_posix()
