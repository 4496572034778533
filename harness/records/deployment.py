"""Deployments: the servers of a measurement of latency whose targets are on two of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.records.base import Record

# Both servers up all the time, or one at a time, started anew before every block.
ServerMode = Literal["side_by_side", "in_turns"]


class Deployment(Record):
    """A configured server with what a target asks for there.

    `address` is None for a managed server. `model` is the configured one, or its name behind the
    address; `args` are the options in effect.
    """

    server: str
    version: str
    address: str | None = None
    model: str
    adapter: str | None = None
    args: dict[str, str | int | float | bool] = Field(default_factory=dict)


class Deployments(Record):
    """The two deployments that are compared; the control's is the baseline's."""

    mode: ServerMode
    candidate: Deployment
    baseline: Deployment
