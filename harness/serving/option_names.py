"""The options of vLLM's server, from a list: asking its parser takes as long as starting it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.serving.command import SET_BY_HARNESS, option_name, vllm_version
from harness.validation import nearest

LIST = Path(__file__).with_name("vllm_options.json")


@dataclass(frozen=True, slots=True)
class OptionProblem:
    """What is wrong with an option; `certain` where the vLLM that is installed refuses it."""

    what: str
    certain: bool


def option_problem(key: str) -> OptionProblem | None:
    """What is wrong with a key of a server's `args`, None where vLLM knows it.

    The list is that of one version of vLLM; of another one an unknown option is only a guess.
    """
    name = option_name(key)
    if name in SET_BY_HARNESS:
        return OptionProblem("is set by the harness: take it out", certain=True)
    version, known = _known()
    # Settings within a setting are written `name.key`, and argparse takes a clear beginning.
    head = name.partition(".")[0]
    if head in known or sum(one.startswith(head) for one in known) == 1:
        return None
    here = vllm_version()
    missing = f"{version} has no option `{name}`{nearest(head, known)}"
    return OptionProblem(missing, certain=here == version)


@cache
def _known() -> tuple[str, frozenset[str]]:
    listed = json.loads(LIST.read_bytes())
    return listed["version"], frozenset(listed["options"])
