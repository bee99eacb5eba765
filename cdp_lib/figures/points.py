"""Points: a scatter of lines, genes or drugs whose points tell their names.

A name appears under the pointer, and a few are written into the picture, which the keyboard
reaches.  More than `MOST` points are drawn as pixels and only the written names are told.
Kinds of points have a shape and a hue each; none of the hues is that of a role.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cdp_lib.errors import InputError
from cdp_lib.figures.slopes import apart
from cdp_lib.figures.style import (
    COLOURS,
    INK,
    NARROW,
    PLAIN,
    WIDTH,
    canvas,
    finish,
    kind_look,
    look,
    narrow,
    needs,
    simulated,
    two_widths,
)

MOST = 2_000  # points that a page can hold one by one


@two_widths
def points(
    frame: pd.DataFrame,
    x: str,
    y: str,
    name: str,
    *,
    colour: str | None = None,
    identity: bool = False,
    label_x: str | None = None,
    label_y: str | None = None,
    highlight: Iterable[str] = (),
    edition: str = "pocket",
) -> Figure:
    """A point a row: columns `x` and `y`, called what the column (or index) `name` says.

    `colour` is a column of kinds, at most six.  `highlight` are names written into the picture.
    `identity` draws y = x.  The title says Pearson's r, its 95 % interval (Fisher) and n.
    """
    frame = frame.reset_index() if name in frame.index.names else frame
    needs(frame, "points", tuple(filter(None, (x, y, name, colour))))
    known = frame[np.isfinite(frame[[x, y]].to_numpy(float)).all(axis=1)]
    if len(known) < 4:
        raise InputError(f"points needs at least 4 rows with {x} and {y}, and got {len(known)}.")
    highlight = list(highlight)
    if strange := [word for word in highlight if word not in set(known[name])]:
        raise InputError(f"points has no point called {strange[0]!r} among its {len(known):,}.")
    label_x, label_y = label_x or x, label_y or y
    words = correlation_words(known[x], known[y])
    kinds = [(None, known)]
    if colour is not None:
        order = known[colour].value_counts().index
        kinds = [(kind, known[known[colour] == kind]) for kind in order]
    with look():
        figure, (axes,) = canvas(NARROW if narrow() else 0.6 * WIDTH)
        for number, (kind, part) in enumerate(kinds):
            _cloud(axes, part, (x, y, name), kind, number, len(known), highlight, edition)
        if identity:
            _identity(axes)
        if highlight:
            _write(axes, known[known[name].isin(highlight)], x, y, name)
        axes.set(xlabel=label_x, ylabel=label_y)
        axes.set_title(words)
        if colour is not None:
            figure.legend(
                *axes.get_legend_handles_labels(), loc="outside upper left", fontsize=8.5,
                ncols=2 if narrow() else 4, handletextpad=0.2, columnspacing=1.2, borderaxespad=0,
            )  # fmt: skip
    said = [f"{kind}, {len(part):,}" for kind, part in kinds if kind is not None]
    told = "; ".join(
        f"{row[name]} at {row[x]:.2f} and {row[y]:.2f}"
        for _, row in known[known[name].isin(highlight)].iterrows()
    )
    if len(known) <= MOST:
        columns = {name: name, colour: colour, x: label_x, y: label_y}
        figure.told = known[[c for c in columns if c]].round(3).rename(columns=columns)
    return finish(
        figure,
        f"{simulated(edition)}Scatter of {label_y} against {label_x}: {words}."
        + f" Kinds: {'; '.join(said)}." * bool(said)
        + f" Named: {told}." * bool(told),
    )


def correlation_words(x: Iterable[float], y: Iterable[float]) -> str:
    """Pearson's r with its 95 % interval (Fisher), and n."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    words = f"n = {len(x):,}"
    if not (x.std() > 0 and y.std() > 0):
        return words
    r = np.corrcoef(x, y)[0, 1]
    half = 1.96 / np.sqrt(len(x) - 3)
    low, high = np.tanh(np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12)) + np.array([-half, half]))
    return f"r = {r:.2f} ({low:.2f} to {high:.2f}), {words}"


def _cloud(axes: Axes, part: pd.DataFrame, columns, kind, number, n, highlight, edition) -> None:
    """The points of one kind, which know their names."""
    x, y, name = columns
    simple = kind is None
    hue, symbol = (PLAIN, "o") if simple else kind_look(number)
    if edition == "teaching" and simple:
        hue = COLOURS["teaching"]
    size = 4.2 if n <= 300 else 3.4 if n <= MOST else 2.4
    (drawn,) = axes.plot(
        part[x], part[y], symbol, ms=size * (0.85 if narrow() else 1), mec=hue, ls="none",
        mfc="none" if edition == "teaching" else hue, mew=0.8 if edition == "teaching" else 0.3,
        alpha=0.85 if n <= MOST else 0.4, label=None if simple else f"{kind}, {len(part):,}",
    )  # fmt: skip
    if n > MOST:
        drawn.set_rasterized(True)
    else:
        about = "" if simple else f", {kind}"
        drawn.names = [f"{word}{about}" for word in part[name]]
        drawn.written = {f"{word}{about}" for word in highlight}


def _identity(axes: Axes) -> None:
    low = max(axes.get_xlim()[0], axes.get_ylim()[0])
    high = min(axes.get_xlim()[1], axes.get_ylim()[1])
    if high > low:
        axes.plot([low, high], [low, high], color=INK, lw=1, linestyle=(0, (4, 2)), zorder=1)


def _write(axes: Axes, part: pd.DataFrame, x: str, y: str, name: str) -> None:
    """A ring around each highlighted point, and its name, kept apart from the others."""
    axes.plot(part[x], part[y], "o", ms=8, mec=INK, mfc="none", mew=1.2, ls="none", zorder=4)
    low, high = axes.get_ylim()
    middle = np.mean(axes.get_xlim())
    least = (high - low) / (axes.figure.get_figheight() - 0.8) * 0.16
    for side in ("left", "right"):
        here = part[(part[x] > middle) == (side == "left")]
        heights = apart(here[y].to_numpy(float), least)
        for (_, row), height in zip(here.iterrows(), heights, strict=True):
            axes.annotate(
                row[name], (row[x], height), (-7 if side == "left" else 7, 0), va="center",
                textcoords="offset points", ha="right" if side == "left" else "left",
                fontsize=8.5, fontweight="bold", zorder=5, gid="halo",
            )  # fmt: skip


@two_widths
def agreement(
    measured: Mapping[str, pd.Series], names: pd.Series, edition: str = "pocket"
) -> Figure:
    """What several screens measured of one drug: a panel for each pair of screens, a point a line.

    `measured` maps a screen to its numbers by line, two or three screens; `names` know the lines.
    Two screens that agree but count otherwise lie on a curve, not on y = x.
    """
    if not 2 <= len(measured) <= 3:
        raise InputError(f"agreement compares two or three screens, and got {len(measured)}.")
    pairs = list(combinations(measured, 2))
    said = []
    with look():
        figure, panes = canvas(2.7, len(pairs))
        for axes, (one, other) in zip(panes, pairs, strict=True):
            both = pd.DataFrame({"x": measured[one], "y": measured[other]}).dropna()
            if len(both) < 4:
                raise InputError(f"{one} and {other} share {len(both)} lines: four are needed.")
            both["name"] = names.reindex(both.index).astype(str)
            _cloud(axes, both, ("x", "y", "name"), None, 0, len(both), (), edition)
            words = correlation_words(both["x"], both["y"])
            axes.set(xlabel=one, ylabel=other)
            axes.set_title(words.replace(", n", "\nn"))
            said.append(f"{other} against {one}: {words}")
    return finish(figure, f"{simulated(edition)}A point a line. {'; '.join(said)}.")
