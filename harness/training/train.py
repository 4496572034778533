"""Train one candidate from one recipe: check, train, write its dossier."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from harness.clock import SYSTEM_CLOCK, iso
from harness.errors import TrainingError
from harness.files import exclusive, file_digest, write_atomic
from harness.model_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from harness.svg import Colour, Drawing
from harness.svg_axes import (
    Scale,
    draw_bottom_axis,
    draw_left_axis,
    even_ticks,
    padded,
    plain_labels,
)
from harness.training.candidate import DOSSIER, Curves, Dossier, Recipe
from harness.training.job import Divided, TrainingJob, divide, load_dossier, prepare
from harness.training.libraries import PACKAGES, OnProgress, OnSay, silent, unheard
from harness.version import installed_versions

LOCK = ".lock"


def train(
    recipe: Recipe,
    *,
    project_dir: Path,
    force: bool = False,
    on_progress: OnProgress = silent,
    on_say: OnSay = unheard,
) -> Dossier:
    """The dossier of the candidate in `.harness/candidates/<name>/`, trained unless it is there.

    A candidate counts as there when recipe, data, base and seed are those of its dossier and the
    adapter is still the file that the dossier describes. An interrupted training goes on from its
    last complete checkpoint. What a training learns is said to `on_say` before its first step.

    Raises:
        RecipeError: missing base or data, a line that is no conversation, no group to spare, a chat
            template that does not suit the data.
        TrainingError: the training itself failed, or another process is at it.
    """
    job = prepare(recipe, project_dir)
    known = None if force else load_dossier(job)
    if known is not None:
        stage = f"training {recipe.name}"
        on_progress(stage, known.steps_done, known.steps_done, "as trained before")
        return known
    divided = divide(job.conversations, recipe.validation_share, recipe.seed)
    busy = TrainingError(
        "another process is training this candidate",
        where=str(job.folder),
        hint="wait for it to end",
    )
    with exclusive(job.folder / LOCK, busy):
        _clear(job, force)
        return _train(job, divided, on_progress, on_say)


def _train(job: TrainingJob, divided: Divided, on_progress: OnProgress, on_say: OnSay) -> Dossier:
    recipe = job.recipe
    started = time.perf_counter()

    from harness.training.fit import fit

    outcome = fit(job, divided, on_progress, on_say)
    (job.folder / DOSSIER).unlink(missing_ok=True)
    for name in (ADAPTER_WEIGHTS, ADAPTER_CONFIG):
        write_atomic(job.folder / name, (outcome.adapter / name).read_bytes())
    curves = Curves(points=outcome.points)
    write_atomic(job.folder / "curves.json", curves.model_dump_json(indent=1) + "\n")
    write_atomic(job.folder / "curves.svg", draw_losses(curves, recipe.name, _unit(recipe)))
    dossier = Dossier(
        name=recipe.name,
        recipe=recipe,
        recipe_hash=job.recipe_hash,
        data_hash=job.data_hash,
        base=recipe.base,
        base_digest=job.base_digest,
        base_source=job.base_source,
        chat_template=job.chat_template,
        start_digest=job.start_digest,
        adapter_digest=file_digest(job.folder / ADAPTER_WEIGHTS),
        split=divided.split,
        learnt=outcome.learnt,
        seed=recipe.seed,
        steps_done=outcome.steps,
        best_step=outcome.best_step,
        best_validation_loss=outcome.best_loss,
        stopped_early=outcome.stopped_early,
        resumed_from=outcome.resumed_from,
        seconds=round(time.perf_counter() - started, 3),
        versions=installed_versions(PACKAGES),
        created=iso(SYSTEM_CLOCK.utc()),
    )
    write_atomic(job.folder / DOSSIER, dossier.model_dump_json(indent=2) + "\n")
    shutil.rmtree(job.work, ignore_errors=True)
    return dossier


def _clear(job: TrainingJob, force: bool) -> None:
    """Make the work folder ready: another job's checkpoints go, this one's stay."""
    mark = job.work / "job.txt"
    try:
        mine = mark.is_file() and mark.read_text(encoding="utf-8") == job.key
        if job.work.exists() and (force or not mine):
            shutil.rmtree(job.work)
        write_atomic(mark, job.key)
    except OSError as error:
        raise TrainingError(
            f"cannot prepare the work folder: {error.strerror}", where=str(job.work)
        ) from error


def _unit(recipe: Recipe) -> str:
    """What the loss of the recipe's method is counted in."""
    return "loss (of preferences)" if recipe.method == "dpo" else "loss (nats per answer token)"


_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 44, 52

# A name, a colour, and the loss at each step.
Series = tuple[str, Colour, list[tuple[int, float]]]


def draw_losses(curves: Curves, title: str, unit: str) -> str:
    """The training and validation losses over the steps, as an SVG document."""
    train = [(one.step, one.train) for one in curves.points if one.train is not None]
    held = [(one.step, one.validation) for one in curves.points if one.validation is not None]
    both: list[Series] = [("train", "candidate", train), ("validation", "baseline", held)]
    series = [one for one in both if one[2]]
    drawing = Drawing(_WIDTH, _HEIGHT)
    drawing.box(0, 0, _WIDTH, _HEIGHT, "paper")
    drawing.text(title, (_WIDTH / 2, 22), "ink", 14, anchor="middle", bold=True)
    drawing.text(unit, (4, _TOP - 6), "muted", 11)
    drawing.text("step", (_WIDTH - _RIGHT, _HEIGHT - 12), "muted", 11, anchor="end")
    if series:
        _draw_series(drawing, series)
    description = "; ".join(f"{name}: {values[-1][1]:.4g} at the end" for name, _, values in series)
    return drawing.render_document("loss", title, description)


def _draw_series(drawing: Drawing, series: list[Series]) -> None:
    across = _scale([float(x) for _, _, v in series for x, _ in v], _LEFT, _WIDTH - _RIGHT)
    up = _scale([y for _, _, v in series for _, y in v], _HEIGHT - _BOTTOM, _TOP)
    levels, steps = even_ticks(up.low, up.high, 6), even_ticks(across.low, across.high, 8)
    draw_left_axis(drawing, up, across, zip(levels, plain_labels(levels), strict=True))
    draw_bottom_axis(drawing, across, up.start, zip(steps, plain_labels(steps), strict=True))
    for place, (name, colour, values) in enumerate(series):
        points = [(across(x), up(y)) for x, y in values]
        if len(points) > 1:
            drawing.line(points, colour, 1.6)
        for point in points:
            drawing.marker("circle", point, 4, colour, edge_width=0.5)
        y = _TOP + 14 + 16 * place
        drawing.line([(_WIDTH - 118, y - 4), (_WIDTH - 98, y - 4)], colour, 2.2)
        drawing.text(name, (_WIDTH - 92, y), "ink", 11)


def _scale(values: list[float], start: float, end: float) -> Scale:
    low, high = min(values), max(values)
    return Scale(*padded(values, 0.05, 0.0 if high > low else 1.0), start, end)
