"""The files of lm-eval tasks, found and read without lm-eval: its YAML, its data, its code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from harness.errors import SuiteError
from harness.files import digest_json, file_digest

_NAMED = re.compile(rb"^['\"]?(?:task|group)['\"]?\s*:[ \t]*['\"]?([^\s'\"#\[]+)", re.MULTILINE)
_TAGGED = re.compile(rb"^['\"]?tag['\"]?\s*:[ \t]*(.*(?:\n\s*-[ \t]*.*)*)", re.MULTILINE)
_INCLUDED = re.compile(rb"^['\"]?include['\"]?\s*:[ \t]*['\"]?([^\s'\"#\[]+)", re.MULTILINE)
_WORD = re.compile(rb"[\w./+-]+")
# Keys of a group that are its own, and not settings of its tasks (lm_eval.config.group).
_OF_GROUPS = frozenset({"group", "group_alias", "task", "aggregate_metric_list", "metadata", "tag"})
# Builders of `datasets` that read files; any other name is that of a data set on a hub.
_BUILDERS = frozenset({"json", "csv", "parquet", "arrow", "text", "xml", "pandas"})
_REMOTE = re.compile(r"^[a-z0-9+]+://")
_SHOWN = 3


class Function(str):
    """The value of a YAML's `!function`, as it is written."""

    __slots__ = ()


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # either base
    pass


_Loader.add_constructor("!function", lambda loader, node: Function(loader.construct_scalar(node)))


@dataclass(frozen=True, slots=True)
class TaskFile:
    """One task as its file, the files that it includes and its groups describe it.

    `overrides` are what its groups set. `data` are the files of its data by their place in the
    configuration, `hub` the name of its data set on a hub, or empty. `digest` covers all of it.
    """

    name: str
    path: Path
    config: Mapping[str, Any]
    overrides: Mapping[str, Any]
    data: tuple[Path, ...]
    hub: str
    digest: str

    @property
    def output_type(self) -> str:
        """What is asked of a model, as lm-eval calls it."""
        return str(self.config.get("output_type", "generate_until"))


@dataclass
class TaskFinder:
    """Finds tasks for one entry of a section; `where` is the entry's place, for errors."""

    folder: Path
    where: str
    _local: dict[str, Path] = field(default_factory=dict)

    def find(self, given: str) -> list[TaskFile]:
        """The tasks of a YAML file in the suite's folder, or of a name in lm-eval's registry.

        Raises:
            SuiteError: there is none of that name, or its files cannot be read.
        """
        if not given.endswith((".yaml", ".yml")):
            return list(self._named(given, {}))
        path = self.folder / given
        if not path.is_file():
            raise SuiteError(f"no such file: `{given}`", where=self.where, hint="check the path")
        for beside in sorted(path.parent.glob("*.yaml")):
            for name in _NAMED.findall(beside.read_bytes()):
                self._local.setdefault(name.decode(), beside)
        return list(self._read(path, {}))

    def _named(self, name: str, overrides: Mapping[str, Any]) -> Iterator[TaskFile]:
        found = [self._local[name]] if name in self._local else _registered(name)
        if not found:
            raise self._unknown(name)
        for path in found:
            yield from self._read(path, overrides)

    def _read(self, path: Path, overrides: Mapping[str, Any]) -> Iterator[TaskFile]:
        config = self._merged(path, frozenset())
        if "group" in config and isinstance(config.get("task"), list):
            given = {key: value for key, value in config.items() if key not in _OF_GROUPS}
            for member in config["task"]:
                own = member if isinstance(member, dict) else {"task": member}
                name = str(own.get("task") or own.get("group"))
                settings = {key: one for key, one in own.items() if key not in _OF_GROUPS}
                yield from self._named(name, {**given, **settings, **overrides})
        elif isinstance(config.get("task"), str) and "class" not in config:
            yield self._task(path, {**config, **overrides}, overrides)
        elif "class" in config:
            raise SuiteError(
                f"`{config.get('task')}` is a task written in Python, whose metrics no file names",
                where=self.where,
                hint="write it as YAML with `!function` where it needs code",
            )
        else:
            raise SuiteError(f"{path.name} is no task: it has no `task:`", where=self.where)

    def _task(self, path: Path, config: dict[str, Any], overrides: Mapping[str, Any]) -> TaskFile:
        if any(isinstance(value, Function) for value in overrides.values()):
            raise SuiteError(
                f"a group of `{config['task']}` sets a `!function` for its tasks",
                where=self.where,
                hint="write it into the tasks' own files",
            )
        source = str(config.get("dataset_path") or "")
        data = tuple(self._data(path, config))
        here = source in _BUILDERS or not source or (path.parent / source).exists()
        code = [file for one in _functions(config) if (file := path.parent / one).is_file()]
        content = {
            "config": {key: value for key, value in config.items() if key != "include"},
            "files": sorted(file_digest(one) for one in {*data, *code}),
        }
        return TaskFile(
            name=config["task"],
            path=path,
            config=config,
            overrides=overrides,
            data=data,
            hub="" if here or isinstance(config.get("custom_dataset"), Function) else source,
            digest=digest_json(_plain(content)),
        )

    def _merged(self, path: Path, seen: frozenset[Path]) -> dict[str, Any]:
        """The configuration with what it includes."""
        try:
            if path in seen:
                raise ValueError("it includes itself")
            config = yaml.load(path.read_bytes(), _Loader)  # noqa: S506 - a safe loader
            if not isinstance(config, dict):
                raise TypeError("it holds no keys")
        except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
            what = " ".join(str(error).split())
            raise SuiteError(f"{path.name} cannot be read: {what}", where=self.where) from None
        included = config.pop("include", [])
        merged: dict[str, Any] = {}
        for name in [included] if isinstance(included, str) else included:
            merged |= self._merged(path.parent / name, seen | {path})
        return {**merged, **config}

    def _data(self, path: Path, config: Mapping[str, Any]) -> Iterator[Path]:
        for name in data_files(config):
            if _REMOTE.match(name):
                continue
            found = path.parent / name
            matching = sorted(found.parent.glob(found.name)) if "*" in name else [found]
            if not matching or not matching[0].is_file():
                raise SuiteError(
                    f"the data of task `{config['task']}` is not there: `{name}`",
                    where=self.where,
                    hint=f"it is looked for beside {path.name}: put it there, or correct its "
                    "`data_files`",
                )
            yield from matching

    def _unknown(self, name: str) -> SuiteError:
        if _package() is None:
            return SuiteError(
                f"task `{name}` is of lm-eval, which is not installed",
                where=self.where,
                hint="pip install -e '.[benchmarks]', or name a YAML file of your own",
            )
        known = [*self._local, *_index()]
        near = ", ".join(f"`{one}`" for one in get_close_matches(name, known, _SHOWN))
        hint = f"near it: {near}" if near else "a file of your own ends in .yaml"
        return SuiteError(f"lm-eval has no task `{name}`", where=self.where, hint=hint)


def data_files(config: Mapping[str, Any]) -> list[str]:
    """The files that a task's `dataset_kwargs` name as its data."""
    given = (config.get("dataset_kwargs") or {}).get("data_files") or []
    parts = given.values() if isinstance(given, dict) else [given]
    return [str(one) for part in parts for one in ([part] if isinstance(part, str) else part)]


def placed(config: Mapping[str, Any], folder: Path) -> dict[str, Any] | None:
    """The task's `dataset_kwargs` with the files of its data by their full paths."""
    kwargs = config.get("dataset_kwargs")
    if not kwargs or not kwargs.get("data_files"):
        return None

    def full(one: str) -> str:
        return one if _REMOTE.match(one) else str((folder / one).absolute())

    def place(part: Any) -> Any:
        return full(part) if isinstance(part, str) else [full(one) for one in part]

    files = kwargs["data_files"]
    mapped = {key: place(one) for key, one in files.items()} if isinstance(files, dict) else None
    return {**kwargs, "data_files": mapped or place(files)}


def _functions(config: Mapping[str, Any]) -> set[str]:
    """The Python files that its functions may be in."""
    found = [value for value in _values(config) if isinstance(value, Function)]
    return {f"{one.rpartition('.')[0].replace('.', '/')}.py" for one in found}


def _values(value: Any) -> Iterator[Any]:
    parts: Iterable[Any] = ()
    if isinstance(value, Mapping):
        parts = value.values()
    elif isinstance(value, list):
        parts = value
    yield value
    for part in parts:
        yield from _values(part)


def _plain(value: Any) -> Any:
    """The value as JSON can hold it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _package() -> Path | None:
    """The folder of lm-eval's own tasks; it is not imported."""
    found = find_spec("lm_eval")
    places = found.submodule_search_locations if found is not None else None
    return Path(next(iter(places))) / "tasks" if places else None


@cache
def _registered(name: str) -> list[Path]:
    """The files of lm-eval's own task or group of that name, or of the tasks with that tag."""
    root = _package()
    if root is None or not re.fullmatch(r"[\w.+-]+", name):
        return []
    # Most tasks lie in a folder that their name begins with; all of them are thousands of files.
    for folder in sorted({name, name.partition("_")[0], name.rpartition("_")[0]} - {""}):
        names, _ = _scan(root / folder)
        if name in names:
            return [names[name]]
    return _index().get(name, [])


@cache
def _index() -> dict[str, list[Path]]:
    """The files of all names and tags of lm-eval's; a name comes before a tag."""
    root = _package()
    names, tags = ({}, {}) if root is None else _scan(root)
    return {**tags, **{name: [path] for name, path in names.items()}}


@cache
def _scan(folder: Path) -> tuple[dict[str, Path], dict[str, list[Path]]]:
    """The file of every name, and the files of every tag, below a folder."""
    names: dict[str, Path] = {}
    tags: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.yaml")):
        text = path.read_bytes()
        for name in _NAMED.findall(text):
            names.setdefault(name.decode(), path)
        for tag in _tags(path, text):
            tags.setdefault(tag, []).append(path)
    return names, tags


def _tags(path: Path, text: bytes) -> Iterator[str]:
    """The tags of a task's file, else of the file that it includes."""
    written, included = _TAGGED.search(text), _INCLUDED.search(text)
    if written is not None:
        for tag in _WORD.findall(written[1]):
            yield tag.strip(b"-").decode()
    elif included is not None:
        file = path.parent / included[1].decode()
        if file != path and file.is_file():
            yield from _tags(file, file.read_bytes())
