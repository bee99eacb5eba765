"""Models that learn in epochs, and the rows that stop them.

    validation=(X, Y) of other lines, or else a random fraction of the training rows

decide the epoch whose weights are kept; they teach nothing.
"""

from collections.abc import Callable

import numpy as np

from cdp_lib.models.base.tables import Pair, Table, TableRegressor, check_pair
from cdp_lib.models.base.test_epoch import fit_as_published
from cdp_lib.models.base.training import Training


class EpochRegressor(TableRegressor):
    """A child has `training` and a `_learn(x, y, x_val, y_val, monitor)`; x_val may be empty."""

    training: Training

    def fit(
        self,
        X: Table,
        Y: Table,
        validation: Pair | None = None,
        monitor: Callable[["EpochRegressor"], float] | None = None,
    ) -> "EpochRegressor":
        """Learn from (X, Y), and stop by `validation=(X, Y)` of other lines, if given.

        `monitor(model)` is called after each epoch and recorded in `history_.monitor`.
        """
        return self._fit(X, Y, validation, monitor)

    fit_as_published = fit_as_published

    def _fit(
        self,
        X: Table,
        Y: Table,
        validation: Pair | None = None,
        monitor: Callable[["EpochRegressor"], float] | None = None,
        all_rows: bool = False,
    ) -> "EpochRegressor":
        x, y = self._open(X, Y)  # (lines, features), (lines, perturbations)
        if validation is not None:
            X_val, Y_val = check_pair(validation)
            x_val, y_val = self._read_x(X_val), self._read_y(X_val, Y_val)
        else:
            fraction = 0.0 if all_rows else self.training.validation_fraction
            stop = set_aside(y, fraction, self.training.seed)
            x, y, x_val, y_val = x[~stop], y[~stop], x[stop], y[stop]
        self._learn(x, y, x_val, y_val, None if monitor is None else lambda: monitor(self))
        return self

    def _learn(
        self,
        x: np.ndarray,
        y: np.ndarray,
        x_val: np.ndarray,
        y_val: np.ndarray,
        monitor: Callable[[], float] | None,
    ) -> None:
        raise NotImplementedError


def set_aside(y: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """A mask of rows, drawn at random from those with a known value, to stop the training by."""
    known = np.flatnonzero(~np.isnan(y).all(axis=1))
    shuffled = np.random.default_rng(seed).permutation(known)
    stop = np.zeros(len(y), dtype=bool)
    stop[shuffled[: int(len(known) * fraction)]] = True
    return stop
