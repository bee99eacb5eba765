"""A feed-forward network that predicts all perturbations of a line at once.

    y = mean + scale * f((x - mean_x) / scale_x),    f: linear, activation, dropout, ..., linear

trained on the squared error of the known cells.  Means and scales come from training rows only.
A perturbation without any known label has scale 0: its prediction is the mean of all labels.

The regressor of Itzhacky & Sharan (2021) is
FeedForward(hidden=(100,) * 3, activation="tanh", lr=1e-4, batch_size=32, scale_targets=False).
"""

from collections.abc import Callable

import numpy as np
from torch import nn

from cdp_lib.models.base.blocks import mlp, widths
from cdp_lib.models.base.scaled import ScaledNetwork, label_scales
from cdp_lib.models.base.tables import Table
from cdp_lib.models.base.test_epoch import fit_as_published
from cdp_lib.models.base.training import check_number


class FeedForward(ScaledNetwork):
    """Multi-target regression with a small network; unknown labels (NaN) are masked.

    Early stopping watches `validation=(X, Y)`, or else a random `validation_fraction` of the rows;
    with a fraction of 0 all epochs are run.  Without `scale_targets` the labels are learned as they
    are, so that perturbations of large variance weigh more.  `monitor(model)` is called after each
    epoch and recorded in `history_.monitor`.
    """

    def __init__(
        self,
        hidden: tuple[int, ...] = (128,),
        activation: str = "relu",
        dropout: float = 0.0,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        epochs: int = 100,
        batch_size: int = 64,
        patience: int | None = 10,
        validation_fraction: float = 0.1,
        scale_targets: bool = True,
        seed: int = 0,
        device: str = "auto",
    ):
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.lr = lr
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.batch_size = batch_size
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.scale_targets = scale_targets
        self.seed = seed
        self.device = device

    def fit(
        self,
        X: Table,
        Y: Table,
        validation: tuple[Table, Table] | None = None,
        monitor: Callable[["FeedForward"], float] | None = None,
    ) -> "FeedForward":
        return self._fit(X, Y, validation, monitor, self.validation_fraction)

    fit_as_published = fit_as_published

    def _fit(
        self,
        X: Table,
        Y: Table,
        validation: tuple[Table, Table] | None,
        monitor: Callable[["FeedForward"], float] | None,
        validation_fraction: float,
    ) -> "FeedForward":
        x, y = self._open(X, Y)  # (lines, features), (lines, perturbations)
        if validation is not None:
            x_val, y_val = self._read_x(validation[0]), self._read_y(*validation)
        else:
            stop = set_aside(y, validation_fraction, self.seed)
            x, y, x_val, y_val = x[~stop], y[~stop], x[stop], y[stop]
        return self._learn(
            x,
            y,
            (x_val, y_val) if len(x_val) else None,
            self.patience,
            None if monitor is None else lambda: monitor(self),
        )

    def _module(self, x: np.ndarray, outputs: int) -> nn.Module:
        hidden = widths("hidden", self.hidden)
        return mlp([x.shape[1], *hidden, outputs], self.activation, self.dropout)

    def _label_scales(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, scale = label_scales(y)
        if self.scale_targets:
            return mean, scale
        empty = np.isnan(y).all(axis=0)
        return np.where(empty, mean, 0.0), np.where(empty, 0.0, 1.0)


def set_aside(y: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """A mask of rows, drawn at random from those with a known label, to stop the training by."""
    check_number("validation_fraction", fraction, below=1)
    check_number("seed", seed, whole=True)
    labelled = np.flatnonzero(~np.isnan(y).all(axis=1))
    shuffled = np.random.default_rng(seed).permutation(labelled)
    stop = np.zeros(len(y), dtype=bool)
    stop[shuffled[: int(len(labelled) * fraction)]] = True
    return stop
