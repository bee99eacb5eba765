"""Linear models for many perturbations at once.

Ridge (Hoerl & Kennard 1970): for each perturbation  min_w |y - X w|^2 + alpha |w|^2.
For centred X with  X'X = V diag(d) V',  the solution at every alpha comes from one
eigendecomposition:  w = V diag(1 / (d + alpha)) V' X' y;  where there are more features than
lines the same is done with the smaller X X'.  Perturbations measured in the same lines share it.
"""

from collections.abc import Iterator

import numpy as np
from scipy.linalg import eigh
from threadpoolctl import threadpool_limits

from cdp_lib.errors import InputError
from cdp_lib.models.tables import Table, TableRegressor, column_means, means_and_scales

Spectrum = tuple[np.ndarray, np.ndarray, np.ndarray]


class Ridge(TableRegressor):
    """Ridge regression; each perturbation gets the alpha with the least held-out squared error.

    `inner` is the number of folds inside the training rows, or "loo" for leave-one-line-out.
    Lines unknown for a perturbation (NaN) take no part in its fit.  A perturbation with fewer
    than three known lines is given the strongest alpha, one with none the mean of all labels.
    """

    def __init__(
        self,
        alphas: tuple[float, ...] = (1.0, 1e1, 1e2, 1e3, 1e4, 1e5),
        inner: int | str = 5,
        standardize: bool = True,
    ):
        self.alphas = alphas
        self.inner = inner
        self.standardize = standardize

    def fit(self, X: Table, Y: Table) -> "Ridge":
        alphas = self._check()
        x, y = self._open(X, Y)  # (lines, features), (lines, perturbations)
        mean, scale = means_and_scales(x)
        scale = scale if self.standardize else np.ones_like(scale)
        z, back = _rotate((x - mean) / scale)  # (lines, dims), (features, dims)

        weights = np.zeros((z.shape[1], y.shape[1]))  # (dims, perturbations)
        offset = column_means(y)
        self.alpha_ = np.full(y.shape[1], np.nan)
        patterns = list(_patterns(~np.isnan(y)))
        with threadpool_limits(1 if len(patterns) > 1 else None):  # many small problems
            for rows, columns in patterns:
                labels = y[np.ix_(rows, columns)]
                best, weights[:, columns], offset[columns] = self._solve(z[rows], labels, alphas)
                self.alpha_[columns] = best

        self.coef_ = (back @ weights / scale[:, None]).T  # (perturbations, features)
        self.intercept_ = offset - self.coef_ @ mean
        return self

    def _solve(
        self, z: np.ndarray, y: np.ndarray, alphas: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Chosen alpha, weights (dims, columns) and offset of columns known in the same lines."""
        z_mean, y_mean = z.mean(axis=0), y.mean(axis=0)
        z, y = z - z_mean, y - y_mean
        B, d, C = spectrum = _spectrum(z)
        if len(alphas) == 1 or len(z) < 3:
            best = np.full(y.shape[1], alphas.max())
        else:
            best = alphas[_held_out_errors(z, y, spectrum, alphas, self.inner).argmin(axis=0)]
        weights = B @ (C @ y / (d[:, None] + best))
        return best, weights, y_mean - z_mean @ weights

    def _predict(self, x: np.ndarray) -> np.ndarray:
        return x @ self.coef_.T + self.intercept_  # (lines, perturbations)

    def _check(self) -> np.ndarray:
        alphas = np.asarray(self.alphas, dtype=np.float64)
        if alphas.ndim != 1 or len(alphas) == 0 or not (alphas > 0).all():
            raise InputError(f"alphas is {self.alphas!r}: give one or more positive numbers.")
        if self.inner != "loo" and not (isinstance(self.inner, int) and self.inner >= 2):
            raise InputError(f"inner is {self.inner!r}: give a number of folds >= 2, or 'loo'.")
        return alphas


def _held_out_errors(
    z: np.ndarray, y: np.ndarray, spectrum: Spectrum, alphas: np.ndarray, inner: int | str
) -> np.ndarray:
    """Squared error of each alpha and perturbation in the lines held out: (alphas, columns).

    Nothing is refitted: with the hat matrix H of all lines (z z' shrunk, and 1 / lines for the
    intercept) the error in held-out lines h is exactly  (I - H_hh)^-1 (y - H y)_h.
    """
    B, d, C = spectrum
    zb, cy = z @ B, C @ y
    errors = np.zeros((len(alphas), y.shape[1]))
    for a, alpha in enumerate(alphas):
        shrunk = zb / (d + alpha)  # (lines, dims); H = shrunk C + 1 / lines
        left = y - shrunk @ cy  # (lines, columns)
        if inner == "loo":
            leverage = (shrunk * C.T).sum(axis=1) + 1 / len(z)
            errors[a] = np.square(left / (1 - leverage)[:, None]).sum(axis=0)
            continue
        for number in range(min(inner, len(z))):
            held = slice(number, None, inner)  # lines are dealt to the folds in turn
            hat = shrunk[held] @ C[:, held] + 1 / len(z)
            errors[a] += np.square(np.linalg.solve(np.eye(len(hat)) - hat, left[held])).sum(axis=0)
    return errors


def _rotate(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Z and R with X = Z R' and R'R = 1: ridge on Z is ridge on X, with at most `lines` dims."""
    lines, features = x.shape
    if features <= lines:
        return x, np.eye(features)
    d, U = eigh(x @ x.T)
    keep = d > d[-1] * lines * np.finfo(float).eps
    size = np.sqrt(d[keep])
    return U[:, keep] * size, x.T @ (U[:, keep] / size)


def _spectrum(z: np.ndarray) -> Spectrum:
    """B, d, C such that  w(alpha) = B diag(1 / (d + alpha)) C y  for centred z and y."""
    lines, dims = z.shape
    if dims <= lines:
        d, V = eigh(z.T @ z)
        return V, d.clip(min=0), V.T @ z.T
    d, U = eigh(z @ z.T)
    return z.T @ U, d.clip(min=0), U.T


def _patterns(known: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Groups of columns that are known in the same rows, as (rows, columns)."""
    groups: dict[bytes, list[int]] = {}
    for column, bits in enumerate(np.packbits(known, axis=0).T):
        groups.setdefault(bits.tobytes(), []).append(column)
    for columns in groups.values():
        rows = np.flatnonzero(known[:, columns[0]])
        if len(rows):
            yield rows, np.array(columns)
