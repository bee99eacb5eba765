"""Linear models for many perturbations at once.

Ridge (Hoerl & Kennard 1970): for each perturbation  min_w |y - X w|^2 + alpha |w|^2.
For centred X with  X'X = V diag(d) V',  the solution at every alpha comes from one
eigendecomposition:  w = V diag(1 / (d + alpha)) V' X' y;  where there are more features than
lines the same is done with the smaller X X'.  Perturbations measured in the same lines share it.
"""

from numbers import Integral

import numpy as np
import torch
from scipy.linalg import eigh
from threadpoolctl import threadpool_limits

from cdp_lib.errors import InputError
from cdp_lib.models.base.tables import Table, TableRegressor, column_means, means_and_scales
from cdp_lib.models.linear.paths import (
    all_alphas,
    patterns,
    primal_parts,
    read_alphas,
    ridge_path,
    ridge_scores,
)

__all__ = ["LinearRegression", "Ridge", "ridge_path", "ridge_scores"]

Spectrum = tuple[np.ndarray, np.ndarray, np.ndarray]


class Linear(TableRegressor):
    """What the linear models share: P = ((X - mean) / scale) basis weights + offset.

    A child's `_solve(z, y, columns)` gives the weights and offset of columns known in the same
    lines.  A perturbation without any known line is given the mean of all labels.
    """

    def fit(self, X: Table, Y: Table) -> "Linear":
        self._check()
        x, y = self._open(X, Y)  # (lines, features), (lines, perturbations)
        self.mean_, self.scale_ = means_and_scales(x)
        if not self.standardize:
            self.scale_ = np.ones_like(self.scale_)
        z, self.basis_ = _rotate((x - self.mean_) / self.scale_)  # (lines, dims), (features, dims)

        self.weights_ = np.zeros((z.shape[1], y.shape[1]))  # (dims, perturbations)
        self.offset_ = column_means(y)
        groups = list(patterns(~np.isnan(y)))
        with threadpool_limits(1 if len(groups) > 1 else None):  # many small problems
            for rows, columns in groups:
                self.weights_[:, columns], self.offset_[columns] = self._solve(
                    z[rows], y[np.ix_(rows, columns)], columns
                )
        return self

    @property
    def coef_(self) -> np.ndarray:
        """The weight of each feature, in the units of X: (perturbations, features)."""
        return (self.basis_ @ self.weights_ / self.scale_[:, None]).T

    @property
    def intercept_(self) -> np.ndarray:
        return self.offset_ - (self.mean_ / self.scale_) @ self.basis_ @ self.weights_

    def _predict(self, x: np.ndarray) -> np.ndarray:
        z = (x - self.mean_) / self.scale_ @ self.basis_  # (lines, dims)
        return z @ self.weights_ + self.offset_  # (lines, perturbations)


class LinearRegression(Linear):
    """Plain least squares; with more features than lines, the solution of the smallest norm.

    Lines unknown for a perturbation (NaN) take no part in its fit.
    """

    def __init__(self, standardize: bool = True):
        self.standardize = standardize

    def _check(self) -> None:
        """There is no setting to check."""

    def _solve(
        self, z: np.ndarray, y: np.ndarray, columns: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        z_mean, y_mean = z.mean(axis=0), y.mean(axis=0)
        weights = np.linalg.lstsq(z - z_mean, y - y_mean)[0]
        return weights, y_mean - z_mean @ weights


class Ridge(Linear):
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
        self.alpha_ = np.full(np.shape(Y)[1] if np.ndim(Y) == 2 else 1, np.nan)
        return super().fit(X, Y)

    def _solve(
        self, z: np.ndarray, y: np.ndarray, columns: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        alphas = read_alphas(self.alphas)
        z_mean, y_mean = z.mean(axis=0), y.mean(axis=0)
        z, y = z - z_mean, y - y_mean
        B, d, C = spectrum = _spectrum(z)
        if len(alphas) == 1 or len(z) < 3:
            best = np.full(y.shape[1], alphas.max())
        else:
            best = alphas[_held_out_errors(z, y, spectrum, alphas, self.inner).argmin(axis=0)]
        self.alpha_[columns] = best
        weights = B @ (C @ y / (d[:, None] + best))
        return weights, y_mean - z_mean @ weights

    def _check(self) -> None:
        read_alphas(self.alphas)
        if self.inner != "loo" and not (isinstance(self.inner, Integral) and self.inner >= 2):
            raise InputError(f"inner is {self.inner!r}: give a number of folds >= 2, or 'loo'.")


def _held_out_errors(
    z: np.ndarray, y: np.ndarray, spectrum: Spectrum, alphas: np.ndarray, inner: int | str
) -> np.ndarray:
    """Squared error of each alpha and perturbation in the lines held out: (alphas, columns).

    Nothing is refitted: with the hat matrix H of all lines (z z' shrunk, and 1 / lines for the
    intercept) the error in held-out lines h is exactly  (I - H_hh)^-1 (y - H y)_h.  Where a fold
    holds out more lines than there are dims, to refit from the Gram matrix is less work.
    """
    if inner != "loo" and 0 < inner * z.shape[1] < len(z):
        return _refitted_errors(z, y, alphas, inner)
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


def _refitted_errors(z: np.ndarray, y: np.ndarray, alphas: np.ndarray, inner: int) -> np.ndarray:
    """The same errors, from fits without each inner fold."""
    gram = torch.as_tensor(z.T @ z)
    z, y, alphas = torch.as_tensor(z), torch.as_tensor(y), torch.as_tensor(alphas)
    errors = np.zeros((len(alphas), y.shape[1]))
    for number in range(inner):
        held = np.arange(len(z)) % inner == number
        rows = np.flatnonzero(~held)
        parts = primal_parts(z, gram, rows, held, y[rows])
        P = all_alphas(*parts, y[rows].mean(dim=0), alphas)  # (alphas, held out, columns)
        errors += np.square(y[held].numpy() - P).sum(axis=1)
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
