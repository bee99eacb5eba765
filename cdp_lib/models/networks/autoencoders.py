"""Autoencoders, and a network between two of them.

An autoencoder squeezes a line's table row through a narrow layer and builds it up again:

    latent = encode(x),    x^ = decode(latent),    minimise |x - x^|^2

Itzhacky & Sharan (2021) predict all dependencies of a line through two of them: an encoder of the
expression, a network from latent to latent, and the decoder of the dependencies:

    y^ = decode_y(f(encode_x(x)))
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, TransformerMixin, clone
from torch import nn

from cdp_lib.errors import InputError
from cdp_lib.models.base.blocks import ACTIVATION, mlp
from cdp_lib.models.base.protocols import PROTOCOLS
from cdp_lib.models.base.settings import Instance, Number, OneOf, Tuple
from cdp_lib.models.base.stopping import EpochRegressor, set_aside
from cdp_lib.models.base.tables import (
    Pair,
    Table,
    TableEstimator,
    TableRegressor,
    check_names,
    check_pair,
    column_means,
    floats,
)
from cdp_lib.models.base.training import ALL_EPOCHS, Training, masked_mse, seeded, train
from cdp_lib.models.networks.feedforward import FeedForward


class AutoEncoder(TransformerMixin, TableEstimator):
    """Features -> hidden -> ... -> latent -> ... -> hidden -> features.

    `hidden` has the widths of the encoder; its last is the latent layer, which is linear, and the
    decoder mirrors it: (500, 500) on 17,040 genes is 17,040-500-500-500-17,040.  A missing cell
    enters as its column's mean and is not judged.

    With protocol="repaired" columns are z-scored on the way in and back on the way out.  The
    published code learns to turn z-scored rows into raw ones but then encodes raw rows;
    protocol="as_published" does the same.
    """

    _settings = {
        "hidden": Tuple(Number(least=1, whole=True), least=1),
        "activation": ACTIVATION,
        "protocol": OneOf(*PROTOCOLS),
        "training": Instance(Training),
    }

    def __init__(
        self,
        hidden: tuple[int, ...] = (500, 500),
        activation: str = "tanh",
        protocol: str = "repaired",
        training: Training = replace(ALL_EPOCHS, lr=1e-4, batch_size=32),
    ):
        self.hidden = hidden
        self.activation = activation
        self.protocol = protocol
        self.training = training

    def fit(self, X: Table, Y: None = None, validation: Pair | None = None) -> "AutoEncoder":
        """Learn from the rows of X, and stop by those of `validation=(X, Y)`, if given.

        Y plays no part: it may be None here and there.
        """
        x = self._open_x(X, missing=True)  # (lines, features)
        if validation is not None:
            x_val = self._read_x(check_pair(validation)[0], missing=True)
        else:
            stop = set_aside(x, self.training.validation_fraction, self.training.seed)
            x, x_val = x[~stop], x[stop]
        self.mean_ = column_means(x)
        varies = np.fmax.reduce(x) > np.fmin.reduce(x)
        self.scale_ = np.where(varies, np.sqrt(column_means((x - self.mean_) ** 2)), 0.0)
        sizes = [x.shape[1], *self.hidden]
        with seeded(self.training.seed):  # the initial weights
            encoder = mlp(sizes, self.activation)
            self.module_ = nn.Sequential(encoder, mlp(sizes[::-1], self.activation))
        self.history_ = train(
            self.module_,
            lambda module, z, target: masked_mse(module(z), target),
            self._pair(x),
            self._pair(x_val) if len(x_val) else None,
            self.training,
        )
        return self

    def encode(self, X: Table) -> Table:
        """The latent values of each row: (lines, latent)."""
        x = self._read_x(X, missing=True)
        x = np.where(np.isnan(x), self.mean_, x)
        z = x if self.protocol == "as_published" else self._scaled(x)
        latent = self._run(self.module_[0], z)
        if not isinstance(X, pd.DataFrame):
            return latent
        return pd.DataFrame(latent, X.index, self._latent_names())

    def decode(self, latent: Table) -> Table:
        """The rows that latent values stand for: (lines, features)."""
        self._check_fitted()
        if np.ndim(latent) != 2 or np.shape(latent)[1] != self.hidden[-1]:
            raise InputError(
                f"The latent table has the shape {np.shape(latent)}, "
                f"but this autoencoder has {self.hidden[-1]} latent columns: pass what encode gave."
            )
        if isinstance(latent, pd.DataFrame):
            check_names(self._latent_names(), latent.columns, "The latent table", "latent columns")
        x = self._run(self.module_[1], floats(latent, "The latent table"))
        if self.protocol == "repaired":
            x = self.mean_ + self.scale_ * x
        if not isinstance(latent, pd.DataFrame):
            return x
        return pd.DataFrame(x, latent.index, self.features_)

    def reconstruct(self, X: Table) -> Table:
        """Each row, encoded and decoded: (lines, features)."""
        return self.decode(self.encode(X))

    transform = encode
    inverse_transform = decode

    def _latent_names(self) -> pd.Index:
        return pd.Index([f"latent {number}" for number in range(1, self.hidden[-1] + 1)])

    def _scaled(self, x: np.ndarray) -> np.ndarray:
        return (x - self.mean_) / np.where(self.scale_ > 0, self.scale_, 1.0)

    def _pair(self, x: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """What the network is given, and what it should answer (NaN where unknown)."""
        z = self._scaled(x)
        target = x if self.protocol == "as_published" else z
        return _tensor(np.nan_to_num(z)), _tensor(target)

    @staticmethod
    def _run(part: nn.Module, x: np.ndarray) -> np.ndarray:
        device = next(part.parameters()).device
        with torch.no_grad():
            return part(_tensor(x).to(device)).cpu().numpy().astype(float)


class Rebuilt(TableRegressor):
    """A line's row from its own summary, as a model: Y is X again, and plays no part.

    `summary` is an AutoEncoder, or a scikit-learn transformer with an `inverse_transform`.
    """

    def __init__(self, summary: BaseEstimator):
        self.summary = summary

    def fit(self, X: Table, Y: Table) -> "Rebuilt":
        x, _ = self._open(X, Y)
        self.summary_ = clone(self.summary).fit(x)
        return self

    def _predict(self, x: np.ndarray) -> np.ndarray:
        if hasattr(self.summary_, "reconstruct"):
            return self.summary_.reconstruct(x)
        return self.summary_.inverse_transform(self.summary_.transform(x))


class EncoderRegressorDecoder(EpochRegressor):
    """The chain  encode X -> network -> decode Y.

    `regressor` is the network between the latent layers, and its `training` chooses the rows that
    are set aside.  The paper's is FeedForward((600,) * 6, "tanh", training=Training(lr=1e-4)).

    With protocol="repaired" both autoencoders are cloned and fitted on the training rows, and the
    rows set aside choose their epochs too.  With protocol="as_published" one that is fitted is used
    as given: fitted by the caller, in the published code on all lines.  What leaks then: the
    autoencoder of Y has seen the test labels.  `fit_as_published` leaks a second time, through the
    test epoch; each can be switched on alone.
    """

    _settings = {
        "source_ae": Instance(AutoEncoder),
        "target_ae": Instance(AutoEncoder),
        "regressor": Instance(FeedForward),
        "protocol": OneOf(*PROTOCOLS),
    }

    def __init__(
        self,
        source_ae: AutoEncoder,
        target_ae: AutoEncoder,
        regressor: FeedForward,
        protocol: str = "repaired",
    ):
        self.source_ae = source_ae
        self.target_ae = target_ae
        self.regressor = regressor
        self.protocol = protocol

    @property
    def training(self) -> Training:
        """How the network between the latent layers is trained."""
        return self.regressor.training

    def _learn(
        self,
        x: np.ndarray,
        y: np.ndarray,
        x_val: np.ndarray,
        y_val: np.ndarray,
        monitor: Callable[[], float] | None,
    ) -> None:
        fitted = [part for part in (self.source_ae, self.target_ae) if hasattr(part, "module_")]
        if self.protocol == "as_published" and not fitted:
            raise InputError(
                "protocol='as_published' uses autoencoders as they are given: fit one or both "
                "first (the published code does so on all lines), or use protocol='repaired'."
            )
        self.source_ = self._autoencoder(self.source_ae, x, x_val, self.features_, "X")
        self.target_ = self._autoencoder(self.target_ae, y, y_val, self.perturbations_, "Y")
        latents = (self.source_.encode(x), self.target_.encode(y))  # (lines, latent) each
        self.regressor_ = clone(self.regressor)
        self.regressor_._fit(
            *latents,
            (self.source_.encode(x_val), self.target_.encode(y_val)) if len(x_val) else None,
            None if monitor is None else lambda _: monitor(),
            all_rows=True,
        )
        self.history_ = self.regressor_.history_

    @property
    def module_(self) -> nn.Module:
        """The network between the two latent layers."""
        return self.regressor_.module_

    def _autoencoder(
        self,
        given: AutoEncoder,
        x: np.ndarray,
        x_val: np.ndarray,
        names: pd.Index | None,
        what: str,
    ) -> AutoEncoder:
        if self.protocol == "repaired" or not hasattr(given, "module_"):
            part = clone(given)
            if not len(x_val):
                return part.set_params(training__validation_fraction=0.0).fit(x)
            return part.fit(x, validation=(x_val, None))
        if given.features_ is not None and names is not None:
            check_names(given.features_, names, what)
        return given

    def _predict(self, x: np.ndarray) -> np.ndarray:
        return self.target_.decode(self.regressor_.predict(self.source_.encode(x)))


def _tensor(x: np.ndarray) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float32)
