"""A score over all rows at once, and how far its gain would move with other lines or drugs.

The axis "global" has one unit, so nothing of its own can be drawn again.  Its rows are not
independent either: 58 lines and 105 drugs make 300,000 of them.  So lines, perturbations or drugs
are drawn with replacement, and a row counts as often as all that it is made of,

    w[line, pair] = times(line)          or  times(pair)  or  times(drug a) * times(drug b),

    mse = sum w (y - p)^2 / sum w        r2 = 1 - sum w (y - p)^2 / sum w (y - mean_w y)^2

in each fold; the gain is the mean over folds, as in `evaluate.summary`.  An interval over drugs is
rather too wide than too narrow, because the product of two counts also stirs the noise of single
rows (the pigeonhole bootstrap; Owen 2007).
"""

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError
from cdp_lib.evaluate.fitting import check_known
from cdp_lib.evaluate.noise import drawn
from cdp_lib.evaluate.predictions import HeldOut, Predictions

METRICS = ("r2", "mse", "pearson")


def all_rows(
    P: Predictions,
    reference: str,
    over: str | pd.DataFrame = "line",
    metric: str = "r2",
    draws: int = 1000,
    seed: int = 0,
    ceiling: float | None = None,
) -> pd.DataFrame:
    """`P.against(reference, metric, axis="global")` with intervals.

    `over` says what is drawn again: "line", "perturbation", or the drugs of each pair, given as the
    table `screen.perturbations[["drug_a", "drug_b"]]`.
    """
    check_known("metric over all rows", (metric,), METRICS)
    if len(P.held) != 1:
        raise InputError(f"Predictions for {len(P.held)} cohorts or splits: score one.")
    (held,) = P.held
    table = P.against(reference, metric, axis="global", ceiling=ceiling)
    unit, weights, distinct = drawn_units(held, over, draws, seed)
    of = {key: by_draw(held, key, unit, weights, metric) for key in held.values}
    sign = -1 if metric == "mse" else 1
    (against,) = (key for key in of if key[0] == reference)
    for row, each in table.iterrows():
        key = (each["model"], each["omics"])
        if key != against:
            gain = sign * np.nanmean(of[key] - of[against], axis=0)  # over folds: (draws,)
            table.loc[row, ["low", "high"]] = np.nanquantile(gain, (0.025, 0.975))
            table.loc[row, "distinct"] = distinct
    return table.astype({"distinct": int})


def drawn_units(
    held: HeldOut, over: str | pd.DataFrame, draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """The unit of each test cell, (units, draws) how often it counts, and what was drawn from."""
    rng = np.random.default_rng(seed)
    if isinstance(over, pd.DataFrame):
        ends = over.reindex(held.perturbations)
        if ends.isna().any(axis=None):
            raise InputError("The table of drugs lacks perturbations that were tested: give all.")
        tested = np.unique(ends.to_numpy()[np.unique(held.perturbation)])
        times = drawn(rng, len(tested), draws).T
        place = np.searchsorted(tested, ends.to_numpy().astype(tested.dtype))
        place = np.minimum(place, len(tested) - 1)  # pairs that are not tested count for nothing
        return held.perturbation, times[place].prod(axis=1), len(tested)
    check_known("unit that is drawn again", (over,), ("line", "perturbation"))
    unit = held.line if over == "line" else held.perturbation
    named, unit = np.unique(unit, return_inverse=True)
    return unit, drawn(rng, len(named), draws).T, len(named)


def by_draw(
    held: HeldOut, key: tuple[str, str], unit: np.ndarray, weights: np.ndarray, metric: str
) -> np.ndarray:
    """The score of one model in each fold and draw: (folds, draws); NaN where nothing was drawn."""
    scores = []
    for _, part in held.parts():
        y, p = held.truth[part].astype(float), held.values[key][part].astype(float)
        y, p = y - y.mean(), p - y.mean()
        moments = (np.ones_like(y), y, p, y * y, p * p, y * p, (y - p) ** 2)
        sums = [np.bincount(unit[part], each, len(weights)) @ weights for each in moments]
        n, y, p, yy, pp, yp, squares = (each / np.maximum(sums[0], 1) for each in sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            if metric == "mse":
                score = squares
            elif metric == "r2":
                score = 1 - squares / (yy - y**2)
            else:
                score = (yp - y * p) / np.sqrt((yy - y**2) * (pp - p**2))
                score = np.where(pp - p**2 <= 1e-12 * np.maximum(pp, 1e-300), 0.0, score)
        scores.append(np.where(n > 0, score, np.nan))
    return np.array(scores)
