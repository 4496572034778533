"""The rules of other tools, to measure on the same answers as our scorers.

Each rule is the tool's own code, imported where it is installed; nothing is asked of a model or of
the network. promptfoo is a package of Node.js: `npm install promptfoo`, and NODE_PATH names the
folder `node_modules`.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata, resources
from typing import Any

import yaml

Row = dict[str, Any]
Judge = Callable[[Sequence[Row]], list[bool]]
"""For each row whether the answer passes, or for `scope` whether it is a refusal."""


class Missing(Exception):
    """A tool that is not installed, or does not load."""


@dataclass(frozen=True)
class Peer:
    """A rule of a tool: what it judges (`number`, `contains` or `scope`), and its function."""

    package: str
    rule: str
    kind: str
    load: Callable[[], Judge]


def measured(kind: str, rows: Sequence[Row]) -> tuple[list[tuple[str, list[bool]]], list[str]]:
    """What each installed rule of a kind says of the rows, and a line for each that is left out.

    A rule is named by its package, its version and its own name.
    """
    said, left_out = [], []
    for peer in PEERS:
        if peer.kind != kind:
            continue
        try:
            name = f"{peer.package} {version(peer.package)} `{peer.rule}`"
            said.append((name, peer.load()(rows)))
        except (Missing, ImportError) as error:
            left_out.append(f"{peer.package} `{peer.rule}`: {error}")
    return said, left_out


def version(package: str) -> str:
    """The installed version of a package.

    Raises Missing where it is not installed.
    """
    if package == "promptfoo":
        return str(_node("say(require(home + '/package.json').version)", []))
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        raise Missing("not installed") from None


def _inspect(rule: str, **settings: Any) -> Judge:
    """A scorer of inspect_ai, given each answer as a model's output."""
    scorer = import_module("inspect_ai.scorer")
    state_type = import_module("inspect_ai.solver").TaskState
    output = import_module("inspect_ai.model").ModelOutput
    score = getattr(scorer, rule)(**settings)

    async def passes(row: Row) -> bool:
        said = output.from_content("none", row["answer"])
        state = state_type("none/none", 1, 1, row["question"], [], output=said)
        found = await score(state, scorer.Target(row["answers"]))
        return bool(found.value == scorer.CORRECT)

    async def judge(rows: Sequence[Row]) -> list[bool]:
        return [await passes(row) for row in rows]

    return lambda rows: asyncio.run(judge(rows))


def _lm_eval_gsm8k(name: str) -> Judge:
    """A filter of lm-eval's gsm8k task and its exact_match, as the task's own file sets them."""
    file = resources.files("lm_eval") / "tasks" / "gsm8k" / "gsm8k.yaml"
    task = yaml.safe_load(file.read_text(encoding="utf-8"))
    steps = next(one["filter"] for one in task["filter_list"] if one["name"] == name)
    regex = {key: value for key, value in steps[0].items() if key != "function"}
    extract = import_module("lm_eval.filters.extraction").RegexFilter(**regex)
    matches = import_module("lm_eval.api.metrics").exact_match_hf_evaluate
    about_task = {"metric", "aggregation", "higher_is_better"}
    settings = {k: v for k, v in task["metric_list"][0].items() if k not in about_task}

    def judge(rows: Sequence[Row]) -> list[bool]:
        said = extract.apply([[row["answer"]] for row in rows], [])
        return [
            any(
                matches(predictions=[one[0]], references=[answer], **settings)["exact_match"] == 1
                for answer in row["answers"]
            )
            for row, one in zip(rows, said, strict=True)
        ]

    return judge


def _lm_eval_contains() -> Judge:
    contains = import_module("lm_eval.tasks.squad_completion.task").contains_score
    return lambda rows: [contains(row["answer"], row["answers"]) == 1 for row in rows]


def _squad(metric: str, least: float) -> Judge:
    """A metric of torchmetrics' SQuAD, which gives percent; it passes from `least`."""
    squad = import_module("torchmetrics.functional.text").squad

    def score(row: Row) -> float:
        given = {"prediction_text": row["answer"], "id": "1"}
        start = [0] * len(row["answers"])
        right = {"answers": {"text": row["answers"], "answer_start": start}, "id": "1"}
        return float(squad(given, right)[metric])

    return lambda rows: [score(row) >= least for row in rows]


def _garak(name: str) -> Judge:
    """A detector of garak, which gives 0 for an answer that holds a phrase of refusal."""
    attempt = import_module("garak.attempt")
    detector = getattr(import_module("garak.detectors.mitigation"), name)()

    def judge(rows: Sequence[Row]) -> list[bool]:
        asked = attempt.Attempt(prompt=attempt.Message("?", lang="en"))
        asked.outputs = [row["text"] for row in rows]
        return [hit == 0 for hit in detector.detect(asked)]

    return judge


ASSERTIONS = """
const assertions = require('promptfoo').default.assertions;
const passed = [];
for (const [type, value, output] of given) {
  const asked = {assertion: {type, value}, test: {}, providerResponse: {output}};
  passed.push((await assertions.runAssertion(asked)).pass);
}
say(passed);
"""


def _promptfoo(assertion: str) -> Judge:
    """An assertion of promptfoo, through its package's public function."""

    def judge(rows: Sequence[Row]) -> list[bool]:
        given = [
            (assertion, row.get("answers"), row.get("answer", row.get("text"))) for row in rows
        ]
        return [bool(one) for one in _node(ASSERTIONS, given)]

    return judge


def _node(script: str, given: Sequence[Any]) -> Any:
    """What a script says, which sees `given` and promptfoo's folder `home`.

    Raises Missing where Node.js or promptfoo is not installed.
    """
    whole = f"""
const home = require.resolve('promptfoo').split('/dist/')[0];
const given = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const say = (what) => process.stdout.write(JSON.stringify(what), () => process.exit(0));
process.stdout.write('\\n');
(async () => {{ {script} }})();
"""
    quiet = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1"}
    try:
        done = subprocess.run(
            ["node", "-e", whole],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            env={**os.environ, **quiet},
        )
    except FileNotFoundError:
        raise Missing("Node.js is not installed") from None
    if done.returncode:
        told = [line for line in done.stderr.splitlines() if "Error" in line]
        raise Missing("not installed" if "Cannot find" in done.stderr else " ".join(told[:1]))
    return json.loads(done.stdout.strip().splitlines()[-1])


PEERS = (
    Peer("inspect-ai", "match(numeric=True)", "number", lambda: _inspect("match", numeric=True)),
    Peer("lm-eval", "gsm8k strict-match", "number", lambda: _lm_eval_gsm8k("strict-match")),
    Peer("lm-eval", "gsm8k flexible-extract", "number", lambda: _lm_eval_gsm8k("flexible-extract")),
    Peer("inspect-ai", "includes", "contains", lambda: _inspect("includes")),
    Peer("inspect-ai", "match", "contains", lambda: _inspect("match")),
    Peer("lm-eval", "squad_completion contains", "contains", _lm_eval_contains),
    Peer("promptfoo", "icontains-any", "contains", lambda: _promptfoo("icontains-any")),
    Peer("torchmetrics", "squad exact_match", "contains", lambda: _squad("exact_match", 100)),
    Peer("torchmetrics", "squad f1 ≥ 0.5", "contains", lambda: _squad("f1", 50)),
    Peer("promptfoo", "is-refusal", "scope", lambda: _promptfoo("is-refusal")),
    Peer("garak", "mitigation.MitigationBypass", "scope", lambda: _garak("MitigationBypass")),
    Peer("garak", "mitigation.Prefixes", "scope", lambda: _garak("Prefixes")),
)
