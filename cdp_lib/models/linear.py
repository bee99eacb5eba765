"""Linear models for many perturbations at once.

Ridge (Hoerl & Kennard 1970): for each perturbation  min_w |y - X w|^2 + alpha |w|^2.
For centred X with  X'X = V diag(d) V',  the solution at every alpha comes from one
eigendecomposition:  w = V diag(1 / (d + alpha)) V' X' y;  where there are more features than
lines the same is done with the smaller X X'.  Perturbations measured in the same lines share it.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from scipy.linalg import eigh
from threadpoolctl import threadpool_limits

from cdp_lib.errors import InputError
from cdp_lib.metrics import METRICS
from cdp_lib.models.tables import Table, TableRegressor, column_means, means_and_scales
from cdp_lib.training import pick_device

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
        patterns = list(_patterns(~np.isnan(y)))
        with threadpool_limits(1 if len(patterns) > 1 else None):  # many small problems
            for rows, columns in patterns:
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
        alphas = _read_alphas(self.alphas)
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
        _read_alphas(self.alphas)
        if self.inner != "loo" and not (isinstance(self.inner, int) and self.inner >= 2):
            raise InputError(f"inner is {self.inner!r}: give a number of folds >= 2, or 'loo'.")


Rows = np.ndarray  # a mask of rows, or their numbers


def ridge_path(
    X: Table,
    Y: Table,
    alphas: tuple[float, ...],
    folds: Iterable[tuple[Rows, Rows]],
    device: str = "auto",
) -> Iterator[np.ndarray]:
    """Held-out predictions of ridge at every alpha, (alphas, test lines, perturbations) a fold.

    `folds` are pairs (training rows, test rows), as scikit-learn's KFold gives them.  The Gram
    matrix X X' (or X'X, where that is smaller) is computed once, in float64: the matrix of a fold
    is a block of it, centred.  All alphas share an eigendecomposition.  Features are not rescaled
    within a fold: standardize X beforehand if you want to.  Labels unknown (NaN) in training rows
    are left out.  alpha = 0 is least squares of the smallest norm.
    """
    alphas = _read_alphas(alphas, least=0.0)
    x, y = TableRegressor()._open(X, Y)  # (lines, features), (lines, perturbations)
    target = pick_device(device)
    known = ~np.isnan(y)
    x = torch.as_tensor(x - x.mean(axis=0), device=target)  # exact in theory, saves digits
    dual = x.shape[1] > len(x)
    gram = x @ x.T if dual else x.T @ x
    for train, test in folds:
        train, test = _mask(train, len(x)), _mask(test, len(x))
        labels = np.where(train[:, None], y, np.nan)
        if np.isnan(labels).all():
            raise InputError("A fold has no known label in its training rows: use fewer folds.")
        P = np.empty((len(alphas), test.sum(), y.shape[1]))  # (alphas, test lines, perturbations)
        P[:] = column_means(labels)
        for rows, columns in _patterns(known & train[:, None]):
            parts = _dual_parts(gram, rows, test) if dual else _primal_parts(x, gram, rows, test)
            P[:, :, columns] = _all_alphas(*parts, y[np.ix_(rows, columns)], alphas)
        yield P


def ridge_scores(
    X: Table,
    Y: Table,
    alphas: tuple[float, ...],
    folds: Iterable[tuple[Rows, Rows]],
    metric: str = "pearson",
    device: str = "auto",
) -> np.ndarray:
    """Held-out score of each alpha in each fold for each perturbation: (alphas, folds, ...)."""
    if metric not in METRICS:
        raise InputError(f"Unknown metric {metric!r}: use one of {', '.join(METRICS)}.")
    folds = [tuple(_mask(rows, len(X)) for rows in fold) for fold in folds]
    y = np.asarray(Y, dtype=float)
    y = y if y.ndim == 2 else y[:, None]
    scores = [
        [METRICS[metric](y[test], prediction) for prediction in P]
        for (_, test), P in zip(folds, ridge_path(X, Y, alphas, folds, device), strict=True)
    ]  # (folds, alphas, perturbations)
    return np.array(scores).swapaxes(0, 1)


def _all_alphas(
    A: torch.Tensor, d: torch.Tensor, C: torch.Tensor, y: np.ndarray, alphas: np.ndarray
) -> np.ndarray:
    """A diag(1 / (d + alpha)) C (y - mean) + mean for all alphas: (alphas, test lines, columns)."""
    mean = y.mean(axis=0)
    cy = C @ torch.as_tensor(y - mean, device=C.device)  # (dims, columns)
    size = d + torch.as_tensor(alphas, device=d.device)[:, None]  # (alphas, dims)
    floor = d.max().clamp(min=0) * len(d) * torch.finfo(d.dtype).eps
    shrink = torch.where(size > floor, 1 / size, 0.0)
    left = (A * shrink[:, None]).reshape(-1, len(d))  # (alphas x test lines, dims)
    return (left @ cy).cpu().numpy().reshape(len(alphas), len(A), -1) + mean


def _dual_parts(
    gram: torch.Tensor, rows: np.ndarray, test: np.ndarray
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A, d, C from blocks of X X': the features are centred on the training rows."""
    rows = torch.as_tensor(rows, device=gram.device)
    test = torch.as_tensor(np.flatnonzero(test), device=gram.device)
    K, K_test = gram[rows][:, rows], gram[test][:, rows]  # (train, train), (test, train)
    by_row = K.mean(dim=0)
    K_test = K_test - K_test.mean(dim=1, keepdim=True) - by_row + by_row.mean()
    d, U = torch.linalg.eigh(K - by_row - by_row[:, None] + by_row.mean())
    return K_test @ U, d.clamp(min=0), U.T


def _primal_parts(
    x: torch.Tensor, gram: torch.Tensor, rows: np.ndarray, test: np.ndarray
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A, d, C from X'X less the rows that are not trained on."""
    left_out = np.ones(len(x), dtype=bool)
    left_out[rows] = False
    z, other = x[torch.as_tensor(rows)], x[torch.as_tensor(np.flatnonzero(left_out))]
    mean = z.mean(dim=0)
    z = z - mean
    small = len(other) < len(z)
    G = gram - other.T @ other - len(z) * torch.outer(mean, mean) if small else z.T @ z
    d, V = torch.linalg.eigh(G)
    A = (x[torch.as_tensor(np.flatnonzero(test))] - mean) @ V
    return A, d.clamp(min=0), (z @ V).T


def _mask(rows: Rows, lines: int) -> np.ndarray:
    rows = np.asarray(rows)
    if rows.dtype == bool and len(rows) == lines:
        return rows
    if rows.dtype.kind not in "iu" or (len(rows) and not 0 <= rows.min() <= rows.max() < lines):
        raise InputError(f"A fold must hold a mask of the {lines} rows, or row numbers below it.")
    mask = np.zeros(lines, dtype=bool)
    mask[rows] = True
    return mask


def _read_alphas(alphas: tuple[float, ...], least: float | None = None) -> np.ndarray:
    values = np.asarray(alphas, dtype=np.float64)
    if values.ndim != 1 or len(values) == 0 or not ((values > 0) | (values == least)).all():
        raise InputError(f"alphas is {alphas!r}: give one or more positive numbers.")
    return values


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
