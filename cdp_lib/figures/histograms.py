"""Histograms: what values a table holds, a panel a table; and which of its cells were measured.

Measurements are violet, simulated ones green and hatched, and groups within a panel have a hue and
a dash each.  None of the hues is that of a score.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cdp_lib.errors import InputError
from cdp_lib.figures.style import (
    COLOURS,
    HATCH,
    HUES,
    INK,
    PLAIN,
    finish,
    grid,
    look,
    narrow,
    simulated,
    two_widths,
)

ENDS = (0.001, 0.999)  # the shares of the values between which a panel is drawn
DASHES = ("-", (0, (4, 2)), (0, (1, 1)), (0, (4, 1, 1, 1)))


@two_widths
def histograms(
    panels: Mapping[str, object],
    labels: Mapping[str, str] | None = None,
    *,
    columns: int = 3,
    bins: int = 40,
    log: Collection[str] = (),
    edition: str = "pocket",
) -> Figure:
    """A panel a title: one set of values, or a mapping of group to values, drawn as densities.

    `labels` stand below the panels; panels in `log` have a logarithmic height.  The outer 0.1 % at
    either end is counted in the last bins.  A line marks the median of a panel without groups.
    """
    labels, said = labels or {}, []
    kinds = {tuple(given) for given in panels.values() if isinstance(given, Mapping)}
    if len(kinds) > 1:
        raise InputError(f"histograms needs the same groups in each panel, and got {len(kinds)}.")
    with look():
        figure, panes = grid(1.9, len(panels), min(columns, 2) if narrow() else columns)
        for axes, (title, given) in zip(panes, panels.items(), strict=True):
            groups = given if isinstance(given, Mapping) else {"": given}
            groups = {name: _values(values, title) for name, values in groups.items()}
            everything = np.concatenate(list(groups.values()))
            low, high = np.quantile(everything, ENDS)
            if not low < high:
                low, high = everything.min(), everything.max()
            edges = np.linspace(low, high if high > low else low + 1, bins + 1)
            for number, (name, values) in enumerate(groups.items()):
                _histogram(axes, values.clip(low, high), edges, number, name, edition)
                middle = f"median {np.median(values):.2g}, n = {len(values):,}"
                said.append(f"{title}{name and f', {name}'}: {middle}")
            if len(groups) == 1:
                axes.axvline(np.median(everything), color=INK, lw=1)
            axes.set_yscale("log" if title in log else "linear")
            axes.yaxis.set_visible(False)
            axes.spines["left"].set_visible(False)
            axes.set_title(f"{title} (log scale)" if title in log else title)
            axes.set_xlabel(labels.get(title, ""))
        _legend(figure, [groups for groups in panels.values() if isinstance(groups, Mapping)])
    return finish(figure, f"{simulated(edition)}Histograms. {'; '.join(said)}.")


def _legend(figure: Figure, grouped: list[Mapping]) -> None:
    """What the hues and dashes of groups mean; a group has the same in each panel."""
    if not grouped:
        return
    keys = [
        Line2D([], [], color=HUES[number % len(HUES)], ls=DASHES[number % len(DASHES)], lw=1.5)
        for number in range(len(grouped[0]))
    ]
    figure.legend(
        keys, list(grouped[0]), loc="outside upper left", ncols=2 if narrow() else 4, fontsize=8.5,
        handlelength=1.8, columnspacing=1.4, borderaxespad=0,
    )  # fmt: skip


def _values(given: object, title: str) -> np.ndarray:
    values = np.asarray(given, float).ravel()
    values = values[np.isfinite(values)]
    if not len(values):
        raise InputError(f"histograms got no finite number for {title!r}.")
    return values


def _histogram(axes: Axes, values: np.ndarray, edges, number: int, name: str, edition) -> None:
    hue = COLOURS["teaching"] if edition == "teaching" else HUES[number % len(HUES)]
    style = {"histtype": "step", "color": hue, "lw": 1.5, "ls": DASHES[number % len(DASHES)]}
    if name:
        axes.hist(values, edges, density=True, label=name, **style)
        return
    fill = {"facecolor": to_rgba(PLAIN, 0.35)}
    if edition == "teaching":
        fill = {"facecolor": "none", "hatch": HATCH}
    axes.hist(values, edges, histtype="stepfilled", edgecolor=hue, lw=1, **fill)


@two_widths
def measured(
    tables: Mapping[str, pd.DataFrame], *, columns: int = 3, edition: str = "pocket"
) -> Figure:
    """Which cells of each table were measured: sorted by their share, the gaps in ink.

    The title says the share; a table of more than 500 rows or columns is thinned evenly.
    """
    said = []
    with look():
        figure, panes = grid(2.0, len(tables), min(columns, 2) if narrow() else columns)
        for axes, (title, table) in zip(panes, tables.items(), strict=True):
            known = table.notna()
            rows, cols = (known.mean(axis=a).sort_values(ascending=False).index for a in (1, 0))
            part = known.loc[_thinned(rows), _thinned(cols)]
            axes.imshow(
                part, cmap=ListedColormap([to_rgba(INK, 0.55), (0, 0, 0, 0)]), vmin=0, vmax=1,
                aspect="auto", interpolation="nearest",
            )  # fmt: skip
            share = known.to_numpy().mean()
            axes.set(xticks=[], yticks=[], title=f"{title}\n{share:.0%} measured")
            axes.set(xlabel=f"{table.shape[1]:,} columns", ylabel=f"{table.shape[0]:,} lines")
            axes.spines[:].set_visible(True)
            said.append(f"{title}: {share:.1%} of {table.shape[0]:,} x {table.shape[1]:,} cells")
    return finish(
        figure, f"{simulated(edition)}Tables with their gaps in grey, measured: {'; '.join(said)}."
    )


def _thinned(index: pd.Index, most: int = 500) -> pd.Index:
    return index[np.unique(np.linspace(0, len(index) - 1, most).astype(int))]
