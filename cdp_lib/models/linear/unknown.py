"""Ridge where labels are unknown: an unknown label is a line held out.

Let H be the hat matrix of all lines at one alpha, which fits complete labels y by H y, and
R = I - H.  When lines s are left out, their prediction errors are exactly

    e_s = (R_ss)^-1 (R y)_s,

whatever labels y_s are written there.  A perturbation that is unknown in lines m is therefore the
problem of all lines with m held out; in an inner fold h, with m and h held out.  One
eigendecomposition gives R for every perturbation and every inner fold, and what is left to solve
has the size of what is left out.  Written down as labels, the predictions of m change no weight:
with them every perturbation is complete.

The errors, which do no more than rank the alphas, are computed in single precision where R allows
it, and once more in double precision where two alphas come close.
"""

import numpy as np
import torch
from scipy.linalg.blas import dtrsm, strsm
from scipy.linalg.lapack import dposv, dpotrf, sposv, spotrf
from threadpoolctl import threadpool_limits

from cdp_lib.models.linear.paths import patterns
from cdp_lib.models.linear.spectrum import (
    Array,
    Spectrum,
    here,
    identity,
    like,
    single,
    spectrum,
    validation_errors,
    weights_at,
)

Fit = tuple[Array, Array, np.ndarray]  # weights (dims, columns), offsets, alphas (columns,)
CLOSE = 1e-3  # two errors that differ by a smaller share are computed once more
STEEP = 1e3  # up to this condition number, single precision errs by less than that


def solve_incomplete(
    z: Array,
    y: Array,
    alphas: np.ndarray,
    inner: int | str,
    judge: tuple[Array, Array] | None = None,
) -> Fit:
    """The ridge of each column of y (lines, columns), NaN where unknown, at its best alpha."""
    z_mean = z.mean(axis=0)
    z = z - z_mean
    parts = spectrum(z)
    maps = ResidualMaps(z, parts)
    best = alphas[[0] * y.shape[1]]
    if len(alphas) > 1:
        errors = held_out_errors(maps, y, alphas, inner)
        if judge is not None:
            pair = judge[0] - z_mean, judge[1]
            judged = []
            for alpha in alphas:
                labels = completed(maps, y, np.full(y.shape[1], alpha))
                mean = labels.mean(axis=0)
                judged.append(validation_errors(parts, labels - mean, mean, *pair, alpha))
            errors = np.where(np.isnan(judged), errors, judged)
        best = alphas[errors.argmin(axis=0)]
    labels = completed(maps, y, best)
    mean = labels.mean(axis=0)
    weights = weights_at(parts, labels - mean, best)
    return weights, mean - z_mean @ weights, best


class ResidualMaps:
    """R = U diag(alpha / (d + alpha)) U' + rest,  U and d the eigenvectors and values of Z Z'.

    The rest, 1 - 1/n - U U', is nothing where U spans all that a mean leaves.
    """

    def __init__(self, z: Array, parts: Spectrum):
        _, d, C = parts
        lines = len(z)
        keep = here(d) > here(d).max(initial=0) * lines * np.finfo(float).eps
        self.d = d[keep]  # (rank,)
        self.U = C.T[:, keep] / (self.d**0.5 if z.shape[1] <= lines else 1.0)  # (lines, rank)
        self.full = len(self.d) == lines - 1
        self.rest = 0.0 if self.full else identity(lines, z) - 1 / lines - self.U @ self.U.T

    def __call__(self, alpha: float) -> Array:
        return (self.U * (alpha / (self.d + alpha))) @ self.U.T + self.rest

    def steepness(self, alpha: float) -> float:
        """The condition number of R, the direction of the mean aside."""
        d = here(self.d)
        least = d.min(initial=np.inf) if self.full else 0.0
        return float((d.max(initial=0.0) + alpha) / (least + alpha))


def held_out_errors(
    maps: ResidualMaps, y: Array, alphas: np.ndarray, inner: int | str
) -> np.ndarray:
    """Squared error over inner folds of each column's known lines: (alphas, columns)."""
    known = ~np.isnan(here(y))
    blank = like(y, np.where(known, here(y), 0.0))
    groups = list(patterns(known))
    errors = np.zeros((len(alphas), known.shape[1]))
    rough = np.array([maps.steepness(alpha) < STEEP for alpha in alphas])
    again = np.ones(errors.shape, dtype=bool)
    for precise in (False, True):
        for a in np.flatnonzero(again.any(axis=1)):
            R, labels = maps(alphas[a]), blank
            if rough[a] and not precise:
                R, labels = single(R), single(blank)
            residuals = R @ labels  # (lines, columns)
            with threadpool_limits(1):  # many small problems
                for rows, columns in groups:
                    if again[a, columns].any():
                        m = np.flatnonzero(~known[:, columns[0]])
                        errors[a, columns] = _errors(R, residuals[:, columns], m, rows, inner)
        close = errors <= (1 + CLOSE) * errors.min(axis=0)
        again = close & (close.sum(axis=0) > 1) & rough[:, None]
    return errors


def completed(maps: ResidualMaps, y: Array, alphas: np.ndarray) -> Array:
    """y, with predictions as its unknown labels; each column at its own alpha."""
    known = ~np.isnan(here(y))
    blank = like(y, np.where(known, here(y), 0.0))
    labels = like(y, here(blank).copy())
    for alpha in np.unique(alphas):
        R = maps(alpha)
        residuals = R @ blank
        with threadpool_limits(1):
            for _, columns in patterns(known):
                columns = columns[alphas[columns] == alpha]
                if len(columns):
                    m = np.flatnonzero(~known[:, columns[0]])
                    L = _cholesky(R[m][:, m])
                    t = _times_inverse(L, residuals[m][:, columns].T, transposed=True)
                    labels[np.ix_(m, columns)] = -_times_inverse(L, t).T
    return labels


def _errors(
    R: Array, residuals: Array, m: np.ndarray, k: np.ndarray, inner: int | str
) -> np.ndarray:
    """Of columns unknown in lines m, known in k; `residuals` are R y with 0 in the place of y_m."""
    folds = [k] if inner == "loo" else [k[number::inner] for number in range(min(inner, len(k)))]
    order = np.concatenate(folds)
    across = R[m]
    L = _cholesky(across[:, m])
    t = _times_inverse(L, residuals[m].T, transposed=True)  # (columns, m)
    W = _times_inverse(L, across[:, order].T, transposed=True)  # (k, m): W W' = R_km R_mm^-1 R_mk
    left = residuals[order] - W @ t.T
    if inner == "loo":
        left = left / (R[order, order] - (W**2).sum(axis=1))[:, None]
        return here((left**2).sum(axis=0))
    errors, start = 0.0, 0
    for h in folds:
        own = slice(start, start := start + len(h))
        S = R[h][:, h] - W[own] @ W[own].T  # what is left of R_hh when m is held out, too
        errors = errors + here((_solve(S, left[own]) ** 2).sum(axis=0))
    return errors


def _cholesky(a: Array) -> Array:
    """L with L L' = a."""
    if isinstance(a, torch.Tensor):
        return torch.linalg.cholesky(a)
    return (spotrf if a.dtype == np.float32 else dpotrf)(a.T, lower=True)[0]


def _times_inverse(L: Array, b: Array, transposed: bool = False) -> Array:
    """b L^-1, or b (L')^-1, for lower triangular L."""
    if isinstance(L, torch.Tensor):
        factor = L.mT if transposed else L
        return torch.linalg.solve_triangular(factor, b, upper=transposed, left=False)
    solve = strsm if L.dtype == np.float32 else dtrsm
    return solve(1.0, L, b, side=True, lower=True, trans_a=transposed)


def _solve(a: Array, b: Array) -> Array:
    """a^-1 b for a symmetric and positive definite."""
    if isinstance(a, torch.Tensor):
        return torch.cholesky_solve(b, torch.linalg.cholesky(a))
    return (sposv if a.dtype == np.float32 else dposv)(a.T, b, lower=True)[1]
