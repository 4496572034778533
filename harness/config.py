"""`harness.yaml`: suites, servers, targets, generation settings and the policy of the gate."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from harness.environment_values import fill_from
from harness.errors import ConfigError, UsageError
from harness.files import digest_json
from harness.records.base import Record, read_record
from harness.records.http_server import HttpServer
from harness.records.latency import LatencySettings
from harness.records.rule import Policy
from harness.records.server import ManagedServer, RemoteServer, Server
from harness.records.target import Generation, Target
from harness.validation import KeyProblem, problem
from harness.yaml_files import line_of, model_schema, one_file, read_yaml

CONFIG_NAME = "harness.yaml"
SEALED = "sealed:"
WORKING = ".harness"
# In the environment: the key that authenticates runs, and the one that signs receipts.
RUNS_KEY = "HARNESS_RUNS_KEY"
SIGNING_KEY = "HARNESS_SIGNING_KEY"
# Names become folders and files, so they hold nothing that means something in a path or a glob.
FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

# The options of vLLM by which it knows thinking from the answer.
_TELLS_THINKING = frozenset({"reasoning-parser", "reasoning-config"})


def check_sealed_name(baseline: str) -> None:
    """Nothing, where `sealed:<name>` names a file of baselines/<suite>/.

    Raises:
        ValueError: the name could lead elsewhere.
    """
    if not FOLDER_NAME.fullmatch(baseline.removeprefix(SEALED)):
        raise KeyProblem(f"`{baseline}` is no name of a sealed baseline", "gate", "baseline")


class CollectSettings(Record):
    """What `harness collect` demands of the suites: the share of requests that they speak for."""

    coverage: float | None = Field(default=None, gt=0.0, lt=1.0)


class Config(Record):
    """The parsed file; every name in it refers to something that is defined."""

    suites: tuple[str, ...] = Field(min_length=1)
    servers: dict[str, Server] = Field(min_length=1)
    targets: dict[str, Target] = Field(min_length=1)
    generation: Generation = Generation()
    gate: Policy | None = None
    latency: LatencySettings = LatencySettings()
    judge: str | None = None
    runs_dir: str | None = None
    collect: CollectSettings | None = Field(default=None, exclude_if=lambda given: given is None)
    # Files of labels by people, as patterns: labels/*.jsonl.
    labels: tuple[str, ...] = Field(default=(), exclude_if=lambda patterns: not patterns)

    @field_validator("runs_dir")
    @classmethod
    def _known_protocol(cls, url: str | None) -> str | None:
        """Refuse what is no place to write to; no message holds a part that may be a secret."""
        if url is None:
            return None
        protocol, separator, rest = url.partition("://")
        if not url.strip() or "\0" in url or (separator and not rest):
            raise ValueError("must be a folder, or a url such as s3://bucket/folder")
        if not separator:
            return url
        user = rest.partition("/")[0].rpartition("@")[0]  # Azure's container stands there too
        if "::" in url or "?" in url or "#" in url or ":" in user:
            raise ValueError("must be a plain url: credentials come from the environment")
        from fsspec import available_protocols

        if protocol not in available_protocols():
            raise ValueError(f"no protocol `{protocol}`; s3, gs, abfs, sftp and file are some")
        return url

    @model_validator(mode="after")
    def _names_resolve(self) -> Config:
        for kind, names in (("targets", self.targets), ("servers", self.servers)):
            for name in names:
                if not FOLDER_NAME.fullmatch(name):
                    raise KeyProblem(
                        "a name must be letters, digits, `.`, `_` and `-`, "
                        "and begin with a letter or digit",
                        kind,
                        name,
                    )
        for name, target in self.targets.items():
            self._check_target(name, target)
        if self.judge is not None and self.judge not in self.targets:
            raise KeyProblem(f"no target `{self.judge}`; {_there_is(self.targets)}", "judge")
        if self.gate is not None:
            baseline = self.gate.baseline
            if baseline.startswith(SEALED):
                check_sealed_name(baseline)
            elif baseline not in self.targets:
                raise KeyProblem(
                    f"no target `{baseline}`; {_there_is(self.targets)}", "gate", "baseline"
                )
        return self

    def _check_target(self, name: str, target: Target) -> None:
        server = self.servers.get(target.server)
        if server is None:
            what = f"no server `{target.server}`; {_there_is(self.servers)}"
            raise KeyProblem(what, "targets", name, "server")
        if isinstance(server, RemoteServer) and target.model is None:
            raise KeyProblem("a target on a url names its `model` there", "targets", name)
        if isinstance(server, ManagedServer) and target.model is not None:
            what = "only for a server given by url; use `adapter` here"
            raise KeyProblem(what, "targets", name, "model")
        if isinstance(server, HttpServer):
            misfit = server.misfit(target)
            if misfit is not None:
                key, _, what = misfit.partition(": ")
                raise KeyProblem(what, "targets", name, key)
        self._check_generation(name, target, server)

    def _check_generation(self, name: str, target: Target, server: Server) -> None:
        try:
            settings = Generation(**{**self.generation.model_dump(), **target.generation})
        except ValidationError as error:
            found = problem(error, Generation)
            keys = "targets", name, "generation", *found.keys
            raise KeyProblem(found.what, *keys) from None
        if isinstance(server, ManagedServer):
            self._check_budget(name, target.server, settings, server)
        if isinstance(server, HttpServer):
            for field in settings.request_fields():
                if field not in server.placeholders:
                    what = f"`{target.server}` has no placeholder `{field}` in its `request`"
                    hint = "write it there, or null here"
                    raise KeyProblem(f"{what}: {hint}", "targets", name, "generation", field)
        most = server.max_tokens_per_minute
        if most is not None and settings.max_tokens >= most:
            raise KeyProblem(
                f"{most} leaves no room for a prompt beside the max_tokens {settings.max_tokens} "
                f"of `{name}`",
                "servers",
                target.server,
                "max_tokens_per_minute",
            )

    def _check_budget(
        self, name: str, on: str, settings: Generation, server: ManagedServer
    ) -> None:
        """Refuse a budget of thinking that vLLM would refuse with every request."""
        given = {option.replace("_", "-") for option in server.args}
        if settings.thinking_token_budget is not None and not given & _TELLS_THINKING:
            raise KeyProblem(
                "vLLM takes it with a reasoning parser alone: under "
                f"servers.{on} write `args: {{reasoning-parser: …}}`, such as qwen3",
                "targets",
                name,
                "generation",
                "thinking_token_budget",
            )


def config_schema() -> dict[str, Any]:
    """The JSON schema of `harness.yaml`, with the kinds of rule that are installed."""
    schema = model_schema(Config)
    # A target's own settings are checked on top of the project's.
    schema["$defs"]["Target"]["properties"]["generation"] = {"$ref": "#/$defs/Generation"}
    return one_file("harness.yaml", schema)


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a `harness.yaml`, and the places in it.

    `working` is the folder that holds `runs`: runs in another one know nothing of these. `file` is
    what messages call the configuration.
    """

    root: Path
    config: Config
    digest: str
    working: str = WORKING
    file: str = CONFIG_NAME

    @property
    def runs(self) -> Path:
        """Where runs are kept."""
        return self.root / self.working / "runs"

    @property
    def runs_url(self) -> str | None:
        """Where runs are kept besides; a measurement of noise is kept here alone.

        Raises:
            ConfigError: a relative path climbs out of the project.
        """
        given = self.config.runs_dir
        if given is None or self.working != WORKING:
            return None
        return given if "://" in given else str(self.resolve(given, "runs_dir"))

    @property
    def measurements(self) -> Path:
        """Where measurements of latency are kept."""
        return self.root / ".harness" / "latency"

    @property
    def noise(self) -> Path:
        """Where the measured noise of targets is kept."""
        return self.root / ".harness" / "noise"

    @property
    def gates(self) -> Path:
        """Where every verdict of a gate is kept, a line each."""
        return self.root / WORKING / "gates.jsonl"

    @property
    def baselines(self) -> Path:
        """Where sealed baselines are kept."""
        return self.root / "baselines"

    @property
    def reports(self) -> Path:
        """Where reports are written."""
        return self.root / "reports"

    def place(self, key: str) -> str:
        """The place of a key such as `gate.rules[2].metric`, for errors: file, line and key."""
        line = line_of(self.root / Path(self.file).name, key)
        return f"{self.file}: {key}" if line is None else f"{self.file}:{line}: {key}"

    def resolve(self, path: str, key: str) -> Path:
        """The path of a configured file; a relative one must stay inside the project.

        Raises:
            ConfigError: a relative path climbs out of the project, or no path can be so.
        """
        if "\0" in path:
            raise ConfigError("a path cannot hold NUL", where=self.place(key))
        given = Path(path)
        if given.is_absolute():
            return given
        full = (self.root / given).resolve()
        if not full.is_relative_to(self.root.resolve()):
            raise ConfigError(
                f"`{path}` leaves the project",
                where=self.place(key),
                hint="write an absolute path if that is meant",
            )
        return self.root / given

    def target(self, name: str) -> Target:
        """The named target.

        Raises:
            UsageError: there is none of that name.
        """
        if name not in self.config.targets:
            raise UsageError(
                f"no target `{name}`",
                where=f"{self.file}: targets",
                hint=_there_is(self.config.targets),
            )
        return self.config.targets[name]

    def generation(self, name: str) -> Generation:
        """The generation settings of a target: the project's, with the target's own on top."""
        own = self.target(name).generation
        return Generation(**{**self.config.generation.model_dump(), **own})

    def without_effect(self) -> Iterator[str]:
        """A line on each of a target's own settings that its chatbot's request has no place for."""
        for name, target in self.config.targets.items():
            server = self.config.servers[target.server]
            if not isinstance(server, HttpServer):
                continue
            for setting in ("temperature", "top_p", "max_tokens", "seed"):
                if setting in target.generation and setting not in server.placeholders:
                    place = self.place(f"targets.{name}.generation.{setting}")
                    yield (
                        f"{place}: is not sent: `{target.server}` has no placeholder "
                        f"`{setting}` in its `request` - write it there, or take it out here"
                    )

    def policy(self) -> Policy:
        """The policy of the gate.

        Raises:
            ConfigError: the configuration has none.
        """
        if self.config.gate is None:
            raise ConfigError(
                "has no `gate:`", where=self.file, hint="add a baseline and rules to it"
            )
        return self.config.gate


def load_project(path: Path) -> Project:
    """The project whose configuration is the given file; its root is absolute.

    Messages call the file as it was given, or as seen from the current folder if it lies below.
    Its values may name environment variables; see `harness.environment_values`.

    Raises:
        ConfigError: missing file, bad syntax, unknown key, a name that refers to nothing, or a
            variable that is not set.
    """
    whole, here = path.absolute(), Path.cwd()
    path = whole.relative_to(here) if whole.is_relative_to(here) else path
    file = fill_from(os.environ, read_yaml(path, ConfigError), ConfigError)
    config = read_record(Config, file, ConfigError)
    # Where runs are kept besides says nothing about them.
    counted = config.model_dump(mode="json", exclude={"runs_dir"})
    return Project(whole.parent, config, digest_json(counted), file=str(path))


def _there_is(names: Iterable[str]) -> str:
    return "there is " + ", ".join(f"`{name}`" for name in sorted(names))
