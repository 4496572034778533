"""Promote: seal a candidate's run as a baseline, if its verdict still stands."""

from __future__ import annotations

from pathlib import Path

from harness.config import Project
from harness.errors import PromotionRefused
from harness.gate.judge import Circumstances, gate
from harness.gate.seal import seal
from harness.records.comparison import Comparison
from harness.records.policy import Policy
from harness.records.run import Run
from harness.records.verdict import Verdict
from harness.targets.identity import is_still

# Settings that change answers or how many there are; the rest only changes how fast they come.
SETTINGS = ("temperature", "top_p", "max_tokens", "seed", "repeats")

MEANING = {
    "suites": "the suites",
    "config": "the configuration",
    "candidate": "the candidate's run",
    "baseline": "the baseline's run",
}


def promote(
    verdict: Verdict,
    comparison: Comparison,
    policy: Policy,
    now: Circumstances,
    name: str,
    folder: Path,
) -> list[Path]:
    """The sealed files, one a suite, of a candidate whose PROMOTE verdict still stands.

    The stored verdict is not taken at its word: its hashes must match what is there `now`, and
    judging the comparison again must give the same.

    Raises:
        PromotionRefused: another verdict than PROMOTE, a hash or the harness version that no
            longer matches, or a second judgement that differs.
        StorageError: a file cannot be written.
    """
    hint = f"run `harness gate {verdict.candidate}` again"
    if verdict.verdict != "PROMOTE":
        raise PromotionRefused(
            f"the verdict on `{verdict.candidate}` is {verdict.verdict}: {verdict.reason}",
            hint="only PROMOTE can be promoted",
        )
    for field, meaning in MEANING.items():
        if getattr(verdict.hashes, field) != getattr(now.hashes, field):
            raise PromotionRefused(f"{meaning} changed after the verdict", hint=hint)
    if verdict.harness_version != now.harness_version:
        raise PromotionRefused(
            f"the verdict is of harness {verdict.harness_version}, this is {now.harness_version}",
            hint=hint,
        )
    second = gate(comparison, policy, now)
    if second.verdict != "PROMOTE":
        raise PromotionRefused(
            f"judged again, the verdict is {second.verdict}: {second.reason}", hint=hint
        )
    return seal(comparison.candidate, verdict, name, folder, now.created)


def check_run(project: Project, run: Run) -> None:
    """Nothing, where the run is of the target as it is configured and on disk now.

    Raises:
        PromotionRefused: other weights, another adapter, another model or other settings.
    """
    target = run.header.target
    hint = f"run `harness gate {target}` again"
    if not is_still(project, target, run.header.identity):
        raise PromotionRefused(f"`{target}` is no longer what was judged", hint=hint)
    current = project.generation(target).model_dump(mode="json")
    for name in SETTINGS:
        if run.header.generation.get(name) != current[name]:
            raise PromotionRefused(
                f"`{target}` was judged with {name} {run.header.generation.get(name)}, "
                f"the configuration says {current[name]}",
                hint=hint,
            )
