"""Pure mathematics on arrays; imports nothing of ours."""

from harness.stats.differences import paired_difference, paired_difference_of_ratios
from harness.stats.interval import Interval
from harness.stats.means import mean, ratio_of_sums
from harness.stats.ratios import paired_ratio

__all__ = [
    "Interval",
    "mean",
    "paired_difference",
    "paired_difference_of_ratios",
    "paired_ratio",
    "ratio_of_sums",
]
