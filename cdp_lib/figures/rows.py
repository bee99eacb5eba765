"""Rows: the dot-row chart of the book, a row a model.

    circle      our score without the leak, its bar the sd over what was held out
    triangle    our score as published, leak included, by our reading
    diamond     what the paper reports
    short bar   a naive baseline; shaded, all that the best of them reaches: the floor
    dashed      the ceiling, which repeats of the measurement allow

Simulated data are hollow.  The numbers stand beside the row, in the order of the legend.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cdp_lib.errors import InputError
from cdp_lib.figures.style import (
    COLOURS,
    INK,
    WORDS,
    canvas,
    finish,
    key,
    look,
    mark,
    narrow,
    needs,
    plus_minus,
    score_words,
    simulated,
    two_widths,
)
from cdp_lib.metrics import LOWER_IS_BETTER

NO_BREAK = "\u00a0"  # an SVG shows several of these, and of plain spaces one
KINDS = {
    "model": "repaired",
    "baseline": "baseline",
    "published": "published",
    "reported": "reported",
}
DASHED = {"color": INK, "lw": 1, "linestyle": (0, (4, 2))}
LONGEST = 54  # letters of a name and its numbers side by side on a phone
WITHIN = ("cohort", "metric", "axis", "split")  # a panel each
Score = tuple[float, float | None]  # mean and sd


@two_widths
def rows(
    summary: pd.DataFrame,
    *,
    reported: Mapping[str, float | Score] | None = None,
    published: pd.DataFrame | Mapping[str, float | Score] | None = None,
    label: str | None = None,
    lowest: float | None = None,
    edition: str = "pocket",
    triangle: str = WORDS["published"],
) -> Figure:
    """A row a model of a table with model, kind, mean and sd, such as `P.summary(...)` gives.

    `kind` is "model" or "baseline"; "published" or "reported" make a row that has no leak-free
    score.  `reported` and `published` add marks to the rows of the models that they name.  A table
    of several metrics, axes or splits has a panel for each, at most three.  `label` stands below
    the axis; by default it says metric, axis and split.  A score below `lowest` is an arrow at the
    edge, and its number says how far it lies.  `triangle` says in the legend what `published` is.
    """
    needs(summary, "rows", ("model", "kind", "mean", "sd"))
    within = [name for name in WITHIN if name in summary and summary[name].nunique() > 1]
    panels = [part for _, part in summary.groupby(within, sort=False)] if within else [summary]
    if not len(summary) or len(panels) > 3:
        raise InputError(
            f"rows draws one to three panels, and this table has {len(panels) * bool(len(summary))}"
            " of cohort, metric, axis and split; select some of its rows first."
        )
    names = _names(panels)
    others = {"published": _scores(published), "reported": _scores(reported)}
    for role, scores in others.items():
        if strange := [name for name in scores if name not in names]:
            raise InputError(
                f"{strange[0]!r} has a {role} score and no row in the table: give it a row, with "
                f"the mean NaN if it was not run; the rows are {', '.join(names)}."
            )
    side_by_side = len(panels) == 2
    pitch, head = (0.44, 0.75) if narrow() else (0.29, 0.75)
    words = WORDS | {"published": triangle}
    said = []
    with look():
        figure, panes = canvas(
            pitch * len(names) + head, len(panels), stacked=not side_by_side,
            sharex="metric" not in within, sharey=side_by_side,
        )  # fmt: skip
        if len(panels) > 1 and "metric" not in within:
            panes[0].set_xlim(_ends(panels, others, lowest))  # of all panels
        drawn = set()
        for number, (axes, part) in enumerate(zip(panes, panels, strict=True)):
            drawn |= _panel(axes, part, names, others if not number else {}, lowest, edition)
            title = _title(part, within)
            axes.set_title(title)
            bar = f"\nbar: {_spread(summary)}" * bool(part["sd"].notna().any())
            axes.set_xlabel((label or score_words(part)) + bar)
            said += [f"{title}:"] if title else []
            said += _said(part, others if not number else {}, words)
        for axes in panes:
            _frame(axes, names, panels)
        _legend(figure, drawn, edition, words)
    spread = _spread(summary)
    return finish(figure, f"{simulated(edition)}A row a model; bars: {spread}. " + " ".join(said))


def _names(panels: list[pd.DataFrame]) -> list[str]:
    """Models above, naive baselines below, each in the order given."""
    order = pd.concat(panels).drop_duplicates("model")
    for part in panels:
        if part["model"].duplicated().any():
            twice = part["model"][part["model"].duplicated()].iloc[0]
            raise InputError(f"rows has two scores of {twice!r} in one panel: give each one name.")
    naive = order["kind"] == "baseline"
    if strange := set(order["kind"]) - set(KINDS):
        raise InputError(f"kind is {strange.pop()!r}: rows knows {', '.join(KINDS)}.")
    return [*order["model"][~naive], *order["model"][naive]]


def _scores(given: pd.DataFrame | Mapping | None) -> dict[str, Score]:
    """model -> (mean, sd), from a summary or from numbers."""
    if given is None:
        return {}
    if isinstance(given, pd.DataFrame):
        needs(given, "published", ("model", "mean", "sd"))
        return {row.model: (row.mean, row.sd) for row in given.itertuples()}
    return {
        name: tuple(value) if isinstance(value, tuple | list) else (value, None)
        for name, value in given.items()
    }


def _roles(row, others: Mapping[str, Mapping[str, Score]]) -> dict[str, Score]:
    """The scores of one row, by role."""
    found = {KINDS[row.kind]: (row.mean, row.sd)}
    found |= {role: scores[row.model] for role, scores in others.items() if row.model in scores}
    return {role: score for role, score in found.items() if _known(score[0])}


def _ends(panels: list[pd.DataFrame], others: Mapping, lowest: float | None) -> tuple[float, float]:
    """From the lowest to the highest mark of all panels, their bars included, and a margin."""
    marks = [
        (mean, sd if sd is not None and math.isfinite(sd) else 0.0)
        for part in panels
        for row in part.itertuples()
        for mean, sd in _roles(row, others).values()
    ]
    ceilings = [part["ceiling"].mean() for part in panels if "ceiling" in part]
    ends = [mean + sign * sd for mean, sd in marks for sign in (-1, 1)]
    ends += [ceiling for ceiling in ceilings if math.isfinite(ceiling)]
    low, high = min(ends), max(ends)
    low = low if lowest is None else max(low, lowest)
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _panel(
    axes: Axes, part: pd.DataFrame, names: list[str], others: Mapping, lowest: float | None, edition
) -> set[str]:
    """Draw one panel; which roles, and whether a floor and a ceiling, stand in it."""
    drawn = set()
    every = [mean for row in part.itertuples() for mean, _ in _roles(row, others).values()]
    span = max(every, default=0) - min(every, default=0)
    for row in part.itertuples():
        y = names.index(row.model)
        found = _roles(row, others)
        drawn |= set(found)
        far = {role for role, (mean, _) in found.items() if lowest is not None and mean < lowest}
        if len(found) > 1:
            ends = [lowest if role in far else mean for role, (mean, _) in found.items()]
            axes.hlines(y, min(ends), max(ends), color=INK, lw=0.8, zorder=1)
        aside = _aside(found, span)
        for role, (mean, sd) in found.items():
            hollow = edition == "teaching" and role not in ("baseline", "reported")
            if role in far:
                axes.plot(lowest, y, "<", ms=8, color=COLOURS[role], ls="none", clip_on=False)
            else:
                mark(axes, mean, y + aside.get(role, 0), role, sd, hollow)
        _numbers(axes, y, row.model, found)
    lower = _lower_is_better(part)
    naive = part.loc[part["kind"] == "baseline", "mean"].dropna()
    ceiling = part["ceiling"].dropna() if "ceiling" in part else naive.head(0)
    if len(ceiling):
        around = (
            [(y - 0.2, y + 0.3) for y in range(len(names))] if narrow() else [(-0.6, len(names))]
        )
        axes.vlines([ceiling.mean()] * len(around), *zip(*around, strict=True), **DASHED)
        drawn.add("ceiling")
    axes.margins(x=0.06)
    axes.autoscale_view()
    if len(naive):
        floor = naive.min() if lower else naive.max()
        floor = floor if lowest is None else max(floor, lowest)
        worst = axes.get_xlim()[lower]
        axes.axvspan(worst, floor, color=INK, alpha=0.13, lw=0, zorder=0)
        axes.set_xlim(**{"right" if lower else "left": worst})
        drawn.add("floor")
    n_models = sum(part.set_index("model")["kind"].reindex(names).ne("baseline"))
    if 0 < n_models < len(names):
        axes.axhline(n_models - (0.75 if narrow() else 0.5), color=INK, lw=0.7)
    return drawn


def _aside(found: Mapping[str, Score], span: float) -> dict[str, float]:
    """As published a little below and reported a little above the row where one would hide."""
    both = [found[role][0] for role in ("published", "reported") if role in found]
    close = len(both) == 2 and abs(both[0] - both[1]) < 0.04 * span
    return {"published": 0.16, "reported": -0.16} if close else {}


def _lower_is_better(part: pd.DataFrame) -> bool:
    return "metric" in part and part["metric"].iloc[0] in LOWER_IS_BETTER


def _numbers(axes: Axes, y: int, name: str, found: Mapping[str, Score]) -> None:
    """The numbers of a row: beside it, on a phone above it; after a long name without sd."""
    texts = [plus_minus(*score) for score in found.values()]
    if narrow() and len(found) > 1:
        texts = [plus_minus(mean, None) for mean, _ in found.values()]
    at = {"xycoords": ("axes fraction", "data"), "fontsize": 8.5, "annotation_clip": False}
    words = (NO_BREAK * 3).join(texts) or "no score"
    if narrow():
        if len(name) + len(words) > LONGEST:
            words = (NO_BREAK * 3).join(text.partition(" ")[0] for text in texts)
        axes.annotate(words, (1, y - 0.27), va="bottom", ha="right", **at)
    else:
        axes.annotate(words, (1.0, y), (6, 0), textcoords="offset points", va="center", **at)


def _frame(axes: Axes, names: list[str], panels: list[pd.DataFrame]) -> None:
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if narrow():
        axes.set_yticks([])
        axes.set_ylim(len(names) - 0.55, -0.85)
        for y, name in enumerate(names):
            axes.annotate(
                name, (0, y - 0.27), xycoords=("axes fraction", "data"), va="bottom",
                fontsize=8.5, annotation_clip=False,
            )  # fmt: skip
    else:
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.6)


def _legend(figure: Figure, drawn: set[str], edition: str, words: Mapping[str, str]) -> None:
    """What the marks mean, in ink."""
    keys = {
        words[role].removeprefix("best "): key(
            role, edition == "teaching" and role in ("published", "repaired")
        )
        for role in ("repaired", "published", "reported", "baseline")
        if role in drawn
    }
    if "floor" in drawn:
        keys["floor: best baseline"] = Patch(facecolor=INK, alpha=0.13, lw=0)
    if "ceiling" in drawn:
        keys["ceiling"] = Line2D([], [], **DASHED)
    figure.legend(
        keys.values(), keys.keys(), loc="outside upper left", fontsize=8.5, handletextpad=0.4,
        ncols=2 if narrow() else 5 if len(keys) < 6 else 3, columnspacing=1.0, borderaxespad=0,
        handlelength=1.4,
    )  # fmt: skip


def _title(part: pd.DataFrame, within: list[str]) -> str:
    """What this panel has of its own."""
    return ", ".join(str(part[name].iloc[0]) for name in within if name in ("cohort", "split"))


def _spread(summary: pd.DataFrame) -> str:
    over = summary["sd_over"].iloc[0] if "sd_over" in summary else "the units held out"
    return f"sd over {over}"


def _said(part: pd.DataFrame, others: Mapping, words: Mapping[str, str]) -> list[str]:
    """A sentence a row, for who cannot see the figure."""
    found = []
    for row in part.itertuples():
        scores = [
            f"{plus_minus(*score)} ({words[role]})" for role, score in _roles(row, others).items()
        ]
        found.append(f"{row.model}: {', '.join(scores) or 'no score'}.")
    if "ceiling" in part and part["ceiling"].notna().any():
        found.append(f"Ceiling {part['ceiling'].mean():.2f}.")
    return found
