"""Draws the chart of cost per message and latency against load, as a PNG."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.bench.report import NAIVE, OURS
from tests.bench.workloads import LOAD, Result

_COLOURS = {OURS: "#0b6e99", NAIVE: "#b3541e"}
_INCHES = (12, 5)
_DPI = 120
# The file doesn't name the software that drew it.
_METADATA = {"Software": None}


def draw(results: Sequence[Result], folder: Path) -> Path | None:
    """Draws the results at several loads into `folder`; returns None if there are none."""
    points = sorted(
        (result for result in results if result.workload == LOAD), key=lambda result: result.load or 0
    )
    if not points:
        return None
    mpl.use("Agg")
    figure = Figure(figsize=_INCHES, layout="constrained")
    figure.suptitle("A durable message: committed, acknowledged, received")
    cost, latency = figure.subplots(1, 2)
    _lines(cost, points, "CPU of all servers", lambda result: result.cost, "-")
    _lines(latency, points, "p50", lambda result: result.p50_ms or 0, "-")
    _lines(latency, points, "p99", lambda result: result.p99_ms or 0, "--")
    _axes(cost, "µs of CPU per message")
    _axes(latency, "ms from send to receipt")
    path = folder / "load.png"
    figure.savefig(path, dpi=_DPI, metadata=_METADATA)
    return path


def _lines(
    axes: Axes, points: Sequence[Result], what: str, value: Callable[[Result], float], style: str
) -> None:
    for server, colour in _COLOURS.items():
        own = [point for point in points if point.server == server]
        rates = [point.rate_per_s or 0 for point in own]
        axes.plot(
            rates, [value(point) for point in own], style, marker="o", color=colour, label=f"{server}, {what}"
        )
        if style == "-":
            for point, rate in zip(own, rates, strict=True):
                axes.annotate(
                    f"{point.load}",
                    (rate, value(point)),
                    xytext=(4, 6),
                    textcoords="offset points",
                    fontsize=8,
                )


def _axes(axes: Axes, label: str) -> None:
    axes.set(
        xscale="log", yscale="log", xlabel="messages a second (beside the points: how many write at once)"
    )
    axes.set_ylabel(label)
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend()
