"""A network with two branches: what a line is and what a perturbation is meet in its top.

With x_i the features of line i and z_j those of perturbation j,

    y[i, j] = m_j + s_j top(line(x_i), perturbation(z_j))

One network serves all perturbations, and predicts those without labels, too.  A step takes a batch
of lines and judges all their known cells.  Each line and each perturbation is encoded once for
that, and because the first layer of `top` is linear before its activation f,

    f(W [u; v] + b) = f((W_u u + b) + W_v v)

its products are taken once for each line and each perturbation, too: only the sum is formed for
each cell.  The tDNN of Bodinier et al. (2025) has this shape.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from cdp_lib.models.base.blocks import ACTIVATION, ACTIVATIONS, mlp
from cdp_lib.models.base.described import DescribedPerturbations, described
from cdp_lib.models.base.inputs import INPUT, Input
from cdp_lib.models.base.scaled import ScaledNetwork
from cdp_lib.models.base.settings import Instance, Number, OneOf, Tuple
from cdp_lib.models.base.tables import Pair
from cdp_lib.models.base.training import Training

AT_ONCE = 64  # lines that are predicted together: (lines, perturbations, top) fills the memory


class TwoBranch(DescribedPerturbations, ScaledNetwork):
    """All perturbations from the features of a line and those of a perturbation.

    `perturbation_input` is Features(table), whose rows are named as the columns of Y, or
    Features(), which reads the table that is handed as `perturbations` and must hold numbers only;
    Names() knows a perturbation by its name, which is the control for what its features are worth;
    a tuple joins several.  `encoder` and `top` are the widths of the layers of a branch and of the
    top.  With `scale_targets` each perturbation has its own mean and scale, otherwise all have one.
    """

    _settings = {
        "perturbation_input": [INPUT, Tuple(INPUT, least=1)],
        "encoder": Tuple(Number(least=1, whole=True), least=1),
        "top": Tuple(Number(least=1, whole=True), least=1),
        "activation": ACTIVATION,
        "dropout": Number(below=1),
        "scale_targets": OneOf(True, False),
        "training": Instance(Training),
    }

    def __init__(
        self,
        perturbation_input: Input | tuple[Input, ...],
        encoder: tuple[int, ...] = (64,),
        top: tuple[int, ...] = (64,),
        activation: str = "relu",
        dropout: float = 0.0,
        scale_targets: bool = True,
        training: Training = Training(batch_size=32),
    ):
        self.perturbation_input = perturbation_input
        self.encoder = encoder
        self.top = top
        self.activation = activation
        self.dropout = dropout
        self.scale_targets = scale_targets
        self.training = training

    def fit(
        self,
        X: pd.DataFrame,
        Y: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
        validation: Pair | None = None,
        monitor: Callable[["TwoBranch"], float] | None = None,
    ) -> "TwoBranch":
        """Learn the known cells of Y; `perturbations` has a row for each of its columns."""
        self.table_ = described(perturbations, Y)
        return self._fit(X, Y, validation, monitor)

    def _learn(
        self,
        x: np.ndarray,
        y: np.ndarray,
        x_val: np.ndarray,
        y_val: np.ndarray,
        monitor: Callable[[], float] | None,
    ) -> None:
        self.z_ = self._learn_described(y)  # (perturbations, features)
        super()._learn(x, y, x_val, y_val, monitor)

    def _module(self, x: np.ndarray, outputs: int) -> nn.Module:
        z = torch.tensor(self.z_)
        return TwoBranchModule(x.shape[1], z, self.encoder, self.top, self.activation, self.dropout)

    def predict(self, X: pd.DataFrame, perturbations: pd.DataFrame | None = None) -> pd.DataFrame:
        """The response to the rows of `perturbations`, or to the columns of the fitted Y."""
        names, z, mean, scale = self._asked(perturbations)
        x = self._scaled(self._read_x(X))
        device = next(self.module_.parameters()).device
        z = torch.tensor(z, device=device)
        with torch.no_grad():
            parts = [self.module_(part.to(device), z).cpu().numpy() for part in x.split(AT_ONCE)]
        P = mean + scale * np.vstack(parts)  # (lines, perturbations)
        return pd.DataFrame(P, X.index if isinstance(X, pd.DataFrame) else None, names)


class TwoBranchModule(nn.Module):
    """The branches, the first layer of `top` in two parts, and the rest of it.

    `z` (perturbations, features) are those of the training, which `forward(x)` is for.  The branch
    of the perturbations is as wide as `encoder`, or as `perturbation_encoder` says.
    """

    def __init__(
        self,
        features: int,
        z: Tensor,
        encoder: tuple[int, ...] = (64,),
        top: tuple[int, ...] = (64,),
        activation: str = "relu",
        dropout: float = 0.0,
        perturbation_encoder: tuple[int, ...] | None = None,
    ):
        super().__init__()
        self.register_buffer("z", z, persistent=False)
        other = perturbation_encoder or encoder
        self.line = mlp([features, *encoder], activation, dropout, last=activation)
        self.perturbation = mlp([z.shape[1], *other], activation, dropout, last=activation)
        self.of_line = nn.Linear(encoder[-1], top[0])
        self.of_perturbation = nn.Linear(other[-1], top[0], bias=False)
        self.activate = nn.Sequential(ACTIVATIONS[activation](), nn.Dropout(dropout))
        self.rest = mlp([*top, 1], activation, dropout)

    def forward(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        """The value of each line and perturbation: (lines, perturbations)."""
        u = self.of_line(self.line(x))  # (lines, top)
        v = self.of_perturbation(self.perturbation(self.z if z is None else z))
        return self.rest(self.activate(u[:, None] + v)).squeeze(-1)

    def cells(self, x: Tensor, z: Tensor, line: Tensor, perturbation: Tensor) -> Tensor:
        """The values of some cells (cells,), by the numbers of their rows in x and z.

        What is in none of the cells is not encoded.
        """
        lines, i = line.unique(return_inverse=True)
        some, j = perturbation.unique(return_inverse=True)
        u = self.of_line(self.line(x[lines]))
        v = self.of_perturbation(self.perturbation(z[some]))
        return self.rest(self.activate(u[i] + v[j])).squeeze(-1)
