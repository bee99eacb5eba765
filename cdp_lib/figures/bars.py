"""Bars: shares of lines, genes or drugs, a bar a rule that finds them; the naive rule stands first.

The colour is that of the role: grey a naive rule, blue a model without the leak.  A diamond is
what a paper reports.  A bar begins at 0 and the axis ends at 1, so that lengths compare.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from cdp_lib.errors import InputError
from cdp_lib.figures.rows import KINDS
from cdp_lib.figures.style import (
    COLOURS,
    HATCH,
    INK,
    WORDS,
    canvas,
    finish,
    key,
    look,
    mark,
    narrow,
    needs,
    simulated,
    two_widths,
)


@two_widths
def bars(
    shares: pd.DataFrame,
    *,
    by: str,
    reported: Mapping[str, Mapping[str, float]] | None = None,
    label: str = "share of lines",
    edition: str = "pocket",
) -> Figure:
    """A panel for each value of the column `by`, a bar a row of its model, kind and mean.

    The columns low and high, where they are there, are drawn as an interval.  `reported` maps a
    panel to what a paper reports, name to share; each gets a row of its own below.
    """
    needs(shares, "bars", ("model", "kind", "mean", by))
    outside = shares["mean"].dropna()
    if not outside.between(0, 1).all():
        raise InputError(f"bars draws shares from 0 to 1, and got {outside.abs().max():g}.")
    reported = {str(panel): dict(found) for panel, found in (reported or {}).items()}
    panels = {str(panel): part for panel, part in shares.groupby(by, sort=False)}
    if strange := set(reported) - set(panels):
        raise InputError(f"{strange.pop()!r} is no panel; the column {by} has {', '.join(panels)}.")
    ours = shares.drop_duplicates("model").sort_values("kind", kind="stable")
    named = [name for found in reported.values() for name in found]
    names = [*ours["model"], *(n for n in dict.fromkeys(named) if n not in set(ours["model"]))]
    said = []
    with look():
        pitch = 0.46 if narrow() else 0.34
        figure, panes = canvas(pitch * len(names) + 0.85, len(panels), sharey=not narrow())
        for axes, (panel, part) in zip(panes, panels.items(), strict=True):
            found = [(row.model, KINDS[row.kind], row.mean, row) for row in part.itertuples()]
            found += [(n, "reported", share, None) for n, share in reported.get(panel, {}).items()]
            for name, role, share, row in found:
                y = names.index(name)
                if role == "reported":
                    mark(axes, share, y, role)
                else:
                    _bar(axes, y, share, role, row, edition)
                axes.annotate(
                    f"{share:.0%}", (1.0, y), (4, 0), xycoords=("axes fraction", "data"),
                    textcoords="offset points", va="center", fontsize=8.5, annotation_clip=False,
                )  # fmt: skip
                said.append(f"{panel}, {name}: {share:.0%} ({WORDS[role]})")
            axes.set(xlim=(0, 1), ylim=(len(names) - 0.5, -0.9 if narrow() else -0.55))
            axes.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
            axes.set(title=panel, xlabel=label)
            _name(axes, names)
        drawn = {KINDS[kind] for kind in shares["kind"]} | ({"reported"} if named else set())
        keys = {WORDS[r].removeprefix("best "): key(r) for r in COLOURS if r in drawn}
        figure.legend(
            keys.values(), keys.keys(), loc="outside upper left", fontsize=8.5, ncols=3,
            handletextpad=0.4, columnspacing=1.4, borderaxespad=0,
        )  # fmt: skip
    return finish(figure, f"{simulated(edition)}Bars of the {label}. {'; '.join(said)}.")


def _bar(axes, y: int, share: float, role: str, row, edition: str) -> None:
    hollow = edition == "teaching" and role != "baseline"
    fill = {"facecolor": "none", "hatch": HATCH} if hollow else {"facecolor": COLOURS[role]}
    axes.barh(y, share, 0.42 if narrow() else 0.6, edgecolor=COLOURS[role], lw=1, **fill)
    low, high = getattr(row, "low", None), getattr(row, "high", None)
    if not (pd.isna(low) or pd.isna(high)):
        axes.hlines(y, low, high, color=INK, lw=1.4, zorder=3)


def _name(axes, names: list[str]) -> None:
    """The rows' names, on a narrow page above the bars."""
    axes.tick_params(axis="y", length=0)
    axes.set_yticks([] if narrow() else range(len(names)), [] if narrow() else names)
    for y, name in enumerate(names if narrow() else []):
        axes.text(0, y - 0.27, name, va="bottom", fontsize=8.5)
