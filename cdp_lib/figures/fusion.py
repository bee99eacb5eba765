"""Drawings of two stages: what is trained when, how the score grows, what no mixture can reach.

two_stages    a row an omics: table, embedding, network, prediction; then one weighted mean
by_epoch      scores against the number of epochs, a line a protocol
least_error   the lower bound of a mixture's error, and what is reported
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cdp_lib.audit import mse_lower_bound
from cdp_lib.errors import InputError
from cdp_lib.figures.slopes import apart
from cdp_lib.figures.style import (
    COLOURS,
    INK,
    MARKERS,
    canvas,
    finish,
    look,
    narrow,
    needs,
    simulated,
    two_widths,
)

BOXES = ((0, 1.9, ""), (2.5, 1.7, "embedding"), (4.7, 1.5, "network"), (6.7, 0.8, "ŷ"))
CLOSE = ((0, 2.3, ""), (2.5, 2.1, "embedding"), (4.8, 1.75, "network"), (6.75, 0.5, "ŷ"))  # a phone


@two_widths
def two_stages(names: Sequence[str]) -> Figure:
    """The networks of stage one, which are trained and frozen, and the mean of stage two."""
    middle, last = (len(names) - 1) / 2, len(names) - 1
    size, boxes = 8.5, CLOSE if narrow() else BOXES
    end = boxes[-1][0] + boxes[-1][1]
    with look():
        figure, (axes,) = canvas(2.8)
        for y, name in enumerate(names):
            for left, width, text in boxes:
                box = Rectangle((left, y - 0.34), width, 0.68, fill=False, lw=1, edgecolor=INK)
                axes.add_patch(box)
                words = text or name
                axes.text(left + width / 2, y, words, ha="center", va="center", fontsize=size)
            for (left, width, _), (right, *_) in zip(boxes, boxes[1:], strict=False):
                arrow = {"arrowstyle": "->", "color": INK}
                axes.annotate("", (right, y), (left + width, y), arrowprops=arrow)
            axes.plot([end, end + 0.8], [y, middle], color=INK, lw=1.4)
        axes.text(end + 0.9, middle, "weighted\nmean", va="center", fontsize=size)
        axes.text(4.7, -0.75, "stage 1: trained, then frozen", ha="center", fontsize=size)
        axes.text(end + 1.4, -0.75, "stage 2", ha="center", fontsize=size)
        axes.set(xlim=(-0.1, 10), ylim=(last + 0.6, -1.1), xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    return finish(
        figure,
        f"{len(names)} rows, one an omics ({', '.join(names)}): the table, its embedding, a "
        "network, a prediction. Lines join the predictions into one weighted mean. Embeddings and "
        "networks are stage 1, the mean is stage 2.",
    )


@two_widths
def by_epoch(
    scores: Mapping[str, pd.DataFrame],
    roles: Mapping[str, str],
    label: str,
    *,
    reported: tuple[str, float] | None = None,
    edition: str = "pocket",
) -> Figure:
    """A line for each table of scores, whose index are epochs and whose columns are mean and sd.

    `roles` gives each the colour of its role ("published" or "repaired"); `reported` is a name and
    a number, which has no epoch.  Bars are the sd over the folds.
    """
    if unknown := [name for name in scores if roles.get(name) not in ("published", "repaired")]:
        raise InputError(f"by_epoch needs the role of {unknown[0]!r}: published or repaired.")
    said = []
    with look():
        figure, (axes,) = canvas(3.6)
        ends = {}
        for number, (name, table) in enumerate(scores.items()):
            needs(table, "by_epoch", ("mean", "sd"))
            role = roles[name]
            hollow = edition == "teaching"
            x, y = table.index.to_numpy(float), table["mean"].to_numpy(float)
            sd = table["sd"].to_numpy(float)
            axes.plot(
                x, y, MARKERS[role], ms=6, color=COLOURS[role], lw=1.4,
                ls=("-", (0, (4, 2)), (0, (1, 1)))[number % 3],
                mfc="none" if hollow else COLOURS[role],
            )  # fmt: skip
            axes.vlines(x, y - sd, y + sd, color=COLOURS[role], lw=1.4)
            ends[name] = (x[-1], y[-1])
            told = ", ".join(f"{e:g} epochs {v:.2f}" for e, v in zip(x, y, strict=True))
            said.append(f"{name}: {told}")
        if reported is not None:
            last = max(x for x, _ in ends.values())
            first = min(table.index[0] for table in scores.values())
            axes.plot([first, last], [reported[1]] * 2, color=COLOURS["reported"], lw=1, zorder=0)
            axes.plot(last, reported[1], "D", color=COLOURS["reported"], ms=7, clip_on=False)
            ends[reported[0]] = (last, reported[1])
            said.append(f"{reported[0]}: {reported[1]:.2f}")
        axes.set_xscale("log")
        ticks = sorted({float(e) for table in scores.values() for e in table.index})
        shown = ticks[::2] if narrow() or len(ticks) > 8 else ticks
        shown = sorted({*shown, ticks[-1]})
        axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
        axes.minorticks_off()
        axes.set_xlabel("epochs of the networks")
        axes.set_title(label)
        low, high = axes.get_ylim()
        heights = apart(
            np.array([y for _, y in ends.values()]), (high - low) * (0.12 if narrow() else 0.055)
        )
        for (name, (x, _)), height in zip(ends.items(), heights, strict=True):
            words = name.replace(", ", ",\n") if narrow() else name
            axes.annotate(
                words, (x, height), (8, 0), textcoords="offset points", va="center", fontsize=8,
                annotation_clip=False,
            )  # fmt: skip
    return finish(figure, f"{simulated(edition)}{label} by epochs. " + ". ".join(said) + ".")


@two_widths
def least_error(heaviest: float, rest: float, weight: float, reported: float) -> Figure:
    """The bound of `audit.mse_lower_bound` for every weight, and the reported error below it."""
    grid = np.linspace(0.3, 1, 1001)
    bound = mse_lower_bound(heaviest, rest, grid)
    here = float(mse_lower_bound(heaviest, rest, weight))
    with look():
        figure, (axes,) = canvas(3.2)
        axes.plot(grid, bound, color=INK, lw=2)
        axes.fill_between(grid, bound, color=INK, alpha=0.15, lw=0)
        axes.text(0.945, 0.75, "impossible\non held-out lines", ha="center", fontsize=8)
        axes.plot(weight, reported, "D", color=COLOURS["reported"], ms=8)
        axes.plot(weight, here, "o", color=INK, ms=6)
        for words, height, side in (("reported", reported, "left"), (f"{here:.2f}", here, "right")):
            shift = (10, -3) if side == "left" else (-8, 4)
            axes.annotate(
                words, (weight, height), shift, textcoords="offset points", ha=side, fontsize=8.5
            )
        axes.set(xlabel="weight of the heaviest network", xlim=(0.3, 1.02), ylim=(0, None))
        axes.set_title("least possible MSE of the mixture")
    return finish(
        figure,
        f"The lower bound of the MSE rises with the weight and is {here:.2f} at the reported "
        f"weight of {weight}; the reported MSE of {reported} lies far below the curve.",
    )
