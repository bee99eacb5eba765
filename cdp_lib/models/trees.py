"""Forests and boosted trees: what a linear model cannot see, as a fair rival needs.

    forest    mean over trees, each grown on a bootstrap of the lines     (Breiman 2001)
    boosting  a sum of small trees, each grown on what the last ones left (Friedman 2001)

The forest and one of the two boosters are scikit-learn's; the other is LightGBM (Ke et al. 2017),
the extra "trees" of this library.  Labels that are unknown (NaN) take no part: perturbations known
in the same lines share one forest whose trees predict them all, and a boosted sum is grown for each
perturbation on its known lines.
"""

from types import ModuleType

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import Number, Workers
from cdp_lib.models.base.tables import Table, TableRegressor, column_means
from cdp_lib.models.linear.paths import patterns


class Trees(TableRegressor):
    """A child's `_trees()` makes one model; `_groups(known)` gives (lines, perturbations) for each.

    A perturbation with fewer than `min_labels` known lines is predicted by their mean, one with
    none by the mean of all labels.
    """

    def fit(self, X: Table, Y: Table) -> "Trees":
        x, y = self._open(X, Y)  # (lines, features), (lines, perturbations)
        x = x.astype(np.float32)  # what trees compare
        self.mean_ = column_means(y)
        groups = [(r, c) for r, c in self._groups(~np.isnan(y)) if len(r) >= self.min_labels]
        fits = (delayed(_fitted)(self._trees(), x, y, *group) for group in groups)
        done = Parallel(n_jobs=self.n_jobs)(fits)
        self.trees_ = [(columns, trees) for (_, columns), trees in zip(groups, done, strict=True)]
        return self

    def _predict(self, x: np.ndarray) -> np.ndarray:
        P = np.tile(self.mean_, (len(x), 1))  # (lines, perturbations)
        x = x.astype(np.float32)
        for columns, trees in self.trees_ if len(x) else ():
            P[:, columns] = trees.predict(x).reshape(len(x), -1)
        return P


class RandomForest(Trees):
    """A random forest that predicts all perturbations known in the same lines.

    `max_features` is the share of the features tried at a split.
    """

    _settings = {
        "n_trees": Number(least=1, whole=True),
        "max_features": Number(most=1),
        "min_leaf": Number(least=1, whole=True),
        "min_labels": Number(least=1, whole=True),
        "seed": Number(whole=True),
        "n_jobs": [Workers(), None],
    }

    def __init__(
        self,
        n_trees: int = 50,
        max_features: float = 0.05,
        min_leaf: int = 3,
        min_labels: int = 10,
        seed: int = 0,
        n_jobs: int | None = 1,
    ):
        self.n_trees = n_trees
        self.max_features = max_features
        self.min_leaf = min_leaf
        self.min_labels = min_labels
        self.seed = seed
        self.n_jobs = n_jobs

    def _trees(self) -> BaseEstimator:
        return RandomForestRegressor(
            self.n_trees,
            max_features=self.max_features,
            min_samples_leaf=self.min_leaf,
            random_state=self.seed,
        )

    def _groups(self, known: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        return list(patterns(known))


class BoostedTrees(Trees):
    """Gradient boosting on histograms of the features, perturbation after perturbation.

    `max_features` is the share of the features tried at a split.
    """

    _settings = {
        "n_trees": Number(least=1, whole=True),
        "lr": Number(),
        "max_leaves": Number(least=2, whole=True),
        "max_features": Number(most=1),
        "min_labels": Number(least=1, whole=True),
        "seed": Number(whole=True),
        "n_jobs": [Workers(), None],
    }

    def __init__(
        self,
        n_trees: int = 30,
        lr: float = 0.1,
        max_leaves: int = 8,
        max_features: float = 0.1,
        min_labels: int = 10,
        seed: int = 0,
        n_jobs: int | None = 1,
    ):
        self.n_trees = n_trees
        self.lr = lr
        self.max_leaves = max_leaves
        self.max_features = max_features
        self.min_labels = min_labels
        self.seed = seed
        self.n_jobs = n_jobs

    def _trees(self) -> BaseEstimator:
        return HistGradientBoostingRegressor(
            max_iter=self.n_trees,
            learning_rate=self.lr,
            max_leaf_nodes=self.max_leaves,
            max_features=self.max_features,
            min_samples_leaf=5,
            max_bins=63,
            early_stopping=False,
            random_state=self.seed,
        )

    def _groups(self, known: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(np.flatnonzero(one), np.array([j])) for j, one in enumerate(known.T)]


class LightGBM(BoostedTrees):
    """Gradient boosting as LightGBM does it, perturbation after perturbation.

    Each tree grows where the loss falls most, up to `max_leaves` leaves of `min_leaf` lines or
    more.  `max_features` is the share of the features tried in a tree.
    """

    _settings = BoostedTrees._settings | {"min_leaf": Number(least=1, whole=True)}

    def __init__(
        self,
        n_trees: int = 100,
        lr: float = 0.1,
        max_leaves: int = 31,
        max_features: float = 1.0,
        min_leaf: int = 20,
        min_labels: int = 10,
        seed: int = 0,
        n_jobs: int | None = 1,
    ):
        super().__init__(n_trees, lr, max_leaves, max_features, min_labels, seed, n_jobs)
        self.min_leaf = min_leaf

    def fit(self, X: Table, Y: Table) -> "LightGBM":
        lightgbm()  # before any work
        return super().fit(X, Y)

    def _trees(self) -> BaseEstimator:
        return lightgbm().LGBMRegressor(
            n_estimators=self.n_trees,
            learning_rate=self.lr,
            num_leaves=self.max_leaves,
            colsample_bytree=self.max_features,
            min_child_samples=self.min_leaf,
            random_state=self.seed,
            deterministic=True,
            force_row_wise=True,
            n_jobs=1,
            verbose=-1,
        )


def lightgbm() -> ModuleType:
    try:
        import lightgbm
    except ImportError:
        raise InputError(
            "LightGBM is not installed here: install it with `pip install lightgbm`, or take "
            "BoostedTrees, which needs nothing more."
        ) from None
    return lightgbm


def _fitted(
    trees: BaseEstimator, x: np.ndarray, y: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> BaseEstimator:
    labels = y[np.ix_(rows, columns)]
    return trees.fit(x[rows], labels[:, 0] if len(columns) == 1 else labels)
