"""Intervals: a row a number, with the range that it may come from; some rows stand apart."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from cdp_lib.figures.style import COLOURS, INK, canvas, finish, look, narrow, needs, two_widths


@two_widths
def intervals(panels: Mapping[str, pd.DataFrame], label: str) -> Figure:
    """A panel for each name, of a table with name, value, low, high and beyond (stands apart)."""
    for table in panels.values():
        needs(table, "intervals", ("name", "value", "low", "high", "beyond"))
    sizes = [len(table) for table in panels.values()]
    with look():
        figure, panes = canvas(1.0, len(panels), stacked=True, height_ratios=sizes)
        figure.set_figheight(0.19 * sum(sizes) + 0.6 * len(panels) + 0.3)
        for axes, (title, table) in zip(panes, panels.items(), strict=True):
            for y, row in enumerate(table.itertuples()):
                colour = COLOURS["reported"] if row.beyond else INK
                axes.hlines(y, row.low, row.high, color=colour, lw=4, alpha=0.6)
                axes.plot(row.value, y, "D" if row.beyond else "o", color=colour, ms=5)
            names = [name[:34] if narrow() else name for name in table["name"]]
            axes.set_yticks(range(len(table)), names, fontsize=7.5)
            axes.tick_params(axis="y", length=0)
            axes.set_ylim(len(table) - 0.4, -0.6)
            axes.set_title(title)
        panes[-1].set_xlabel(label)
    said = " ".join(
        f"{title}: {int(table['beyond'].sum())} of {len(table)} rows stand apart, at "
        f"{table.loc[table['beyond'], 'value'].mean():.2f} where the others are at "
        f"{table.loc[~table['beyond'], 'value'].mean():.2f}."
        for title, table in panels.items()
    )
    return finish(figure, f"{label}, a row a printed number, with the range of its digits. {said}")
