"""Drugs x drugs side by side: what pairs do, what is predicted of them, and the difference.

Drugs are ordered by the tree of average linkage over their rows of the first table (missing cells
count as the mean of the row), so that drugs which pair alike stand together in every panel.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import leaves_list, linkage

from cdp_lib.errors import InputError
from cdp_lib.figures.style import HUES, canvas, finish, look, narrow, simulated, two_widths
from cdp_lib.models.base.drugs import ENDS

WRITTEN = 14  # drugs whose names fit beside a panel


def square(values: pd.Series, pairs: pd.DataFrame) -> pd.DataFrame:
    """One number a pair as a symmetric table, drugs x drugs; NaN where a pair is not known."""
    ends = pairs.loc[values.index, ENDS]
    drugs = sorted(set(ends.to_numpy().ravel()))
    table = pd.DataFrame(np.nan, drugs, drugs)
    for (a, b), value in zip(ends.to_numpy(), values):
        table.loc[a, b] = table.loc[b, a] = value
    return table


def alike(table: pd.DataFrame) -> list[str]:
    """The drugs in the order of the tree: neighbours pair alike."""
    filled = table.apply(lambda row: row.fillna(row.mean()), axis=1).fillna(0.0)
    return [table.index[n] for n in leaves_list(linkage(filled.to_numpy(), "average"))]


@two_widths
def pair_maps(
    columns: Mapping[str, pd.Series],
    pairs: pd.DataFrame,
    label: str,
    centre: float = 0.0,
    difference: str | None = None,
    edition: str = "pocket",
) -> Figure:
    """A panel for each Series over pairs, with one scale and in one order of drugs.

    `pairs` has drug_a and drug_b of each pair.  With `difference` as its title a last panel shows
    the second minus the first.
    """
    if not columns or (difference and len(columns) < 2):
        raise InputError(f"pair_maps got {len(columns)} columns: give 1, or 2 for a difference.")
    tables = {title: square(values, pairs) for title, values in columns.items()}
    first = next(iter(tables.values()))
    if len(first) < 3:
        raise InputError(f"pair_maps needs 3 drugs or more, and got {len(first)}.")
    order = alike(first)
    tables = {title: table.reindex(index=order, columns=order) for title, table in tables.items()}
    if difference:
        one, two = list(tables.values())[:2]
        tables[difference] = two - one
    shown = np.concatenate([table.to_numpy().ravel() for table in tables.values()])
    reach = float(np.nanquantile(np.abs(shown - centre), 0.99)) or 1.0
    colours = LinearSegmentedColormap.from_list("diverging", [HUES[0], "#f4f4f4", HUES[1]])
    with look():
        figure, panes = canvas(2.9 if narrow() else 2.7, len(tables))
        for axes, (title, table) in zip(panes, tables.items()):
            middle = 0.0 if title == difference else centre
            image = axes.imshow(
                table.to_numpy(), cmap=colours, vmin=middle - reach, vmax=middle + reach,
                interpolation="none",
            )  # fmt: skip
            written = len(table) <= WRITTEN and (narrow() or axes is panes[0])
            axes.set_xticks([])
            axes.set_yticks(range(len(table)) if written else [], table.index if written else [])
            axes.tick_params(length=0)
            axes.set_title(title)
            axes.spines[:].set(visible=True, alpha=0.4)
        where = {"location": "bottom", "shrink": 0.9 if narrow() else 0.5}
        bar = figure.colorbar(image, ax=panes, label=label, pad=0.02, **where)
        bar.outline.set_visible(False)
    said = [
        f"{title}: mean {np.nanmean(table):.1f}, from {np.nanmin(table):.1f} to "
        f"{np.nanmax(table):.1f}"
        for title, table in tables.items()
    ]
    return finish(
        figure,
        f"{simulated(edition)}Heat maps of {label}, {len(order)} x {len(order)} drugs ordered by "
        f"likeness. {'; '.join(said)}.",
    )
