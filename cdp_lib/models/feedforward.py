"""A feed-forward network that predicts all perturbations of a line at once.

    y = mean + scale * f((x - mean_x) / scale_x),    f: linear, activation, dropout, ..., linear

trained on the squared error of the known cells.  Means and scales come from training rows only.
A perturbation without any known label has scale 0: its prediction is the mean of all labels.
"""

import numpy as np
import torch

from cdp_lib.errors import InputError
from cdp_lib.models.blocks import mlp
from cdp_lib.models.tables import Table, TableRegressor, column_means, means_and_scales
from cdp_lib.training import masked_mse, seeded, train


class FeedForward(TableRegressor):
    """Multi-target regression with a small network; unknown labels (NaN) are masked.

    Early stopping watches `validation=(X, Y)`, or else a random `validation_fraction` of the rows.
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
        self.seed = seed
        self.device = device

    def fit(
        self, X: Table, Y: Table, validation: tuple[Table, Table] | None = None
    ) -> "FeedForward":
        x, y = self._open(X, Y)  # (lines, features), (lines, perturbations)
        if validation is not None:
            x_val, y_val = self._read_x(validation[0]), self._read_y(*validation)
        else:
            x, y, x_val, y_val = self._set_aside(x, y)
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
        )
        return self

    def _set_aside(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
        """Split rows at random into a part to learn from and a (labelled) part to stop by."""
        if not 0 <= self.validation_fraction < 1:
            raise InputError(
                f"validation_fraction is {self.validation_fraction}: give a number from 0 to 1."
            )
        labelled = np.flatnonzero(~np.isnan(y).all(axis=1))
        shuffled = np.random.default_rng(self.seed).permutation(labelled)
        stop = np.zeros(len(x), dtype=bool)
        stop[shuffled[: int(len(labelled) * self.validation_fraction)]] = True
        return x[~stop], y[~stop], x[stop], y[stop]

    def _learn_scales(self, x: np.ndarray, y: np.ndarray) -> None:
        self.x_mean_, self.x_scale_ = means_and_scales(x)
        self.y_mean_ = column_means(y)
        self.y_scale_ = np.sqrt(column_means((y - self.y_mean_) ** 2))
        self.y_scale_[np.isnan(y).all(axis=0)] = 0.0

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
