"""Templates of HTML and Markdown, in which text of models and people is never active markup.

An expression of a template is escaped by itself: in HTML by Jinja, in Markdown by `escape_prose`.
Before that, every invisible character is replaced by a visible name.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.records.summary import recorded_times
from harness.records.verdict import OUTCOMES
from harness.report import cases, content, formats, losses, rules, runs
from harness.report import chain_text as chain
from harness.report import latency_content as latency
from harness.report import leaderboard_content as leaderboard
from harness.report import leakage_text as leakage
from harness.report.text import MARKS, Escaped, anchor, cell, clip, code, escape_prose, fence
from harness.visible_text import one_line, visible

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"
# Numbers as text: nothing in them is anybody's words.
_NUMBERS: tuple[Callable[..., str], ...] = (
    formats.count, formats.counted, formats.milliseconds, formats.amount, formats.p_value,
    formats.interval, rules.own_value, rules.estimate_of, rules.interval_of, rules.limit_of,
    rules.numbers_of, rules.cut_of, runs.metric_value, leakage.value_without,
    leakage.gain_without, leakage.without_of,
)  # fmt: skip
_WORDS: tuple[Callable[..., Any], ...] = (
    one_line, clip, formats.moment, cases.count_words, content.confidence, rules.rule_name,
    rules.requirement, runs.usage_sentence, runs.metric_difference, runs.regression_numbers,
    runs.regressions_sentence, runs.metric_direction,
    losses.slice_numbers, losses.joint_numbers, losses.slices_note, latency.families,
    latency.figure_rows,
    latency.findings, latency.in_words, latency.metric_title, latency.shortage,
    latency.shortages, latency.span,
    latency.unfinished, latency.arms_in_order, latency.load_facts, latency.load_title,
    latency.measurement_facts, latency.slo_words, leaderboard.advantage_words,
    leaderboard.change_rows, leaderboard.difference_words, leaderboard.reason_words,
    leaderboard.recommendation_title, leaderboard.recommendation_tone, leaderboard.rule_words,
    leaderboard.tests_sentence,
    chain.worst_outcome, chain.chain_conclusion, chain.probe_words, chain.nats_words,
    chain.hop_metrics, chain.metric_numbers,
    leakage.leakage_lines, leakage.leaked_cases, leakage.metrics_without,
)  # fmt: skip
_CONSTANTS: dict[str, Any] = {
    "anchor": anchor, "MEANING": content.MEANING, "SYMBOLS": rules.SYMBOLS,
    "CONTROL": latency.CONTROL, "INFINITE": latency.INFINITE, "MARKS": MARKS,
    "NONE": formats.NONE, "INFINITY": formats.INFINITY, "duration": formats.duration,
    "METRIC_WORDS": chain.METRIC_WORDS, "REMEDY": losses.REMEDY,
    "ratio": formats.ratio, "OUTCOMES": OUTCOMES, "recorded_times": recorded_times,
}  # fmt: skip


def render_page(
    template: str, styles: Sequence[str], scripts: Sequence[str] = (), **context: Any
) -> str:
    """A whole page in one file; `styles` and `scripts` are files that stand beside the template.

    The scripts share a scope, in which each finds what it needs of those before it. The page's
    Content-Security-Policy lets nothing else through.
    """
    from markupsafe import Markup

    style, parts = _joined(styles), _joined(scripts)
    script = f'"use strict";\n(() => {{\n{parts}}})();\n' if scripts else ""
    page = _html_environment().get_template(template)
    return page.render(
        policy=_content_policy(style, script),
        # Ours, not a model's: files beside the template.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        **context,
    )


def render_text(template: str, **context: Any) -> str:
    """A Markdown template, filled in."""
    return _markdown_environment().get_template(template).render(**context)


@functools.cache
def _html_environment() -> Environment:
    """The Jinja environment, which caches compiled templates for the process."""
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        plain = isinstance(value, str) and not isinstance(value, Markup)
        return visible(value) if plain else value

    environment = _environment(autoescape=True, finalize=finalize)
    environment.globals.update({function.__name__: function for function in _NUMBERS})
    # Drawings are ours: their texts are escaped when they are drawn.
    environment.filters.update(drawn=Markup, coded=_coded_html, breakable=breakable)
    return environment


@functools.cache
def _markdown_environment() -> Environment:
    def finalize(value: Any) -> Any:
        return value if isinstance(value, Escaped) else escape_prose(visible(str(value)))

    environment = _environment(autoescape=False, finalize=finalize)
    environment.globals.update({each.__name__: _unescaped(each) for each in _NUMBERS})
    environment.globals.update(MARKS={name: Escaped(mark) for name, mark in MARKS.items()})
    environment.filters.update(code=code, cell=cell, fence=fence, coded=_coded, ours=Escaped)
    return environment


def _unescaped(function: Callable[..., str]) -> Callable[..., Escaped]:
    return lambda *values: Escaped(function(*values))


def _coded_html(text: str, *, breakable_paths: bool = False) -> Any:
    """The text with what stands in backquotes as code.

    Where paths are breakable, a line may end behind the points and slashes of names.
    """
    from markupsafe import Markup, escape

    prose = _breakable_paths if breakable_paths else escape
    parts = enumerate(visible(text).split("`"))
    return Markup("").join(_code_html(part) if at % 2 else prose(part) for at, part in parts)


def _code_html(part: str) -> Any:
    from markupsafe import Markup

    # A line may end behind any hyphen, but not within an option.
    if re.fullmatch(r"--?[\w-]{1,40}", part):
        return Markup('<code class="option">{}</code>').format(part)
    return Markup("<code>{}</code>").format(part)


def _breakable_paths(part: str) -> Any:
    from markupsafe import Markup, escape

    # Between letters alone, so that no number is broken.
    return Markup(re.sub(r"(?<=[^\W\d])([./])(?=[^\W\d])", r"\1<wbr>", str(escape(part))))  # noqa: S704


def breakable(name: str) -> Any:
    """The name, which may go on in a new line behind its points, strokes and slashes alone."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([._/])(?=[^._/])", r"\1<wbr>", str(escape(visible(name)))))  # noqa: S704


def _coded(text: str) -> Escaped:
    """The text with what stands in backquotes as code."""
    parts = enumerate(visible(text).split("`"))
    return Escaped("".join(code(part) if place % 2 else _spaced(part) for place, part in parts))


def _spaced(part: str) -> str:
    """Plain words with the spaces at their ends, which `escape_prose` drops."""
    return f"{' ' * part.startswith(' ')}{escape_prose(part)}{' ' * part.endswith(' ')}"


def _environment(*, autoescape: bool, finalize: Callable[[Any], Any]) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=autoescape,  # noqa: S701 - Markdown is escaped by `finalize`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not autoescape,
        finalize=finalize,
    )
    environment.globals.update({function.__name__: function for function in _WORDS})
    environment.globals.update(_CONSTANTS)
    return environment


def _joined(names: Sequence[str]) -> str:
    return "\n".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in names)


def _content_policy(style: str, script: str) -> str:
    """The Content-Security-Policy that lets exactly these inline blocks through (CSP 3).

    Without a script none may run.
    """
    scripts = _source_hash(script) if script else "none"
    return (
        f"default-src 'none'; style-src '{_source_hash(style)}'; script-src '{scripts}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _source_hash(block: str) -> str:
    digest = hashlib.sha256(block.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
