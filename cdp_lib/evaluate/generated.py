"""What a predictor says of points of a latent space that no drug stands for.

Dong et al. (2020) draw latent points at random, keep those that the response network calls
effective against one line, and decode them.  Three questions come first:

    share[i]    of the points that are called effective against line i, p[i, z] < threshold:
                is it larger for the chosen line than for any other?
    distance    of a point from the nearest drug that was trained on, in units of the distance
                from one such drug to its nearest other: does the network know anything there?
"""

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import Number

COUNT = Number(least=1, whole=True)


def effective(
    model: BaseEstimator, points: pd.Index, X: pd.DataFrame, threshold: float = -1.0
) -> pd.Series:
    """The share of the points that the model calls effective against each line of X.

    The model is fitted with `drug_input=Features(table)`, whose rows hold its drugs and these
    points; what is learned does not depend on the points.
    """
    P = model.predict(X, perturbations=pd.DataFrame(index=points))  # (lines, points)
    return (P < threshold).mean(axis=1)


def against_others(share: pd.Series, line: str, other: pd.Series | None = None) -> dict:
    """How much larger the share of one line is than that of another one, drawn at random.

    gain is the mean difference and low to high hold 95 % of the differences, over n lines: all
    others of `share`, or all of `other`, the shares of a model that knows no line.  A line that is
    chosen well stands above nearly every other one.
    """
    if line not in share.index:
        raise InputError(f"There is no share of the line {line!r}: choose one that was predicted.")
    others = share.drop(line) if other is None else other
    if not len(others) or others.isna().any() or np.isnan(share[line]):
        raise InputError(
            f"{line!r} is to be compared with {len(others)} shares, and none may be missing: give "
            "the share of one other line or more."
        )
    difference = share[line] - others.to_numpy()
    low, high = np.quantile(difference, (0.025, 0.975))
    return {"gain": difference.mean(), "low": low, "high": high, "unit": "lines", "n": len(others)}


def nearest_distances(points: pd.DataFrame, drugs: pd.DataFrame) -> pd.Series:
    """The distance of each point from its nearest drug; 1 is what a drug has from another drug.

    The unit is the median over drugs of the distance to the nearest other drug; two drugs at one
    place count as one.
    """
    if not points.columns.equals(drugs.columns):
        raise InputError(
            f"The points have {points.shape[1]} columns and the drugs {drugs.shape[1]}, or other "
            "names: give latents of one model."
        )
    unique = drugs.drop_duplicates().to_numpy(float)
    if len(unique) < 2:
        raise InputError("Distances need at least two drugs at different places: give more drugs.")
    own = cdist(unique, unique)
    np.fill_diagonal(own, np.inf)
    unit = np.median(own.min(axis=1))
    return pd.Series(cdist(points.to_numpy(float), unique).min(axis=1) / unit, points.index)


def normal_points(like: pd.DataFrame, n: int, scale: float = 1.0, seed: int = 0) -> pd.DataFrame:
    """`n` points of N(0, scale^2) with the columns of `like`, named "point 1" and on."""
    if not COUNT.allows(n):
        raise InputError(f"n is {n!r}: give {COUNT}.")
    rows = np.random.default_rng(seed).normal(0, scale, size=(n, like.shape[1]))
    return pd.DataFrame(rows, [f"point {i + 1}" for i in range(n)], like.columns)
