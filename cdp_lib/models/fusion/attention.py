"""Attention, and how it learns from what frozen networks predict (stage two of stages.py).

    p_d = sum_m W_dm y_md,      W_d = softmax(logits_d) over the networks m

p_d is a weighted mean of the networks' predictions y_md for drug d.  All is learned in units of
each drug's training labels, so that a drug of large variance does not weigh more.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from cdp_lib.errors import InputError
from cdp_lib.models.base.scaled import label_scales
from cdp_lib.models.base.settings import Estimator, Instance, OneOf, check_settings
from cdp_lib.models.base.stopping import set_aside
from cdp_lib.models.base.tables import NotFitted, check_pair
from cdp_lib.models.base.training import ALL_EPOCHS, Training, masked_mse, train

KINDS = ("drug", "line", "mean")
STEPS = replace(ALL_EPOCHS, lr=0.1, epochs=150, batch_size=None, device="cpu")  # of the attention
Predictions = dict[str, pd.DataFrame]  # omics name -> (lines, perturbations)


class Attention(nn.Module):
    """Predictions (rows, omics, drugs) -> their weighted mean (rows, drugs).

    kind="drug": weights of a drug are the same for all lines (equation 7).  "line": they depend on
    what the networks predict for this line and drug.  "mean": all networks weigh the same.
    """

    def __init__(self, omics: int, drugs: int, kind: str = "drug"):
        super().__init__()
        learns = kind != "mean"
        self.logits = nn.Parameter(torch.zeros(omics, drugs), requires_grad=learns)
        self.gate = nn.Parameter(torch.zeros(drugs, omics, omics)) if kind == "line" else None

    def weights(self, P: Tensor) -> Tensor:
        """(rows, omics, drugs): positive, and 1 in sum over omics."""
        logits = self.logits.expand(len(P), -1, -1)
        if self.gate is not None:
            logits = logits + torch.einsum("rid,dio->rod", P, self.gate)
        return logits.softmax(dim=1)

    def forward(self, P: Tensor) -> Tensor:
        return (self.weights(P) * P).sum(dim=1)


class Stacker(Estimator):
    """Stage two: attention trained on predictions, in units of each drug's training labels."""

    _settings = {"attention": OneOf(*KINDS), "training": Instance(Training)}

    def __init__(self, attention: str = "drug", training: Training = STEPS):
        self.attention = attention
        self.training = training

    def fit(
        self,
        predictions: Predictions,
        Y: pd.DataFrame,
        validation: tuple[Predictions, pd.DataFrame] | None = None,
    ) -> "Stacker":
        """Learn from (predictions, Y), and stop by `validation` of other lines, if given."""
        check_settings(self)
        y = Y.to_numpy(np.float64)
        stop = np.zeros(len(y), dtype=bool)
        if validation is None:
            stop = set_aside(y, self.training.validation_fraction, self.training.seed)
        self.omics_, self.drugs_ = list(predictions), Y.columns
        self.mean_, scale = label_scales(y[~stop])
        self.scale_ = np.where(scale > 0, scale, 1.0)
        self.module_ = Attention(len(predictions), y.shape[1], self.attention)
        P, target = self._pair(predictions, Y)
        if self.attention == "mean":
            return self
        if validation is not None:
            held = self._pair(*check_pair(validation))
        else:
            held = (P[stop], target[stop]) if stop.any() else None
        self.history_ = train(
            self.module_,
            lambda module, P, y: masked_mse(module(P), y),
            (P[~stop], target[~stop]),
            held,
            self.training,
        )
        self.module_.cpu()
        return self

    def predict(self, predictions: Predictions) -> pd.DataFrame:
        P = self._stack(predictions)
        with torch.no_grad():
            p = self.module_(P).numpy()  # (lines, drugs)
        lines = predictions[self.omics_[0]].index
        return pd.DataFrame(self.mean_ + self.scale_ * p, lines, self.drugs_)

    def weights(self, predictions: Predictions) -> pd.DataFrame:
        """The attention (drugs, omics), its mean over the lines."""
        P = self._stack(predictions)
        with torch.no_grad():
            w = self.module_.weights(P).mean(dim=0).numpy()
        return pd.DataFrame(w.T, self.drugs_, pd.Index(self.omics_, name="omics"))

    def _pair(self, predictions: Predictions, Y: pd.DataFrame) -> tuple[Tensor, Tensor]:
        y = (Y.to_numpy(np.float64) - self.mean_) / self.scale_  # (lines, drugs)
        return self._stack(predictions, Y.index), torch.tensor(y, dtype=torch.float32)

    def _stack(self, predictions: Predictions, lines: pd.Index | None = None) -> Tensor:
        """(lines, omics, drugs), matched by name: the order of `predictions` plays no part."""
        if not hasattr(self, "module_"):
            raise NotFitted("This Stacker is not fitted yet: call fit(predictions, Y) first.")
        if not predictions or set(predictions) != set(self.omics_):
            raise InputError(
                f"The attention weighs the omics {', '.join(map(str, self.omics_))} "
                f"but was given predictions of {', '.join(map(str, predictions))}: "
                "give those of the same omics."
            )
        tables = [predictions[name] for name in self.omics_]
        for name, table in zip(self.omics_, tables, strict=True):
            if not isinstance(table, pd.DataFrame):
                raise InputError(
                    f"The predictions of {name!r} are a {type(table).__name__}: use a "
                    "network that predicts a DataFrame, lines by drugs."
                )
            lines = table.index if lines is None else lines
            if not (table.index.equals(lines) and table.columns.equals(self.drugs_)):
                raise InputError(
                    f"The predictions of {name!r} name other lines or drugs, or in "
                    "another order: select the same ones, for example with .loc."
                )
        P = np.stack([table.to_numpy() for table in tables], axis=1)
        return torch.tensor((P - self.mean_) / self.scale_, dtype=torch.float32)  # (r, omics, d)
