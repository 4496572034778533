"""Lists the options of the vLLM that is installed: `python -m tests.serving.vllm_options`."""

from __future__ import annotations

import json

from harness.serving.command import option_name, vllm_version
from harness.serving.option_names import LIST


def listed() -> str:
    """The text of the list, from vLLM's own parser."""
    from vllm.entrypoints.launchers.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    actions = make_arg_parser(FlexibleArgumentParser())._actions
    names = {option_name(option) for one in actions for option in one.option_strings}
    return json.dumps({"version": vllm_version(), "options": sorted(names)}, indent=1) + "\n"


if __name__ == "__main__":
    LIST.write_text(listed())
