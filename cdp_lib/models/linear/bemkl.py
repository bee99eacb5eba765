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

The product e_m g_tmn says nothing about the scale of its two sides, and single updates move it
slowly.  So each round ends with the best c for  a, g -> c a, c g  and  e -> e / c, which leaves
every prediction as it is (parameter expansion, Qi and Jaakkola 2006): a fifth of the rounds do.

All drugs are updated at once.  An unlabelled line takes no part in a drug: its a and g are 0 there.
"""

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from scipy.optimize import minimize_scalar
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from cdp_lib.errors import InputError
from cdp_lib.models.base.scaled import label_scales, omics_columns
from cdp_lib.models.base.settings import Number, OneOf
from cdp_lib.models.base.tables import Pair, Table, TableRegressor, check_pair, means_and_scales
from cdp_lib.models.base.training import pick_device

SPAN = 10  # updates whose common gain tells how the bound converges
BATCH = 2**25  # cells of the covariances of a that are in memory at a time


class BEMKL(TableRegressor):
    """Multiple kernel regression of all drugs on all omics; the omics weights are shared.

    `X` has two-level columns (omics, feature); each omics gives the kernel
    exp(-d^2 / median d^2) of its standardised features.  `shape` and `scale` are those of every
    gamma prior.

    The updates end where the evidence bound has converged: where what is left to gain, as the last
    updates extrapolate it, is below `tol` nats a label.  `converged_` says whether that was
    so within `iterations`; if not, there is a warning, and the result depends on where it stopped.
    With `fit(..., validation=(X, Y))` the updates are those after which the mean squared error of
    these rows is least; `early_stopping` asks an evaluation for such rows.

    `weights_` holds E[e_m], `bound_` the evidence bound after each update and `updates_` their
    number in the result.
    """

    _settings = {
        "iterations": Number(least=1, whole=True),
        "tol": Number(),
        "shape": Number(),
        "scale": Number(),
        "early_stopping": OneOf(True, False),
    }

    def __init__(
        self,
        iterations: int = 2000,
        tol: float = 1e-4,
        shape: float = 1.0,
        scale: float = 1.0,
        early_stopping: bool = False,
        device: str = "cpu",
    ):
        self.iterations = iterations
        self.tol = tol
        self.shape = shape
        self.scale = scale
        self.early_stopping = early_stopping
        self.device = device

    @property
    def asks_for_validation(self) -> bool:
        return self.early_stopping

    def fit(
        self,
        X: Table,
        Y: Table,
        validation: Pair | None = None,
        monitor: Callable[["BEMKL"], float] | None = None,
    ) -> "BEMKL":
        """Learn from (X, Y); `monitor(model)` is called after each update, and decides nothing."""
        x, y = self._open(X, Y)  # (lines, features), (lines, drugs)
        if 0 in (self.shape, self.scale):
            raise InputError("BEMKL's gamma priors need a positive shape and scale, not 0.")
        columns = omics_columns(self.features_)
        self.x_mean_, self.x_scale_ = means_and_scales(x)
        self.lines_ = self._standard(x)
        distances = [_squared(self.lines_[:, at], self.lines_[:, at]) for at in columns.values()]
        self.widths_ = np.array([_median(d) for d in distances])  # (omics,)
        kernels = np.exp(-np.array(distances) / self.widths_[:, None, None])  # (omics, n, n)
        self.y_mean_, self.y_scale_ = label_scales(y)
        self.omics_ = pd.Index(columns, name="omics")
        judge = None
        if validation is not None:
            X_val, Y_val = check_pair(validation)
            judge = self._kernels(self._read_x(X_val)), self._targets(self._read_y(X_val, Y_val))
        posterior = learn(
            kernels,
            self._targets(y),
            self.iterations,
            self.tol,
            self.shape,
            self.scale,
            judge,
            self.device,
            None if monitor is None else lambda posterior: monitor(self._taken(posterior)),
        )
        self._taken(posterior)
        self.bound_, self.converged_ = posterior.bound, posterior.converged
        self.updates_ = posterior.updates
        if not (self.converged_ or judge):
            warnings.warn(
                f"BEMKL's bound still grows after {self.iterations} updates, and the result "
                "depends on where they stop: allow more iterations, or give validation rows.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _taken(self, posterior: "Posterior") -> "BEMKL":
        self.weights_ = pd.Series(posterior.e, self.omics_, name="weight")
        self.a_, self.b_ = posterior.a, posterior.b  # (lines, drugs), (drugs,)
        return self

    def _predict(self, x: np.ndarray) -> np.ndarray:
        p = combined(self.weights_.to_numpy(), self._kernels(x), self.a_, self.b_)
        return self.y_mean_ + self.y_scale_ * p

    def _kernels(self, x: np.ndarray) -> np.ndarray:
        """(omics, rows, lines)"""
        x, columns = self._standard(x), omics_columns(self.features_).values()
        distances = [_squared(x[:, at], self.lines_[:, at]) for at in columns]
        return np.exp(-np.array(distances) / self.widths_[:, None, None])

    def _targets(self, y: np.ndarray) -> np.ndarray:
        return (y - self.y_mean_) / np.where(self.y_scale_ > 0, self.y_scale_, 1.0)

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
    bound: list[float] = field(default_factory=list)
    converged: bool = False
    updates: int = 0


@dataclass
class Gamma:
    """Posteriors of precisions with one prior, Gamma(shape, scale)."""

    prior: tuple[float, float]
    shape: Tensor
    scale: Tensor

    @classmethod
    def of(cls, prior: tuple[float, float], count: Tensor, squares: Tensor) -> "Gamma":
        """After `count` Gaussian values whose squares sum to `squares`."""
        shape, scale = prior
        return cls(prior, shape + count / 2, 1 / (1 / scale + squares / 2))

    @property
    def mean(self) -> Tensor:
        return self.shape * self.scale

    @property
    def log(self) -> Tensor:
        """E[log precision]."""
        return torch.digamma(self.shape) + self.scale.log()

    @property
    def divergence(self) -> Tensor:
        """KL(posterior, prior) of each."""
        shape, scale = self.prior
        return (
            (self.shape - shape) * torch.digamma(self.shape)
            - torch.lgamma(self.shape)
            + math.lgamma(shape)
            + shape * (math.log(scale) - self.scale.log())
            + self.shape * (self.scale / scale - 1)
        )


def learn(
    kernels: np.ndarray,
    y: np.ndarray,
    iterations: int = 2000,
    tol: float = 1e-4,
    shape: float = 1.0,
    scale: float = 1.0,
    judge: tuple[np.ndarray, np.ndarray] | None = None,
    device: str = "cpu",
    monitor: Callable[[Posterior], float] | None = None,
) -> Posterior:
    """Fit kernels (omics, lines, lines) to labels (lines, drugs) of mean 0; NaN is left out.

    A drug without a label takes no part: its a and b are 0.  `judge` has kernels (omics, rows,
    lines) and labels of validation rows; the update with the least error there is the result.
    `monitor` is given the posterior after each update.
    """
    labelled = ~np.isnan(y).all(axis=0)
    target = pick_device(device)
    factors = Factors(
        torch.as_tensor(kernels, device=target),
        torch.as_tensor(y[:, labelled], device=target),
        (shape, scale),
    )
    bound: list[float] = []
    best, least, converged = None, math.inf, False
    with _one_thread():
        while len(bound) < iterations and not converged:
            bound.append(factors.update())
            converged = _to_gain(bound) < tol * int(factors.counts.sum())
            if monitor is not None:
                monitor(factors.posterior(labelled))
            if judge is not None:
                now = factors.posterior(labelled)
                error = np.nanmean((judge[1] - combined(now.e, judge[0], now.a, now.b)) ** 2)
                if error < least:
                    best, least, updates = now, error, len(bound)
    if best is None:
        best, updates = factors.posterior(labelled), len(bound)
    best.bound, best.converged, best.updates = bound, converged, updates
    return best


@contextmanager
def _one_thread() -> Iterator[None]:
    """Many small steps: threads would mostly wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def combined(e: np.ndarray, kernels: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """sum_m e_m K_m a + b: (rows, drugs)."""
    return np.tensordot(e, kernels, axes=1) @ a + b


def _to_gain(bound: list[float]) -> float:
    """What a series whose steps shrink by one ratio has still to gain; infinity if unknown.

    A step is what `SPAN` updates gain together, because single ones vary.
    """
    if len(bound) <= 2 * SPAN:
        return math.inf
    before, now = bound[-1 - SPAN] - bound[-1 - 2 * SPAN], bound[-1] - bound[-1 - SPAN]
    if now <= 0:  # nothing but rounding is left
        return 0.0
    return now**2 / (before - now) if before > now else math.inf


class Factors:
    """The factors of q, for all drugs at once.

    K (omics, lines, lines); y (lines, drugs), every drug with a label; a, l (lines, drugs);
    g (omics, lines, drugs), all lines of a drug with one covariance (drugs, omics, omics);
    u, s, b, c (drugs,); e, o (omics,).
    """

    def __init__(self, kernels: Tensor, y: Tensor, prior: tuple[float, float]):
        omics, (lines, drugs) = len(kernels), y.shape
        self.K, self.prior = kernels, prior
        self.known = ~y.isnan()
        self.y = y.nan_to_num()
        self.counts = self.known.sum(dim=0).to(y)  # (drugs,)
        self.G = self.y.expand(omics, -1, -1)  # to begin with, each omics says the label
        ones = y.new_ones(max(lines, drugs, omics))
        self.lines = Gamma.of(prior, ones[:lines, None], ones[:lines, None] + 0 * self.y)  # l
        self.views = Gamma.of(prior, ones[:drugs], ones[:drugs])  # u
        self.noise = Gamma.of(prior, ones[:drugs], ones[:drugs])  # s
        self.offsets = Gamma.of(prior, ones[:drugs], ones[:drugs])  # c
        self.omics = Gamma.of(prior, ones[:omics], ones[:omics])  # o
        self.b, self.e = 0 * ones[:drugs], ones[:omics]
        self.cov = torch.eye(drugs + omics, dtype=y.dtype, device=y.device)  # of (b, e)
        self.parts = self.known.T.split(max(1, BATCH // lines**2))  # drugs of a batch
        self.KK = [self._squared_kernels(known) for known in self.parts]

    def _squared_kernels(self, known: Tensor) -> Tensor:
        """sum_m K_m K_m' over the lines known for each drug: (drugs, lines, lines)."""
        if known.all():  # the same for every drug
            return (self.K @ self.K).sum(dim=0)[None]
        K = self.K.transpose(0, 1).flatten(1)  # (lines, omics x lines)
        sums = torch.stack([(K * one.repeat(len(self.K))) @ K.T for one in known])
        return sums * known[:, :, None] * known[:, None]

    def update(self) -> float:
        """Update every factor once; the evidence bound."""
        self._update_lines()
        self._update_views()
        self._update_weights()
        self._update_noise()
        self._update_scale()
        return self._bound()

    def _update_lines(self) -> None:
        """q(a) = N: precision diag E[l] + E[u] sum_m K_m K_m', mean its inverse times E[u] K g."""
        Kg = (self.K @ self.G).sum(dim=0) * self.known  # (lines, drugs)
        a, variances, logdet, spread = [], [], [], []
        start = 0
        for known, KK in zip(self.parts, self.KK, strict=True):
            at = slice(start, start := start + len(known))
            diagonal = torch.where(known, self.lines.mean[:, at].T, 1.0)  # (drugs, lines)
            u = self.views.mean[at, None]
            precision = u[:, :, None] * KK
            precision.diagonal(dim1=1, dim2=2).add_(diagonal)
            root = torch.linalg.cholesky(precision)  # (drugs, lines, lines)
            cov = torch.cholesky_inverse(root)
            a.append(u * (cov @ Kg.T[at, :, None])[:, :, 0])
            variances.append(cov.diagonal(dim1=1, dim2=2) * known)
            logdet.append(-2 * root.diagonal(dim1=1, dim2=2).log().sum(dim=1))
            spread.append((KK * cov).sum(dim=(1, 2)))
        self.a = torch.cat(a).T  # (lines, drugs)
        self.a_logdet, self.a_spread = torch.cat(logdet), torch.cat(spread)  # (drugs,)
        self.a_squares = self.a**2 + torch.cat(variances).T

    def _update_views(self) -> None:
        """q(g_n) = N: precision E[u] I + E[s] E[e e'], the same for all lines of a drug."""
        Ka = (self.K @ self.a) * self.known  # (omics, lines, drugs)
        u, s = self.views.mean, self.noise.mean
        eye = torch.eye(len(self.e)).to(self.e)
        self.G_cov = torch.linalg.inv(u[:, None, None] * eye + s[:, None, None] * self.ee)
        labels = self.e[:, None, None] * self.y - self.be.T[:, None]
        self.G = torch.einsum("dmo,ond->mnd", self.G_cov, u * Ka + s * labels) * self.known
        self.view_squares = (
            (self.G - Ka).square().sum(dim=(0, 1))
            + self.counts * self.G_cov.diagonal(dim1=1, dim2=2).sum(dim=1)
            + self.a_spread
        )

    def _update_weights(self) -> None:
        """q(b, e) = N: least squares of all labels on their g and an offset, drugs together."""
        noise, drugs = self.noise.mean, len(self.b)
        sums = self.G.sum(dim=1)  # (omics, drugs)
        GG = torch.einsum("mnd,ond->dmo", self.G, self.G) + self.counts[:, None, None] * self.G_cov
        precision = torch.zeros_like(self.cov)
        precision[:drugs, :drugs] = torch.diag(self.offsets.mean + noise * self.counts)
        precision[drugs:, :drugs] = noise * sums
        precision[:drugs, drugs:] = precision[drugs:, :drugs].T
        precision[drugs:, drugs:] = torch.diag(self.omics.mean) + torch.tensordot(noise, GG, 1)
        explained = (self.G * self.y).sum(dim=1)  # (omics, drugs)
        labels = torch.cat([noise * self.y.sum(dim=0), explained @ noise])
        self.cov = torch.linalg.inv(precision)
        self.b, self.e = (self.cov @ labels).split([drugs, len(self.e)])
        # q(c) = Gamma: one squared offset each
        self.offsets = Gamma.of(self.prior, torch.ones_like(self.b), self.bb)
        self.errors = (  # E sum (y - e'g - b)^2
            self.y.square().sum(dim=0)
            - 2 * self.e @ explained
            - 2 * self.b * self.y.sum(dim=0)
            + (self.ee * GG).sum(dim=(1, 2))
            + 2 * (self.be * sums.T).sum(dim=1)
            + self.counts * self.bb
        )

    def _update_noise(self) -> None:
        """q(s) = Gamma: n errors each."""
        self.noise = Gamma.of(self.prior, self.counts, self.errors)

    def _update_scale(self) -> None:
        """The best c for a, g -> c a, c g and e -> e / c, and q(l), q(u), q(o) that go with it.

        Their shares of the bound are  -shape log(1 / prior scale + squares / 2), where the squares
        of a and g - K a grow with c^2 and those of e shrink; the entropy grows with log c for each
        a and g, and shrinks for each e.
        """
        omics, n = len(self.e), self.counts
        shape, scale = self.prior
        growing = torch.cat([self.a_squares[self.known], self.view_squares]).cpu().numpy()
        shapes = torch.cat([torch.ones(int(n.sum())).to(n), omics * n]).cpu().numpy() / 2 + shape
        shrinking = self.ee.diagonal().cpu().numpy()
        values = (1 + omics) * float(n.sum()) - omics

        def lost(log_c: float) -> float:
            grown, shrunk = growing * np.exp(2 * log_c), shrinking * np.exp(-2 * log_c)
            return float(
                shapes @ np.log(1 / scale + grown / 2)
                + (0.5 + shape) * np.log(1 / scale + shrunk / 2).sum()
                - values * log_c
            )

        log_c = float(minimize_scalar(lost, bounds=(-3, 3), method="bounded").x)
        log_c = log_c if lost(log_c) < lost(0.0) else 0.0
        c, drugs = math.exp(log_c), len(self.b)
        self.a, self.G, self.e = c * self.a, c * self.G, self.e / c
        self.G_cov, self.a_logdet = c**2 * self.G_cov, self.a_logdet + 2 * n * log_c
        self.a_squares, self.view_squares = c**2 * self.a_squares, c**2 * self.view_squares
        self.cov[drugs:] /= c
        self.cov[:, drugs:] /= c
        # q(l), q(o) = Gamma: one squared weight each; q(u) = Gamma: omics * n values g - K a
        self.lines = Gamma.of(self.prior, torch.ones_like(self.a), self.a_squares)
        self.views = Gamma.of(self.prior, omics * n, self.view_squares)
        self.omics = Gamma.of(self.prior, torch.ones_like(self.e), self.ee.diagonal())

    @property
    def bb(self) -> Tensor:
        """E[b^2]: (drugs,)."""
        return self.b**2 + self.cov.diagonal()[: len(self.b)]

    @property
    def ee(self) -> Tensor:
        """E[e e']: (omics, omics)."""
        drugs = len(self.b)
        return torch.outer(self.e, self.e) + self.cov[drugs:, drugs:]

    @property
    def be(self) -> Tensor:
        """E[b e']: (drugs, omics)."""
        drugs = len(self.b)
        return torch.outer(self.b, self.e) + self.cov[:drugs, drugs:]

    def _bound(self) -> float:
        """E[log p] and entropy of a, g, (b, e); E[log p(y)]; less the divergence of precisions."""
        omics, n = len(self.e), self.counts
        fitted = self.lines.log - self.lines.mean * self.a_squares - 2 * self.lines.divergence
        drugs = (  # twice each drug's share
            (fitted * self.known).sum(dim=0)
            + n + self.a_logdet
            + omics * n * self.views.log - self.views.mean * self.view_squares
            + n * (omics + torch.linalg.slogdet(self.G_cov)[1])
            + n * (self.noise.log - math.log(2 * math.pi)) - self.noise.mean * self.errors
            - 2 * (self.views.divergence + self.noise.divergence)
            + self.offsets.log - self.offsets.mean * self.bb - 2 * self.offsets.divergence
        )  # fmt: skip
        shared = self.omics.log - self.omics.mean * self.ee.diagonal() - 2 * self.omics.divergence
        entropy = len(self.cov) + torch.linalg.slogdet(self.cov)[1]
        return 0.5 * float(drugs.sum() + shared.sum() + entropy)

    def posterior(self, labelled: np.ndarray) -> Posterior:
        """For all drugs, of which only some are `labelled`."""

        def wide(values: Tensor, other: float) -> np.ndarray:
            result = np.full((*values.shape[:-1], len(labelled)), other)
            result[..., labelled] = values.cpu().numpy()
            return result

        variances = self.cov.diagonal()
        b_var, e_var = variances[: len(self.b)], variances[len(self.b) :]
        return Posterior(
            wide(self.a, 0.0),
            wide(self.b, 0.0),
            self.e.cpu().numpy(),
            wide(b_var, 0.0),
            e_var.cpu().numpy(),
            wide(self.offsets.mean, np.inf),
            self.omics.mean.cpu().numpy(),
        )


def _squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances between rows (rows of a, rows of b)."""
    return cdist(a, b, "sqeuclidean")


def _median(squared: np.ndarray) -> float:
    """The median squared distance between two different lines; 1 where all lines are alike."""
    between = squared[np.triu_indices(len(squared), 1)]
    median = float(np.median(between)) if len(between) else 0.0
    return median if median > 0 else 1.0
