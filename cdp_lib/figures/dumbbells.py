"""Dumbbells: a row a paper, what it reports beside what remains.

A dumbbell joins the headline number as reported, our run as published, our run without the
leak, and the best naive baseline on the same rows.  An empty mark says "not run yet".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cdp_lib.errors import InputError
from cdp_lib.figures.style import COLOURS, INK, MARKERS, WORDS, canvas, finish, look, mark

SHARED = ("r2", "pearson", "spearman")  # 1 when perfect, 0 when useless
ROLES = ("reported", "published", "repaired", "baseline")
EMPTY = {"published": 1.09, "repaired": 1.145, "baseline": 1.2}  # where empty marks stand


def dumbbell(rows: Iterable[Mapping], narrow: bool = False) -> Figure:
    """A row has label, detail, metric, and a number or None for each of `ROLES`.

    `<role>_sd` adds an interval.  All rows share one axis, so only scores that are 1 when perfect
    and 0 when useless can stand in it: R2 and correlations.  On a `narrow` figure, for a phone,
    the labels stand above their rows.
    """
    rows = [dict(row) for row in rows]
    for row in rows:
        if row["metric"] not in SHARED:
            raise InputError(
                f"The row {row['label']!r} holds {row['metric']}, which shares no axis with R2 and "
                f"correlations; choose one of {', '.join(SHARED)}."
            )
    numbers = [row[role] for row in rows for role in ROLES if row.get(role) is not None]
    lowest = min([0.0, *numbers])
    with look():
        figure, (axes,) = canvas(0.62 * len(rows) + 1.1)
        if narrow:
            figure.set_size_inches(3.6, len(rows) + 1.1)
        for y, row in enumerate(rows):
            _row(axes, y, row)
            _label(axes, y, row, lowest if narrow else None)
        _frame(axes, rows, lowest)
        if narrow:
            axes.set_ylim(len(rows) - 0.55, -0.75)
        keys = [axes.plot([], [], **_key(role))[0] for role in ROLES]
        words = [WORDS[role] for role in ROLES]
        figure.legend(
            keys, words, loc="outside upper left", ncols=2 if narrow else 4, fontsize=8.5,
            handletextpad=0.2,
            columnspacing=1.6, borderaxespad=0,
        )  # fmt: skip
    return finish(figure, "Dumbbell chart of scores; 1 is perfect. " + " ".join(map(_said, rows)))


def _row(axes: Axes, y: int, row: dict) -> None:
    found = {role: float(row[role]) for role in ROLES if row.get(role) is not None}
    axes.hlines(y, 0, 1, color=INK, lw=0.6, linestyle=(0, (1, 4)), zorder=0)
    if len(found) > 1:
        axes.hlines(y, min(found.values()), max(found.values()), color=INK, lw=1.2, zorder=1)
    for role, value in found.items():
        mark(axes, value, y, role, row.get(f"{role}_sd"))
    _numbers(axes, y, {r: found[r] for r in ROLES[:2] if r in found}, -0.17)
    _numbers(axes, y, {r: found[r] for r in ROLES[2:] if r in found}, 0.17)
    if "reported" not in found:
        axes.text(0, y - 0.12, "no score in the ledger", va="bottom", fontsize=8.5)
    for role in ROLES[1:]:
        if role not in found:
            mark(axes, EMPTY[role], y, role, hollow=True)


def _label(axes: Axes, y: int, row: dict, above: float | None) -> None:
    """Who, and which score: left of the row, or `above` it from there on."""
    detail = row.get("detail", "")
    if above is None:
        left = {"transform": axes.get_yaxis_transform(), "ha": "right"}
        axes.text(-0.02, y - 0.03, row["label"], va="bottom", fontweight="bold", **left)
        axes.text(-0.02, y + 0.07, detail, va="top", fontsize=8, **left)
    else:
        axes.text(above, y - 0.5, row["label"], va="bottom", fontweight="bold")
        axes.text(above, y - 0.48, detail, va="top", fontsize=8)


def _numbers(axes: Axes, y: float, found: dict[str, float], shift: float) -> None:
    """The numbers of two marks, turned away from each other where the marks are close."""
    here = sorted(found, key=found.get)
    close = len(here) == 2 and found[here[1]] - found[here[0]] < 0.1
    for role, side in zip(here, ("right", "left"), strict=False):
        away = {"right": -2, "left": 2}[side] if close else 0  # points
        axes.annotate(
            _short(found[role], role), (found[role], y + shift), (away, 0),
            textcoords="offset points", fontsize=8.5,
            ha=side if close else "center", va="bottom" if shift < 0 else "top",
        )  # fmt: skip


def _frame(axes: Axes, rows: list[dict], lowest: float) -> None:
    axes.set_xlim(lowest - 0.03, 1.24)
    axes.set_ylim(len(rows) - 0.45, -0.6)
    ticks = [tick for tick in np.arange(-4, 1.01, 0.25) if tick >= lowest]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.spines["bottom"].set_bounds(min(ticks), 1)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    axes.set_xlabel("score (R² or correlation): 1 is perfect, 0 no skill", loc="left")
    if any(row.get(role) is None for row in rows for role in ROLES[1:]):
        axes.text(EMPTY["repaired"], -0.42, "not run yet", ha="center", va="center", fontsize=8.5)


def _key(role: str) -> dict:
    bar = MARKERS[role] == "|"
    size = {"ms": 11, "mew": 3} if bar else {"ms": 7, "mew": 1}
    return {"marker": MARKERS[role], "color": COLOURS[role], "linestyle": "none"} | size


def _short(value: float, role: str) -> str:
    """Ours to two digits; what a paper reports with a third where it has one."""
    text = f"{value:.3f}" if role == "reported" else f"{value:.2f}0"
    return text.removesuffix("0")


def _said(row: dict) -> str:
    """One sentence a row, for who cannot see the figure."""
    parts = []
    for role in ROLES:
        value = row.get(role)
        missing = "no score" if role == "reported" else "not run yet"
        parts.append(f"{WORDS[role]} {missing if value is None else _short(value, role)}")
    return f"{row['label']}: {'; '.join(parts)}."
