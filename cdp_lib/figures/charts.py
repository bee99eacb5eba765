"""Every plot of the book.  A function takes data and returns a figure with `alt_text`.

distributions  one score's spread over perturbations or lines, a row a model
heatmap        a table as colours; what was not measured is empty
splits_diagram who is trained on, tuned on and tested on, a panel a fold
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from cdp_lib.errors import InputError
from cdp_lib.figures.style import (
    COLOURS,
    HATCH,
    HELD_OUT,
    HUES,
    INK,
    PLAIN,
    canvas,
    finish,
    look,
    narrow,
    simulated,
    two_widths,
)
from cdp_lib.splits.folds import ROLES

__all__ = ["distributions", "heatmap", "splits_diagram"]

ROLE_LOOK = {  # of cells in a split; no colour of a score
    "train": {"facecolor": INK, "alpha": 0.22},
    "tune": {"facecolor": "none", "hatch": "\\\\\\\\", "edgecolor": INK},
    "test": {"facecolor": HELD_OUT},
    "unused": {"facecolor": "none", "edgecolor": INK},
}
LARGEST_DIAGRAM = 30  # rows and columns of a fold that a diagram shows


@two_widths
def distributions(
    samples: Mapping[str, Iterable[float]],
    label: str,
    reference: tuple[float, str] | None = None,
    edition: str = "pocket",
    *,
    role: str | None = "repaired",
    baselines: Iterable[str] = (),
) -> Figure:
    """A histogram a row on common bins, its median and the middle half; `reference` is a line.

    The rows have the colour of their role, the leak-free scores of models by default; `baselines`
    are rows of naive ones.  Measurements that are no score have `role=None`.
    """
    kept = {name: np.asarray(list(values), float) for name, values in samples.items()}
    kept = {name: values[np.isfinite(values)] for name, values in kept.items()}
    empty = [name for name, values in kept.items() if not len(values)]
    if empty or not kept:
        raise InputError(f"distributions got no finite number for {', '.join(empty) or 'any row'}.")
    low, high = min(v.min() for v in kept.values()), max(v.max() for v in kept.values())
    edges = np.linspace(low, high if high > low else low + 1, 41)
    said = []
    with look():
        figure, (axes,) = canvas((0.86 if narrow() else 0.72) * len(kept) + 0.85)
        for y, (name, values) in enumerate(kept.items()):
            colour = COLOURS["baseline"] if name in baselines else _hue(role, edition)
            height, _ = np.histogram(values, edges)
            height = -0.72 * height / height.max()
            fill = {"alpha": 0.35, "facecolor": colour, "edgecolor": "none"}
            if edition == "teaching":
                fill = {"facecolor": "none", "hatch": HATCH, "edgecolor": colour}
            axes.stairs(y + height, edges, baseline=y, fill=True, linewidth=0, **fill)
            axes.stairs(y + height, edges, baseline=y, color=colour, lw=1)
            lower, middle, upper = np.quantile(values, (0.25, 0.5, 0.75))
            axes.hlines(y + 0.08, lower, upper, color=colour, lw=4)
            axes.plot(middle, y + 0.08, "|", color=colour, ms=12, mew=2.2)
            words = f"median {middle:.2f}, n = {len(values):,}"
            _beside(axes, y, name, words)
            said.append(f"{name}: {words}, middle half {lower:.2f} to {upper:.2f}")
        top = -1.25 if narrow() and reference is not None else -1  # above the first row's words
        if reference is not None:
            axes.axvline(reference[0], color=COLOURS["reported"], lw=1.2, linestyle=(0, (4, 2)))
            axes.text(reference[0], top + 0.05, f" {reference[1]}", fontsize=8.5)
        axes.set_yticks([] if narrow() else range(len(kept)), [] if narrow() else list(kept))
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(kept) - 0.75, top)
        axes.set_xlabel(label)
        axes.spines["left"].set_visible(False)
    return finish(figure, simulated(edition) + f"Histograms of {label}. " + "; ".join(said) + ".")


def _hue(role: str | None, edition: str) -> str:
    """Green where data are simulated, else the colour of the role, or that of measurements."""
    return COLOURS["teaching"] if edition == "teaching" else COLOURS.get(role, PLAIN)


def _beside(axes: Axes, y: int, name: str, words: str) -> None:
    """What a row's numbers are: beside it, or on a narrow page above it with its name."""
    at = {"transform": axes.get_yaxis_transform(), "fontsize": 8.5}
    if narrow():
        axes.text(0, y - 0.76, name.replace("\n", " "), **at)
        axes.text(1, y - 0.76, words, ha="right", **at)
    else:
        axes.text(1.0, y - 0.08, words.replace(", ", "\n"), **at)


@two_widths
def heatmap(
    frame: pd.DataFrame, label: str, centre: float | None = None, numbers: bool | None = None
) -> Figure:
    """A table as colours; with a `centre` the colours diverge from it; NaN is left empty.

    `numbers` writes the values into the cells (default: where at most 12 x 12 fit).
    """
    values = frame.to_numpy(dtype=float)
    if not np.isfinite(values).any():
        raise InputError("heatmap got a table without a single finite number.")
    low, high = np.nanmin(values), np.nanmax(values)
    colours = "cividis"
    if centre is not None:
        reach = max(abs(low - centre), abs(high - centre)) or 1.0
        low, high = centre - reach, centre + reach
        ends = [HUES[0], "#f4f4f4", HUES[1]]
        colours = LinearSegmentedColormap.from_list("diverging", ends)
    small = max(frame.shape) <= 12
    with look():
        figure, (axes,) = canvas(min(9.0, max(1.8, 0.34 * len(frame) + 1.3)) if small else 4.5)
        image = axes.imshow(
            values, cmap=colours, vmin=low, vmax=high, aspect="auto", interpolation="none"
        )  # one pixel a cell: the reader's browser enlarges it
        if small if numbers is None else numbers:
            for (row, column), value in np.ndenumerate(values):
                if np.isfinite(value):
                    shade = image.cmap(image.norm(value))[:3]
                    ink = "black" if np.dot(shade, (0.299, 0.587, 0.114)) > 0.5 else "white"
                    axes.text(
                        column, row, f"{value:.2f}", ha="center", va="center", fontsize=8.5,
                        color=ink, gid="cell",
                    )  # fmt: skip
        if small:
            axes.set_xticks(range(frame.shape[1]), frame.columns, rotation=30, ha="right")
            axes.set_yticks(range(frame.shape[0]), frame.index)
        else:
            axes.set(xticks=[], yticks=[])
            axes.set_xlabel(f"{frame.shape[1]:,} {frame.columns.name or 'columns'}")
            axes.set_ylabel(f"{frame.shape[0]:,} {frame.index.name or 'rows'}")
        axes.tick_params(length=0)
        axes.spines[:].set(visible=True, alpha=0.4)
        if np.isnan(values).any():
            axes.set_title("empty: not measured")
        bar = figure.colorbar(image, label=label, pad=0.02)
        bar.outline.set_visible(False)
    return finish(
        figure,
        f"Heat map of {label}, {frame.shape[0]} x {frame.shape[1]} cells from "
        f"{np.nanmin(values):.2f} to {np.nanmax(values):.2f}; "
        f"{int(np.isnan(values).sum())} cells are empty.",
    )


@two_widths
def splits_diagram(split, folds: int = 3) -> Figure:
    """The first folds of a split as lines x perturbations, coloured and hatched by role.

    Of a large cohort an even choice of rows and columns is drawn, ordered by when they are tested.
    """
    shown = list(split)[:folds]
    roles = [np.asarray(fold.roles) for fold in shown]
    rows, columns = _spread(roles, axis=1), _spread(roles, axis=0)
    with look():
        figure, panes = canvas(2.5 if narrow() else 2.9, len(shown))
        for number, (axes, role) in enumerate(zip(panes, roles, strict=True), start=1):
            role_panel(axes, role[np.ix_(rows, columns)])
            axes.set_title(f"fold {number}")
            axes.set_xlabel("perturbations")
        panes[0].set_ylabel("lines")
        used = [
            name for code, name in enumerate(ROLES) if any((role == code).any() for role in roles)
        ]
        outlines = [0.7 if name == "unused" else 0 for name in used]
        keys = [
            Rectangle((0, 0), 1, 1, lw=line, **ROLE_LOOK[name])
            for name, line in zip(used, outlines, strict=True)
        ]
        figure.legend(keys, used, ncols=len(used), loc="outside lower left", handlelength=1.6)
        figure.suptitle(split.name, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return finish(figure, f"The first {len(shown)} folds, lines by perturbations. {split.sentence}")


def role_panel(axes: Axes, roles: np.ndarray) -> None:
    """Draw the roles (lines, perturbations) of one fold; a stretch of one role is one shape."""
    for code, name in enumerate(ROLES):
        cells = [_cell(y, *run) for y in range(len(roles)) for run in _runs(roles[y] == code)]
        if cells:
            whole = Path.make_compound_path(*cells)
            axes.add_patch(PathPatch(whole, linewidth=0, aa=False, **ROLE_LOOK[name]))
    axes.set(xlim=(0, roles.shape[1]), ylim=(roles.shape[0], 0), xticks=[], yticks=[])
    axes.spines[:].set_visible(True)


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Where a row of flags is on: (first, one past the last) of each stretch."""
    steps = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return list(zip(steps[::2].tolist(), steps[1::2].tolist(), strict=True))


def _cell(y: int, left: int, right: int) -> Path:
    return Path([(left, y), (right, y), (right, y + 1), (left, y + 1), (left, y)], closed=True)


def _spread(roles: list[np.ndarray], axis: int) -> np.ndarray:
    """Indices of at most LARGEST_DIAGRAM units: those tested first, then those tuned on first."""
    shares = [(role == code).mean(axis=axis) for code in (2, 1) for role in roles]
    order = np.lexsort(-np.array(shares)[::-1])
    return order[np.unique(np.linspace(0, len(order) - 1, LARGEST_DIAGRAM).astype(int))]
