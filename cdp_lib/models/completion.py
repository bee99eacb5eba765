"""Filling the gaps of a table from the table alone: no omics, only who answered like whom.

    y[i, j] = m + a[i] + b[j] + Z[i, j],
    Z minimises  1/2 sum over known cells (y - m - a - b - Z)^2 + strength * sum of singular values

by soft-thresholded singular values (Mazumder, Hastie & Tibshirani 2010).  A large strength leaves
the mean effects, a small one few shared patterns of lines and perturbations.
"""

import numpy as np
import pandas as pd

from cdp_lib.models.baselines import MeanEffects

HELD = 0.1  # share of the known cells that chooses the strength


class TableCompletion(MeanEffects):
    """Mean effects and what similar lines and perturbations share; the strength is chosen inside.

    A tenth of the known cells, drawn by `seed`, is left out once to choose among `strengths`.  A
    line that was never measured is predicted as `MeanEffects` does, because nothing is remembered
    of it.
    """

    def __init__(
        self,
        strengths: tuple[float, ...] = (40.0, 20.0, 10.0, 5.0),
        iterations: int = 40,
        seed: int = 0,
    ):
        self.strengths = strengths
        self.iterations = iterations
        self.seed = seed

    def _learn(self, y: np.ndarray, lines: pd.Index) -> None:
        known = ~np.isnan(y)  # (lines, perturbations)
        held = known & (np.random.default_rng(self.seed).random(y.shape) < HELD)
        rest = self._without_effects(np.where(held, np.nan, y), y, lines)
        errors, Z = [], np.zeros_like(y)
        for strength in self.strengths:
            Z = completed(rest, known & ~held, strength, self.iterations // 2, Z)
            errors.append(np.square(rest - Z)[held].mean() if held.any() else 0.0)
        self.strength_ = self.strengths[int(np.argmin(errors))]
        rest = self._without_effects(y, y, lines)
        Z = completed(rest, known, self.strength_, self.iterations, Z)
        self.shared_ = pd.DataFrame(Z, lines, self.columns_)

    def _without_effects(self, learned: np.ndarray, y: np.ndarray, lines: pd.Index) -> np.ndarray:
        """y less the mean effects of the cells that are learned from."""
        super()._learn(learned, lines)
        return y - super()._means(lines)

    def _means(self, lines: pd.Index) -> np.ndarray:
        shared = self.shared_.reindex(lines).fillna(0.0).to_numpy()
        return super()._means(lines) + shared


def completed(
    rest: np.ndarray, known: np.ndarray, strength: float, iterations: int, Z: np.ndarray
) -> np.ndarray:
    """Fill the unknown cells by Z, shrink the singular values by `strength`, and again."""
    for _ in range(iterations):
        filled = np.where(known, rest, Z)  # (lines, perturbations)
        _, vectors = np.linalg.eigh(filled.T @ filled)  # its right singular vectors
        turned = filled @ vectors
        size = np.sqrt(np.square(turned).sum(axis=0))  # the singular values
        Z = turned * np.maximum(1 - strength / np.maximum(size, 1e-12), 0) @ vectors.T
    return Z
