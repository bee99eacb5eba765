"""Heat maps of drug pairs in a line of the reader's choice, as HTML without network or script.

Three triangles stand beside each other, or on a phone below each other: what was measured, what a
model predicts, and what the effects of the two drugs alone add up to.  A cell is a pair.  Radio
buttons choose the line, which the keyboard reaches; a style sheet shows its pictures.  A cell tells
its pair and the three numbers under the pointer, and a table that unfolds holds the pairs that the
model names first.

The colours of a triangle are a picture of one pixel a cell; the cells that feel the pointer and the
names of drugs are there once for all lines, and only the numbers once for each.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.image import imsave

from cdp_lib.errors import InputError
from cdp_lib.figures.answering import Answering
from cdp_lib.figures.style import HUES, simulated
from cdp_lib.models.base.drugs import ENDS

TOLD = 12  # pairs of a line that its table holds
COLOURS = LinearSegmentedColormap.from_list("diverging", [HUES[0], "#f4f4f4", HUES[1]])
STEPS = 9  # of the key


def pair_explorer(
    panels: Mapping[str, pd.DataFrame],
    pairs: pd.DataFrame,
    *,
    lines: Mapping[str, str],
    drugs: list[str],
    label: str,
    centre: float = 0.0,
    lower_is_better: bool = False,
    edition: str = "pocket",
) -> Answering:
    """A triangle a panel, for each of the `lines` (name in the tables: word on the page).

    `panels` map "measured", "predicted", "additive" or the like to tables, lines x pairs; the first
    is what was measured, the second ranks the pairs.  `pairs` has drug_a and drug_b of each pair;
    a pair that is no column is not known.  `drugs` are drawn in this order: group those that act
    alike.  What lies beyond the 99th percentile has the last colour.
    """
    _check(panels, pairs, lines, drugs)
    names = {frozenset(ends): pair for pair, ends in zip(pairs.index, pairs[ENDS].to_numpy())}
    cells = [
        (row, column, names.get(frozenset((drugs[row], drugs[column]))))
        for row in range(1, len(drugs))
        for column in range(row)
    ]
    values = np.stack(
        [
            np.stack([_of(table, line, [pair for *_, pair in cells]) for table in panels.values()])
            for line in lines
        ]
    )  # (lines, panels, cells)
    if not np.isfinite(values).any(axis=2).all():
        raise InputError("A line has no number at all in one of the panels: choose another line.")
    reach = float(np.nanquantile(np.abs(values - centre), 0.99)) or 1.0
    shade = Normalize(centre - reach, centre + reach, clip=True)
    where = tuple(np.array([cell[:2] for cell in cells]).T)
    options = [
        {
            "words": word,
            "pictures": [_picture(one, where, len(drugs), shade) for one in of_line],
            "table": _told(of_line, cells, drugs, lower_is_better),
            "measured": f"{int(np.isfinite(of_line[0]).sum()):,}",
        }
        for word, of_line in zip(lines.values(), values)
    ]
    rows = [
        (drugs[row], row, [(drugs[c], c, _numbers(values[:, :, n])) for n, (r, c, _) in
         enumerate(cells) if r == row])
        for row in range(1, len(drugs))
    ]  # fmt: skip
    steps = np.linspace(centre - reach, centre + reach, STEPS)
    parts = {
        "options": options,
        "panels": list(panels),
        "rows": rows,
        "n": len(drugs),
        "label": label,
        "key": [(_hex(shade, step), f"{step:.0f}") for step in steps],
        "hollow": edition == "teaching",
    }
    best = options[0]["table"][0]
    return Answering(
        "pair_explorer.html",
        f"{simulated(edition)}Heat maps of {label} for the {len(cells)} pairs of {len(drugs)} "
        f"drugs, {', '.join(panels)}, in one of {len(lines)} lines: {', '.join(lines.values())}. "
        f"In {options[0]['words']} {best[0]} stands first, with {best[2]} predicted.",
        parts,
    )


def _check(panels, pairs, lines, drugs) -> None:
    if len(panels) < 2 or len(lines) < 2 or len(drugs) < 3:
        raise InputError(
            f"The explorer needs 2 panels, 2 lines and 3 drugs or more, and got {len(panels)}, "
            f"{len(lines)} and {len(drugs)}."
        )
    for title, table in panels.items():
        if missing := [line for line in lines if line not in table.index]:
            raise InputError(f"The panel {title!r} has no line {missing[0]!r}: choose another.")
    known = set(pairs[ENDS].to_numpy().ravel())
    if strange := [drug for drug in drugs if drug not in known]:
        raise InputError(f"No pair holds the drug {strange[0]!r}: name drugs of the screen.")


def _of(table: pd.DataFrame, line: str, pairs: list[str | None]) -> np.ndarray:
    return table.loc[line].reindex(pairs).to_numpy(float)


def _picture(values: np.ndarray, where: tuple, n: int, shade: Normalize) -> str:
    """One pixel a cell, empty where nothing is known: a data address."""
    pixels = np.zeros((n, n, 4))
    known = np.isfinite(values)
    row, column = (part[known] for part in where)
    pixels[row, column] = COLOURS(np.round(shade(values[known]) * 16) / 16)
    stream = io.BytesIO()
    imsave(stream, pixels, format="png")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def _numbers(values: np.ndarray) -> list[str]:
    """The numbers of a cell in each line: "12, 30, 4", and a dash where nothing is known."""
    return [", ".join(_word(value) for value in of_line) for of_line in values]


def _word(value: float) -> str:
    return f"{round(value)}" if np.isfinite(value) else "–"


def _told(of_line: np.ndarray, cells: list, drugs: list[str], lower: bool) -> list[tuple]:
    """The pairs that the second panel names first: the pair and its numbers."""
    order = np.argsort(of_line[1] if lower else -of_line[1], kind="stable")[:TOLD]
    order = order[np.isfinite(of_line[1][order])]
    return [
        (f"{drugs[cells[c][1]]} + {drugs[cells[c][0]]}", *(_word(v) for v in of_line[:, c]))
        for c in order
    ]


def _hex(shade: Normalize, value: float) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in COLOURS(shade(value))[:3])
