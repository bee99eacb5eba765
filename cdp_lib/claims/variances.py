"""What the rows of a printed table say about each other: MSE / (1 - R2) of every row.

Rows that were scored on the same cells imply one variance, whatever the model; `beyond` says which
rows lie past the widest gap that rounding leaves.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from cdp_lib import audit
from cdp_lib.claims.ledger import claims


def implied_variances(paper: str, locations: Collection[str]) -> pd.DataFrame:
    """A row for each pair of MSE and R2 that a paper prints together, in tables of these names.

    Columns: place, row, mse, r2, value, low and high (the variances that the digits allow), and
    beyond.  A row that is printed in several tables counts once.
    """
    rows = {}
    for claim in claims(paper):
        if claim.location in locations and claim.metric in ("mse", "r2"):
            rows.setdefault((claim.location, claim.description), {})[claim.metric] = claim
    found = []
    for (place, what), row in rows.items():
        mse, r2 = row["mse"], row["r2"]
        implied = audit.implied_variance(mse.value, r2.value, mse.rounding, r2.rounding)
        about = {"place": place, "row": what, "mse": mse.value, "r2": r2.value}
        found.append(about | implied._asdict())
    table = pd.DataFrame(found).drop_duplicates(["place", "mse", "r2"]).reset_index(drop=True)
    return table.assign(beyond=beyond(table))


def beyond(rows: pd.DataFrame) -> pd.Series:
    """Sort the intervals (low, high) and cut at the widest gap: which rows lie beyond it?"""
    order = rows.sort_values("low")
    gap = order["low"] - order["high"].cummax().shift()
    first = order["low"][gap.idxmax()] if gap.max() > 0 else np.inf
    return rows["low"] >= first
