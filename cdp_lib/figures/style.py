"""The look of every figure: five colours with one meaning each, one width, one font.

The colours are those of Okabe and Ito that keep a contrast of 3:1 on white *and* on a dark page;
their lightness differs, and so do their marks, so that greyscale print loses nothing.  Simulated
data are hollow or hatched.  Backgrounds are transparent and the ink is a middle grey: one file
serves the light and the dark page.
"""

from __future__ import annotations

import io
import math
from contextlib import AbstractContextManager

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK = "#767676"
COLOURS = {
    "reported": "#D55E00",
    "published": "#CC79A7",
    "repaired": "#0072B2",
    "baseline": INK,
    "teaching": "#009E73",
}
MARKERS = {"reported": "D", "published": "^", "repaired": "o", "baseline": "|", "teaching": "s"}
WORDS = {
    "reported": "reported",
    "published": "ours, as published",
    "repaired": "ours, leak-free",
    "baseline": "best naive baseline",
    "teaching": "simulated",
}
NAMES = {"r2": "R²", "pearson": "Pearson r", "spearman": "Spearman ρ"}
NAMES |= {"mse": "MSE", "rmse": "RMSE", "mae": "MAE"}
HATCH = "////"
WIDTH = 7.0  # inches
LARGEST_SVG = 400_000  # bytes; the points of a larger figure become pixels, its text does not

STYLE = {
    "figure.facecolor": "none",
    "figure.figsize": (WIDTH, 3.5),
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.dpi": 160,
    "figure.dpi": 110,
    "svg.fonttype": "none",  # text stays text: found by search, read aloud
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same layout everywhere
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.7,
    "axes.prop_cycle": matplotlib.cycler(color=list(dict.fromkeys(COLOURS.values()))),
    "legend.frameon": False,
}


def theme() -> None:
    """Give the look to every figure that matplotlib draws from here on."""
    matplotlib.rcParams.update(STYLE)


def look() -> AbstractContextManager:
    """The look, for the figures drawn inside a `with` block."""
    return matplotlib.rc_context(STYLE)


def canvas(height: float, columns: int = 1, **options) -> tuple[Figure, list[Axes]]:
    """A figure of the book's width and its axes, known to no global state."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, columns, squeeze=False, **options)
    return figure, list(axes[0])


def finish(figure: Figure, alt_text: str) -> Figure:
    """Give the figure its words and settle its layout, so that it is drawn alike every time."""
    figure.alt_text = alt_text
    with look():
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


def mark(
    axes: Axes, x: float, y: float, role: str, sd: float | None = None, hollow: bool = False
) -> None:
    """One mark in the colour and shape of its role, with its sd as an interval."""
    colour, bar = COLOURS[role], MARKERS[role] == "|"
    if sd is not None and math.isfinite(sd):
        axes.hlines(y, x - sd, x + sd, color=colour, lw=1.8, zorder=2)
    axes.plot(
        x, y, MARKERS[role], ms=12 if bar else 7, mec=colour, mfc="none" if hollow else colour,
        mew=1.2 if hollow else 3 if bar else 1, zorder=3, linestyle="none", clip_on=False,
    )  # fmt: skip


def svg(figure: Figure, name: str) -> str:
    """The figure as SVG: text as text, and the same figure gives the same bytes."""
    for _ in range(2):
        stream = io.BytesIO()
        with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
            figure.savefig(stream, format="svg", bbox_inches="tight", metadata={"Date": None})
        if stream.tell() <= LARGEST_SVG:
            break
        for axes in figure.axes:
            for artist in (*axes.collections, *axes.lines):
                artist.set_rasterized(True)
    return stream.getvalue().decode()
