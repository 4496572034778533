"""A suite tested by breaking models: mutants of a candidate, and what the gate says of each."""

from harness.mutation.analysis import MutationRequest, run_mutants
from harness.mutation.operator import Mutant, NotMade, Operator, Original, operators

__all__ = [
    "Mutant",
    "MutationRequest",
    "NotMade",
    "Operator",
    "Original",
    "operators",
    "run_mutants",
]
