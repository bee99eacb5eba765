"""A map of lines that answers the reader, as HTML without network or script.

Each panel is an inline SVG with a point a line.  Radio buttons above choose what the colours say,
the tissue or the response to one drug, which tissue stands out, and which known line is ringed;
the keyboard reaches them all.  Style sheets do the rest.  A point tells its line and tissue under
the pointer, and a table that unfolds holds every line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError
from cdp_lib.figures.answering import Answering
from cdp_lib.figures.style import HUES, INK, simulated

SIDE = 300  # of a panel, in SVG units
SHAPES = ("circle", "square", "triangle")  # four hues in each shape: twelve tissues
STEPS = ("#A87900", "#9A8452", "#85808A", "#8878A8", "#8A63C4")  # most sensitive fifth to least


def line_map(
    panels: Mapping[str, pd.DataFrame],
    tissues: pd.Series,
    names: pd.Series,
    *,
    responses: pd.DataFrame | None = None,
    response: str = "response",
    lower_is_sensitive: bool = True,
    highlight: Iterable[str] = (),
    edition: str = "pocket",
) -> Answering:
    """One map or several beside each other; every choice acts on all of them.

    `panels` maps a title to a table of two columns, lines x (x, y); `tissues` and `names` know the
    same lines.  `responses` are lines x drugs: each drug is a choice of colours by fifths of its
    lines.  `highlight` are names of lines that a reader may look for.
    """
    check(panels, tissues, names)
    lines = next(iter(panels.values())).index
    tissues, names = tissues.astype(str).loc[lines], names.astype(str).loc[lines]
    responses = pd.DataFrame(index=lines) if responses is None else responses.reindex(lines)
    if strange := [word for word in highlight if word not in set(names)]:
        raise InputError(f"The map has no line called {strange[0]!r} among its {len(lines)}.")
    counts = tissues.value_counts()
    order = np.argsort(tissues.map({t: n for n, t in enumerate(counts.index)}), kind="stable")
    drugs = [
        _drug(number, column, responses[column], lower_is_sensitive)
        for number, column in enumerate(responses)
    ]
    classes = pd.DataFrame({drug["code"]: drug["classes"] for drug in drugs}, index=lines)
    codes = classes.apply(" ".join, axis=1) if drugs else pd.Series("", lines)
    drawn = []
    for title, points in panels.items():
        xy = _places(points)
        rows = [
            (*xy[i], names.iloc[i], words(tissues.iloc[i]), codes.iloc[i], tissues.iloc[i])
            for i in order
        ]
        groups = [[row for row in rows if row[-1] == tissue] for tissue in counts.index]
        drawn.append({"title": title, "groups": groups, "known": _known(rows, highlight)})
    table = pd.DataFrame({"line": names, "tissue": tissues.map(words)}, lines)
    table = table.join(responses.round(2)).reset_index(drop=True)
    parts = {
        "ink": INK,
        "side": SIDE,
        "steps": STEPS,
        "response": response,
        "hollow": edition == "teaching",
        "total": f"{len(lines):,}",
        "highlight": list(highlight),
        "drugs": drugs,
        "panels": drawn,
        "tissues": [
            {"code": f"t{n}", "words": words(t), "count": f"{counts[t]:,}", **kind(n)}
            for n, t in enumerate(counts.index)
        ],
        "table": table.sort_values(["tissue", "line"]).astype(object).fillna(""),
    }
    several = "; ".join(f"{words(t)}, {n}" for t, n in counts.head(6).items())
    asked = f" Coloured on demand by the {response} to {', '.join(map(str, responses))}."
    return Answering(
        "line_map.html",
        f"{simulated(edition)}Maps of {len(lines)} lines by {', '.join(panels)}, a point a line, "
        f"its shape and colour the tissue: {several}.{asked * bool(len(drugs))}",
        parts,
    )


def check(panels: Mapping[str, pd.DataFrame], tissues: pd.Series, names: pd.Series) -> None:
    if not panels:
        raise InputError("The map got no panel: give at least one table of two columns.")
    lines = next(iter(panels.values())).index
    for title, points in panels.items():
        if points.shape[1] != 2 or not len(points) or not np.isfinite(points.to_numpy()).all():
            raise InputError(
                f"The panel {title!r} is no table of lines x (x, y) without gaps: give two columns."
            )
        if not points.index.equals(lines):
            raise InputError(f"The panel {title!r} has other lines than the first: align them.")
    for what, known in (("tissues", tissues), ("names", names)):
        missing = lines.difference(known.index)
        if len(missing):
            raise InputError(f"{what} lack {len(missing)} of the lines, such as {missing[0]}.")


def _places(points: pd.DataFrame) -> list[tuple[int, int]]:
    """Where each line stands in its panel; an SVG counts downwards."""
    xy = points.to_numpy(float)
    low, high = xy.min(axis=0), xy.max(axis=0)
    unit = (xy - low) / np.where(high > low, high - low, 1)  # (lines, 2) from 0 to 1
    place = np.round(8 + (SIDE - 16) * unit).astype(int)
    return [(int(x), SIDE + 24 - int(y)) for x, y in place]


def _known(rows: list[tuple], highlight: Iterable[str]) -> list[tuple[int, int, str]]:
    places = {row[2]: row[:2] for row in rows}
    return [(*places[name], name) for name in highlight]


def _drug(number: int, drug: str, values: pd.Series, lower_is_sensitive: bool) -> dict:
    """One choice of colours: the fifth of each line among the lines that were measured."""
    letter, known = chr(ord("a") + number), values.dropna()
    if len(known) < 5:
        raise InputError(f"{drug} was measured in {len(known)} of the lines: the map needs five.")
    rank = known.rank(ascending=lower_is_sensitive, method="first")
    fifth = ((rank - 1) * 5 // len(known)).astype(int)
    classes = fifth.map(lambda step: f"{letter}{step}").reindex(values.index, fill_value=letter)
    ends = [known[fifth == step].agg(["min", "max"]) for step in range(5)]
    return {
        "code": letter,
        "words": str(drug),
        "count": f"{len(known):,}",
        "classes": classes,
        "ends": [f"{low:.1f} to {high:.1f}" for low, high in ends],
    }


def kind(number: int) -> dict[str, str]:
    """Twelve tissues have a colour and shape of their own; rarer ones are circles in ink."""
    known = number < len(HUES) * len(SHAPES)
    return {
        "colour": HUES[number % len(HUES)] if known else INK,
        "shape": SHAPES[number // len(HUES)] if known else "circle",
    }


def words(tissue: str) -> str:
    return re.sub("_", " ", str(tissue))
