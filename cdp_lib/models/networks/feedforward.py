"""A feed-forward network that predicts all perturbations of a line at once.

    y = mean + scale * f((x - mean_x) / scale_x),    f: linear, activation, dropout, ..., linear

trained on the squared error of the known cells (loss="mse"), or, a column j at a time, on

    1 - mean over perturbations j of r_j    (loss="correlation")

with r_j Pearson's correlation over the known labels of the lines in a batch.  Means and scales come
from training rows only.  A perturbation without any known label has scale 0: its prediction is the
mean of all labels.

A correlation asks for the order of the lines and leaves open where f is zero and how far it
reaches.  So after the training with loss="correlation" the line y = a + b f is fitted to the
training rows of each perturbation by least squares, which gives R2 a meaning, too; a `monitor`
looks before that.  Bodinier et al. (2025) call this loss Spearman's; their code, like this one,
computes Pearson's.

The regressor of Itzhacky & Sharan (2021) is
FeedForward((100,) * 3, "tanh", scale_targets=False, training=Training(lr=1e-4, batch_size=32)).
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from cdp_lib.errors import InputError
from cdp_lib.models.base.blocks import ACTIVATION, mlp
from cdp_lib.models.base.scaled import ScaledNetwork, label_scales
from cdp_lib.models.base.settings import WIDTHS, Instance, Number, OneOf
from cdp_lib.models.base.tables import column_means
from cdp_lib.models.base.training import Training, comparable, masked_correlation, masked_mse

LOSSES = {"mse": masked_mse, "correlation": masked_correlation}
ROUNDING = 1e-10  # a part of the variance of the labels that a float32 network cannot mean


class FeedForward(ScaledNetwork):
    """Multi-target regression with a small network; unknown labels (NaN) are masked.

    Without `scale_targets` the labels are learned as they are, so that perturbations of large
    variance weigh more; a correlation has no scale, so there it makes no difference.
    """

    _settings = {
        "hidden": WIDTHS,
        "activation": ACTIVATION,
        "dropout": Number(below=1),
        "loss": OneOf(*LOSSES),
        "scale_targets": OneOf(True, False),
        "training": Instance(Training),
    }

    def __init__(
        self,
        hidden: tuple[int, ...] = (128,),
        activation: str = "relu",
        dropout: float = 0.0,
        loss: str = "mse",
        scale_targets: bool = True,
        training: Training = Training(),
    ):
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.loss = loss
        self.scale_targets = scale_targets
        self.training = training

    def _module(self, x: np.ndarray, outputs: int) -> nn.Module:
        return mlp([x.shape[1], *self.hidden, outputs], self.activation, self.dropout)

    def _loss(self, predicted: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return LOSSES[self.loss](predicted, y)

    def _learn(
        self,
        x: np.ndarray,
        y: np.ndarray,
        x_val: np.ndarray,
        y_val: np.ndarray,
        monitor: Callable[[], float] | None,
    ) -> None:
        if self.loss == "correlation":
            check_comparable(y_val, self.training)
        self.line_ = 0.0, 1.0
        super()._learn(x, y, x_val, y_val, monitor)
        if self.loss == "correlation":
            self.line_ = straight_lines(self._predict(x), y)

    def _predict(self, x: np.ndarray) -> np.ndarray:
        a, b = self.line_
        return a + b * super()._predict(x)

    def _label_scales(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, scale = label_scales(y)
        if self.scale_targets or self.loss == "correlation":
            return mean, scale
        empty = np.isnan(y).all(axis=0)
        return np.where(empty, mean, 0.0), np.where(empty, 0.0, 1.0)


def check_comparable(y_val: np.ndarray, training: Training) -> None:
    """Refuse batches and validation rows that no correlation can judge."""
    if training.batch_size == 1:
        raise InputError(
            "batch_size is 1, but loss='correlation' compares the lines of a batch: give 2 or more."
        )
    if len(y_val) and not comparable(torch.tensor(y_val)).any():
        raise InputError(
            f"In the {len(y_val)} rows that stop the training no perturbation has two different "
            "labels, so loss='correlation' cannot judge them: give more rows as validation, or "
            "train on all rows with validation_fraction=0."
        )


def straight_lines(f: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """a and b of the least-squares line y = a + b f of each column, over its known rows.

    Where f is constant, up to its rounding, b is 0 and a the mean; a column without labels keeps f
    as it is.
    """
    known = ~np.isnan(y)  # (lines, perturbations)
    f_mean, y_mean = column_means(np.where(known, f, np.nan)), column_means(y)
    df, dy = np.where(known, f - f_mean, 0.0), np.where(known, y - y_mean, 0.0)
    spread = np.square(df).sum(axis=0)
    varies = spread > ROUNDING * np.square(dy).sum(axis=0)
    b = np.where(varies, (df * dy).sum(axis=0) / np.where(varies, spread, 1.0), 0.0)
    a = y_mean - b * f_mean
    empty = ~known.any(axis=0)
    return np.where(empty, 0.0, a), np.where(empty, 1.0, b)
