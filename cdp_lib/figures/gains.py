"""Gains: a row a number with its 95 % interval, and a line where nothing is gained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cdp_lib.figures.style import (
    COLOURS,
    INK,
    canvas,
    finish,
    look,
    narrow,
    needs,
    simulated,
    two_widths,
)


@two_widths
def gains(panels: Mapping[str, pd.DataFrame], label: str, *, edition: str = "pocket") -> Figure:
    """A panel for each title, of a table with name, value, low and high; 0 is a line in each.

    A row whose column `leaky` is true is drawn as a published procedure, by a triangle.
    """
    sizes = [len(table) for table in panels.values()]
    said = []
    with look():
        figure, panes = canvas(1.0, len(panels), stacked=True, height_ratios=sizes, sharex=True)
        figure.set_figheight(0.27 * sum(sizes) + 0.45 * len(panels) + 0.45)
        for axes, (title, table) in zip(panes, panels.items(), strict=True):
            needs(table, "gains", ("name", "value", "low", "high"))
            leaky = table.get("leaky", pd.Series(False, table.index)).to_numpy(bool)
            axes.axvline(0, color=INK, lw=1)
            for y, (row, leak) in enumerate(zip(table.itertuples(), leaky, strict=True)):
                colour = COLOURS["published" if leak else "repaired"]
                hollow = "none" if edition == "teaching" else colour
                if np.isfinite([row.low, row.high]).all():
                    axes.hlines(y, row.low, row.high, color=colour, lw=2)
                axes.plot(row.value, y, "^" if leak else "o", color=colour, mfc=hollow, ms=6)
            names = [broken(name) if narrow() else name for name in table["name"]]
            axes.set_yticks(range(len(table)), names, fontsize=8.5)
            axes.tick_params(axis="y", length=0)
            axes.set_ylim(len(table) - 0.4, -0.6)
            axes.set_title(title)
            said += [
                f"{title}, {row.name}: {row.value:.3f} ({row.low:.3f} to {row.high:.3f})."
                for row in table.itertuples(index=False)
            ]
        panes[-1].set_xlabel(label)
    return finish(figure, f"{simulated(edition)}{label}, with 95 % intervals. {' '.join(said)}")


def broken(name: str, most: int = 20) -> str:
    """A long name in two lines, for a phone."""
    middle = name.rfind(" ", 0, most + 1) if len(name) > most else -1
    return name if middle < 0 else f"{name[:middle]}\n{name[middle + 1 :]}"
