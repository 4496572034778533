"""Whether an answer keeps rules: on personal data, claims, disclaimers, hand-overs and secrets."""

from harness.scorers.compliance.rule import Exchange, Finding, Rule
from harness.scorers.compliance.scorer import ComplianceScorer

__all__ = ["ComplianceScorer", "Exchange", "Finding", "Rule"]
