"""What a pair's other lines tell of one line: from the same experiment, and from another one.

All lines of a pair are measured together, on the same days with the same solutions.  Whatever went
wrong there is in all of its rows, so a model that learns from some of them predicts it in the
others.  Pairs that were measured in two experiments tell how much of a score this is.  With y[i, p]
and z[i, p] the two measurements of pair p in line i,

    same experiment    mean over the other lines j of y[j, p]   against y[i, p]
    another            mean over the other lines j of z[j, p]   against y[i, p]
    a repeat           z[i, p]                                  against y[i, p]

each in both directions.  Intervals draw the pairs again.
"""

import numpy as np
import pandas as pd

from cdp_lib import metrics
from cdp_lib.audit import bootstrap
from cdp_lib.errors import InputError

SAME = "other lines, same experiment"
ANOTHER = "other lines, another experiment"
REPEAT = "the same line, another experiment"


def same_experiment(
    first: pd.DataFrame, second: pd.DataFrame, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Three predictors of a row, with r and R2 over all rows and the interval of each.

    `first` and `second` are lines x pairs, NaN where not measured; rows in both count.
    """
    if not (first.index.equals(second.index) and first.columns.equals(second.columns)):
        raise InputError("Both measurements need the same lines and pairs, in one order.")
    known = (first.notna() & second.notna()).to_numpy()
    known = known & (known.sum(axis=0) > 1)  # a pair needs another line
    pairs = known.any(axis=0)
    if pairs.sum() < 2:
        raise InputError(f"Only {pairs.sum()} pair was measured twice: two or more are needed.")
    y, z = (np.where(known, table.to_numpy(float), np.nan)[:, pairs] for table in (first, second))
    truth = np.vstack([y, z])  # (2 lines, pairs)
    others = [other_lines(each) for each in (y, z)]
    told = {
        SAME: np.vstack(others),
        ANOTHER: np.vstack(others[::-1]),
        REPEAT: np.vstack([z, y]),
    }
    rows = []
    for name, p in told.items():
        row = {"predictor": name}
        for metric in ("pearson", "r2"):
            score = getattr(metrics, metric)
            found = bootstrap(
                lambda some, score=score, p=p: score(truth[:, some], p[:, some], axis="global"),
                truth.shape[1],
                draws,
                seed=seed,
            )
            row |= {metric: found.value, f"{metric} low": found.low, f"{metric} high": found.high}
        rows.append(row)
    return pd.DataFrame(rows).set_index("predictor").assign(n=truth.shape[1])


def other_lines(y: np.ndarray) -> np.ndarray:
    """The mean of each column over all known cells but the cell itself."""
    known = ~np.isnan(y)
    sums = np.where(known, y, 0.0)
    return np.where(known, (sums.sum(axis=0) - sums) / np.maximum(known.sum(axis=0) - 1, 1), np.nan)
