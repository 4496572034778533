"""The gate: compare a candidate with a baseline, judge by the policy, seal, promote."""
