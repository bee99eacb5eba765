"""Drawings of a layered ensemble: what is fitted to what, and what each further summary brings.

layered    a row a summary: encoder, summary, predictors; then one mean
by_count   a score against the number of summaries, a line a kind of summary
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cdp_lib.errors import InputError
from cdp_lib.figures.slopes import apart
from cdp_lib.figures.style import (
    COLOURS,
    HUES,
    INK,
    canvas,
    finish,
    look,
    narrow,
    needs,
    simulated,
    two_widths,
)

BOXES = ((2.1, 2.0, "encoder {}"), (4.6, 1.6, "summary"), (6.7, 1.4, "{} lassos"))
CLOSE = ((2.2, 1.4, "enc. {}"), (4.0, 2.0, "summary"), (6.4, 2.0, "{} lassos"))  # a phone
MARKS = ("o", "s", "^", "v", "P")


@two_widths
def layered(summaries: int = 5, predictors: int = 5) -> Figure:
    """Two layers of averaging: several summaries of a line, several predictors on each."""
    boxes = CLOSE if narrow() else BOXES
    middle, last = (summaries - 1) / 2, summaries - 1
    arrow = {"arrowstyle": "->", "color": INK}
    with look():
        figure, (axes,) = canvas(2.5)
        axes.add_patch(Rectangle((0, middle - 0.7), 1.7, 1.4, fill=False, lw=1, edgecolor=INK))
        axes.text(0.85, middle, "genes of\na line", ha="center", va="center", fontsize=8.5)
        for y in range(summaries):
            axes.annotate("", (boxes[0][0], y), (1.7, middle), arrowprops=arrow)
            for left, width, text in boxes:
                box = Rectangle((left, y - 0.34), width, 0.68, fill=False, lw=1, edgecolor=INK)
                axes.add_patch(box)
                words = text.format(y + 1 if "enc" in text else predictors)
                axes.text(left + width / 2, y, words, ha="center", va="center", fontsize=8.5)
            for (left, width, _), (right, *_) in zip(boxes, boxes[1:], strict=False):
                axes.annotate("", (right, y), (left + width, y), arrowprops=arrow)
            end = boxes[-1][0] + boxes[-1][1]
            axes.plot([end, end + 0.6], [y, middle], color=INK, lw=1.2)
        axes.text(end + 0.7, middle, "mean", va="center", fontsize=8.5)
        axes.text(3.1, -0.75, "first layer: summaries", fontsize=8.5, ha="center")
        axes.text(7.4, -0.75, "second layer", fontsize=8.5, ha="center")
        axes.set(xlim=(-0.1, 10), ylim=(last + 0.6, -1.1), xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    return finish(
        figure,
        f"The genes of a line go into {summaries} encoders; each gives a summary, on which "
        f"{predictors} lassos predict; the prediction is the mean of all "
        f"{summaries * predictors} lassos.",
    )


@two_widths
def by_count(
    scores: Mapping[str, pd.DataFrame],
    label: str,
    *,
    levels: Mapping[str, float] | None = None,
    edition: str = "pocket",
) -> Figure:
    """A line for each table, whose index is a number of summaries, with mean, low and high.

    `levels` are scores that have no such number: dashed lines, each with its name.
    """
    looks = [(COLOURS["repaired"], "o"), *zip(HUES, MARKS[1:], strict=True)]
    if len(scores) > len(looks):
        raise InputError(f"by_count draws at most {len(looks)} lines, and {len(scores)} are given.")
    said, ends = [], {}
    with look():
        figure, (axes,) = canvas(3.6)
        for (name, table), (colour, shape) in zip(scores.items(), looks, strict=False):
            needs(table, "by_count", ("mean",))
            x, y = table.index.to_numpy(float), table["mean"].to_numpy(float)
            fill = "none" if edition == "teaching" else colour
            axes.plot(x, y, marker=shape, ms=6, color=colour, lw=1.4, mfc=fill)
            if {"low", "high"} <= set(table):
                axes.vlines(x, table["low"], table["high"], color=colour, lw=1.2)
            ends[name] = (x[-1], y[-1])
            told = ", ".join(f"{n:g}: {v:.3f}" for n, v in zip(x, y, strict=True))
            said.append(f"{name}: {told}")
        last = max(x for x, _ in ends.values())
        for name, level in (levels or {}).items():
            axes.hlines(level, 1, last, color=INK, lw=1, linestyle=(0, (4, 2)), zorder=0)
            ends[name] = (last, level)
            said.append(f"{name}: {level:.3f}")
        axes.set_xticks(sorted({float(n) for table in scores.values() for n in table.index}))
        axes.set_xlabel("summaries that are averaged")
        axes.set_title(label)
        low, high = axes.get_ylim()
        least = (high - low) * (0.13 if narrow() else 0.06)
        heights = apart(np.array([y for _, y in ends.values()]), least)
        for (name, (x, _)), height in zip(ends.items(), heights, strict=True):
            words = name.replace(", ", ",\n") if narrow() else name
            axes.annotate(
                words, (x, height), (8, 0), textcoords="offset points", va="center",
                fontsize=8.5, annotation_clip=False,
            )  # fmt: skip
    return finish(
        figure, f"{simulated(edition)}{label} by the number of summaries. {'. '.join(said)}."
    )
