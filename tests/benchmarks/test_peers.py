from __future__ import annotations

import numpy as np
import pytest

from benchmarks import peers
from benchmarks.shapes import Design


@pytest.mark.parametrize("gain", [-0.1, 0.0, 0.1])
@pytest.mark.parametrize("pattern", peers.PATTERNS)
def test_the_difference_that_is_drawn_is_the_true_one(pattern: str, gain: float) -> None:
    sizes, correlation = peers.PATTERNS[pattern]
    answers = peers.drawn(np.random.default_rng(0), Design(20_000, sizes, correlation), gain)
    assert answers.baseline.mean() == pytest.approx(peers.ACCURACY, abs=0.02)
    assert answers.candidate.mean() - answers.baseline.mean() == pytest.approx(gain, abs=0.02)
    assert answers.groups.size == answers.baseline.size


def test_every_decision_is_counted_once() -> None:
    def never(answers: peers.Answers) -> peers.Decided:
        return peers.Decided(better=False, worse=False, low=-1.0, high=1.0)

    def always(answers: peers.Answers) -> peers.Decided:
        return peers.Decided(better=True, worse=True)

    tools = {"never": never, "always": always}
    found = peers.compared(Design(20, (1,), 0.0), 5, tools)
    assert (found["never"].gains, found["never"].losses, found["never"].found) == (0, 0, 0)
    assert (found["never"].held, found["never"].stated) == (10, 10)
    assert (found["always"].gains, found["always"].losses, found["always"].found) == (5, 5, 5)
    assert found["always"].stated == 0


def test_a_tool_that_is_not_here_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> peers.Tool:
        raise ImportError("no such package")

    monkeypatch.setattr(peers, "mlflow_paired", missing)
    names = [name for name, _ in peers.tools()]
    assert names[0] == "harness"
    assert not any(name.startswith("mlflow") for name in names)
    assert "left out: mlflow" in capsys.readouterr().out
