"""A map of lines by tissue: as interactive HTML without network or script, and as a plain figure.

In the HTML each panel is an inline SVG; a point names its line when the pointer rests on it
(`<title>`).  Below stand the tissues as radio buttons, which the keyboard reaches too: the chosen
tissue stays, the others fade, by style sheet alone.  Ink and background are those of the page,
light or dark.  The figure has the same colours and shapes; it is for records and for print.
"""

import html
import re
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cdp_lib.errors import InputError
from cdp_lib.figures.style import COLOURS, INK, canvas, finish, look

SIDE = 300  # of a panel, in SVG units
PALETTE = [COLOURS[role] for role in ("repaired", "reported", "teaching", "published")]
SHAPES = ("circle", "square", "triangle")  # four colours in each shape: twelve tissues
MARKERS = ("o", "s", "^")  # the same shapes in matplotlib's words
STYLE = """
.{id} {{ position: relative; display: flex; flex-wrap: wrap; gap: .3rem; margin: 1.5rem 0;
  font-size: .85rem; }}
.{id} > svg {{ order: -1; flex: 1 0 100%; width: 100%; height: auto; }}
.{id} > input {{ position: absolute; opacity: 0; }}
.{id} > label {{ padding: .1rem .5rem; border: 1px solid {ink}; border-radius: 1rem;
  cursor: pointer; margin: 0; }}
.{id} > label svg {{ width: .8em; height: .8em; vertical-align: -.05em; }}
.{id} > input:checked + label {{ border-width: 2px; font-weight: 700; }}
.{id} > input:focus-visible + label {{ outline: 2px solid currentColor; outline-offset: 2px; }}
.{id} text {{ fill: currentColor; font-size: 13px; }}
.{id} figcaption {{ flex: 1 0 100%; }}
"""


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
    check(panels, tissues, names)
    tissues, names = tissues.astype(str), names.astype(str)
    counts = tissues.loc[next(iter(panels.values())).index].value_counts()
    ids = {tissue: f"t{number}" for number, tissue in enumerate(counts.index)}
    name = "map-" + re.sub(r"[^a-z0-9]+", "-", " ".join(panels).lower()).strip("-")
    width = (SIDE + 20) * len(panels) - 18
    drawn = "".join(
        panel(title, points, tissues, names, ids, hollow, left=(SIDE + 20) * number)
        for number, (title, points) in enumerate(panels.items())
    )
    label = html.escape(f"Map of lines by tissue: {', '.join(panels)}. {caption}")
    return (
        f'<figure class="{name}" role="group" aria-label="Map of lines, with a choice of tissue">'
        f"<style>{STYLE.format(id=name, ink=INK)}{fading(name, ids)}</style>"
        f"{''.join(choices(name, counts, ids, hollow))}"
        f'<svg role="img" aria-label="{label}" viewBox="-1 0 {width} {SIDE + 30}">{drawn}</svg>'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def picture(panels: Mapping[str, pd.DataFrame], tissues: pd.Series, hollow: bool = False) -> Figure:
    """The same map as a figure: all tissues at once, the twelve largest in the legend."""
    check(panels, tissues, tissues)
    tissues = tissues.astype(str).loc[next(iter(panels.values())).index]
    counts = tissues.value_counts()
    largest = counts.index[: len(PALETTE) * len(SHAPES)]
    groups = {f"{words(tissue)}, {counts[tissue]}": tissues == tissue for tissue in largest}
    if len(counts) > len(largest):
        rest = ~tissues.isin(largest)
        groups[f"{len(counts) - len(largest)} others, {rest.sum()}"] = rest
    with look():
        figure, panes = canvas(4.4, len(panels))
        for axes, (title, points) in zip(panes, panels.items(), strict=True):
            for number, (name, here) in enumerate(groups.items()):
                known = number < len(largest)
                colour = PALETTE[number % len(PALETTE)] if known else INK
                shape = MARKERS[number // len(PALETTE)] if known else "."
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


def panel(title, points, tissues, names, ids, hollow, left: int) -> str:
    """One scatter in a frame, points grouped by tissue."""
    xy = points.to_numpy(float)
    low, high = xy.min(axis=0), xy.max(axis=0)
    unit = (xy - low) / np.where(high > low, high - low, 1)  # (lines, 2) from 0 to 1
    place = np.round(8 + (SIDE - 16) * unit).astype(int)
    x, y = place[:, 0] + left, SIDE + 24 - place[:, 1]
    groups = []
    for tissue, code in ids.items():
        here = np.flatnonzero(tissues.loc[points.index] == tissue)
        marks = "".join(
            mark(code, x[i], y[i], f"{names.loc[points.index[i]]}, {words(tissue)}") for i in here
        )
        groups.append(f'<g class="{code}" {paint(code, hollow)}>{marks}</g>')
    frame = f'<rect x="{left}" y="24" width="{SIDE}" height="{SIDE}" fill="none" stroke="{INK}"/>'
    return f'<text x="{left}" y="16">{html.escape(title)}</text>{frame}{"".join(groups)}'


def mark(code: str, x: int, y: int, title: str = "") -> str:
    turn = int(code[1:]) // len(PALETTE)
    shape = SHAPES[turn] if turn < len(SHAPES) else "circle"
    told = f"<title>{html.escape(title)}</title>" if title else ""
    if shape == "circle":
        return f'<circle cx="{x}" cy="{y}" r="4">{told}</circle>'
    if shape == "square":
        return f'<rect x="{x - 3}" y="{y - 3}" width="7" height="7">{told}</rect>'
    return f'<path d="M{x} {y - 5}l5 9h-10z">{told}</path>'


def paint(code: str, hollow: bool) -> str:
    """Twelve tissues have a colour and shape of their own; rarer ones are grey circles."""
    number = int(code[1:])
    known = number < len(PALETTE) * len(SHAPES)
    colour = PALETTE[number % len(PALETTE)] if known else INK
    if hollow:
        return f'fill="transparent" stroke="{colour}" stroke-width="1.3"'
    return f'fill="{colour}" fill-opacity=".75"'


def fading(name: str, ids: Mapping[str, str]) -> str:
    """Rules that fade every other tissue; "all" fades none."""
    return "".join(
        f"#{name}-{code}:checked ~ svg g:not(.{code}) {{ opacity: .08; }}\n"
        for code in ids.values()
    )


def choices(name: str, counts: pd.Series, ids: Mapping[str, str], hollow: bool) -> Iterator[str]:
    """A radio button a tissue, with its mark and its number of lines; "all" comes first."""
    yield choice(name, "all", f"all {counts.sum():,}", "", checked=" checked")
    for tissue, code in ids.items():
        swatch = (
            f'<svg viewBox="0 0 12 12" aria-hidden="true"><g {paint(code, hollow)}>'
            f"{mark(code, 6, 6)}</g></svg> "
        )
        yield choice(name, code, f"{words(tissue)} {counts[tissue]:,}", swatch)


def choice(name: str, code: str, text: str, swatch: str, checked: str = "") -> str:
    place = f"{name}-{code}"
    return (
        f'<input type="radio" name="{name}" id="{place}"{checked}>'
        f'<label for="{place}">{swatch}{html.escape(text)}</label>'
    )


def words(tissue: str) -> str:
    return str(tissue).replace("_", " ")
