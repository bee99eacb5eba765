"""A feed-forward network that predicts all perturbations of a line at once.

    y = mean + scale * f((x - mean_x) / scale_x),    f: linear, activation, dropout, ..., linear

trained on the squared error of the known cells.  Means and scales come from training rows only.
A perturbation without any known label has scale 0: its prediction is the mean of all labels.

The regressor of Itzhacky & Sharan (2021) is
FeedForward((100,) * 3, "tanh", scale_targets=False, training=Training(lr=1e-4, batch_size=32)).
"""

import numpy as np
from torch import nn

from cdp_lib.models.base.blocks import ACTIVATION, mlp
from cdp_lib.models.base.scaled import ScaledNetwork, label_scales
from cdp_lib.models.base.settings import WIDTHS, Instance, Number, OneOf
from cdp_lib.models.base.training import Training


class FeedForward(ScaledNetwork):
    """Multi-target regression with a small network; unknown labels (NaN) are masked.

    Without `scale_targets` the labels are learned as they are, so that perturbations of large
    variance weigh more.
    """

    _settings = {
        "hidden": WIDTHS,
        "activation": ACTIVATION,
        "dropout": Number(below=1),
        "scale_targets": OneOf(True, False),
        "training": Instance(Training),
    }

    def __init__(
        self,
        hidden: tuple[int, ...] = (128,),
        activation: str = "relu",
        dropout: float = 0.0,
        scale_targets: bool = True,
        training: Training = Training(),
    ):
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.scale_targets = scale_targets
        self.training = training

    def _module(self, x: np.ndarray, outputs: int) -> nn.Module:
        return mlp([x.shape[1], *self.hidden, outputs], self.activation, self.dropout)

    def _label_scales(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, scale = label_scales(y)
        if self.scale_targets:
            return mean, scale
        empty = np.isnan(y).all(axis=0)
        return np.where(empty, mean, 0.0), np.where(empty, 0.0, 1.0)
