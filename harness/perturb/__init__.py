"""Variants of questions: the same question in another form, or asked by somebody else."""

from harness.perturb.draw import Draw
from harness.perturb.protocol import Counterfactual, Perturbation
from harness.perturb.question import AS_WRITTEN, Question, Word, read
from harness.perturb.registry import counterfactuals, perturbations
from harness.perturb.variants import variants

__all__ = [
    "AS_WRITTEN",
    "Counterfactual",
    "Draw",
    "Perturbation",
    "Question",
    "Word",
    "counterfactuals",
    "perturbations",
    "read",
    "variants",
]
