"""What a trainer's log says, told step by step and as curves."""

from __future__ import annotations

import math
from typing import Any

from harness.errors import TrainingError
from harness.training.candidate import CurvePoint
from harness.training.libraries import OnProgress
from harness.training.trend import trend

# The names of a trainer's log, and the curves' own; the rewards are DPO's.
FIELDS = {
    "loss": "train",
    "eval_loss": "validation",
    "rewards/accuracies": "train_accuracy",
    "eval_rewards/accuracies": "validation_accuracy",
    "rewards/margins": "train_margin",
    "eval_rewards/margins": "validation_margin",
}


def make_reporter(name: str, on_progress: OnProgress) -> Any:
    """A callback that tells `on_progress` of each step, with the latest losses.

    Its methods raise TrainingError for a loss that is not finite.
    """
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):  # type: ignore[misc]  # the library's class is untyped
        """Tells the caller about each step."""

        detail = ""

        def on_log(self, _args: Any, state: Any, _control: Any, **_kwargs: Any) -> None:
            """Keep the latest losses for the next step's line."""
            last = state.log_history[-1] if state.log_history else {}
            for key, label in (("loss", "loss"), ("eval_loss", "validation loss")):
                if key in last:
                    if not math.isfinite(float(last[key])):
                        raise TrainingError(
                            f"the {label} is not finite at step {state.global_step}",
                            where=f"recipe {name}",
                            hint="lower learning_rate",
                        )
                    curve = [float(row[key]) for row in state.log_history if key in row]
                    self.detail = f"{label} {curve[-1]:.3f} {trend(curve)}".rstrip()
            for prefix in ("", "eval_"):
                if f"{prefix}rewards/accuracies" in last:
                    right = float(last[f"{prefix}rewards/accuracies"])
                    margin = float(last[f"{prefix}rewards/margins"])
                    self.detail += f", {right:.0%} of pairs right, margin {margin:.3f}"

        def on_train_begin(self, _args: Any, state: Any, _control: Any, **_kwargs: Any) -> None:
            """Begin to count, so that neither loading nor steps done before are in the rate."""
            self.on_step_end(_args, state, _control)

        def on_epoch_begin(
            self, _args: Any, state: Any, _control: Any, train_dataloader: Any, **_kwargs: Any
        ) -> None:
            """Draw the epoch's own order, also where it is resumed in one of several processes.

            There transformers tells the epoch to the part that is left, which does not pass it on
            to the sampler of the whole.
            """
            train_dataloader.set_epoch(int(state.epoch or 0))

        def on_step_end(self, _args: Any, state: Any, _control: Any, **_kwargs: Any) -> None:
            """Tell of one more step."""
            on_progress(
                f"training {name}", int(state.global_step), int(state.max_steps), self.detail
            )

    return Reporter()


def curve_points(history: list[dict[str, Any]]) -> tuple[CurvePoint, ...]:
    """What a trainer's log says of each step."""
    found: dict[int, dict[str, float]] = {}
    for row in history:
        for key, field in FIELDS.items():
            if key in row:
                found.setdefault(int(row["step"]), {})[field] = float(row[key])
    return tuple(CurvePoint(step=step, **found[step]) for step in sorted(found))
