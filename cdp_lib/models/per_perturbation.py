"""One scikit-learn estimator for each perturbation, fitted on the lines where it was measured.

This is how any single-output regressor (random forest, elastic net, nearest neighbours, ...)
joins a comparison without touching missing labels.
"""

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import Number, Workers
from cdp_lib.models.base.tables import Table, TableRegressor, check_model, column_means
from cdp_lib.models.linear.paths import patterns


class PerPerturbation(TableRegressor):
    """Clone `estimator` for each column of Y and fit it on the column's known rows.

    A column with fewer than `min_labels` known rows is predicted by its mean (by the mean of all
    labels where it has none) and is listed in `fallback_`.  `seed` fills each `random_state` that
    the estimator leaves open.
    """

    _settings = {
        "min_labels": Number(least=1, whole=True),
        "seed": Number(whole=True),
        "n_jobs": [Workers(), None],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        min_labels: int = 10,
        seed: int = 0,
        n_jobs: int | None = None,
    ):
        self.estimator = estimator
        self.min_labels = min_labels
        self.seed = seed
        self.n_jobs = n_jobs

    def fit(self, X: Table, Y: Table) -> "PerPerturbation":
        check_model("estimator", self.estimator)
        x, y = self._open(X, Y)  # (lines, features), (lines, perturbations)
        known = ~np.isnan(y)
        enough = known.sum(axis=0) >= self.min_labels
        names = np.arange(y.shape[1]) if self.perturbations_ is None else self.perturbations_
        self.mean_ = column_means(y)
        self.fallback_ = list(names[~enough])
        fitted = []  # the columns, in the order in which they are fitted

        def fits():  # lines known for several perturbations are held once for all of them
            for rows, columns in patterns(known[:, enough]):
                part = x if len(rows) == len(x) else x[rows]
                for column in np.flatnonzero(enough)[columns]:
                    fitted.append(column)
                    yield delayed(_fit)(
                        fresh(self.estimator, self.seed), part, y[rows, column], names[column]
                    )

        done = Parallel(n_jobs=self.n_jobs)(fits())
        self.estimators_ = dict(sorted(zip(fitted, done, strict=True)))
        return self

    def _predict(self, x: np.ndarray) -> np.ndarray:
        P = np.tile(self.mean_, (len(x), 1))  # (lines, perturbations)
        for column, estimator in self.estimators_.items() if len(x) else ():
            P[:, column] = np.ravel(estimator.predict(x))
        return P


def fresh(estimator: BaseEstimator, seed: int) -> BaseEstimator:
    """A clone in which `seed` fills each `random_state` that is left open."""
    estimator = clone(estimator)
    open_seeds = [
        name
        for name, value in estimator.get_params().items()
        if name.split("__")[-1] == "random_state" and value is None
    ]
    return estimator.set_params(**dict.fromkeys(open_seeds, seed))


def _fit(estimator: BaseEstimator, x: np.ndarray, y: np.ndarray, name: str) -> BaseEstimator:
    try:
        return estimator.fit(x, y)
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise InputError(
            f"{type(estimator).__name__} could not be fitted to perturbation {name!r}: {reason}."
        ) from error
