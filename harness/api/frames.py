"""The columns of every pandas frame of the Python interface, and the function that makes frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from harness.records.attempt import AttemptState, Score
from harness.records.comparison import Change
from harness.records.verdict import Outcome

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Column:
    """One column; a column with missing values has a type with `<NA>`, never NaN.

    `levels` are the values of a category in their order; without them they are those that occur. A
    category may have no missing value: pandas would show NaN.
    """

    name: str
    dtype: str
    meaning: str
    levels: tuple[str, ...] = ()


def frame(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """The rows as a frame of these columns, whether or not there are any rows."""
    import pandas as pd

    cells: list[list[Any]] = [[] for _ in columns]
    for row in rows:
        for column, value in zip(cells, row, strict=True):
            column.append(value)
    return pd.DataFrame(
        {
            column.name: _series(column, values)
            for column, values in zip(columns, cells, strict=True)
        }
    )


def _series(column: Column, values: list[Any]) -> pd.Series[Any]:
    import pandas as pd

    if column.dtype == "category":
        levels = column.levels or sorted(set(values))
        return pd.Series(pd.Categorical(values, categories=levels))
    # Arrow's strings, which pandas may prefer, refuse text that is no Unicode.
    dtype = pd.StringDtype("python") if column.dtype == "string" else column.dtype
    return pd.Series(values, dtype=dtype)


_STATUS = get_args(Score.model_fields["status"].annotation)

_CASE = (
    Column("suite", "category", "The suite's name"),
    Column("section", "category", "The section's name"),
    Column("case", "string", "The case's id"),
    Column("repeat", "int64", "Which asking of the case, from 0"),
    Column("group", "string", "The cases that belong together: the unit of independence"),
)
_MARKS = (
    Column("tags", "object", "The case's tags, a tuple"),
    Column("critical", "bool", "Whether a new failure of the case is never promoted"),
)
_METRIC = (
    Column("metric", "string", "The metric's full name, `<suite>.<section>.<metric>`"),
    Column("suite", "category", "The suite's name"),
    Column("section", "category", "The section's name"),
)

ATTEMPTS = (
    *_CASE,
    *_MARKS,
    Column("status", "category", "What became of the attempt's score", _STATUS),
    Column("state", "category", "What the attempt itself amounts to", get_args(AttemptState)),
    Column("passed", "boolean", "Whether the scorer lets the answer pass; missing if not scored"),
    Column("value", "Float64", "The scorer's value from 0 to 1; missing if not scored"),
    Column(
        "label", "category", "What the scorer calls the answer, such as `refused`; may be empty"
    ),
    Column("reason", "string", "Why the scorer says so, or why there is no score"),
    Column("text", "string", "The answer; missing if the request failed"),
    Column("reasoning", "string", "What the model reasoned before it; missing if it sent none"),
    Column("finish_reason", "string", "Why the answer ended, as the server says"),
    Column("prompt_tokens", "Int64", "Tokens of the prompt, as the server counts"),
    Column("completion_tokens", "Int64", "Tokens of the answer, as the server counts"),
    Column("ttft", "Float64", "Seconds from the intended send time to the first content"),
    Column(
        "tta",
        "Float64",
        "The same to the first content of the answer, after thinking; missing if it never came",
    ),
    Column("service_ttft", "Float64", "Seconds from the actual send to the first content"),
    Column("e2e", "Float64", "Seconds from the intended send time to the end"),
    Column("tries", "int64", "How many requests it took"),
    Column("cause", "string", "Why the request failed; missing if it did not"),
    Column("http_status", "Int64", "The HTTP status of a failed request, if it had one"),
    Column("reused_from", "string", "The run that the answer was taken over from, if it was"),
    Column("key", "string", "The digest of all that the answer depends on"),
)

TERMS = (
    *_CASE,
    Column("metric", "category", "The metric's short name"),
    Column("num", "float64", "The attempt's share in the metric's numerator"),
    Column("den", "float64", "The attempt's share in the metric's denominator"),
)

VALUES = (
    *_METRIC,
    Column("value", "Float64", "The sum of `num` over the sum of `den`; missing if that is 0"),
    Column("num", "float64", "The sum of the attempts' `num`"),
    Column("den", "float64", "The sum of the attempts' `den`"),
    Column("n", "int64", "How many attempts have a share in the metric"),
)


def _side(name: str) -> tuple[Column, ...]:
    return (
        Column(f"{name}_status", "category", f"What became of the {name}'s score", _STATUS),
        Column(f"{name}_passed", "boolean", f"Whether the {name}'s answer passes"),
        Column(f"{name}_value", "Float64", f"The {name}'s value; missing if not scored"),
        Column(f"{name}_reason", "string", f"Why the scorer says so of the {name}'s answer"),
        Column(f"{name}_text", "string", f"The {name}'s answer; missing if the request failed"),
    )


PAIRS = (
    *_CASE,
    *_MARKS,
    Column("change", "category", "The candidate's outcome beside the baseline's", get_args(Change)),
    Column("prompt", "string", "The last message that was put to both"),
    *_side("candidate"),
    *_side("baseline"),
)

DIFFERENCES = (
    *_METRIC,
    Column("candidate", "Float64", "The candidate's metric over the cases that pair"),
    Column("baseline", "Float64", "The baseline's metric over the same cases"),
    Column("estimate", "Float64", "Candidate minus baseline"),
    Column("low", "Float64", "The lower bound of that, at level alpha"),
    Column("high", "Float64", "The upper bound of that, at level alpha"),
    Column("p_value", "Float64", "Two-sided, against no difference, not corrected"),
    Column("p_of_loss", "Float64", "One-sided, for a loss, Holm-corrected for these metrics"),
    Column("n", "Int64", "How many cases pair"),
    Column("groups", "Int64", "How many groups they make"),
    Column("reason", "string", "Why there are no bounds; empty if there are"),
)

RULES = (
    Column("metric", "string", "The metric that the rule is on; missing if on none"),
    Column("require", "string", "What the rule asks for"),
    Column("outcome", "category", "What became of it", get_args(Outcome)),
    Column("candidate", "Float64", "The candidate's metric"),
    Column("baseline", "Float64", "The baseline's metric"),
    Column("estimate", "Float64", "What the rule looks at: a difference, a value or a ratio"),
    Column("low", "Float64", "The lower bound of the estimate"),
    Column("high", "Float64", "The upper bound of the estimate"),
    Column("limit", "Float64", "The limit that the bound is compared with"),
    Column("p_value", "Float64", "Two-sided, against no difference"),
    Column("n", "Int64", "How many cases it rests on"),
    Column("groups", "Int64", "How many groups they make"),
    Column("noise", "Float64", "How far two askings of the baseline differ, where measured"),
    Column("reason", "string", "The outcome in one sentence"),
)
