"""Lasso and elastic net for many perturbations at once.

For each perturbation, over its n known lines, with every feature in units of its standard
deviation (Tibshirani 1996; Zou & Hastie 2005)

    min_w  |y - X w|^2 / (2 n) + alpha (l1_ratio |w|_1 + (1 - l1_ratio) |w|^2 / 2)

Weights are exactly 0 where the largest possible gain from a feature is below its cost.  At
alpha_max = max |X'y| / (n l1_ratio) and above, all are: there the grid of alphas begins.
Perturbations that are known in the same lines share the Gram matrix of a fold (lasso_path.py).
"""

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from cdp_lib.errors import InputError
from cdp_lib.metrics import LOWER_IS_BETTER, METRICS
from cdp_lib.models.base.settings import Number, OneOf, Tuple, Workers
from cdp_lib.models.base.tables import Table, TableRegressor, column_means, means_and_scales
from cdp_lib.models.base.training import pick_device
from cdp_lib.models.linear.lasso_path import Gram, lasso_path
from cdp_lib.models.linear.paths import patterns
from cdp_lib.models.linear.spectrum import here

WIDTH = 256  # columns that are solved together on a CPU, and stay in its cache


class ElasticNet(TableRegressor):
    """Elastic net regression; each perturbation gets the alpha with the best inner folds.

    `alphas` is the number of alphas between alpha_max of a perturbation and `smallest` times
    that, evenly spaced in their logarithm, or a tuple of alphas for all of them.  `metric` scores
    the lines that an inner fold holds out; the strongest alpha is taken whose mean score is at
    most `slack` below the best.  An undefined score, such as the correlation of a single line,
    counts 0.  With `ensemble` the model is the mean of the models of the inner folds at this
    alpha, without it one more fit to all known lines.

    Lines unknown for a perturbation (NaN) take no part in its fit.  A perturbation whose labels
    do not vary, or that has fewer than two, is predicted by their mean, one without any by the
    mean of all labels; its `alpha_` is NaN.

    Every solution ends at a duality gap of at most `tolerance` times the objective of weights that
    are all 0: no weights whatever lower the objective by more than that.  `gap_` has the largest
    relative gap of all solutions of a perturbation, and a `ConvergenceWarning` tells of any above
    the tolerance.  `scores_` (alphas, perturbations) are mean scores, the strongest alpha first.
    """

    _settings = {
        "l1_ratio": Number(least=0.01, most=1),
        "alphas": [Number(least=2, whole=True), Tuple(Number(), least=1)],
        "smallest": Number(below=1),
        "inner": Number(least=2, whole=True),
        "metric": OneOf(*METRICS),
        "slack": Number(),
        "ensemble": OneOf(True, False),
        "tolerance": Number(least=1e-12),
        "standardize": OneOf(True, False),
        "seed": Number(whole=True),
        "n_jobs": [Workers(), None],
    }

    def __init__(
        self,
        l1_ratio: float = 0.5,
        alphas: int | tuple[float, ...] = 10,
        smallest: float = 1e-3,
        inner: int = 5,
        metric: str = "spearman",
        slack: float = 0.0,
        ensemble: bool = True,
        tolerance: float = 1e-5,
        standardize: bool = True,
        seed: int = 0,
        n_jobs: int | None = 1,
        device: str = "cpu",
    ):
        self.l1_ratio = l1_ratio
        self.alphas = alphas
        self.smallest = smallest
        self.inner = inner
        self.metric = metric
        self.slack = slack
        self.ensemble = ensemble
        self.tolerance = tolerance
        self.standardize = standardize
        self.seed = seed
        self.n_jobs = n_jobs
        self.device = device

    def fit(self, X: Table, Y: Table) -> "ElasticNet":
        x, y = self._open(X, Y)  # (lines, features), (lines, perturbations)
        self._check_alphas()
        self.mean_, self.scale_ = means_and_scales(x)
        if not self.standardize:
            self.scale_ = np.ones_like(self.scale_)
        z = (x - self.mean_) / self.scale_
        known = ~np.isnan(y)
        self.weights_ = np.zeros((z.shape[1], y.shape[1]))  # (features, perturbations)
        self.offset_ = column_means(y)
        self.alpha_ = np.full(y.shape[1], np.nan)
        self.gap_ = np.zeros(y.shape[1])
        count = self.alphas if np.ndim(self.alphas) == 0 else len(self.alphas)
        self.scores_ = np.full((count, y.shape[1]), np.nan)
        width = WIDTH if pick_device(self.device).type == "cpu" else y.shape[1]
        parts = [
            (rows, columns[start : start + width])
            for rows, columns in patterns(known)
            for start in range(0, len(columns), width)
        ]
        fits = (delayed(self._fitted)(z[rows], y[np.ix_(rows, c)]) for rows, c in parts)
        with threadpool_limits(1):  # many small problems
            done = Parallel(n_jobs=self.n_jobs, prefer="threads")(fits)
        for (_, columns), fit in zip(parts, done, strict=True):
            self.weights_[:, columns], self.offset_[columns] = fit.weights, fit.offsets
            self.alpha_[columns], self.gap_[columns] = fit.alphas, fit.gaps
            self.scores_[:, columns] = fit.scores
        if self.gap_.max() > self.tolerance:
            warnings.warn(
                f"The relative duality gap is {self.gap_.max():.1e} and not {self.tolerance:g} in "
                f"{(self.gap_ > self.tolerance).sum()} of {len(self.gap_)} perturbations: leave "
                "out the smallest alphas, or allow a larger gap.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    @property
    def coef_(self) -> np.ndarray:
        """The weight of each feature, in the units of X: (perturbations, features)."""
        return (self.weights_ / self.scale_[:, None]).T

    @property
    def intercept_(self) -> np.ndarray:
        return self.offset_ - (self.mean_ / self.scale_) @ self.weights_

    def _predict(self, x: np.ndarray) -> np.ndarray:
        return (x - self.mean_) / self.scale_ @ self.weights_ + self.offset_

    def _check_alphas(self) -> None:
        given = () if np.ndim(self.alphas) == 0 else self.alphas
        if 0 in given or self.smallest == 0:
            raise InputError(
                f"{'alphas' if 0 in given else 'smallest'} is 0, where nothing is penalised: "
                "give a positive number, or take LinearRegression."
            )

    def _fitted(self, z: np.ndarray, y: np.ndarray) -> "Fit":
        """The model of labels y (lines, columns) that are all known."""
        alphas = self._grid(z, y)  # (alphas, columns)
        order = np.random.default_rng(self.seed).permutation(len(z))
        held = [order[k :: self.inner] for k in range(min(self.inner, len(z)))]
        folds, scores = [], np.zeros((len(held), *alphas.shape))
        if len(z) > 1 and (self.ensemble or len(alphas) > 1):
            for k, out in enumerate(held):
                rows = np.setdiff1d(order, out)
                folds.append(self._path(z[rows], y[rows], alphas))
                scores[k] = self._score(folds[k], z[out], y[out])
        scores = scores.mean(axis=0)
        best = (scores >= scores.max(axis=0, initial=-np.inf) - self.slack).argmax(axis=0)
        chosen = folds if self.ensemble and folds else [self._path(z, y, alphas)]
        columns = np.arange(y.shape[1])
        return Fit(
            weights=np.mean([path.weights[best, :, columns] for path in chosen], axis=0).T,
            offsets=np.mean([path.offsets[best, columns] for path in chosen], axis=0),
            alphas=alphas[best, columns],
            gaps=np.max([path.gaps for path in (*folds, *chosen)], axis=(0, 1)),
            scores=scores,
        )

    def _grid(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The alphas of each column, the strongest first; NaN where there is nothing to learn."""
        x, labels = _centred(z), _centred(y)
        top = np.abs(x.T @ labels).max(axis=0) / (len(z) * self.l1_ratio)  # (columns,)
        if np.ndim(self.alphas) == 0:
            alphas = top * np.geomspace(1, self.smallest, self.alphas)[:, None]
        else:
            alphas = np.tile(np.sort(self.alphas)[::-1, None], len(top))
        return np.where(top > 0, alphas, np.nan)

    def _path(self, z: np.ndarray, y: np.ndarray, alphas: np.ndarray) -> "Path":
        target = pick_device(self.device)
        x, labels = _centred(z), _centred(y)
        if target.type != "cpu":
            x, labels = (torch.as_tensor(a, device=target) for a in (x, labels))
        penalties = len(z) * alphas * self.l1_ratio, len(z) * alphas * (1 - self.l1_ratio)
        squares = (labels**2).sum(0)
        W, gaps = lasso_path(Gram(x), x.T @ labels, squares, *penalties, self.tolerance)
        W = np.stack([here(w) for w in W])  # (alphas, features, columns)
        return Path(W, y.mean(axis=0) - z.mean(axis=0) @ W, gaps)

    def _score(self, path: "Path", z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The score of held-out lines, the higher the better: (alphas, columns)."""
        sign = -1 if self.metric in LOWER_IS_BETTER else 1
        P = z @ path.weights + path.offsets[:, None]  # (alphas, lines, columns)
        return sign * np.nan_to_num([METRICS[self.metric](y, p) for p in P])


class Lasso(ElasticNet):
    """The elastic net whose penalty is all |w|_1, so that most weights are 0."""

    def __init__(
        self,
        alphas: int | tuple[float, ...] = 10,
        smallest: float = 1e-3,
        inner: int = 5,
        metric: str = "spearman",
        slack: float = 0.0,
        ensemble: bool = True,
        tolerance: float = 1e-5,
        standardize: bool = True,
        seed: int = 0,
        n_jobs: int | None = 1,
        device: str = "cpu",
    ):
        super().__init__(
            1.0, alphas, smallest, inner, metric, slack, ensemble, tolerance, standardize, seed,
            n_jobs, device,
        )  # fmt: skip


@dataclass(frozen=True)
class Path:
    """Solutions at every alpha."""

    weights: np.ndarray  # (alphas, features, columns)
    offsets: np.ndarray  # (alphas, columns)
    gaps: np.ndarray


@dataclass(frozen=True)
class Fit:
    """What is learned of some columns."""

    weights: np.ndarray  # (features, columns)
    offsets: np.ndarray  # (columns,)
    alphas: np.ndarray
    gaps: np.ndarray
    scores: np.ndarray  # (alphas, columns)


def _centred(a: np.ndarray) -> np.ndarray:
    """a less its means; exactly 0 where a column does not vary."""
    rounding = 8 * np.finfo(float).eps * np.abs(a).max(axis=0)
    return np.where(np.ptp(a, axis=0) > rounding, a - a.mean(axis=0), 0.0)
