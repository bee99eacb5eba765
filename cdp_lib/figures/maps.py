"""A map of lines by tissue: as interactive HTML without network or script, and as a plain figure.

In the HTML each panel is an inline SVG; a point names its line when the pointer rests on it
(`<title>`).  Below stand the tissues as radio buttons, which the keyboard reaches too: the chosen
tissue stays, the others fade, by style sheet alone.  Ink and background are those of the page,
light or dark.  The figure has the same colours and shapes; it is for records and for print.
"""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader
from matplotlib.figure import Figure

from cdp_lib.errors import InputError
from cdp_lib.figures.style import HUES, INK, canvas, finish, look

SIDE = 300  # of a panel, in SVG units
SHAPES = ("circle", "square", "triangle")  # four colours in each shape: twelve tissues
MARKERS = ("o", "s", "^")  # the same shapes in matplotlib's words


def tissue_map(
    panels: Mapping[str, pd.DataFrame],
    tissues: pd.Series,
    names: pd.Series,
    caption: str,
    hollow: bool = False,
) -> str:
    """HTML of one map or several side by side; choosing a tissue acts on all of them.

    `panels` maps a title to a table of two columns, lines x (x, y); `tissues` and `names` know the
    same lines.  `hollow` draws outlines: simulated data.
    """
    _check(panels, tissues, names)
    tissues, names = tissues.astype(str), names.astype(str)
    counts = tissues.loc[next(iter(panels.values())).index].value_counts()
    name = "map-" + re.sub(r"[^a-z0-9]+", "-", " ".join(panels).lower()).strip("-")
    environment = Environment(
        loader=PackageLoader("cdp_lib.figures"), autoescape=True, trim_blocks=True
    )
    return environment.get_template("map.html").render(
        name=name,
        caption=caption,
        ink=INK,
        side=SIDE,
        width=(SIDE + 20) * len(panels) - 18,
        total=f"{counts.sum():,}",
        tissues=[
            {"code": f"t{number}", "words": _words(tissue), "count": f"{counts[tissue]:,}"}
            | _look(number)
            for number, tissue in enumerate(counts.index)
        ],
        panels=[
            {
                "title": title,
                "left": (SIDE + 20) * number,
                "points": _points(points, tissues, names, counts.index, (SIDE + 20) * number),
            }
            for number, (title, points) in enumerate(panels.items())
        ],
        hollow=hollow,
    )


def picture(panels: Mapping[str, pd.DataFrame], tissues: pd.Series, hollow: bool = False) -> Figure:
    """The same map as a figure: all tissues at once, the twelve largest in the legend."""
    _check(panels, tissues, tissues)
    tissues = tissues.astype(str).loc[next(iter(panels.values())).index]
    counts = tissues.value_counts()
    largest = counts.index[: len(HUES) * len(SHAPES)]
    groups = {f"{_words(tissue)}, {counts[tissue]}": tissues == tissue for tissue in largest}
    if len(counts) > len(largest):
        rest = ~tissues.isin(largest)
        groups[f"{len(counts) - len(largest)} others, {rest.sum()}"] = rest
    with look():
        figure, panes = canvas(4.4, len(panels))
        for axes, (title, points) in zip(panes, panels.items(), strict=True):
            for number, (name, here) in enumerate(groups.items()):
                known = number < len(largest)
                colour = HUES[number % len(HUES)] if known else INK
                shape = MARKERS[number // len(HUES)] if known else "."
                axes.plot(
                    *points.loc[here].to_numpy(float).T, shape, ms=3.5, mec=colour, alpha=0.8,
                    mfc="none" if hollow else colour, mew=0.8, ls="none", label=name,
                )  # fmt: skip
            axes.set(title=title, xticks=[], yticks=[])
            axes.spines[:].set_visible(True)
        figure.legend(
            *panes[0].get_legend_handles_labels(), ncols=4, loc="outside lower left",
            fontsize=7.5, handletextpad=0.1, columnspacing=1.0,
        )  # fmt: skip
    said = "; ".join(groups)
    return finish(figure, f"Maps of {len(tissues)} lines by {', '.join(panels)}: {said}.")


def _check(panels: Mapping[str, pd.DataFrame], tissues: pd.Series, names: pd.Series) -> None:
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


def _points(points, tissues, names, order, left: int) -> list[list[tuple[int, int, str]]]:
    """For each tissue its points: x, y and what each is called."""
    xy = points.to_numpy(float)
    low, high = xy.min(axis=0), xy.max(axis=0)
    unit = (xy - low) / np.where(high > low, high - low, 1)  # (lines, 2) from 0 to 1
    place = np.round(8 + (SIDE - 16) * unit).astype(int)
    x, y = place[:, 0] + left, SIDE + 24 - place[:, 1]
    found = []
    for tissue in order:
        here = np.flatnonzero(tissues.loc[points.index] == tissue)
        title = [f"{names.loc[points.index[i]]}, {_words(tissue)}" for i in here]
        found.append(list(zip(x[here].tolist(), y[here].tolist(), title, strict=True)))
    return found


def _look(number: int) -> dict[str, str]:
    """Twelve tissues have a colour and shape of their own; rarer ones are grey circles."""
    known = number < len(HUES) * len(SHAPES)
    return {
        "colour": HUES[number % len(HUES)] if known else INK,
        "shape": SHAPES[number // len(HUES)] if known else "circle",
    }


def _words(tissue: str) -> str:
    return str(tissue).replace("_", " ")
