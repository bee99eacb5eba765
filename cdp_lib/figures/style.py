"""The look of every figure: five colours with one meaning each, one width, one font.

The colours are those of Okabe and Ito that keep a contrast of 3:1 on white *and* on a dark page;
their lightness differs, and so do their marks, so that greyscale print loses nothing.  Simulated
data are hollow or hatched.  Backgrounds are transparent; text and axes take the ink of the page.
Measurements that are no score have a hue of their own, and so have kinds of lines, genes or drugs.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from cdp_lib.errors import InputError
from cdp_lib.metrics import NAMES

INK = "#767677"  # becomes the ink of the page; a file keeps this grey, legible on any page
COLOURS = {
    "reported": INK,
    "published": "#D55E00",
    "repaired": "#0072B2",
    "baseline": "#767676",
    "teaching": "#009E73",
}
FONT = "'DejaVu Sans', sans-serif"
MARKERS = {"reported": "D", "published": "^", "repaired": "o", "baseline": "|", "teaching": "s"}
WORDS = {
    "reported": "reported",
    "published": "as published, our reading",
    "repaired": "ours, leak-free",
    "baseline": "best naive baseline",
    "teaching": "simulated",
}
PLAIN = "#8A63C4"  # measurements, which are no score of anything
HELD_OUT = "#B03A5B"  # cells that a split hides
HUES = (PLAIN, "#A87900", "#D1629A", "#8C564B")  # kinds of lines, genes or drugs
SHAPES = ("o", "s", "^")
HATCH = "////"
WIDTH = 7.0  # inches, on a desk
NARROW = 3.5  # inches, on a phone
SMALLEST = 8.5  # points; on a phone 11 pixels

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


WIDE_NOW = ContextVar("WIDE_NOW", default=True)


def narrow() -> bool:
    """Whether the figure being drawn is the one for a phone."""
    return not WIDE_NOW.get()


def two_widths(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """The function draws twice: for a desk, and for a phone as `figure.narrow`."""

    @functools.wraps(draw)
    def twice(*args, **options) -> Figure:
        figure = draw(*args, **options)
        if not narrow():
            token = WIDE_NOW.set(False)
            try:
                figure.narrow = draw(*args, **options)
            finally:
                WIDE_NOW.reset(token)
        return figure

    return twice


def canvas(
    height: float, columns: int = 1, stacked: bool = False, **options
) -> tuple[Figure, list[Axes]]:
    """A figure and its axes, known to no global state; `height` inches for each row of axes.

    The axes stand side by side, or one below the other where they are `stacked` or the page is
    narrow.
    """
    stacked = stacked or narrow()
    shape = (columns, 1) if stacked else (1, columns)
    size = (NARROW if narrow() else WIDTH, height * shape[0])
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(*shape, squeeze=False, **options)
    return figure, list(axes.ravel())


def grid(height: float, n: int, columns: int) -> tuple[Figure, list[Axes]]:
    """A figure of `n` axes in rows of so many columns, each row `height` inches."""
    columns = min(n, columns)
    rows = math.ceil(n / columns)
    figure = Figure(figsize=(NARROW if narrow() else WIDTH, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for empty in axes[n:]:
        empty.remove()
    return figure, list(axes[:n])


@two_widths
def drawing(
    draw: Callable[..., None], height: float, alt_text: str, columns: int = 1, stacked: bool = False
) -> Figure:
    """A drawing of one's own: `draw` gets the axes, once for a desk and once for a phone."""
    with look():
        figure, panes = canvas(height, columns, stacked)
        draw(*panes)
    return finish(figure, alt_text)


def finish(figure: Figure, alt_text: str) -> Figure:
    """Give the figure its words and settle its layout, so that it is drawn alike every time.

    On a phone no text is smaller than `SMALLEST`.
    """
    figure.alt_text = alt_text
    for text in figure.findobj(Text) if narrow() else ():
        text.set_fontsize(max(text.get_fontsize(), SMALLEST))
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


def kind_look(number: int) -> tuple[str, str]:
    """Hue and shape of the kind with this number: neighbours differ in both."""
    return HUES[number % len(HUES)], SHAPES[number % len(SHAPES)]


def key(role: str, hollow: bool = False) -> Line2D:
    """The mark of a role, for a legend."""
    bar = MARKERS[role] == "|"
    size = {"ms": 11, "mew": 3} if bar else {"ms": 7, "mew": 1.2 if hollow else 1}
    fill = {"mfc": "none"} if hollow else {}
    return Line2D(
        [], [], marker=MARKERS[role], color=COLOURS[role], linestyle="none", **size, **fill
    )


def needs(frame: pd.DataFrame, what: str, columns: tuple[str, ...]) -> None:
    """Refuse a table that lacks a column."""
    missing = [name for name in columns if name not in frame]
    if missing:
        raise InputError(f"{what} needs the columns {', '.join(missing)}, which the table lacks.")


def plus_minus(mean: float, sd: float | None) -> str:
    """A score and its sd as text."""
    if pd.isna(mean):
        return "no score"
    if sd is None or pd.isna(sd):
        return f"{mean:.2f}"
    return f"{mean:.2f} ± {sd:.2f}" if sd == 0 or sd >= 0.005 else f"{mean:.2f} ± {sd:.1g}"


def score_words(part: pd.DataFrame) -> str:
    """What a table of scores measures, from its first row: metric, axis and split."""
    first = part.iloc[0]
    metric = NAMES.get(first.get("metric"), first.get("metric") or "score")
    axis = {None: "", "global": ", over all cells"}.get(
        first.get("axis"), f" per {first.get('axis')}"
    )
    split = f", {first['split']}" if first.get("split") else ""
    return f"{metric}{axis}{split}"


def simulated(edition: str) -> str:
    return "Simulated data: " if edition == "teaching" else ""
