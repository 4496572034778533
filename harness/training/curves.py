"""Loss curves as a drawing."""

from __future__ import annotations

import io

from harness.records.candidate import Curves


def draw(curves: Curves, title: str) -> str:
    """The training and validation losses over the steps, as an SVG document."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    for name, colour, values in (
        ("train", "#4477aa", [(p.step, p.train) for p in curves.points]),
        ("validation", "#ee6677", [(p.step, p.validation) for p in curves.points]),
    ):
        known = [(step, value) for step, value in values if value is not None]
        if known:
            steps, losses = zip(*known, strict=True)
            axes.plot(steps, losses, label=name, color=colour, marker="o", markersize=3)
    axes.set_title(title)
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats per answer token)")
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    target = io.StringIO()
    # A fixed salt and no date: the same curves give the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "harness", "svg.fonttype": "path"}):
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": "harness"})
    return target.getvalue()
