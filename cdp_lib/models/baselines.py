"""What is known without any omics: five means that every model must beat.

With y[i, j] the response of line i to perturbation j, over the known training cells only,

    GlobalMean          m                   PerturbationMean    mean over i of y[i, j]
    LineMean            mean over j         MeanEffects         m + a[i] + b[j], least squares
    TissueMean          mean over the lines i of one tissue of y[i, j]

On ln IC50 the mean of each drug alone explains about 70 % of the global variance, so a global R2
of 0.7 may know nothing about cells. A line is known by its name in X.index, whatever X holds.
Where a mean has no training cell the next coarser one stands in: tissue, perturbation, global.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.linalg import solve
from scipy.sparse.csgraph import connected_components
from sklearn.base import BaseEstimator

from cdp_lib.errors import InputError
from cdp_lib.models.base.tables import MaskedScore, NotFitted, check_same_lines, floats


class NaiveModel(MaskedScore, BaseEstimator):
    """fit(X, Y) learns `global_mean_` and what `_learn` adds; predict(X) fills lines x columns."""

    def fit(self, X: pd.DataFrame, Y: pd.DataFrame) -> "NaiveModel":
        y = _checked(X, Y)  # (lines, perturbations)
        self.columns_ = Y.columns
        self.global_mean_ = float(np.nanmean(y))
        self._learn(y, Y.index)
        return self

    def predict(self, X: pd.DataFrame) -> pd.DataFrame:
        lines = self._lines(X)
        means = self._means(lines)  # broadcasts to (lines, perturbations)
        values = np.broadcast_to(means, (len(lines), len(self.columns_))).copy()
        return pd.DataFrame(values, lines, self.columns_)

    def _lines(self, X: pd.DataFrame) -> pd.Index:
        if not hasattr(self, "columns_"):
            raise NotFitted(f"This {type(self).__name__} is not fitted yet: call fit first.")
        if not isinstance(X, pd.DataFrame):
            raise InputError("A baseline knows lines by name: give X as a DataFrame.")
        return X.index

    def _learn(self, y: np.ndarray, lines: pd.Index) -> None:
        """Nothing beyond the global mean."""

    def _means(self, lines: pd.Index) -> np.ndarray | float:
        return self.global_mean_

    def _perturbation_means(self, y: np.ndarray) -> pd.Series:
        """The mean of each column; the global mean where it has no label."""
        means = known_means(y, axis=0)
        return pd.Series(np.where(np.isnan(means), self.global_mean_, means), self.columns_)


class GlobalMean(NaiveModel):
    """One number for every cell: the mean of all known training cells."""


class PerturbationMean(NaiveModel):
    """The training mean of each perturbation; the global mean where it was never measured."""

    def _learn(self, y: np.ndarray, lines: pd.Index) -> None:
        self.perturbation_means_ = self._perturbation_means(y)

    def _means(self, lines: pd.Index) -> np.ndarray:
        return self.perturbation_means_.to_numpy()


class LineMean(NaiveModel):
    """The training mean of each line; the global mean for a line never measured."""

    def _learn(self, y: np.ndarray, lines: pd.Index) -> None:
        self.line_means_ = pd.Series(known_means(y, axis=1), lines).dropna()

    def _means(self, lines: pd.Index) -> np.ndarray:
        return self.line_means_.reindex(lines).fillna(self.global_mean_).to_numpy()[:, None]


class MeanEffects(NaiveModel):
    """Additive effects m + a[i] + b[j] that minimise the squared error over the known cells.

    On an incomplete matrix this is not the sum of two means: a line that was mostly given potent
    drugs is not sensitive for that. Nothing is learned about an unknown line or perturbation, so
    an unknown line gets the perturbation's mean, an unknown perturbation the line's mean, and
    where both are unknown the global mean: leave lines out and it equals PerturbationMean.
    """

    def _learn(self, y: np.ndarray, lines: pd.Index) -> None:
        known = ~np.isnan(y)
        rows, columns = known.any(axis=1), known.any(axis=0)
        y, known = y[rows][:, columns], known[rows][:, columns]
        lines, perturbations = lines[rows], self.columns_[columns]
        a, b = _additive(np.where(known, y - self.global_mean_, 0), known.astype(float))
        self.line_effects_ = pd.Series(a, lines)
        self.perturbation_effects_ = pd.Series(b, perturbations)
        self.line_means_ = pd.Series(known_means(y, axis=1), lines)
        self.perturbation_means_ = pd.Series(known_means(y, axis=0), perturbations)

    def _means(self, lines: pd.Index) -> np.ndarray:
        a = self.line_effects_.reindex(lines).to_numpy()[:, None]
        b = self.perturbation_effects_.reindex(self.columns_).to_numpy()
        line_means = self.line_means_.reindex(lines).to_numpy()[:, None]
        perturbation_means = self.perturbation_means_.reindex(self.columns_).to_numpy()
        means = self.global_mean_ + a + b  # NaN where the line or the perturbation is unknown
        for coarser in (perturbation_means, line_means, self.global_mean_):
            means = np.where(np.isnan(means), coarser, means)
        return means


class TissueMean(NaiveModel):
    """The training mean of each perturbation in the line's tissue, from `tissue`: line -> tissue.

    The perturbation's mean stands in for a line of no or an unseen tissue, and where no training
    line of the tissue was measured.
    """

    def __init__(self, tissue: pd.Series | Mapping):
        self.tissue = tissue

    def _learn(self, y: np.ndarray, lines: pd.Index) -> None:
        tissue = self._of(lines)
        if tissue.isna().all():
            raise InputError(
                "TissueMean knows the tissue of none of the training lines: give it "
                "tissue=cohort.lines['tissue'], indexed by line."
            )
        self.perturbation_means_ = self._perturbation_means(y)
        members, tissues = pd.factorize(tissue)  # a line of no tissue: -1
        means = np.stack([known_means(y[members == one], axis=0) for one in range(len(tissues))])
        means = np.where(np.isnan(means), self.perturbation_means_.to_numpy(), means)
        self.tissue_means_ = pd.DataFrame(means, tissues, self.columns_)

    def _means(self, lines: pd.Index) -> np.ndarray:
        tissue = self.tissue_means_.index.get_indexer(self._of(lines))
        means = self.tissue_means_.to_numpy()[tissue]
        return np.where(tissue[:, None] < 0, self.perturbation_means_.to_numpy(), means)

    def _of(self, lines: pd.Index) -> pd.Series:
        tissue = pd.Series(self.tissue, dtype=object)
        if not tissue.index.is_unique:
            raise InputError("TissueMean was given two tissues for one line: give each line one.")
        return tissue.reindex(lines)


def _additive(y: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column effects of y (0 where unknown) by least squares over the known cells.

    The normal equations, with n the counts and K the known cells as 0 and 1, are

        n_row a + K b = sum of y over columns,    K' a + n_column b = sum of y over rows;

    the longer side is eliminated and the shorter solved. In each block of cells connected through
    shared rows or columns a constant may move from b to a: the shorter side sums to 0 there.
    """
    if known.shape[0] > known.shape[1]:
        b, a = _additive(y.T, known.T)
        return a, b
    share = known / known.sum(axis=0)  # (rows, columns) weight of a row in its column's mean
    normal = np.diag(known.sum(axis=1)) - share @ known.T  # (rows, rows)
    wanted = y.sum(axis=1) - share @ y.sum(axis=0)
    _, block = connected_components(normal != 0, directed=False)
    a = solve(normal + (block[:, None] == block), wanted, assume_a="pos")
    b = (y.sum(axis=0) - known.T @ a) / known.sum(axis=0)
    return a, b


def known_means(y: np.ndarray, axis: int) -> np.ndarray:
    """The mean of the known labels along one axis; NaN where there are none."""
    known = ~np.isnan(y)
    sums, counts = np.where(known, y, 0.0).sum(axis=axis), known.sum(axis=axis)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _checked(X: pd.DataFrame, Y: pd.DataFrame) -> np.ndarray:
    """The values of Y in float64, with rows named as in X."""
    if not isinstance(X, pd.DataFrame) or not isinstance(Y, pd.DataFrame):
        raise InputError("A baseline knows lines by name: give X and Y as DataFrames.")
    check_same_lines(X, Y)
    if not (Y.index.is_unique and Y.columns.is_unique):
        raise InputError("Y names a line or a perturbation twice: merge or rename them.")
    y = floats(Y, "Y")
    if np.isinf(y).any():
        raise InputError("Y holds infinite values: set them to NaN if they were not measured.")
    if np.isnan(y).all():
        raise InputError("Y holds no known response to learn from: give training cells.")
    return y
