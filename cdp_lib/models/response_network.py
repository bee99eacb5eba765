"""The drug response network of Dong et al. (2020): one row a line and a drug.

With x_i what is told of line i and z_j what is told of drug j,

    y[i, j] = mean + scale * joint(gene(x_i), drug(z_j))

`gene` is 256-256-64, `drug` 128-128-64 and `joint` 128-128-64-1, with PReLU after every layer but
the last.  The paper tells the network the latent numbers of two variational autoencoders; names,
fingerprints or noise in their place are the controls for what these are worth.

A step encodes each line and each drug of its rows once, and then sums the first layer of `joint`
(see networks/two_branch.py): the rows get what each would get on its own.
"""

import copy
import math
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cdp_lib.models.base.inputs import INPUT, Features, Input
from cdp_lib.models.base.pair_model import Cells, PairModel
from cdp_lib.models.base.protocols import PROTOCOLS
from cdp_lib.models.base.settings import Instance, Number, OneOf, Tuple
from cdp_lib.models.base.tables import Pair
from cdp_lib.models.base.training import (
    History,
    Training,
    check_finite,
    masked_mse,
    pick_device,
    seeded,
    train,
)
from cdp_lib.models.networks.two_branch import AT_ONCE, TwoBranchModule

GENE, DRUG, JOINT = (256, 256, 64), (128, 128, 64), (128, 128, 64)
KEPT_AFTER, CHECKED = 20, 2  # epochs: the published code keeps none before, and looks at every 2nd
LAYERS = Tuple(Number(least=1, whole=True), least=1)


class ResponseNetwork(PairModel):
    """Any line and any drug, from what `line_input` and `drug_input` tell of them.

    An input is Features, Names, Noise or Shuffled (see base/inputs.py), or a tuple of several.
    Training, as `training` says, takes a batch of known cells; `by_line=True` takes a batch of
    lines and judges all their known cells, which is faster where a screen has many lines.  The
    cells of `validation`, or else a random `validation_fraction`, choose the epoch.

    protocol="as_published" trains as the published code does: Adam with its own weight decay, the
    rows of an incomplete last batch left out, and of the epochs after 20 every second is a
    candidate to keep.  No test row is seen.
    """

    _settings = {
        "line_input": [INPUT, Tuple(INPUT, least=1)],
        "drug_input": [INPUT, Tuple(INPUT, least=1)],
        "gene": LAYERS,
        "drug": LAYERS,
        "joint": LAYERS,
        "by_line": OneOf(True, False),
        "protocol": OneOf(*PROTOCOLS),
        "training": Instance(Training),
    }

    def __init__(
        self,
        line_input: Input | tuple[Input, ...] = Features(),
        drug_input: Input | tuple[Input, ...] = Features(),
        gene: tuple[int, ...] = GENE,
        drug: tuple[int, ...] = DRUG,
        joint: tuple[int, ...] = JOINT,
        by_line: bool = False,
        protocol: str = "repaired",
        training: Training = Training(weight_decay=5e-4),
    ):
        self.line_input = line_input
        self.drug_input = drug_input
        self.gene = gene
        self.drug = drug
        self.joint = joint
        self.by_line = by_line
        self.protocol = protocol
        self.training = training

    def fit(
        self,
        X: pd.DataFrame,
        Y: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
        validation: Pair | None = None,
        monitor: Callable[["ResponseNetwork"], float] | None = None,
    ) -> "ResponseNetwork":
        """Learn the known cells of Y (lines x drugs)."""
        how = self.training
        lines, drugs, *parts = self._open_pairs(
            X, Y, perturbations, validation, how.validation_fraction, how.seed
        )
        x, z = self._tables(lines, drugs, pick_device(how.device))
        with seeded(how.seed):  # the initial weights
            self.module_ = TwoBranchModule(
                x.shape[1], z, self.gene, self.joint, "prelu", perturbation_encoder=self.drug
            )
        data, checked = ((whole if self.by_line else flat)(part, z) for part in parts)
        learn = train if self.protocol == "repaired" else train_as_published
        self.history_ = learn(
            self.module_,
            (of_lines if self.by_line else of_cells)(x, z),
            data,
            checked if len(checked[0]) else None,
            how,
            monitor=None if monitor is None else lambda: monitor(self),
        )
        return self

    def predict(self, X: pd.DataFrame, perturbations: pd.DataFrame | None = None) -> pd.DataFrame:
        """The response to the rows of `perturbations`, or to the columns of the fitted Y."""
        names, drugs, at, _ = self._open_predict(X, perturbations)
        x, z = self._tables(X, drugs, next(self.module_.parameters()).device)
        with torch.no_grad():
            P = np.vstack([self.module_(part, z).cpu().numpy() for part in x.split(AT_ONCE)])
        P = self.y_mean_ + self.y_scale_ * P[:, at]
        return pd.DataFrame(P, X.index, names)  # (lines, drugs)

    def _tables(
        self, X: pd.DataFrame, drugs: pd.Index, device: torch.device
    ) -> tuple[Tensor, Tensor]:
        """What is told of the lines, all omics side by side, and of the drugs."""
        x = np.hstack(self._of_lines(X))  # (lines, features)
        return torch.tensor(x, device=device), torch.tensor(self._of_drugs(drugs), device=device)


def flat(cells: Cells, z: Tensor) -> tuple[Tensor, ...]:
    """A row a cell: its line, its drug and its label."""
    return torch.tensor(cells.line), torch.tensor(cells.a), torch.tensor(cells.y).float()


def whole(cells: Cells, z: Tensor) -> tuple[Tensor, ...]:
    """A row a line: its number, and its labels for all drugs, NaN where there is none."""
    lines, row = np.unique(cells.line, return_inverse=True)
    y = torch.full((len(lines), len(z)), torch.nan)
    y[row, cells.a] = torch.tensor(cells.y).float()
    return torch.tensor(lines), y


def of_cells(x: Tensor, z: Tensor) -> Callable[..., Tensor]:
    return lambda module, line, drug, y: masked_mse(module.cells(x, z, line, drug), y)


def of_lines(x: Tensor, z: Tensor) -> Callable[..., Tensor]:
    return lambda module, line, y: masked_mse(module(x[line], z), y)


def train_as_published(
    module: TwoBranchModule,
    loss: Callable[..., Tensor],
    data: tuple[Tensor, ...],
    validation: tuple[Tensor, ...] | None,
    training: Training,
    monitor: Callable[[], float] | None = None,
) -> History:
    """Adam on whole batches; of the epochs after 20 every second may be the one that is kept.

    In Adam the weight decay w is a part of the gradient, which is divided by its own size, where
    AdamW subtracts lr * w * weights beside it.
    """
    start = time.perf_counter()
    device = pick_device(training.device)
    module.to(device)
    data = tuple(tensor.to(device) for tensor in data)
    validation = validation and tuple(tensor.to(device) for tensor in validation)
    optimizer = torch.optim.Adam(
        module.parameters(), lr=training.lr, weight_decay=training.weight_decay
    )
    order = torch.Generator().manual_seed(training.seed)
    size = min(training.batch_size or len(data[0]), len(data[0]))
    seen, checked, watched, best, best_epoch, kept = [], [], [], math.inf, 0, None
    for epoch in range(training.epochs):
        module.train()
        rows = torch.randperm(len(data[0]), generator=order).to(device)
        batches = rows[: len(rows) // size * size].split(size)
        total = 0.0
        for batch in batches:
            value = loss(module, *(tensor[batch] for tensor in data))
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            total = total + value.detach()
        seen.append(float(total) / len(batches))
        check_finite({"loss": seen[-1]}, epoch, training.lr)
        module.eval()
        if monitor is not None:
            watched.append(float(monitor()))
        best_epoch = epoch if kept is None else best_epoch
        if validation is not None:
            with torch.no_grad():
                checked.append(float(loss(module, *validation)))
            if epoch > KEPT_AFTER and epoch % CHECKED == 0 and checked[-1] < best:
                best, best_epoch, kept = checked[-1], epoch, copy.deepcopy(module.state_dict())
    if kept is not None:
        module.load_state_dict(kept)
    return History(
        {"loss": tuple(seen)},
        {"loss": tuple(checked)} if checked else {},
        best_epoch,
        str(device),
        time.perf_counter() - start,
        tuple(watched),
        (training.lr,) * len(seen),
    )
