"""Masked autoencoders: a line's summary, learned by repairing rows that were spoiled on purpose.

    z~[i, j] = z[i, j], or with probability p another value       (z: the z-scored row)
    minimise  |z - decode(encode(z~))|^2  over all cells

The other value is z[i', j] of another line i' (swap, one i' for each row: VIME, Yoon et al. 2020),
the mean 0 (zero), z[i, j] + 0.1 e (noise) or e (full noise), with e standard normal.

With hidden=() both ways are one linear layer, and the best such pair is known.  Let C be the
correlations of the features.  For every corruption above

    mean of z z~' = c C,    mean of z~ z~' = a C + b I,        a, b, c numbers

so the best linear map of rank k,  c C (a C + b I)^-1  cut to its k largest directions, has the
first k eigenvectors of C: the linear masked autoencoder that has converged spans the subspace of
PCA.  Seeds differ in the coordinates inside it, and in what early stopping has left unlearned.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from sklearn.base import TransformerMixin
from torch import Tensor, nn

from cdp_lib.errors import InputError
from cdp_lib.models.base.blocks import ACTIVATION, mlp
from cdp_lib.models.base.settings import WIDTHS, Instance, Number, OneOf
from cdp_lib.models.base.stopping import set_aside
from cdp_lib.models.base.tables import Table, TableEstimator, means_and_scales
from cdp_lib.models.base.training import (
    History,
    Training,
    masked_mse,
    pick_device,
    seeded,
    train,
)

SMALL = 0.1  # sd of what "noise" adds to a spoiled cell, where a feature has sd 1
PRETRAINING = Training(lr=3e-3, epochs=200, batch_size=None, patience=20, validation_fraction=0.2)


class MaskedAutoencoder(TransformerMixin, TableEstimator):
    """Features -> hidden -> ... -> latent -> ... -> hidden -> features, on rows with spoiled cells.

    `hidden` has the widths of the layers between features and latent values; `noise` is the sd of
    what is added to every cell before it may be spoiled (data augmentation, the paper's DAMAE).
    Rows are spoiled in training only.

    A `validation_fraction` of the rows, kept intact, chooses the number of epochs; the weights
    that stay are those of a second training on all rows for that many epochs.  Seeds make
    different models: `set_params(training__seed=1)`.  Bodinier et al. (2025) train
    MaskedAutoencoder(256, training=Training(lr=1e-4, epochs=1000, batch_size=1024, patience=20,
    validation_fraction=0.2)) with the seeds 0 to 4.
    """

    _settings = {
        "n_components": Number(least=1, whole=True),
        "hidden": WIDTHS,
        "activation": ACTIVATION,
        "corruption": OneOf("swap", "zero", "noise", "full noise"),
        "p": Number(below=1),
        "noise": Number(),
        "training": Instance(Training),
    }

    def __init__(
        self,
        n_components: int = 64,
        hidden: tuple[int, ...] = (),
        activation: str = "relu",
        corruption: str = "swap",
        p: float = 0.3,
        noise: float = 0.0,
        training: Training = PRETRAINING,
    ):
        self.n_components = n_components
        self.hidden = hidden
        self.activation = activation
        self.corruption = corruption
        self.p = p
        self.noise = noise
        self.training = training

    def fit(self, X: Table, Y: None = None) -> "MaskedAutoencoder":
        """Learn from the rows of X; Y plays no part."""
        x = self._open_x(X)  # (lines, features)
        if self.training.plateau is not None:
            raise InputError(
                f"plateau is {self.training.plateau}, but the second training is on all rows and "
                "no row is left to judge it: set plateau=None; decay=True lowers the rate as well."
            )
        self.mean_, self.scale_ = means_and_scales(x)
        z = self._scaled(x)
        training = self.training
        stop = torch.from_numpy(set_aside(x, training.validation_fraction, training.seed))
        if stop.any():
            _, self.search_ = self._trained(z[~stop], z[stop], training)
            epochs = min(self.search_.best_epoch + 1, training.epochs)
            training = replace(training, epochs=epochs)
        self.module_, self.history_ = self._trained(z, None, training)
        return self

    def transform(self, X: Table) -> Table:
        """The latent values of each row, none of its cells spoiled: (lines, n_components)."""
        latent = self._run(self.module_[0], self._scaled(self._read_x(X)))
        if not isinstance(X, pd.DataFrame):
            return latent
        return pd.DataFrame(latent, X.index).rename(columns=lambda number: f"latent {number + 1}")

    def reconstruct(self, X: Table) -> Table:
        """Each row, encoded and decoded: (lines, features)."""
        z = self._run(self.module_, self._scaled(self._read_x(X)))
        x = self.mean_ + self.scale_ * z
        return pd.DataFrame(x, X.index, self.features_) if isinstance(X, pd.DataFrame) else x

    def _trained(
        self, z: Tensor, z_val: Tensor | None, training: Training
    ) -> tuple[nn.Module, History]:
        module = self._module(z.shape[1])
        draws = torch.Generator(pick_device(training.device)).manual_seed(training.seed)

        def loss(module: nn.Module, z: Tensor) -> Tensor:
            return masked_mse(module(self._spoiled(z, draws) if module.training else z), z)

        return module, train(module, loss, (z,), None if z_val is None else (z_val,), training)

    def _module(self, features: int) -> nn.Module:
        sizes = [features, *self.hidden, self.n_components]
        with seeded(self.training.seed):  # the initial weights
            encoder = mlp(sizes, self.activation)
            return nn.Sequential(encoder, mlp(sizes[::-1], self.activation))

    def _spoiled(self, z: Tensor, draws: torch.Generator) -> Tensor:
        """The rows with some cells replaced: (rows, features)."""
        like = dict(generator=draws, device=z.device, dtype=z.dtype)
        if self.noise:
            z = z + self.noise * torch.randn(z.shape, **like)
        match self.corruption:
            case "swap":
                other = z[torch.randperm(len(z), generator=draws, device=z.device)]
            case "zero":
                other = torch.zeros_like(z)
            case "noise":
                other = z + SMALL * torch.randn(z.shape, **like)
            case "full noise":
                other = torch.randn(z.shape, **like)
        return torch.where(torch.rand(z.shape, **like) < self.p, other, z)

    def _scaled(self, x: np.ndarray) -> Tensor:
        return torch.tensor((x - self.mean_) / self.scale_, dtype=torch.float32)

    @staticmethod
    def _run(part: nn.Module, z: Tensor) -> np.ndarray:
        device = next(part.parameters()).device
        with torch.no_grad():
            return part(z.to(device)).cpu().numpy().astype(float)
