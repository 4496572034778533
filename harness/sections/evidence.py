"""Which recorded results of sections are valid for the present targets and configuration."""

from __future__ import annotations

import configparser
import hashlib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.config import Project
from harness.files import digest_json, file_digest
from harness.labels.files import matching
from harness.records.cost import Metered
from harness.records.recording import RecordedSection, Recording
from harness.records.run import RunHeader, RunRecord
from harness.records.target import Generation, Identity
from harness.run.llm_judge import JUDGE_PROMPT
from harness.scorers.registry import fingerprint

TARGET, FILE, SCORER = "target ", "file ", "scorer "
# All files of labels together: one that is added changes what people say, too.
LABELS = "labels"
# Files in which pytest has only a part.
_PYPROJECT, _SETUP = "pyproject.toml", "setup.cfg"


@dataclass(frozen=True, slots=True)
class Grounds:
    """Digests of everything besides suite and target that recorded results may depend on.

    `baselines` has the baseline by suite, as each suite may set a system prompt; `targets` what the
    configuration says of each target that a section may ask. `root` is the project's folder, from
    which files are seen, and `labels` are the patterns of its files of labels.
    """

    judge: str | None
    baselines: Mapping[str, str]
    targets: Mapping[str, str] = field(default_factory=dict)
    root: Path = field(default_factory=Path)
    labels: tuple[str, ...] = ()

    def digest(self, name: str) -> str | None:
        """The digest now of a target, files or a scorer that a recording rests on; None without."""
        if name == LABELS:
            files = {file for pattern in self.labels for file in matching(self.root, pattern)}
            return digest_json([file_digest(file) for file in sorted(files)])
        if name.startswith(FILE):
            return loaded_digest(self.root / name.removeprefix(FILE))
        if name.startswith(SCORER):
            return fingerprint((name.removeprefix(SCORER),)) or ""
        return self.targets.get(name.removeprefix(TARGET))


def grounds(project: Project, baseline: RunHeader | None) -> Grounds:
    """The present digests, with the run of that header as the baseline."""
    baselines = {}
    if baseline is not None:
        generation = Generation.model_validate(baseline.generation)
        baselines = {
            suite: baseline_digest(
                baseline.identity, generation, baseline.system_prompts.get(suite)
            )
            for suite in baseline.suites
        }
    targets = {name: target_digest(project, name) for name in project.config.targets}
    return Grounds(
        configured_judge(project), baselines, targets, project.root, project.config.labels
    )


def baseline_digest(identity: Identity, generation: Generation, prompt: str | None) -> str:
    """The digest of the baseline and its settings, on which a test of it depends."""
    return digest_json([identity.model_dump(mode="json"), generation.sampling(), prompt])


def configured_judge(project: Project) -> str | None:
    """The digest of what the configuration says of the judge, None where it names none."""
    name = project.config.judge
    return None if name is None else digest_json([*_configured(project, name), JUDGE_PROMPT])


def loaded_digest(file: Path) -> str:
    """The digest of a file that pytest loads; of one that others share, of pytest's part.

    It is empty where the file cannot be read.
    """
    try:
        data = file.read_bytes()
        if file.name == _PYPROJECT:
            part: Any = tomllib.loads(data.decode()).get("tool", {}).get("pytest", {})
            return digest_json(part)
        if file.name == _SETUP:
            parser = configparser.RawConfigParser()
            parser.read_string(data.decode())
            found = parser.items("tool:pytest") if parser.has_section("tool:pytest") else []
            return digest_json(dict(found))
    except OSError:
        return ""
    except (ValueError, TypeError, AttributeError, configparser.Error):
        pass  # nothing to be told apart in it, or what JSON cannot hold
    return hashlib.sha256(data).hexdigest()


def target_digest(project: Project, name: str) -> str:
    """The digest of what the configuration says of a target."""
    return digest_json(_configured(project, name))


def _configured(project: Project, name: str) -> list[Any]:
    target = project.target(name)
    server = project.config.servers[target.server]
    return [
        target.model_dump(mode="json", exclude={"generation"}),
        server.model_dump(mode="json", exclude=set(Metered.model_fields)),
        project.generation(name).sampling(),
    ]


def doubt(section: RecordedSection, now: Grounds) -> str:
    """Why the recorded results of a section are not valid; empty where they are."""
    if not section.session:
        return "recorded by an older version, which did not keep what it rests on"
    if section.baselines - {now.baselines.get(section.suite)}:
        return "recorded against another baseline"
    if section.judge not in (None, now.judge):
        return "recorded with another judge"
    for name, digest in section.rests_on.items():
        if now.digest(name) != digest:
            return f"recorded with another {name}"
    return ""


def counted(run: RunRecord, now: Grounds) -> RunRecord:
    """The run without its recorded results that are not valid."""
    return run.without({each.place: why for each in run.taken if (why := doubt(each, now))})


def settled(
    recording: Recording | None, freshness: int, now: Grounds, before: Collection[str] | None = None
) -> set[tuple[str, str]]:
    """The sections, by suite and name, that need not be run again.

    They have valid results from the newest session, and none of their cases failed without a
    score. Where the sessions `before` something are given, what was recorded since need
    not be run again whatever came of it, or another session has begun by now.
    """
    if recording is None or recording.freshness != freshness:
        return set()
    return {
        each.place
        for each in recording.sections
        if not doubt(each, now)
        and (
            (before is not None and each.session not in before)
            or not (each.fleeting or each.place in recording.unfinished)
        )
    }
