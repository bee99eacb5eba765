"""Any regressor of scikit-learn as one model for all perturbations.

A row is a known cell: the features of its line beside those of its perturbation,

    y[i, j] = m_j + s_j f([x_i, z_j])

f must be able to join the two.  A linear f cannot: it gives a[i] + b[j], which ranks the lines in
the same way for every perturbation.  Trees and networks can.
"""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from cdp_lib.models.base.described import DescribedPerturbations, described
from cdp_lib.models.base.inputs import INPUT, Input
from cdp_lib.models.base.settings import Number, OneOf, Tuple
from cdp_lib.models.base.tables import TableRegressor, check_model
from cdp_lib.models.per_perturbation import fresh

AT_ONCE = 2_000_000  # numbers of the rows that are predicted together


class PanPerturbation(DescribedPerturbations, TableRegressor):
    """`estimator`, such as HistGradientBoostingRegressor(), fitted once for all perturbations.

    `perturbation_input` is as in TwoBranch.  Where there are more known cells than `cells`, that
    many are drawn by `seed`, because a row repeats all features of its line; `seed` also fills each
    `random_state` that the estimator leaves open.
    """

    _settings = {
        "perturbation_input": [INPUT, Tuple(INPUT, least=1)],
        "scale_targets": OneOf(True, False),
        "cells": Number(least=1, whole=True),
        "seed": Number(whole=True),
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        perturbation_input: Input | tuple[Input, ...],
        scale_targets: bool = True,
        cells: int = 100_000,
        seed: int = 0,
    ):
        self.estimator = estimator
        self.perturbation_input = perturbation_input
        self.scale_targets = scale_targets
        self.cells = cells
        self.seed = seed

    def fit(
        self, X: pd.DataFrame, Y: pd.DataFrame, perturbations: pd.DataFrame | None = None
    ) -> "PanPerturbation":
        """Learn the known cells of Y; `perturbations` has a row for each of its columns."""
        check_model("estimator", self.estimator)
        self.table_ = described(perturbations, Y)
        x, y = self._open(X, Y)  # (lines, features), (lines, perturbations)
        z = self._learn_described(y)
        lines, columns = np.nonzero(~np.isnan(y))
        if len(lines) > self.cells:
            drawn = np.random.default_rng(self.seed).choice(len(lines), self.cells, replace=False)
            lines, columns = lines[np.sort(drawn)], columns[np.sort(drawn)]
        labels = (y[lines, columns] - self.y_mean_[columns]) / self.y_scale_[columns]
        rows = self._joined(x[lines], z[columns])  # (cells, features of both)
        self.estimator_ = fresh(self.estimator, self.seed).fit(rows, labels)
        return self

    def predict(self, X: pd.DataFrame, perturbations: pd.DataFrame | None = None) -> pd.DataFrame:
        """The response to the rows of `perturbations`, or to the columns of the fitted Y."""
        names, z, mean, scale = self._asked(perturbations)
        x = self._read_x(X)
        some = max(1, AT_ONCE // max(1, len(z) * (x.shape[1] + z.shape[1])))  # lines at once
        parts = [np.zeros((0, len(z)))]
        for start in range(0, len(x), some):
            part = x[start : start + some]
            rows = self._joined(np.repeat(part, len(z), axis=0), np.tile(z, (len(part), 1)))
            parts.append(self.estimator_.predict(rows).reshape(len(part), len(z)))
        P = mean + scale * np.vstack(parts)  # (lines, perturbations)
        return pd.DataFrame(P, X.index if isinstance(X, pd.DataFrame) else None, names)

    @staticmethod
    def _joined(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.hstack([x.astype(np.float32), z])
