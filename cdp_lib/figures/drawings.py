"""Drawings made of no data: what is held out, and along which direction it is scored."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cdp_lib.figures.charts import ROLE_LOOK
from cdp_lib.figures.style import canvas, finish, look, narrow, two_widths


@two_widths
def held_out(tables: Mapping[str, tuple[str, str]], rows: str = "lines") -> Figure:
    """A table of lines x something for each title; `tables` leads to (columns' name, what is held).

    "columns" or "rows" are held out, in the colour of test, and an arrow shows along which
    direction predictions are scored: within a line along held-out columns, or down held-out lines.
    """
    bands = {
        "columns": (
            (6, 0, 2, 8),
            ((8.05, 2), (5.95, 2)),
            "along held-out columns, a line at a time",
        ),
        "rows": (
            (0, 5, 10, 1.6),
            ((3, 6.75), (3, 4.85)),
            "down held-out lines, a column at a time",
        ),
    }
    arrow = {"arrowstyle": "<->", "color": "white", "lw": 2}
    with look():
        figure, panes = canvas(1.9 if narrow() else 2.3, len(tables))
        for axes, (title, (columns, held)) in zip(panes, tables.items(), strict=True):
            place, ends, _ = bands[held]
            axes.add_patch(Rectangle((0, 0), 10, 8, lw=0, **ROLE_LOOK["train"]))
            axes.add_patch(Rectangle(place[:2], *place[2:], lw=0, **ROLE_LOOK["test"]))
            axes.annotate("", *ends, arrowprops=arrow)
            axes.set(xlim=(0, 10), ylim=(8, 0), xticks=[], yticks=[], title=title, xlabel=columns)
            axes.spines[:].set_visible(False)
        panes[0].set_ylabel(rows)
    said = (f"{title}: {bands[held][2]}" for title, (_, held) in tables.items())
    return finish(figure, f"Tables of {rows} with a band held out. Scored " + "; ".join(said) + ".")
