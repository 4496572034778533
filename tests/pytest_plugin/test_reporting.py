from __future__ import annotations

from dataclasses import dataclass, field

from harness.pytest_plugin.reporting import Progress
from tests.manual_clock import ManualClock


@dataclass
class Terminal:
    """Keeps what is written, a line that is written over in brackets."""

    isatty: bool
    lines: list[str] = field(default_factory=list)

    def rewrite(self, line: str, *, erase: bool = False) -> None:
        self.lines.append(f"[{line}]")

    def write(self, text: str) -> None:
        self.lines.append(text)

    def write_line(self, line: str) -> None:
        self.lines.append(line)


def told(isatty: bool) -> list[str]:
    clock, terminal = ManualClock(), Terminal(isatty)
    progress = Progress(terminal, clock)  # type: ignore[arg-type]
    progress.say("starting")
    for done in range(4):
        progress.progress("asking good", done, 3, "1 failed" if done else "")
        clock.advance(0.05 if done == 0 else 6.0)
    progress.say("over")
    return terminal.lines


def test_elsewhere_a_line_now_and_then_and_the_last() -> None:
    assert told(False) == [
        "harness: starting",
        "harness: asking good 3/3, 1 failed",
        "harness: over",
    ]


def test_on_a_terminal_one_line_changes() -> None:
    assert told(True) == [
        "harness: starting",
        "[harness: asking good 2/3, 1 failed]",
        "[harness: asking good 3/3, 1 failed]",
        "\n",
        "harness: over",
    ]
