"""Strips: a point a line, gathered by what the lines have in common, with the median of each group.

Points tell their names under the pointer; the place across a strip means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cdp_lib.errors import InputError
from cdp_lib.figures.style import (
    COLOURS,
    INK,
    canvas,
    finish,
    kind_look,
    look,
    narrow,
    simulated,
    two_widths,
)


@two_widths
def strips(
    panels: Mapping[str, Mapping[str, pd.Series]], label: str, edition: str = "pocket"
) -> Figure:
    """A panel for each name, a strip for each group: numbers by the name of the line."""
    groups = [group for each in panels.values() for group in each.values()]
    if not groups or any(group.dropna().empty for group in groups):
        raise InputError("strips needs a number in each group: leave empty groups out.")
    said = []
    with look():
        figure, panes = canvas(3.6, len(panels), sharey=True)
        for axes, (title, each) in zip(panes, panels.items(), strict=True):
            for place, (name, values) in enumerate(each.items()):
                values = values.dropna()
                hue, symbol = kind_look(place)
                hue = COLOURS["teaching"] if edition == "teaching" else hue
                apart = 0.618 * np.arange(len(values)) % 1 - 0.5  # evenly, whatever their number
                across = place + 0.66 * apart
                (drawn,) = axes.plot(
                    across, values, symbol, ms=3.4, mec=hue, mew=0.7, alpha=0.7, ls="none",
                    mfc="none" if edition == "teaching" else hue,
                )  # fmt: skip
                drawn.names = [f"{line}, {name}" for line in values.index]
                middle = float(values.median())
                axes.hlines(middle, place - 0.42, place + 0.42, color=INK, lw=2.4, zorder=4)
                axes.annotate(
                    f"median {middle:.1f}\n{len(values)} lines", (place, 1.0), va="bottom",
                    xycoords=("data", "axes fraction"), ha="center", fontsize=8.5,
                )  # fmt: skip
                said.append(f"{title}, {name}: median {middle:.2f} of {len(values)} lines")
            names = [name.replace(", ", "\n") for name in each]
            axes.set_xticks(range(len(each)), names)
            axes.tick_params(axis="x", length=0)
            axes.set_xlim(-0.6, len(each) - 0.4)
            axes.set_title(title, pad=30)
        for axes in panes if narrow() else panes[:1]:
            axes.set_ylabel(label)
    return finish(figure, f"{simulated(edition)}{label}, a point a line. {'; '.join(said)}.")
