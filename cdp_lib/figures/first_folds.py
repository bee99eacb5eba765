"""The first fold of several splits beside each other: what each of them hides."""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cdp_lib.figures.charts import ROLE_LOOK, role_panel
from cdp_lib.figures.style import WIDTH, canvas, finish, look, two_widths
from cdp_lib.splits.folds import Split


@two_widths
def first_folds(splits: Iterable[Split], rows: str = "lines", columns: str = "drugs") -> Figure:
    """A panel a split, of one small response: lines x perturbations by their role in fold 0."""
    splits = list(splits)
    with look():
        figure, panes = canvas(2.9, len(splits))
        if figure.get_figwidth() < WIDTH:  # on a phone, panels of their own height
            figure.set_figheight(1.75 * len(splits))
        for axes, split in zip(panes, splits, strict=True):
            role_panel(axes, split.folds[0].roles)
            axes.set_title(split.name.replace("leave ", "leave\n"))
            axes.set_xlabel(columns)
        panes[0].set_ylabel(f"{rows}, by tissue")
        keys = [Rectangle((0, 0), 1, 1, lw=0.5, **look) for look in ROLE_LOOK.values()]
        figure.legend(keys, list(ROLE_LOOK), ncols=4, loc="outside lower left")
    names = "; ".join(split.sentence for split in splits)
    return finish(figure, f"The first fold of {len(splits)} splits. {names}")
