"""A feed-forward network that predicts all perturbations of a line at once.

    y = mean + scale * f((x - mean_x) / scale_x),    f: linear, activation, dropout, ..., linear

trained on the squared error of the known cells.  Means and scales come from training rows only.
A perturbation without any known label has scale 0: its prediction is the mean of all labels.

The regressor of Itzhacky & Sharan (2021) is
FeedForward(hidden=(100,) * 3, activation="tanh", lr=1e-4, batch_size=32, scale_targets=False).
"""

from collections.abc import Callable

import numpy as np
import torch

from cdp_lib.errors import InputError
from cdp_lib.models.as_published import fit_as_published
from cdp_lib.models.blocks import mlp
from cdp_lib.models.tables import Table, TableRegressor, column_means, means_and_scales
from cdp_lib.training import masked_mse, seeded, train


class FeedForward(TableRegressor):
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
        self._learn_scales(x, y)
        with seeded(self.seed):  # the initial weights
            self.module_ = mlp(
                [x.shape[1], *self.hidden, y.shape[1]], self.activation, self.dropout
            )
        self.history_ = train(
            self.module_,
            lambda module, x, y: masked_mse(module(x), y),
            self._tensors(x, y),
            self._tensors(x_val, y_val) if len(x_val) else None,
            epochs=self.epochs,
            batch_size=self.batch_size,
            lr=self.lr,
            weight_decay=self.weight_decay,
            patience=self.patience,
            seed=self.seed,
            device=self.device,
            monitor=None if monitor is None else lambda: monitor(self),
        )
        return self

    def _learn_scales(self, x: np.ndarray, y: np.ndarray) -> None:
        self.x_mean_, self.x_scale_ = means_and_scales(x)
        empty = np.isnan(y).all(axis=0)
        self.y_mean_ = column_means(y)
        self.y_scale_ = np.sqrt(column_means((y - self.y_mean_) ** 2))
        if not self.scale_targets:
            self.y_mean_, self.y_scale_ = np.where(empty, self.y_mean_, 0.0), np.ones(len(empty))
        self.y_scale_[empty] = 0.0

    def _tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        y = (y - self.y_mean_) / np.where(self.y_scale_ > 0, self.y_scale_, 1.0)
        return self._scaled(x), torch.tensor(y, dtype=torch.float32)

    def _scaled(self, x: np.ndarray) -> torch.Tensor:
        return torch.tensor((x - self.x_mean_) / self.x_scale_, dtype=torch.float32)

    def _predict(self, x: np.ndarray) -> np.ndarray:
        device = next(self.module_.parameters()).device
        with torch.no_grad():
            f = self.module_(self._scaled(x).to(device)).cpu().numpy()  # (lines, perturbations)
        return self.y_mean_ + self.y_scale_ * f


def set_aside(y: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """A mask of rows, drawn at random from those with a known label, to stop the training by."""
    if not 0 <= fraction < 1:
        raise InputError(f"validation_fraction is {fraction}: give a number from 0 to 1.")
    labelled = np.flatnonzero(~np.isnan(y).all(axis=1))
    shuffled = np.random.default_rng(seed).permutation(labelled)
    stop = np.zeros(len(y), dtype=bool)
    stop[shuffled[: int(len(labelled) * fraction)]] = True
    return stop
