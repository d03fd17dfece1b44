"""Draws the chart of cost per message and latency against load, as a PNG."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.bench.report import NAIVE, OURS
from tests.bench.workloads import LOAD, Result

_COLOURS = {OURS: "#0b6e99", NAIVE: "#b3541e"}
_FURTHER = ("#5b8c2a", "#7a4fa3", "#c2963c", "#4d4d4d")
_TITLE = "A durable message: committed, acknowledged, received"
_LATENCY = "ms from send to receipt"
_INCHES = (12, 6)
_DPI = 120
# The file doesn't name the software that drew it.
_METADATA = {"Software": None}


def draw(
    results: Sequence[Result], folder: Path, title: str = _TITLE, latency_label: str = _LATENCY
) -> Path | None:
    """Draws the results at several loads into `folder`; returns None if there are none."""
    points = sorted(
        (result for result in results if result.workload == LOAD), key=lambda result: result.load or 0
    )
    if not points:
        return None
    mpl.use("Agg")
    figure = Figure(figsize=_INCHES, layout="constrained")
    figure.suptitle(title)
    cost, latency = figure.subplots(1, 2)
    _lines(cost, points, "CPU of all servers", lambda result: result.cost, "-")
    _lines(latency, points, "p50", lambda result: result.p50_ms or 0, "-")
    _lines(latency, points, "p99", lambda result: result.p99_ms or 0, "--")
    _axes(cost, "µs of CPU per message")
    _axes(latency, latency_label)
    path = folder / "load.png"
    figure.savefig(path, dpi=_DPI, metadata=_METADATA)
    return path


def _lines(
    axes: Axes, points: Sequence[Result], what: str, value: Callable[[Result], float], style: str
) -> None:
    for server, colour in _colours(points).items():
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


def _colours(points: Sequence[Result]) -> dict[str, str]:
    """Returns a colour for each server: ours and the naive one have the same in every chart."""
    further = iter(_FURTHER)
    names = dict.fromkeys(point.server for point in points)
    return {name: _COLOURS.get(name) or next(further) for name in names}


def _axes(axes: Axes, label: str) -> None:
    axes.set(
        xscale="log", yscale="log", xlabel="messages a second (beside the points: how many write at once)"
    )
    axes.set_ylabel(label)
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, fontsize=9)
