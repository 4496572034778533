"""Whether an answer declines what was asked: its clauses are read, then weighed."""

from harness.scorers.refusal.decision import Outcome, decide

__all__ = ["Outcome", "decide"]
