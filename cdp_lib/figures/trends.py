"""Trends: measured against predicted within each perturbation, and over all of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cdp_lib.figures.style import INK, canvas, finish, kind_look, look, simulated, two_widths

Panel = tuple[pd.DataFrame, pd.DataFrame]  # measured and predicted, lines x perturbations


@two_widths
def trends(panels: Mapping[str, Panel], edition: str = "pocket") -> Figure:
    """A panel for each name; each perturbation has a shape and its own least-squares trend."""
    with look():
        figure, panes = canvas(3.3, len(panels))
        for axes, (title, (measured, predicted)) in zip(panes, panels.items(), strict=True):
            for number, column in enumerate(measured):
                y = measured[column].dropna()
                x = predicted[column][y.index].astype(float)
                hue, symbol = kind_look(number)
                (drawn,) = axes.plot(
                    x, y, symbol, ms=4.5, mec=hue, ls="none", mew=0.8, alpha=0.75,
                    mfc="none" if edition == "teaching" else hue,
                )  # fmt: skip
                drawn.names = [f"{line}, {column}" for line in y.index]
                slope, start = np.polyfit(x, y.astype(float), 1)
                ends = np.array([x.min(), x.max()])
                axes.plot(ends, start + slope * ends, color=INK, lw=2)
                axes.annotate(
                    str(column)[:16], (x.median(), y.min()), (0, -5), ha="center", va="top",
                    textcoords="offset points", fontsize=8.5,
                )  # fmt: skip
            axes.set(xlabel="predicted", ylabel="measured")
            axes.margins(y=0.14, x=0.12)
            axes.set_title(title)
    return finish(
        figure,
        f"{simulated(edition)}Measured against predicted response. The points of each drug follow "
        "their own trend, and the drugs together another.",
    )
