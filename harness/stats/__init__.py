"""Statistics on arrays; imports no other package of the harness."""

from harness.stats.adaptive import adaptive_gap, effective_groups
from harness.stats.agreement import Agreement, krippendorff_alpha
from harness.stats.audited import audited_difference, audited_mean
from harness.stats.independent import independent_difference
from harness.stats.inference import Interval, holm, mean, ratio_of_sums
from harness.stats.paired import paired_difference, paired_difference_of_ratios, paired_ratio
from harness.stats.percentiles import needed, percentile, percentile_ratio, pooled_mean
from harness.stats.power import Spread
from harness.stats.simultaneous import Joint, Slice, joint_bounds, lost_p_values

__all__ = [
    "Agreement",
    "Interval",
    "Joint",
    "Slice",
    "Spread",
    "adaptive_gap",
    "audited_difference",
    "audited_mean",
    "effective_groups",
    "holm",
    "independent_difference",
    "joint_bounds",
    "krippendorff_alpha",
    "lost_p_values",
    "mean",
    "needed",
    "paired_difference",
    "paired_difference_of_ratios",
    "paired_ratio",
    "percentile",
    "percentile_ratio",
    "pooled_mean",
    "ratio_of_sums",
]
