"""One gene's expression predicts another gene's dependency: the simplest reasons there are.

    y_j = mean y_j + slope (x_k - mean x_k),    k = the feature of the largest |slope of z-scored x|

Which features k may speak of a gene j is a component:

    own        the gene itself              (lines that make much of a protein may need it)
    another    any other gene               (a sister gene may stand in for it)
    sisters    other genes of its family, by name: ROCK1 and ROCK2
    Strangers  as many random others as it has sisters: what a choice among so many is worth
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cdp_lib.models.base.tables import TableRegressor, column_means

Allowed = Callable[[np.ndarray, np.ndarray], np.ndarray]


def own(features: np.ndarray, genes: np.ndarray) -> np.ndarray:
    return features == genes


def another(features: np.ndarray, genes: np.ndarray) -> np.ndarray:
    return features != genes


def family(names: np.ndarray) -> np.ndarray:
    """A gene's name without its last number: ROCK for ROCK1, PPP1R for PPP1R12A."""
    cut = [re.sub(r"\d+[A-Z]*\d*$", "", name) for name in names.flat]
    return np.array(cut).reshape(names.shape)


def sisters(features: np.ndarray, genes: np.ndarray) -> np.ndarray:
    """Which features are of a gene's family, and another gene: (features, genes)."""
    mine = family(genes)
    named = (np.char.str_len(mine) > 2) & ~np.char.endswith(mine, "orf")  # no family: C6, C11orf16
    return (family(features) == mine) & (features != genes) & named


@dataclass(frozen=True)
class Strangers:
    """As many features for each gene as it has sisters, drawn from all others by the seed."""

    seed: int = 0

    def __call__(self, features: np.ndarray, genes: np.ndarray) -> np.ndarray:
        may = sisters(features, genes)
        order = np.random.default_rng(self.seed).random(may.shape)
        order[may | (features == genes)] = np.inf
        return order.argsort(axis=0).argsort(axis=0) < may.sum(axis=0)


class SingleGene(TableRegressor):
    """Predict each gene from the expression of the best gene that `allowed` lets it have.

    `allowed(features, genes)`, of a column and a row of names, says which (features, genes).  A
    gene that may have none is predicted by its mean.  `picked_` names the feature of each gene.
    """

    def __init__(self, allowed: Allowed = own):
        self.allowed = allowed

    def fit(self, X: pd.DataFrame, Y: pd.DataFrame) -> "SingleGene":
        x, y = self._open(X, Y)  # (lines, features), (lines, genes)
        self.mean_, self.offset_ = x.mean(axis=0), column_means(y)
        sd = x.std(axis=0)
        self.scale_ = np.where(sd > 0, sd, 1.0)
        known = ~np.isnan(y)
        centred = np.where(known, y - self.offset_, 0.0)
        slopes = ((x - self.mean_) / self.scale_).T @ centred / np.maximum(known.sum(axis=0), 1)
        names = X.columns.to_numpy(str)[:, None], Y.columns.to_numpy(str)
        strength = np.where(self.allowed(*names), np.abs(slopes), 0.0)  # (features, genes)
        self.best_ = strength.argmax(axis=0)
        chosen = strength.max(axis=0) > 0
        self.slope_ = np.where(chosen, slopes[self.best_, np.arange(len(chosen))], 0.0)
        self.picked_ = pd.Series(np.where(chosen, X.columns[self.best_], ""), Y.columns)
        return self

    def _predict(self, x: np.ndarray) -> np.ndarray:
        z = (x - self.mean_) / self.scale_  # (lines, features)
        return z[:, self.best_] * self.slope_ + self.offset_
