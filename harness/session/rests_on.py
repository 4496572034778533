"""What of a project a verdict rests on, part by part, so that nothing else makes it lapse."""

from __future__ import annotations

from collections.abc import Sequence

from harness.config import Project
from harness.files import digest_json
from harness.labels.files import labels_digest
from harness.latency.latency_rule import latency_rules
from harness.records.cost import Metered
from harness.records.label import Label
from harness.records.rule import Policy
from harness.records.suite import Suite
from harness.records.target import SAMPLING

# Of a managed server, where and how long it may start.
_STARTING = ("port", "start_timeout")


def digests(
    project: Project,
    targets: Sequence[str],
    suites: Sequence[Suite],
    policy: Policy,
    labels: Sequence[Label] = (),
    holdout: Suite | None = None,
) -> dict[str, str]:
    """The digest of each part of the project that a verdict on these targets rests on, by name.

    Other targets and servers, prices, and settings that change only how fast answers come or where
    a server starts are no part of it. Of people's labels, those that hold for the
    answers are, where a rule goes by them. The verdict itself says which baseline the policy names.
    """
    found = {f"suite `{suite.name}`": suite.digest for suite in suites}
    if holdout is not None:
        found["the holdout suite"] = holdout.digest
    for key, value in policy.model_dump(mode="json", exclude={"baseline"}).items():
        found[f"`gate.{key}`"] = digest_json(value)
    for name in targets:
        target, generation = project.target(name), project.generation(name).model_dump(mode="json")
        server = project.config.servers[target.server]
        found[f"target `{name}`"] = digest_json(
            target.model_dump(mode="json", exclude={"generation"})
        )
        found[f"server `{target.server}`"] = digest_json(
            server.model_dump(mode="json", exclude={*Metered.model_fields, *_STARTING})
        )
        asked = {key: generation.get(key) for key in (*SAMPLING, "seed", "repeats")}
        found[f"the generation settings of `{name}`"] = digest_json(asked)
    if any(rule.audited for rule in policy.rules):
        found["the labels"] = labels_digest(labels)
    if latency_rules(policy):
        found["`latency`"] = digest_json(project.config.latency.model_dump(mode="json"))
    return found
