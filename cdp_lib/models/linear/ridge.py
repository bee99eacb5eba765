"""Linear models for many perturbations at once.

Ridge (Hoerl & Kennard 1970): for each perturbation  min_w |y - X w|^2 + alpha |w|^2.
For centred X with  X'X = V diag(d) V',  the solution at every alpha comes from one
eigendecomposition:  w = V diag(1 / (d + alpha)) V' X' y;  where there are more features than
lines the same is done with the smaller X X'.  Perturbations measured in the same lines share it,
and so do those that are unknown in some of the lines (unknown.py).
"""

import warnings

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import Number, OneOf
from cdp_lib.models.base.tables import (
    Pair,
    Table,
    TableRegressor,
    check_pair,
    column_means,
    means_and_scales,
)
from cdp_lib.models.base.training import pick_device
from cdp_lib.models.linear.paths import (
    all_alphas,
    patterns,
    primal_parts,
    read_alphas,
    ridge_path,
    ridge_scores,
)
from cdp_lib.models.linear.spectrum import (
    Array,
    Spectrum,
    here,
    identity,
    rotate,
    solve,
    spectrum,
    validation_errors,
    weights_at,
)
from cdp_lib.models.linear.unknown import Fit, solve_incomplete

__all__ = ["AlphaAtEdge", "LinearRegression", "Ridge", "ridge_path", "ridge_scores"]


class AlphaAtEdge(UserWarning):
    """The best alpha is the first or the last of those that were tried."""


class Linear(TableRegressor):
    """What the linear models share: P = ((X - mean) / scale) basis weights + offset.

    A perturbation without any known line is given the mean of all labels.
    """

    def _rotated(self, x: np.ndarray) -> np.ndarray:
        """Learn means, scales and basis; x in at most as many dims as lines: (lines, dims)."""
        self.mean_, self.scale_ = means_and_scales(x)
        if not self.standardize:
            self.scale_ = np.ones_like(self.scale_)
        x = x - self.mean_
        x /= self.scale_
        z, self.basis_ = rotate(x)  # (lines, dims), (features, dims)
        return z

    @property
    def coef_(self) -> np.ndarray:
        """The weight of each feature, in the units of X: (perturbations, features)."""
        return (self.basis_ @ self.weights_ / self.scale_[:, None]).T

    @property
    def intercept_(self) -> np.ndarray:
        return self.offset_ - (self.mean_ / self.scale_) @ self.basis_ @ self.weights_

    def _predict(self, x: np.ndarray) -> np.ndarray:
        return self._coordinates(x) @ self.weights_ + self.offset_  # (lines, perturbations)

    def _coordinates(self, x: np.ndarray) -> np.ndarray:
        return (x - self.mean_) / self.scale_ @ self.basis_  # (lines, dims)


class LinearRegression(Linear):
    """Plain least squares; with more features than lines, the solution of the smallest norm.

    Lines unknown for a perturbation (NaN) take no part in its fit.
    """

    _settings = {"standardize": OneOf(True, False)}

    def __init__(self, standardize: bool = True):
        self.standardize = standardize

    def fit(self, X: Table, Y: Table) -> "LinearRegression":
        x, y = self._open(X, Y)  # (lines, features), (lines, perturbations)
        z = self._rotated(x)  # (lines, dims)
        self.weights_ = np.zeros((z.shape[1], y.shape[1]))  # (dims, perturbations)
        self.offset_ = column_means(y)
        groups = list(patterns(~np.isnan(y)))
        with threadpool_limits(1 if len(groups) > 1 else None):  # many small problems
            for rows, columns in groups:
                part, labels = z[rows], y[np.ix_(rows, columns)]
                z_mean, y_mean = part.mean(axis=0), labels.mean(axis=0)
                weights = np.linalg.lstsq(part - z_mean, labels - y_mean, rcond=None)[0]
                self.weights_[:, columns] = weights
                self.offset_[columns] = y_mean - z_mean @ weights
        return self


class Ridge(Linear):
    """Ridge regression; each perturbation gets the alpha with the least held-out squared error.

    `inner` says what is held out: a number of folds inside the training rows, "loo" for one line
    after the other, or "validation" for the rows of `fit(X, Y, validation=(X, Y))`.  Where such
    rows are given they choose alpha, whatever `inner` is, for the perturbations known in them.
    Lines unknown for a perturbation (NaN) take no part in its fit.  A perturbation with fewer
    than three known lines is given the strongest alpha, one with none the mean of all labels.
    `alpha_` has the choice for each perturbation, and `at_edge_` is True where it is the first or
    last of several: the best alpha may lie beyond, and a warning `AlphaAtEdge` says so.

    All is computed in float64, in which many GPUs are slower than a CPU: `device="cuda"` is for
    those that are not.
    """

    _settings = {
        "inner": [Number(least=2, whole=True), OneOf("loo", "validation")],
        "standardize": OneOf(True, False),
    }

    def __init__(
        self,
        alphas: tuple[float, ...] = (1.0, 1e1, 1e2, 1e3, 1e4, 1e5),
        inner: int | str = 5,
        standardize: bool = True,
        device: str = "cpu",
    ):
        self.alphas = alphas
        self.inner = inner
        self.standardize = standardize
        self.device = device

    @property
    def asks_for_validation(self) -> bool:
        """Whether the tune cells of a fold are for `validation`, and not to learn from."""
        return self.inner == "validation"

    def fit(self, X: Table, Y: Table, validation: Pair | None = None) -> "Ridge":
        x, y = self._open(X, Y)  # (lines, features), (lines, perturbations)
        read_alphas(self.alphas)
        z = self._rotated(x)  # (lines, dims)
        judge = None
        if validation is not None:
            X_val, Y_val = check_pair(validation)
            judge = self._coordinates(self._read_x(X_val)), self._read_y(X_val, Y_val)
        elif self.inner == "validation":
            raise InputError(
                "inner='validation' chooses alpha on other lines: give fit validation=(X, Y)."
            )
        self.alpha_ = np.full(y.shape[1], np.nan)  # (perturbations,)
        self.weights_ = np.zeros((z.shape[1], y.shape[1]))  # (dims, perturbations)
        self.offset_ = column_means(y)

        known = ~np.isnan(y)
        lines = np.flatnonzero(known.any(axis=1))
        complete, incomplete = [], []
        for rows, columns in patterns(known):
            missing = len(lines) - len(rows)
            few = len(rows) >= 3 and 0 < missing < min(len(rows), z.shape[1])
            (incomplete if few else complete).append((rows, columns))
        if incomplete:
            columns = np.concatenate([columns for _, columns in incomplete])
            self._take(solve_incomplete, z, y, lines, columns, judge)
        with threadpool_limits(1 if len(complete) > 1 else None):  # many small problems
            for rows, columns in complete:
                self._take(_solve, z, y, rows, columns, judge)
        self._mark_edges(known.sum(axis=0))
        return self

    def _take(self, solver, z, y, rows, columns, judge) -> None:
        """The weights, offsets and alphas of some columns, known in `rows`, from `solver`."""
        parts = [z[rows], y[np.ix_(rows, columns)]]
        if judge is not None:
            judge = judge[0], judge[1][:, columns]
        target = pick_device(self.device)
        if target.type != "cpu":
            parts = [torch.as_tensor(part, device=target) for part in parts]
            judge = judge and [torch.as_tensor(part, device=target) for part in judge]
        inner, alphas = 5 if self.inner == "validation" else self.inner, read_alphas(self.alphas)
        weights, offset, best = solver(*parts, alphas, inner, judge)
        self.weights_[:, columns], self.offset_[columns] = here(weights), here(offset)
        self.alpha_[columns] = best

    def _mark_edges(self, labels: np.ndarray) -> None:
        """Look where alpha is the first or last of several, of perturbations that had a choice."""
        alphas = read_alphas(self.alphas)
        choice = (labels >= 3) & (alphas.min() < alphas.max())
        ends = {
            f"{name}, {end:g}": int((choice & (self.alpha_ == end)).sum())
            for name, end in (("the smallest", alphas.min()), ("the largest", alphas.max()))
        }
        self.at_edge_ = choice & np.isin(self.alpha_, (alphas.min(), alphas.max()))
        if self.at_edge_.any():
            said = " and ".join(f"{name}, for {count}" for name, count in ends.items() if count)
            warnings.warn(
                f"The best of {len(alphas)} alphas is {said} of {len(choice)} perturbations: "
                "better ones may lie beyond, so try a wider grid.",
                AlphaAtEdge,
                stacklevel=3,
            )


def _solve(
    z: Array,
    y: Array,
    alphas: np.ndarray,
    inner: int | str,
    judge: tuple[Array, Array] | None = None,
) -> Fit:
    """The ridge of each column of y (lines, columns), all known, at its best alpha."""
    z_mean, y_mean = z.mean(axis=0), y.mean(axis=0)
    z, y = z - z_mean, y - y_mean
    parts = spectrum(z)
    if len(alphas) == 1 or len(z) < 3:
        best = np.full(y.shape[1], alphas.max())
    else:
        errors = _held_out_errors(z, y, parts, alphas, inner)
        if judge is not None:
            pair = judge[0] - z_mean, judge[1]
            judged = [validation_errors(parts, y, y_mean, *pair, alpha) for alpha in alphas]
            errors = np.where(np.isnan(judged), errors, judged)
        best = alphas[errors.argmin(axis=0)]
    weights = weights_at(parts, y, best)
    return weights, y_mean - z_mean @ weights, best


def _held_out_errors(
    z: Array, y: Array, parts: Spectrum, alphas: np.ndarray, inner: int | str
) -> np.ndarray:
    """Squared error of each alpha and perturbation in the lines held out: (alphas, columns).

    Nothing is refitted: with the hat matrix H of all lines (z z' shrunk, and 1 / lines for the
    intercept) the error in held-out lines h is exactly  (I - H_hh)^-1 (y - H y)_h.  Where a fold
    holds out more lines than there are dims, to refit from the Gram matrix is less work.
    """
    if inner != "loo" and 0 < inner * z.shape[1] < len(z):
        return _refitted_errors(z, y, alphas, inner)
    B, d, C = parts
    zb, cy = z @ B, C @ y
    errors = np.zeros((len(alphas), y.shape[1]))
    for a, alpha in enumerate(alphas):
        shrunk = zb / (d + alpha)  # (lines, dims); H = shrunk C + 1 / lines
        left = y - shrunk @ cy  # (lines, columns)
        if inner == "loo":
            leverage = (shrunk * C.T).sum(axis=1) + 1 / len(z)
            errors[a] = here(((left / (1 - leverage)[:, None]) ** 2).sum(axis=0))
            continue
        for number in range(min(inner, len(z))):
            held = slice(number, None, inner)  # lines are dealt to the folds in turn
            hat = shrunk[held] @ C[:, held] + 1 / len(z)
            held_out = solve(identity(len(hat), hat) - hat, left[held])
            errors[a] += here((held_out**2).sum(axis=0))
    return errors


def _refitted_errors(z: Array, y: Array, alphas: np.ndarray, inner: int) -> np.ndarray:
    """The same errors, from fits without each inner fold."""
    gram = torch.as_tensor(z.T @ z)
    z, y = torch.as_tensor(z), torch.as_tensor(y)
    alphas = torch.as_tensor(alphas, device=z.device)
    errors = np.zeros((len(alphas), y.shape[1]))
    for number in range(inner):
        held = np.arange(len(z)) % inner == number
        rows = np.flatnonzero(~held)
        parts = primal_parts(z, gram, rows, held, y[rows])
        P = all_alphas(*parts, y[rows].mean(dim=0), alphas)  # (alphas, held out, columns)
        errors += np.square(here(y[held]) - P).sum(axis=1)
    return errors
