"""Slopes: the same models on two questions, and what is left of their scores.

A line joins a model's two scores; the band below is what the best naive baseline reaches at either
end.  Bars are the sd over what was held out; simulated data are hollow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cdp_lib.errors import InputError
from cdp_lib.figures.style import (
    COLOURS,
    INK,
    MARKERS,
    canvas,
    finish,
    look,
    narrow,
    needs,
    plus_minus,
    score_words,
    simulated,
    two_widths,
)

GAP = "\u00a0\u00a0"
BAND = "best naive baseline and below"


@two_widths
def slopes(
    left: pd.DataFrame,
    right: pd.DataFrame,
    *,
    titles: Sequence[str] | None = None,
    label: str | None = None,
    edition: str = "pocket",
) -> Figure:
    """Two summaries of the same models (model, kind, mean, sd), one at either end of the slopes.

    `titles` name the two questions; by default they say metric, axis and split of each summary.
    `label` names the score, if both are of one kind.
    """
    tables = []
    for part in (left, right):
        needs(part, "slopes", ("model", "kind", "mean", "sd"))
        tables.append(part.set_index("model"))
        if not tables[-1].index.is_unique:
            raise InputError("slopes needs one score a model at either end: select its rows first.")
    if apart := sorted(set(tables[0].index) ^ set(tables[1].index)):
        raise InputError(f"slopes joins the same models, and {apart[0]!r} has only one score.")
    tables[1] = tables[1].loc[tables[0].index]
    titles = titles or [score_words(part) for part in (left, right)]
    ends = np.array([table["mean"] for table in tables], float)  # (2, models)
    spread = np.array([table["sd"] for table in tables], float)
    naive = (tables[0]["kind"] == "baseline").to_numpy()
    with look():
        figure, (axes,) = canvas(3.9 if narrow() else 3.5)
        _slopes(axes, ends, spread, naive, edition)
        lowest = axes.get_ylim()[0]
        if naive.any():
            floor = ends[:, naive].max(axis=1)
            axes.fill_between([0, 1], floor, lowest, color=INK, alpha=0.13, lw=0, zorder=0)
            words = BAND.replace(" and", "\nand") if narrow() else BAND
            axes.text(0.42, lowest, words, ha="center", va="bottom", fontsize=8.5)
        axes.set_ylim(lowest)
        names = list(tables[0].index)
        for place, side in ((0, "right"), (1, "left")):
            texts = [plus_minus(*pair) for pair in zip(ends[place], spread[place], strict=True)]
            if narrow():
                texts = [plus_minus(value, None) for value in ends[place]]
            if place:
                texts = [f"{text}{GAP}{name}" for text, name in zip(texts, names, strict=True)]
            elif not narrow():
                texts = [f"{name}{GAP}{text}" for text, name in zip(texts, names, strict=True)]
            _labels(axes, place, ends[place], texts, side)
        axes.set_xticks([0, 1], [title.replace(", ", "\n") for title in titles])
        axes.set_xlim(-0.06, 1.06)
        axes.tick_params(axis="x", length=0)
        axes.spines[:].set_visible(False)
        axes.set_yticks([])
        if label:
            axes.set_title(label)
        over = [t["sd_over"].iloc[0] if "sd_over" in t else "the units held out" for t in tables]
        over = " and ".join(dict.fromkeys(over))
        axes.set_xlabel(f"bars: sd over {over}")
    said = "; ".join(
        f"{name} from {plus_minus(ends[0, n], spread[0, n])} to "
        f"{plus_minus(ends[1, n], spread[1, n])}" + " (naive baseline)" * bool(naive[n])
        for n, name in enumerate(names)
    )
    asked = " to ".join(titles)
    return finish(figure, f"{simulated(edition)}Slopes from {asked}; bars: sd over {over}. {said}.")


def _slopes(axes: Axes, ends: np.ndarray, spread: np.ndarray, naive: np.ndarray, edition) -> None:
    """A line, two marks and two intervals a model; the marks of the naive ones are grey."""
    for n in np.argsort(~naive):
        role = "baseline" if naive[n] else "repaired"
        colour = COLOURS[role]
        hollow = edition == "teaching" and not naive[n]
        aside = 0.008 * (n - len(naive) / 2)  # intervals stand beside each other
        at = np.array([0, 1]) + aside
        axes.plot(at, ends[:, n], color=colour, lw=1.3, zorder=1)
        known = np.isfinite(spread[:, n])
        low, high = ends[:, n] - spread[:, n], ends[:, n] + spread[:, n]
        axes.vlines(at[known], low[known], high[known], color=colour, lw=1.8, zorder=2)
        symbol = "_" if naive[n] else MARKERS[role]
        axes.plot(
            at, ends[:, n], symbol, ms=11 if naive[n] else 7, mec=colour, zorder=3, ls="none",
            mew=3 if naive[n] else 1.2, mfc="none" if hollow else colour, clip_on=False,
        )  # fmt: skip
    axes.margins(y=0.08)
    axes.autoscale_view()


def _labels(axes: Axes, x: float, heights: np.ndarray, texts: list[str], side: str) -> None:
    """Texts beside the marks, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    inches = axes.figure.get_figheight() - 0.7
    places = apart(heights, (high - low) / inches * 0.165)
    shift = -14 if side == "right" else 14
    for height, place, text in zip(heights, places, texts, strict=True):
        if not np.isfinite(height):
            continue
        axes.annotate(
            text, (x, place), (shift, 0), textcoords="offset points", ha=side, va="center",
            fontsize=8.5, annotation_clip=False,
        )  # fmt: skip


def apart(values: np.ndarray, least: float) -> np.ndarray:
    """The values moved as little as it takes to lie `least` from each other, in their order."""
    order = np.argsort(values, kind="stable")
    groups: list[tuple[list[float], int]] = []  # (values, how many) around their mean
    for value in np.asarray(values, float)[order]:
        groups.append(([value], 1))
        while len(groups) > 1 and _bottom(groups[-1], least) < _top(groups[-2], least) + least:
            (last, n), (before, m) = groups.pop(), groups.pop()
            groups.append((before + last, n + m))
    placed = [_bottom(group, least) + least * k for group in groups for k in range(group[1])]
    moved = np.empty(len(placed))
    moved[order] = placed
    return moved


def _bottom(group: tuple[list[float], int], least: float) -> float:
    return float(np.mean(group[0])) - least * (group[1] - 1) / 2


def _top(group: tuple[list[float], int], least: float) -> float:
    return float(np.mean(group[0])) + least * (group[1] - 1) / 2
