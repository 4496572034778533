"""The registries: entry points `harness.perturbations` and `harness.counterfactuals`."""

from __future__ import annotations

from functools import cache

from harness.perturb.protocol import Counterfactual, Perturbation
from harness.plugins import PluginRegistry


@cache
def perturbations() -> PluginRegistry[Perturbation]:
    """The process's registry of perturbations.

    Raises:
        UsageError: two distributions declare one name.
    """
    return PluginRegistry("perturbation", "harness.perturbations")


@cache
def counterfactuals() -> PluginRegistry[Counterfactual]:
    """The process's registry of counterfactuals.

    Raises:
        UsageError: two distributions declare one name.
    """
    return PluginRegistry("counterfactual", "harness.counterfactuals")
