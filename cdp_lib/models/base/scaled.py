"""What the networks that predict labels share: scales of the training rows around one module.

    y = mean_y + scale_y * f((x - mean_x) / scale_x)

f is trained on the squared error of the known cells, or on another loss, as `training` says.  A
perturbation without any known label has scale 0: its prediction is the mean of all labels.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from torch import nn

from cdp_lib.errors import InputError
from cdp_lib.models.base.stopping import EpochRegressor
from cdp_lib.models.base.tables import (
    check_model,
    column_means,
    means_and_scales,
)
from cdp_lib.models.base.training import masked_mse, seeded, train


class ScaledNetwork(EpochRegressor):
    """A child's `_module(x, outputs)` builds f; x (lines, features) are rows before scaling.

    `_loss(predicted, y)` is what the known cells are judged by.
    """

    _loss = staticmethod(masked_mse)

    def _learn(
        self,
        x: np.ndarray,
        y: np.ndarray,
        x_val: np.ndarray,
        y_val: np.ndarray,
        monitor: Callable[[], float] | None,
    ) -> None:
        self.x_mean_, self.x_scale_ = means_and_scales(x)
        self.y_mean_, self.y_scale_ = self._label_scales(y)
        with seeded(self.training.seed):  # the initial weights
            self.module_ = self._module(x, y.shape[1])
        self.history_ = train(
            self.module_,
            lambda module, x, y: self._loss(module(x), y),
            self._tensors(x, y),
            self._tensors(x_val, y_val) if len(x_val) else None,
            self.training,
            monitor=monitor,
        )

    def _module(self, x: np.ndarray, outputs: int) -> nn.Module:
        raise NotImplementedError

    def _label_scales(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return label_scales(y)

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


def label_scales(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column's known labels; scale 0 where there is none."""
    mean = column_means(y)
    scale = np.sqrt(column_means((y - mean) ** 2))
    return mean, np.where(np.isnan(y).all(axis=0), 0.0, scale)


def omics_columns(features: pd.Index | None) -> dict[str, np.ndarray]:
    """Omics name -> positions of its columns, from the two-level columns of Cohort.X([...])."""
    if not isinstance(features, pd.MultiIndex) or features.nlevels != 2 or features.empty:
        raise InputError(
            "X must hold several omics under two-level columns (omics, feature): "
            "make it with cohort.X(['expression', 'mutation'])."
        )
    names = features.get_level_values(0)
    return {name: np.flatnonzero(names == name) for name in names.unique()}


def network_columns(
    networks: Mapping[str, BaseEstimator], features: pd.Index | None
) -> dict[str, np.ndarray]:
    """Positions of the columns of each omics that has a network; other omics are left aside."""
    if not isinstance(networks, Mapping) or not networks:
        what = "empty" if isinstance(networks, Mapping) else f"of {type(networks).__name__}"
        raise InputError(
            f"networks is {what}: give a dictionary, omics name -> network, such as "
            "paper_networks makes."
        )
    columns = omics_columns(features)
    for name, network in networks.items():
        if name not in columns:
            raise InputError(
                f"X has no omics {name!r}, only {', '.join(map(str, columns))}: add "
                "it, or leave out its network."
            )
        check_model(f"The network of {name!r}", network)
    return {name: columns[name] for name in networks}
