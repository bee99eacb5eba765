"""Canonical correlation analysis: what two tables of the same rows have in common.

    max corr(X a, Y b)   over a and b, and again in what is left       (Hotelling 1936)

Let X = U_x S_x V_x' and Y = U_y S_y V_y' with columns centred and scaled.  With canonical ridges
(Vinod 1976) r_x, r_y added to the variance of each column, the singular vectors of

    F_x U_x' U_y F_y = L diag(rho) R',        F = S / sqrt(S^2 + rows * r)

give  A = V_x diag(1 / sqrt(S_x^2 + rows * r_x)) L,  and B in the same way.  Without ridge and with
as many features as rows, U_x spans every vector of the rows: all rho are 1, whatever the tables.
That is why a correlation must be shown on rows that did not take part.

For two tables of independent noise with p columns and n rows, both large (Wachter 1980),

    rho_1 -> 2 sqrt(s (1 - s))  for s = p / n < 1/2,    and 1 from there on.
"""

import numpy as np
import pandas as pd
from scipy.linalg import svd
from sklearn.base import BaseEstimator, TransformerMixin, clone

from cdp_lib.errors import InputError
from cdp_lib.metrics import pearson
from cdp_lib.models.base.tables import (
    NotFitted,
    Table,
    TableEstimator,
    TableRegressor,
    check_model,
    check_same_lines,
    column_means,
    means_and_scales,
)
from cdp_lib.models.base.training import check_number
from cdp_lib.models.base.validation import uses_validation


class CCA(TransformerMixin, BaseEstimator):
    """Regularised canonical correlation analysis by three singular value decompositions.

    `ridge=(r_x, r_y)` is in units of a column's variance.  `correlations_` holds the in-sample
    correlation of each component; `score_components(X, Y)` gives those of other rows.
    `n_components` is cut to the rank of the smaller table.  The feature of X that weighs most in a
    component has a positive weight.

    Where all correlations are 1, `arbitrary_` is True: no direction comes before another, and the
    correlation of "the first" in other rows is a number of the algorithm, not of the tables.
    """

    def __init__(self, n_components: int = 10, ridge: tuple[float, float] = (0.0, 0.0)):
        self.n_components = n_components
        self.ridge = ridge

    def fit(self, X: Table, Y: Table) -> "CCA":
        self._check()
        self.x_, self.y_ = View(), View()
        u, back_x = self.x_.whiten(X, "X", self.ridge[0])  # (rows, rank), (features, rank)
        v, back_y = self.y_.whiten(Y, "Y", self.ridge[1])
        _check_same_rows(X, Y)
        left, _, right = svd(u.T @ v, full_matrices=False)
        keep = min(self.n_components, left.shape[1])
        weights = back_x @ left[:, :keep]  # (features, components)
        heaviest = np.abs(weights).argmax(axis=0)
        sign = np.sign(weights[heaviest, range(keep)])  # an order of the rows has no say in it
        self.x_.weights_ = weights * sign
        self.y_.weights_ = back_y @ right[:keep].T * sign
        self.correlations_ = pearson(u @ left[:, :keep], v @ right[:keep].T)
        self.arbitrary_ = bool(self.correlations_.min() > 1 - 1e-9)
        return self

    def transform(self, X: Table, Y: Table | None = None) -> Table | tuple[Table, Table]:
        """The components of X (rows, components); with Y, those of both."""
        if not hasattr(self, "x_"):
            raise NotFitted("This CCA is not fitted yet: call fit(X, Y) first.")
        if Y is None:
            return self.x_.project(X, "X")
        projected = self.x_.project(X, "X"), self.y_.project(Y, "Y")
        _check_same_rows(X, Y)
        return projected

    def score_components(self, X: Table, Y: Table) -> np.ndarray:
        """The correlation of each pair of components over the rows of X and Y: (components,)."""
        in_x, in_y = self.transform(X, Y)
        return pearson(np.asarray(in_x), np.asarray(in_y))

    def _check(self) -> None:
        check_number("n_components", self.n_components, least=1, whole=True)
        if np.shape(self.ridge) != (2,):
            raise InputError(f"ridge is {self.ridge!r}: give two numbers >= 0, for X and for Y.")
        for value in self.ridge:
            check_number("A ridge", value)


class View(TableEstimator):
    """One of the two tables: its means, scales and, after CCA, its weights."""

    def whiten(self, table: Table, what: str, ridge: float) -> tuple[np.ndarray, np.ndarray]:
        """U F and V / sqrt(S^2 + rows * ridge) of the centred and scaled table."""
        x = self._open_x(table, what)
        self.mean_, self.scale_ = means_and_scales(x)
        U, s, Vt = svd((x - self.mean_) / self.scale_, full_matrices=False)
        keep = s > s[0] * max(x.shape) * np.finfo(float).eps
        if not keep.any():
            raise InputError(f"{what} is the same in all {len(x)} rows: there is nothing to find.")
        U, s, Vt = U[:, keep], s[keep], Vt[keep]
        size = np.sqrt(s**2 + len(x) * ridge)
        return U * (s / size), Vt.T / size

    def project(self, table: Table, what: str) -> Table:
        scores = (self._read_x(table, what) - self.mean_) / self.scale_ @ self.weights_
        if not isinstance(table, pd.DataFrame):
            return scores
        names = [f"component {number}" for number in range(1, scores.shape[1] + 1)]
        return pd.DataFrame(scores, table.index, names)


class CCAReduced(TableRegressor):
    """Any regressor on the first canonical components of X, found in the training rows.

    To find the directions, and only for that, an unknown label is replaced by its column's mean.
    """

    def __init__(
        self,
        regressor: BaseEstimator,
        n_components: int = 10,
        ridge: tuple[float, float] = (0.0, 0.0),
    ):
        self.regressor = regressor
        self.n_components = n_components
        self.ridge = ridge

    def fit(
        self, X: Table, Y: Table, validation: tuple[Table, Table] | None = None
    ) -> "CCAReduced":
        """`validation` is handed on, reduced; a regressor that cannot use it learns from it too."""
        check_model("regressor", self.regressor)
        x, y = self._open(X, Y)  # (lines, features), (lines, perturbations)
        more = {}
        if validation is not None:
            part = self._read_x(validation[0]), self._read_y(*validation)
            if uses_validation(self.regressor):
                more["validation"] = part
            else:
                x, y = np.concatenate([x, part[0]]), np.concatenate([y, part[1]])
        filled = np.where(np.isnan(y), column_means(y), y)
        self.cca_ = CCA(self.n_components, self.ridge).fit(x, filled)
        if more:
            more["validation"] = self.cca_.transform(part[0]), part[1]
        self.regressor_ = clone(self.regressor).fit(self.cca_.transform(x), y, **more)
        return self

    def _predict(self, x: np.ndarray) -> np.ndarray:
        return self.regressor_.predict(self.cca_.transform(x))


def in_and_out(
    X: Table, Y: Table, held_out: np.ndarray, ridge: tuple[float, float] = (0.0, 0.0)
) -> tuple[float, float]:
    """The first correlation in the rows that found it, and in those held out.

    The second is NaN where all of the first are 1, because no direction is then the first.
    """
    cca = CCA(1, ridge).fit(X[~held_out], Y[~held_out])
    out = np.nan if cca.arbitrary_ else cca.score_components(X[held_out], Y[held_out])[0]
    return float(cca.correlations_[0]), float(out)


def noise_theory(share: np.ndarray) -> np.ndarray:
    """The first in-sample correlation of two tables of noise, share = columns / rows.

    It holds for many columns and for rows that are independent of each other.
    """
    share = np.asarray(share, float)
    return np.where(share < 0.5, 2 * np.sqrt(share * (1 - np.minimum(share, 0.5))), 1.0)


def noise_correlation(share: float, columns: int, rng: np.random.Generator) -> float:
    """The same, of two tables that are drawn."""
    shape = (round(columns / share), columns)
    return float(CCA(1).fit(rng.normal(size=shape), rng.normal(size=shape)).correlations_[0])


def _check_same_rows(X: Table, Y: Table) -> None:
    if len(X) != len(Y):
        raise InputError(f"X has {len(X)} rows and Y has {len(Y)}: give the same rows.")
    if isinstance(X, pd.DataFrame) and isinstance(Y, pd.DataFrame):
        check_same_lines(X, Y)
