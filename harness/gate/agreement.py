"""Whether people agree enough for a rule to go by what they said."""

from __future__ import annotations

from harness.records.comparison import ComparisonRecord


def too_little_agreement(comparison: ComparisonRecord, metric: str, least: float | None) -> str:
    """Why Krippendorff's alpha of those who judged the candidate is not `least`; else nothing."""
    if least is None:
        return ""
    found = comparison.candidate.agreement.get(metric)
    if found is None:
        return (
            f"how far people agree on {metric} is not known: it takes two people who judge the "
            "same answers, and not all of them alike"
        )
    if found < least:
        return (
            f"people agree too little on {metric}: Krippendorff's alpha is {found:.2f}, "
            f"and min_agreement {least:g}"
        )
    return ""
