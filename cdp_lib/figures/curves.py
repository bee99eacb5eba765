"""Curves: a number against a size, both on scales of powers, each curve named at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cdp_lib.figures.slopes import apart
from cdp_lib.figures.style import (
    COLOURS,
    INK,
    canvas,
    finish,
    kind_look,
    look,
    simulated,
    two_widths,
)


@two_widths
def curves(
    measured: pd.DataFrame,
    theory: Mapping[str, pd.Series],
    labels: tuple[str, str],
    reported: Mapping[str, float] | None = None,
    spread: Mapping[str, tuple[pd.Series, pd.Series]] | None = None,
    ticks: Sequence[float] = (0.001, 0.01, 0.1, 1),
    edition: str = "pocket",
) -> Figure:
    """Columns of `measured` (sizes as index) as marks, `theory` as dashed lines.

    `spread` has low and high of some columns, `reported` draws a level with its words.
    """
    ends = {name: values.iloc[-1] for name, values in theory.items()}
    with look():
        figure, (axes,) = canvas(3.6)
        for values in theory.values():
            axes.plot(values.index, values, color=INK, lw=1.3, linestyle=(0, (4, 2)))
        for number, (name, values) in enumerate(measured.items()):
            hue, symbol = kind_look(number)
            hue = COLOURS["teaching"] if edition == "teaching" else hue
            values = values[values >= min(ticks)]
            fill = "none" if edition == "teaching" else hue
            axes.plot(values.index, values, symbol, color=hue, ms=5, mfc=fill, ls="none")
            if spread and name in spread:
                low, high = (side[values.index].clip(lower=min(ticks)) for side in spread[name])
                axes.vlines(values.index, low, high, color=hue, lw=1.6)
            elif name not in theory:
                axes.plot(values.index, values, color=hue, lw=1.3)
                ends[name] = values.iloc[-1]
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set(xlabel=labels[0], ylabel=labels[1], ylim=(min(ticks), max(ticks)))
        axes.set_xticks(measured.index, [f"{size:g}" for size in measured.index])
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        far = axes.get_xlim()[1]
        shown = {name: value for name, value in ends.items() if value >= min(ticks)}
        inches = axes.figure.get_figheight() - 0.7
        least = np.log(max(ticks) / min(ticks)) / inches * 0.17
        places = np.exp(apart(np.log(list(shown.values())), least)) if shown else []
        for name, place in zip(shown, places, strict=True):
            axes.annotate(
                f" {name}", (far, place), va="center", fontsize=8.5, annotation_clip=False
            )
        for words, level in (reported or {}).items():
            axes.axhline(level, color=COLOURS["reported"], lw=1.2)
            axes.annotate(
                words, (1, level), (-3, 3), xycoords=("axes fraction", "data"), ha="right",
                textcoords="offset points", fontsize=8.5,
            )  # fmt: skip
    said = "; ".join(
        f"{name} {values.iloc[0]:.3f} at {values.index[0]:g} and {values.iloc[-1]:.3g} at "
        f"{values.index[-1]:g}"
        for name, values in measured.items()
    )
    return finish(figure, f"{simulated(edition)}{labels[1]} against {labels[0]}: {said}.")
