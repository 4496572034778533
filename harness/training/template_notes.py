"""What a chat template does to conversations that nobody who reads the data would expect."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.clock import SYSTEM_CLOCK
from harness.errors import RecipeError
from harness.training.assistant_spans import PROBE, Render, Turns
from harness.visible_text import one_line

_DATE = re.compile(r"strftime_now\(\s*(['\"])(.+?)\1")


def note_template(
    template: str, render: Render, conversations: Sequence[Turns], examples: int
) -> Iterator[str]:
    """Sentences on what the template adds to the conversations, takes from them, or changes.

    `examples` is how many examples the conversations gave.
    """
    if examples > len(conversations):
        yield (
            "the template changes earlier turns when others follow (it may take thinking out): "
            f"{len(conversations)} conversations became {examples} examples, one an answer, each "
            "with the turns before it as a server sends them"
        )
    without = [one for one in conversations if one[0]["role"] != "system"]
    if without and (default := default_system_prompt(render)):
        yield (
            f"{len(without)} of {len(conversations)} conversations have no system prompt, and the "
            f"template gives them its own: {one_line(default, 120)!r}"
        )
    date = _date_in(template, render, conversations[0])
    if date is not None:
        fixed = " (`chat_template_kwargs: {date_string: ...}` fixes it)"
        yield (
            f"the template writes the day's date, {date!r}: trained on another day, the candidate "
            f"is another{fixed if 'date_string' in template else ''}"
        )


def default_system_prompt(render: Render) -> str:
    """The system prompt that the template gives to a conversation without one, or nothing."""
    user = {"role": "user", "content": PROBE}
    try:
        bare = render([user], True).partition(PROBE)[0]
        before, _, after = render([{"role": "system", "content": PROBE}, user], True).partition(
            PROBE
        )
    except RecipeError:
        return ""  # no system role, so no prompt of its own
    after = after.partition(PROBE)[0]
    if not (bare.startswith(before) and bare.endswith(after)):
        return ""
    return bare[len(before) : max(len(before), len(bare) - len(after))].strip()


def _date_in(template: str, render: Render, turns: Turns) -> str | None:
    """Today's date as the template writes it into the conversation."""
    text = render(turns, False)
    now = SYSTEM_CLOCK.utc().astimezone()
    dates = (now.strftime(form) for _, form in _DATE.findall(template))
    return next((date for date in dates if date in text), None)
