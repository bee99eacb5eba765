"""The mean of the nearest lines, from one table of distances for all perturbations.

    y = mean of y_i over the k lines i that are nearest by omics, of those where y_i is known

`PerPerturbation(KNeighborsRegressor(k))` says the same, and keeps the omics of every line once
for each perturbation.
"""

import numpy as np
from scipy.spatial.distance import cdist

from cdp_lib.models.base.settings import Number
from cdp_lib.models.base.tables import Table, TableRegressor, column_means
from cdp_lib.models.linear.paths import patterns


class NearestLines(TableRegressor):
    """Euclidean distance between the rows of X as they are; of equally near lines the first counts.

    A perturbation with fewer than k known lines is predicted by their mean, one with none by the
    mean of all labels.
    """

    _settings = {"k": Number(least=1, whole=True)}

    def __init__(self, k: int = 10):
        self.k = k

    def fit(self, X: Table, Y: Table) -> "NearestLines":
        self.x_, self.y_ = self._open(X, Y)  # (lines, features), (lines, perturbations)
        self.mean_ = column_means(self.y_)
        return self

    def _predict(self, x: np.ndarray) -> np.ndarray:
        order = np.argsort(cdist(x, self.x_, "sqeuclidean"), axis=1, kind="stable")  # (new, lines)
        P = np.tile(self.mean_, (len(x), 1))  # (new, perturbations)
        for rows, columns in patterns(~np.isnan(self.y_)):
            known = np.isin(order, rows)  # as many in each row
            nearest = order[known].reshape(len(x), len(rows))[:, : self.k]
            P[:, columns] = self.y_[:, columns][nearest].mean(axis=1)
        return P
