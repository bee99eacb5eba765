"""The range of a score: from the best naive baseline to what a repeat of the measurement allows.

With measured = truth + noise and r[d] the correlation of two measurements of perturbation d,

    ceiling of Pearson r per perturbation   mean sqrt(r[d])
    ceiling of R2 per perturbation          mean r[d]
    ceiling of R2 over all cells            1 - sum over d of S[d] (1 - r[d]) / S

where S[d] is the sum of squares around the mean of d, and S that around the mean of all cells.
"""

import numpy as np
import pandas as pd

from cdp_lib.evaluate.predictions import Predictions

SCORES = {
    "Pearson r per drug": ("pearson", "perturbation"),
    "R² per drug": ("r2", "perturbation"),
    "R² over all cells": ("r2", "global"),
}


def ranges(P: Predictions, repeats: pd.DataFrame, model: str) -> pd.DataFrame:
    """One row a score: floor, the model, ceiling, range, and the share of it that it covers."""
    r = P.ceiling(repeats)["r"]  # (perturbations,)
    (held,) = P.held
    truth = held.table(slice(None), held.truth).astype(float)[r.index]
    squares = truth.var(ddof=0) * truth.notna().sum()
    whole = np.nanvar(truth) * truth.notna().to_numpy().sum()
    known = r.notna()
    tops = (
        np.sqrt(r.clip(lower=0)).mean(),
        r.clip(lower=0).mean(),
        1 - (squares * (1 - r))[known].sum() / whole,
    )
    rows = {}
    for (words, (metric, axis)), top in zip(SCORES.items(), tops, strict=True):
        found = P.summary(metric, axis=axis).set_index("model")
        floor, ours = found.loc[found["kind"] == "baseline", "mean"].max(), found["mean"][model]
        rows[words] = {"floor": floor, model: ours, "ceiling": top, "range": top - floor}
        rows[words]["share of the range"] = (ours - floor) / (top - floor)
    return pd.DataFrame(rows).T.rename_axis("score")
