"""Stability selection: which features a lasso keeps choosing when half of the lines are left out.

On each of many random halves of the lines the lasso starts at a penalty where all weights are 0,
and the penalty is lowered until q features have had a weight (Meinshausen & Bühlmann 2010).  Of
the halves, the share in which a feature is among these q is its frequency, and it is stable where
the share reaches the threshold.  Of p features the number V of stable ones without any relation
to the response is then bounded,

    E[V] <= q^2 / ((2 threshold - 1) p)

if unrelated features are all equally likely to be chosen, and related ones more so.  The first
half of that `if` fails where an unrelated feature is a twin of a related one: genes of a pathway
stand in for each other, so the bound speaks of pathways more than of single genes.

With a `teacher` the lasso explains what a clone of it, fitted to the half, predicts there
(distillation).  A teacher that was fitted once to all lines gives no such bound: what it took by
luck it says again in every half, so that luck is stable, too.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lars_path_gram
from threadpoolctl import threadpool_limits

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import Number, Workers, check_number, check_setting
from cdp_lib.models.base.tables import TableRegressor, check_model
from cdp_lib.models.linear.paths import patterns

FEWEST = 8  # known lines; a half of fewer has hardly a correlation


@dataclass(frozen=True)
class Stability:
    """How often each feature was chosen, and what that allows to say."""

    frequency: pd.DataFrame  # (features, perturbations); NaN with fewer than FEWEST known lines
    threshold: float
    entering: int  # q, the most features that are chosen on a half
    errors: float  # the bound of E[V], for each perturbation

    @property
    def stable(self) -> pd.DataFrame:
        """True where a feature is stable: (features, perturbations)."""
        return self.frequency >= self.threshold


def stability_selection(
    X: pd.DataFrame,
    Y: pd.DataFrame,
    errors: float = 1.0,
    threshold: float = 0.75,
    pairs: int = 25,
    seed: int = 0,
    n_jobs: int = 1,
    teacher: BaseEstimator | None = None,
) -> Stability:
    """Choose features of each perturbation on both halves of `pairs` random divisions of the lines.

    `errors` is the bound of E[V] above for each perturbation.  It sets q, the largest number of
    features that keeps the bound.  Features are standardised in each half; lines unknown for a
    perturbation (NaN) take no part.  `teacher` is a model that is fitted anew to each half.
    """
    if teacher is not None:
        check_model("teacher", teacher)
    check_setting("threshold", threshold, Number(least=0.5, most=1))
    check_number("pairs", pairs, 1, whole=True)
    check_setting("n_jobs", n_jobs, [Workers(), None])
    check_setting("errors", errors, Number())
    x, y = TableRegressor()._open(X, Y)  # (lines, features), (lines, perturbations)
    count = int((errors * (2 * threshold - 1) * x.shape[1]) ** 0.5)
    if count == 0:
        raise InputError(
            f"With {x.shape[1]} features, not one can be chosen so that at most {errors:g} "
            f"are wrong at the threshold {threshold:g}: raise one of the two."
        )
    rng = np.random.default_rng(seed)
    frequency = np.full((x.shape[1], y.shape[1]), np.nan)
    groups = [(rows, columns) for rows, columns in patterns(~np.isnan(y)) if len(rows) >= FEWEST]
    jobs = []
    for rows, columns in groups:
        for _ in range(pairs):
            order = rng.permutation(rows)
            jobs += [(order[: len(order) // 2], columns), (order[len(order) // 2 :], columns)]
    tasks = (
        delayed(_first)(x[half], y[np.ix_(half, c)], count, teacher and clone(teacher))
        for half, c in jobs
    )
    with threadpool_limits(1):  # many small problems
        done = Parallel(n_jobs=n_jobs)(tasks)
    for number, (_, columns) in enumerate(groups):
        own = done[number * 2 * pairs : (number + 1) * 2 * pairs]
        frequency[:, columns] = np.mean(own, axis=0)
    names = [
        table.columns if isinstance(table, pd.DataFrame) else None  # numbers
        for table in (X, Y)
    ]
    bound = count**2 / ((2 * threshold - 1) * x.shape[1])
    return Stability(pd.DataFrame(frequency, *names), threshold, count, bound)


def _first(
    x: np.ndarray, y: np.ndarray, count: int, teacher: BaseEstimator | None = None
) -> np.ndarray:
    """Which `count` features the lasso of each column takes first: (features, columns)."""
    if teacher is not None:
        y = np.reshape(teacher.fit(x, y).predict(x), y.shape)
    z, labels = x - x.mean(axis=0), y - y.mean(axis=0)
    size = np.sqrt((z**2).sum(axis=0))
    z /= np.where(size > 1e-12 * np.abs(x).max(axis=0), size, np.inf)  # constant: 0
    gram, moments = z.T @ z, z.T @ labels
    chosen = np.zeros(moments.shape, dtype=bool)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of two equal features one is enough
        for j in np.flatnonzero(np.ptp(y, axis=0) > 0):
            _, _, path = lars_path_gram(
                moments[:, j], gram, n_samples=len(x), max_iter=count, method="lasso"
            )  # (features, steps)
            chosen[:, j] = (path != 0).any(axis=1)
    return chosen
