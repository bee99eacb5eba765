"""Scores over the rows of a file, where a cell of the response is the mean of several rows.

A screen holds a repeated pair once, with its mean, so that no copy crosses a split.  Others who
scored every row of the same file counted each repeat with its own noise: to stand beside them,

    mse over rows = sum over rows (y_row - p_cell)^2 / number of rows
"""

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError
from cdp_lib.evaluate.comparison import compared
from cdp_lib.evaluate.predictions import Predictions
from cdp_lib.metrics import METRICS

ROW = ["line", "perturbation"]


def on_rows(
    P: Predictions,
    rows: pd.DataFrame,
    metric: str | tuple[str, ...] = ("mse", "pearson"),
    reference: str | None = None,
) -> pd.DataFrame:
    """`P.summary(metric, axis="global")` over `rows` (line, perturbation, value) of the test cells.

    Every test cell must have a row.
    """
    wanted = (metric,) if isinstance(metric, str) else tuple(metric)
    cells = P.cells().astype(dict.fromkeys(ROW, str))
    frame = cells.merge(rows[[*ROW, "value"]].astype(dict.fromkeys(ROW, str)), on=ROW)
    keys = ["cohort", "split", "model", "omics", "kind", "repeat", "fold"]
    if len(frame.drop_duplicates([*keys, *ROW])) != len(cells):
        raise InputError("Some test cells have no row in this table: give the rows of the screen.")
    size = {(h.cohort, h.split, r["repeat"], r["fold"]): r for h in P.held for r, _ in h.parts()}
    found = []
    for key, part in frame.groupby(keys, sort=False):
        about = dict(zip(keys, key, strict=True))
        fold = size[about["cohort"], about["split"], about["repeat"], about["fold"]]
        y, p = part["value"].to_numpy(float), part["prediction"].to_numpy(float)
        if np.isnan(p).all():
            continue  # this fit failed
        about |= {"axis": "global", "unit": "all", "n": len(y), "constant": np.ptp(p) == 0}
        about |= {"n_train": fold["n_train"], "n_test": fold["n_test"]}
        found += [about | {"metric": m, "score": METRICS[m](y, p, "global")} for m in wanted]
    return compared(pd.DataFrame(found), reference)
