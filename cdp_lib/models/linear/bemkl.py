"""Bayesian efficient multiple kernel learning for many drugs, as the DREAM7 winner used it.

Gönen (2012), in the form for several tasks of Costello et al. (2014).  A kernel K_m an omics says
how alike two lines are.  For drug t and its labelled lines n, with 1 / precision as variances,

    a_tn    ~ N(0, 1 / l_tn)             weight of training line n        l_tn ~ Gamma
    g_tmn   ~ N(K_m[n] a_t, 1 / u_t)     what omics m says of line n      u_t  ~ Gamma
    e_m     ~ N(0, 1 / o_m)              weight of omics m, for all drugs o_m  ~ Gamma
    b_t     ~ N(0, 1 / c_t)              offset                           c_t  ~ Gamma
    y_tn    ~ N(sum_m e_m g_tmn + b_t, 1 / s_t)                           s_t  ~ Gamma

The posterior is approximated by a product q(l) q(a) q(u) q(g) q(o, c) q(b, e) q(s).  Each factor
has a closed form given the others (written beside its line below), so that updating them in turn
never lowers the evidence bound.  A new line is predicted by  sum_m E[e_m] K_m E[a_t] + E[b_t].
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.spatial.distance import cdist
from scipy.special import digamma, gammaln

from cdp_lib.errors import InputError
from cdp_lib.models.base.scaled import label_scales, omics_columns
from cdp_lib.models.base.tables import Table, TableRegressor, means_and_scales
from cdp_lib.models.base.training import check_number


class BEMKL(TableRegressor):
    """Multiple kernel regression of all drugs on all omics; the omics weights are shared.

    `X` has two-level columns (omics, feature); each omics gives the kernel
    exp(-d^2 / median d^2) of its standardised features.  Updates stop when the evidence bound
    grows by less than `tol` (relative), or after `iterations`.  `shape` and `scale` are those of
    every gamma prior.  `weights_` holds E[e_m], `bound_` the evidence bound after each iteration.
    """

    def __init__(
        self, iterations: int = 200, tol: float = 1e-4, shape: float = 1.0, scale: float = 1.0
    ):
        self.iterations = iterations
        self.tol = tol
        self.shape = shape
        self.scale = scale

    def fit(self, X: Table, Y: Table) -> "BEMKL":
        x, y = self._open(X, Y)  # (lines, features), (lines, drugs)
        check_number("iterations", self.iterations, least=1, whole=True)
        for name in ("tol", "shape", "scale"):
            check_number(name, getattr(self, name))
        if 0 in (self.shape, self.scale):
            raise InputError("BEMKL's gamma priors need a positive shape and scale, not 0.")
        columns = omics_columns(self.features_)
        self.x_mean_, self.x_scale_ = means_and_scales(x)
        self.lines_ = self._standard(x)
        distances = [_squared(self.lines_[:, at], self.lines_[:, at]) for at in columns.values()]
        self.widths_ = np.array([_median(d) for d in distances])  # (omics,)
        kernels = np.exp(-np.array(distances) / self.widths_[:, None, None])  # (omics, n, n)
        self.y_mean_, self.y_scale_ = label_scales(y)
        targets = (y - self.y_mean_) / np.where(self.y_scale_ > 0, self.y_scale_, 1.0)
        posterior = learn(kernels, targets, self.iterations, self.tol, self.shape, self.scale)
        self.bound_ = posterior.bound
        self.weights_ = pd.Series(posterior.e, pd.Index(columns, name="omics"), name="weight")
        self.a_, self.b_ = posterior.a, posterior.b  # (lines, drugs), (drugs,)
        return self

    def _predict(self, x: np.ndarray) -> np.ndarray:
        x = self._standard(x)
        columns = omics_columns(self.features_).values()
        p = np.zeros((len(x), len(self.b_)))
        for at, width, weight in zip(columns, self.widths_, self.weights_, strict=True):
            kernel = np.exp(-_squared(x[:, at], self.lines_[:, at]) / width)  # (new, lines)
            p += weight * kernel @ self.a_
        return self.y_mean_ + self.y_scale_ * (p + self.b_)

    def _standard(self, x: np.ndarray) -> np.ndarray:
        return (x - self.x_mean_) / self.x_scale_


@dataclass
class Posterior:
    """Posterior means: line weights a (lines, drugs), offsets b, omics weights e; the bound.

    Of b and e also the variances and the precisions E[c] and E[o]; a drug without a label has
    variance 0 and precision infinity, for its offset is known to be 0.
    """

    a: np.ndarray
    b: np.ndarray
    e: np.ndarray
    b_var: np.ndarray
    e_var: np.ndarray
    c: np.ndarray
    o: np.ndarray
    bound: list[float]


@dataclass
class Gamma:
    """Posteriors of precisions with one prior, Gamma(shape, scale); arrays of any shape."""

    prior: tuple[float, float]
    shape: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, prior: tuple[float, float], count, squares) -> "Gamma":
        """After `count` Gaussian values whose squares sum to `squares`."""
        shape, scale = prior
        return cls(prior, shape + count / 2, 1 / (1 / scale + squares / 2))

    @property
    def mean(self):
        return self.shape * self.scale

    @property
    def log(self):
        """E[log precision]."""
        return digamma(self.shape) + np.log(self.scale)

    def divergence(self) -> float:
        """KL(posterior, prior), summed."""
        shape, scale = self.prior
        kl = (
            (self.shape - shape) * digamma(self.shape)
            - gammaln(self.shape)
            + gammaln(shape)
            + shape * (np.log(scale) - np.log(self.scale))
            + self.shape * (self.scale / scale - 1)
        )
        return float(np.sum(kl))


class Task:
    """One drug: its kernels over its labelled lines, and the factors q(l), q(a), q(u), q(g), q(s).

    K (omics, n, n), y (n,); G = E[g] (omics, n), and all g_n share one covariance.
    """

    def __init__(self, kernels: np.ndarray, y: np.ndarray, prior: tuple[float, float]):
        omics, n = len(kernels), len(y)
        self.K, self.y, self.prior = kernels, y, prior
        self.KK = (kernels @ kernels).sum(axis=0)  # sum_m K_m K_m', for a kernel is symmetric
        self.G = np.tile(y, (omics, 1))  # to begin with, each omics says the label
        self.lines = Gamma.of(prior, np.ones(n), np.ones(n))  # l
        self.views = Gamma.of(prior, 1.0, 1.0)  # u
        self.noise = Gamma.of(prior, 1.0, 1.0)  # s

    def update(self, e: np.ndarray, ee: np.ndarray, b: float, be: np.ndarray) -> None:
        """All factors of this drug once; E[e], E[e e'], E[b], E[b e] come from the others."""
        omics, n = self.G.shape
        # q(a) = N: precision diag E[l] + E[u] sum_m K_m K_m', mean its inverse times E[u] K g
        precision = np.diag(self.lines.mean) + self.views.mean * self.KK
        root, _ = dpotrf(precision, lower=True)  # Cholesky
        lower, _ = dpotri(root, lower=True)  # of the inverse; the upper half is not filled
        self.a_cov = lower + np.tril(lower, -1).T
        self.a_logdet = -2 * np.log(np.diag(root)).sum()
        kg = (self.K @ self.G[:, :, None]).sum(axis=0)[:, 0]
        self.a = self.views.mean * self.a_cov @ kg
        # q(l) = Gamma: one squared weight each
        self.a_squares = self.a**2 + np.diag(self.a_cov)
        self.lines = Gamma.of(self.prior, np.ones(n), self.a_squares)
        # q(g_n) = N: precision E[u] I + E[s] E[e e'], the same for all lines
        self.Ka = self.K @ self.a  # (omics, n)
        self.G_cov = np.linalg.inv(self.views.mean * np.eye(omics) + self.noise.mean * ee)
        told = self.noise.mean * (np.outer(e, self.y) - be[:, None])
        self.G = self.G_cov @ (self.views.mean * self.Ka + told)
        # q(u) = Gamma: omics * n values g - K a
        self.views = Gamma.of(self.prior, omics * n, self.view_squares())

    def view_squares(self) -> float:
        """E sum (g - K a)^2."""
        n = len(self.y)
        return float(
            np.square(self.G - self.Ka).sum()
            + n * np.trace(self.G_cov)
            + (self.KK * self.a_cov).sum()
        )

    def GG(self) -> np.ndarray:
        """E[sum_n g_n g_n'] (omics, omics)."""
        return self.G @ self.G.T + len(self.y) * self.G_cov

    def errors(self, e, ee, b: float, bb: float, be) -> float:
        """E sum (y - e'g - b)^2."""
        n = len(self.y)
        return float(
            self.y @ self.y
            - 2 * self.y @ (e @ self.G)
            - 2 * b * self.y.sum()
            + (ee * self.GG()).sum()
            + 2 * be @ self.G.sum(axis=1)
            + n * bb
        )

    def bound(self, errors: float) -> float:
        """This drug's share of the evidence bound."""
        omics, n = self.G.shape
        gaussians = (  # E[log p] and entropy of a, of g; E[log p(y)]
            0.5 * (self.lines.log.sum() - self.lines.mean @ self.a_squares)
            + 0.5 * (n + self.a_logdet)
            + 0.5 * (omics * n * self.views.log - self.views.mean * self.view_squares())
            + 0.5 * n * (omics + np.linalg.slogdet(self.G_cov)[1])
            + 0.5 * (n * (self.noise.log - np.log(2 * np.pi)) - self.noise.mean * errors)
        )
        precisions = (self.lines, self.views, self.noise)
        return float(gaussians) - sum(gamma.divergence() for gamma in precisions)


def learn(
    kernels: np.ndarray,
    y: np.ndarray,
    iterations: int = 200,
    tol: float = 1e-4,
    shape: float = 1.0,
    scale: float = 1.0,
) -> Posterior:
    """Fit kernels (omics, lines, lines) to labels (lines, drugs) of mean 0; NaN is left out.

    A drug without a label takes no part: its a and b are 0.
    """
    omics, drugs, prior = len(kernels), y.shape[1], (shape, scale)
    known = ~np.isnan(y)
    at = np.flatnonzero(known.any(axis=0))
    rows = [np.flatnonzero(known[:, t]) for t in at]
    tasks = [Task(kernels[:, r][:, :, r], y[r, t], prior) for r, t in zip(rows, at, strict=True)]
    counts = np.array([len(r) for r in rows])
    b, e = np.zeros(len(tasks)), np.ones(omics)  # E[b], E[e]
    cov = np.eye(len(tasks) + omics)  # of (b, e)
    offsets = Gamma.of(prior, np.ones(len(tasks)), np.ones(len(tasks)))  # c
    views = Gamma.of(prior, np.ones(omics), np.ones(omics))  # o
    bound: list[float] = []
    for _ in range(iterations):
        ee = np.outer(e, e) + cov[len(b) :, len(b) :]
        be = np.outer(b, e) + cov[: len(b), len(b) :]  # (drugs, omics)
        for t, task in enumerate(tasks):
            task.update(e, ee, b[t], be[t])
        # q(b, e) = N: least squares of all labels on their g and an offset, drugs together
        noise = np.array([task.noise.mean for task in tasks])
        G_sums = np.array([task.G.sum(axis=1) for task in tasks])  # (drugs, omics)
        precision = np.zeros_like(cov)
        precision[: len(b), : len(b)] = np.diag(offsets.mean + noise * counts)
        precision[: len(b), len(b) :] = noise[:, None] * G_sums
        precision[len(b) :, : len(b)] = precision[: len(b), len(b) :].T
        precision[len(b) :, len(b) :] = np.diag(views.mean) + sum(
            task.noise.mean * task.GG() for task in tasks
        )
        told = np.concatenate(
            [
                noise * [task.y.sum() for task in tasks],
                sum(task.noise.mean * task.G @ task.y for task in tasks),
            ]
        )
        cov = np.linalg.inv(precision)
        b, e = np.split(cov @ told, [len(b)])
        bb = b**2 + np.diag(cov)[: len(b)]
        ee = np.outer(e, e) + cov[len(b) :, len(b) :]
        be = np.outer(b, e) + cov[: len(b), len(b) :]
        # q(c), q(o) = Gamma: one squared offset, one squared weight each
        offsets = Gamma.of(prior, np.ones(len(b)), bb)
        views = Gamma.of(prior, np.ones(omics), np.diag(ee))
        # q(s) = Gamma: n errors each
        total = 0.0
        for t, task in enumerate(tasks):
            errors = task.errors(e, ee, b[t], bb[t], be[t])
            task.noise = Gamma.of(prior, len(task.y), errors)
            total += task.bound(errors)
        total += 0.5 * (offsets.log.sum() - offsets.mean @ bb + views.log.sum())
        total += 0.5 * (len(cov) + np.linalg.slogdet(cov)[1] - views.mean @ np.diag(ee))
        bound.append(total - offsets.divergence() - views.divergence())
        if len(bound) > 1 and bound[-1] - bound[-2] < tol * abs(bound[-1]):
            break
    a_all, b_all, b_var, c = np.zeros(y.shape), *np.zeros((2, drugs)), np.full(drugs, np.inf)
    for r, t, task in zip(rows, at, tasks, strict=True):
        a_all[r, t] = task.a
    b_all[at], b_var[at], c[at] = b, np.diag(cov)[: len(b)], offsets.mean
    e_var = np.diag(cov)[len(b) :]
    return Posterior(a_all, b_all, e, b_var, e_var, c, views.mean, bound)


def _squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances between rows (rows of a, rows of b)."""
    return cdist(a, b, "sqeuclidean")


def _median(squared: np.ndarray) -> float:
    """The median squared distance between two different lines; 1 where all lines are alike."""
    between = squared[np.triu_indices(len(squared), 1)]
    median = float(np.median(between)) if len(between) else 0.0
    return median if median > 0 else 1.0
