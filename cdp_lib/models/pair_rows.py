"""Rivals of the network for drug pairs that see the same features: a ridge and boosted trees.

With x_i the first principal components of what is told of line i, and z_d those of drug d,

    PairRidge       y[i, de] = mean + (1, x_i)' W (1, z_d + z_e, z_d * z_e)
    BoostedPairs    y[i, de] = a sum of small trees of (x_i, z_d + z_e, |z_d - z_e|)

so that a pair has no order.  W is the exact ridge solution over the known cells.  The components
come from the training lines and drugs; names have none, and PairEffects is the table for them.
"""

import numpy as np
import pandas as pd
from scipy.linalg import eigh
from sklearn.ensemble import HistGradientBoostingRegressor

from cdp_lib.models.base.inputs import INPUT, Features, Input
from cdp_lib.models.base.pair_model import Cells, PairModel
from cdp_lib.models.base.settings import Number, Tuple
from cdp_lib.models.base.tables import Pair

INPUTS = {
    "line_input": [INPUT, Tuple(INPUT, least=1)],
    "drug_input": [INPUT, Tuple(INPUT, least=1)],
    "components": Tuple(Number(least=1, whole=True), least=2),
    "seed": Number(whole=True),
}


class PairRows(PairModel):
    """`components` says how many there are of lines and of drugs.

    A child's `_values(x, a, b)` predicts the pairs of drugs a and b (pairs, components) in the line
    x (components,).
    """

    def predict(self, X: pd.DataFrame, perturbations: pd.DataFrame | None = None) -> pd.DataFrame:
        """The response to the pairs of `perturbations`, or to the columns of the fitted Y."""
        names, drugs, a, b = self._open_predict(X, perturbations)
        x, z = self._components(X, drugs)
        P = self.y_mean_ + self.y_scale_ * np.stack([self._values(one, z[a], z[b]) for one in x])
        return pd.DataFrame(P, X.index, names)  # (lines, pairs)

    def _components(
        self, X: pd.DataFrame, drugs: pd.Index, cells: Cells | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """x (lines, components) and z (drugs, components); learned from `cells`, if given."""
        tables = np.hstack(self._of_lines(X)).astype(float), self._of_drugs(drugs).astype(float)
        if cells is not None:
            used = np.unique(cells.line), np.unique([cells.a, cells.b])
            self.components_ = [
                principal(table[rows], most)
                for table, rows, most in zip(tables, used, self.components, strict=True)
            ]
        both = zip(tables, self.components_, strict=True)
        return tuple((table - mean) @ axes for table, (mean, axes) in both)

    def _values(self, x: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class PairRidge(PairRows):
    """A bilinear ridge; the cells of `validation`, or a tenth of all, choose among `alphas`."""

    _settings = {**INPUTS, "alphas": Tuple(Number(), least=1)}

    def __init__(
        self,
        line_input: Input | tuple[Input, ...] = Features(),
        drug_input: Input | tuple[Input, ...] = Features(),
        components: tuple[int, int] = (10, 60),
        alphas: tuple[float, ...] = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5),
        seed: int = 0,
    ):
        self.line_input = line_input
        self.drug_input = drug_input
        self.components = components
        self.alphas = alphas
        self.seed = seed

    def fit(
        self,
        X: pd.DataFrame,
        Y: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
        validation: Pair | None = None,
    ) -> "PairRidge":
        fraction = 0.1 if len(self.alphas) > 1 else 0.0
        lines, drugs, cells, aside = self._open_pairs(
            X, Y, perturbations, validation, fraction, self.seed
        )
        x, z = self._components(lines, drugs, cells)
        x = with_one(x)
        M, t = normal_equations(x, pair_terms(z[cells.a], z[cells.b]), cells)
        values, vectors = eigh(M)
        rotated = vectors.T @ t
        terms, losses = pair_terms(z[aside.a], z[aside.b]), {}
        for alpha in self.alphas:
            W = (vectors @ (rotated / np.maximum(values + alpha, 1e-12))).reshape(x.shape[1], -1)
            left = aside.y - np.einsum("ij,ij->i", (x @ W)[aside.line], terms)
            losses[alpha] = np.square(left).mean() if len(left) else 0.0
            if losses[alpha] == min(losses.values()):
                self.alpha_, self.W_ = alpha, W  # (1 + line components, pair terms)
        return self

    def _values(self, x: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return pair_terms(a, b) @ (np.append(1.0, x) @ self.W_)


class BoostedPairs(PairRows):
    """Gradient boosting on histograms, a row a known cell."""

    _settings = {
        **INPUTS,
        "n_trees": Number(least=1, whole=True),
        "lr": Number(),
        "max_leaves": Number(least=2, whole=True),
    }

    def __init__(
        self,
        line_input: Input | tuple[Input, ...] = Features(),
        drug_input: Input | tuple[Input, ...] = Features(),
        components: tuple[int, int] = (10, 20),
        n_trees: int = 100,
        lr: float = 0.2,
        max_leaves: int = 63,
        seed: int = 0,
    ):
        self.line_input = line_input
        self.drug_input = drug_input
        self.components = components
        self.n_trees = n_trees
        self.lr = lr
        self.max_leaves = max_leaves
        self.seed = seed

    def fit(
        self, X: pd.DataFrame, Y: pd.DataFrame, perturbations: pd.DataFrame | None = None
    ) -> "BoostedPairs":
        lines, drugs, cells, _ = self._open_pairs(X, Y, perturbations, None, 0.0, self.seed)
        x, z = self._components(lines, drugs, cells)
        self.trees_ = HistGradientBoostingRegressor(
            max_iter=self.n_trees,
            learning_rate=self.lr,
            max_leaf_nodes=self.max_leaves,
            max_bins=63,
            early_stopping=False,
            random_state=self.seed,
        ).fit(rows_of(x[cells.line], z[cells.a], z[cells.b]), cells.y)
        return self

    def _values(self, x: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return self.trees_.predict(rows_of(np.broadcast_to(x, (len(a), len(x))), a, b))


def principal(rows: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean, and the axes (columns, components) along which the first component has variance 1.

    The others keep their sizes beside it.
    """
    mean = rows.mean(axis=0)
    _, sizes, axes = np.linalg.svd(rows - mean, full_matrices=False)
    return mean, axes[:most].T / (sizes[0] / np.sqrt(len(rows)) or 1.0)


def with_one(x: np.ndarray) -> np.ndarray:
    return np.hstack([np.ones((len(x), 1)), x])


def pair_terms(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(pairs, 1 + 2 components): a constant, the sum and the product of two drugs."""
    return np.hstack([np.ones((len(a), 1)), a + b, a * b])


def rows_of(x: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(cells, features): a line, and the sum and the distance of two drugs."""
    return np.hstack([x, a + b, np.abs(a - b)]).astype(np.float32)


def normal_equations(
    x: np.ndarray, terms: np.ndarray, cells: Cells
) -> tuple[np.ndarray, np.ndarray]:
    """M = sum of (x x') kron (v v') and t = sum of y x kron v over the cells (x_i, v)."""
    p, q = x.shape[1], terms.shape[1]
    M, t = np.zeros((p, q, p, q)), np.zeros((p, q))
    for i in np.unique(cells.line):
        v, y = terms[cells.line == i], cells.y[cells.line == i]  # (pairs of the line, q)
        M += np.einsum("a,b,qr->aqbr", x[i], x[i], v.T @ v)
        t += np.outer(x[i], v.T @ y)
    return M.reshape(p * q, p * q), t.ravel()
