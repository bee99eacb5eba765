"""Lasso and elastic net of many perturbations at many penalties, from one Gram matrix.

For centred X and y each solution w is where

    F(w) = |y - X w|^2 / 2 + l1 |w|_1 + l2 |w|^2 / 2

is least.  Coordinate descent takes one weight of one perturbation at a time, and slowly where
features are alike.  Here the two parts of F are given two copies of w, which a multiplier u draws
together (alternating directions, Boyd et al. 2011), for all perturbations in one matrix product:

    v = (X'X + rho)^-1 (X'y + rho (z - u))       the squares
    z = soft(v + u, l1 / rho) / (1 + l2 / rho)   the penalties; soft(a, b) = a - clip(a, -b, b)
    u = u + v - z

The eigenvectors of X'X give the inverse for every rho.  Each penalty starts from the solution of
the stronger one before it, and ends where the duality gap says that it may.
"""

from collections.abc import Callable

import numpy as np
import torch

from cdp_lib.models.linear.spectrum import Array, eigh, here, like

RELAX = 1.6  # v is replaced by RELAX v + (1 - RELAX) z, which saves steps
EVERY = 15  # steps between two looks at the gap
STEPS = 20_000  # at most, for one penalty


class Gram:
    """X'X of centred X, and its regularised inverse; of the larger side only products are made."""

    def __init__(self, x: Array):
        lines, dims = x.shape
        self.x, self.wide = x, dims > lines
        if self.wide:
            d, U = eigh(x @ x.T)
            keep = here(d) > here(d).max(initial=0) * lines * np.finfo(float).eps
            self.d, self.V = d[keep], x.T @ (U[:, keep] / d[keep] ** 0.5)  # (dims, rank)
        else:
            self.gram = x.T @ x
            d, self.V = eigh(self.gram)
            self.d = d.clip(min=0)
        self.size = float(here(self.d).sum()) / max(dims, 1)  # the mean of the diagonal

    def __matmul__(self, w: Array) -> Array:
        return self.x.T @ (self.x @ w) if self.wide else self.gram @ w

    def step(self, rho: float) -> Callable[[Array], Array]:
        """s -> RELAX rho (X'X + rho)^-1 s - s."""
        share = self.d / (self.d + rho)  # 1 - rho / (d + rho)
        if self.wide:
            less = RELAX * share[:, None]
            return lambda s: (RELAX - 1) * s - self.V @ (less * (self.V.T @ s))
        whole = (self.V * (RELAX - 1 - RELAX * share)) @ self.V.T
        return lambda s: whole @ s


def lasso_path(
    gram: Gram, q: Array, squares: Array, l1: np.ndarray, l2: np.ndarray, tolerance: float
) -> tuple[list[Array], np.ndarray]:
    """The weights (dims, columns) at each penalty, and their relative gaps (penalties, columns).

    q is X'y (dims, columns), `squares` |y|^2 (columns,); l1 and l2 (penalties, columns) are the
    penalties of each column, the strongest first.  A gap above `tolerance` is one that `STEPS`
    steps have left; weights of labels that do not vary are 0.
    """
    some = np.flatnonzero((here(squares) > 0) & (l1 > 0).all(axis=0))
    weights, gaps = [], np.zeros(l1.shape)
    z, pull, rho = 0 * q, 0 + q, gram.size  # pull is rho u; at w = 0 it is X'y
    for k in range(len(l1)):
        if gram.size > 0 and len(some):
            ends = like(q, l1[k]), like(q, l2[k])
            rho = _solve(gram, q, squares, *ends, z, pull, rho, some, gaps[k], tolerance)
        weights.append(0 + z)
    return weights, gaps


def _solve(
    gram: Gram,
    q: Array,
    squares: Array,
    l1: Array,
    l2: Array,
    z: Array,
    pull: Array,
    rho: float,
    left: np.ndarray,
    gaps: np.ndarray,
    tolerance: float,
) -> float:
    """Bring the columns `left` of z, pull and gaps to one penalty; returns the last rho."""
    parts = [a[..., left] for a in (z, pull, q, squares, l1, l2)]
    move = gram.step(rho)
    for step in range(0, STEPS + 1, EVERY):
        z_, pull_, q_, squares_, l1_, l2_ = parts
        gap = here(relative_gaps(gram, q_, squares_, z_, l1_, l2_))
        done = (gap <= tolerance) | (step + EVERY > STEPS)
        if done.any():
            ended = left[done]
            z[:, ended], pull[:, ended], gaps[ended] = z_[:, done], pull_[:, done], gap[done]
            left, parts = left[~done], [a[..., ~done] for a in parts]
            if len(left) == 0:
                break
            z_, pull_, q_, squares_, l1_, l2_ = parts
        z_, pull_, change = _steps(move, q_, z_, pull_, rho, l1_, l2_)
        if not 0.5 < change < 2:
            rho *= change
            move = gram.step(rho)
        parts[:2] = z_, pull_
    return rho


def _steps(
    step: Callable[[Array], Array],
    q: Array,
    z: Array,
    pull: Array,
    rho: float,
    l1: Array,
    l2: Array,
) -> tuple[Array, Array, float]:
    """EVERY steps; z, rho u, and the factor of rho at which both copies would move alike.

    With t = v + u (v relaxed) and s = z - u a step reads  t = (R M - 1)(s) + R M(q) + (2 - R) z,
    M = rho (X'X + rho)^-1 and q in units of rho, which is the same with fewer sums.
    """
    u, q, bound = pull / rho, q / rho, l1 / rho
    shrink = 1 / (1 + l2 / rho) if l2.any() else None
    start = step(q) + q
    for _ in range(EVERY):
        before, u_before = z, u
        t = step(z - u)
        t += start
        t += (2 - RELAX) * z
        u = t.clip(-bound, bound)
        z = t - u
        if shrink is not None:
            z *= shrink
            u = t - z
    v = (t - u_before - (1 - RELAX) * before) / RELAX
    apart, moved, z_size, u_size = (_norms(a) for a in (v - z, z - before, z, u))
    factor = np.median(np.sqrt(apart / moved * (u_size / z_size)))
    return z, rho * u, float(factor.clip(0.1, 10))


def _norms(a: Array) -> np.ndarray:
    """The length of each column, at least the least number there is."""
    return here((a**2).sum(0) ** 0.5).clip(np.finfo(float).tiny ** 0.25)


def _largest(a: Array) -> Array:
    return a.amax(0) if isinstance(a, torch.Tensor) else a.max(axis=0)


def relative_gaps(gram: Gram, q: Array, squares: Array, w: Array, l1: Array, l2: Array) -> Array:
    """How far F(w) can be from its least value, as a share of F(0) = |y|^2 / 2, a column.

    The residuals r, times the largest c up to 1 for which |c (X'r - l2 w)| <= l1, bound the least
    value from below by  c (r'y) - c^2 (|r|^2 + l2 |w|^2) / 2.
    q is X'y (dims, columns) and `squares` |y|^2 (columns,).
    """
    gw, qw = gram @ w, (q * w).sum(0)
    ry = squares - qw
    rr = ry - qw + (w * gw).sum(0)
    left = q - gw
    if l2.any():
        rr = rr + l2 * (w**2).sum(0)  # with the l2 penalty
        left = left - l2 * w
    c = (l1 / _largest(abs(left)).clip(np.finfo(float).tiny)).clip(max=1)
    return (rr + 2 * l1 * abs(w).sum(0) - c * (2 * ry - c * rr)) / squares
