"""A network for pairs of drugs: what a line is and what its two drugs are, in one row.

With x_i the features of line i and z_d those of drug d, the response to d and e together is

    y[i, de] = mean + scale * top(line(x_i), drug(z_d), drug(z_e))

`line` holds an encoder for each omics, `drug` is one encoder for both places, and `top` is a
residual network (Xia et al. 2018).  Means and scales come from the training cells.

Few lines and few drugs make many rows, so each is encoded once a step and its row is fetched where
it is needed.  The first layer of `top` is linear before its activation f, hence

    f(W [line; drug; drug'] + b) = f((W_line line + b) + (W_1 drug + W_2 drug'))

and its three products are taken once for each line and drug, too.  A row gets what it would get on
its own; only the dropout of an encoder is drawn once a line or drug and step, where rows on their
own would draw one each.  A symmetric network has
W_1 = W_2: it sees the sum over the drugs of a pair, which has no order, and nothing is lost,
because any function of a set is a function of such a sum (Zaheer et al. 2017).
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from cdp_lib.models.base.blocks import ACTIVATION, ACTIVATIONS, HiddenLayers
from cdp_lib.models.base.inputs import INPUT, Features, Input, Names
from cdp_lib.models.base.pair_model import PairModel
from cdp_lib.models.base.settings import WIDTHS, Instance, Number, OneOf, Tuple
from cdp_lib.models.base.tables import Pair
from cdp_lib.models.base.training import Training, masked_mse, pick_device, seeded, train

RESIDUAL = ("everywhere", "top", "nowhere")
FEW_EPOCHS = Training(
    lr=3e-3, weight_decay=0.3, epochs=10, batch_size=1024, warmup=1, decay=True, patience=None
)


class DrugPairNetwork(PairModel):
    """Any line and any two drugs, from what `line_input` and `drug_input` tell of them.

    An input is Features, Names, Noise or Shuffled (see base/inputs.py), or a tuple of several;
    features of a line are the omics of X, an encoder each.  Layers are as wide as `encoder` and
    `top` say.  `residual` adds the input of a layer to its output "everywhere", in the "top" alone,
    as the published code does, or "nowhere".  Known cells (line, pair) are the rows to learn from;
    those of `validation`, or else a random `validation_fraction` of them, stop the training.
    """

    _settings = {
        "line_input": [INPUT, Tuple(INPUT, least=1)],
        "drug_input": [INPUT, Tuple(INPUT, least=1)],
        "encoder": WIDTHS,
        "top": Tuple(Number(least=1, whole=True), least=1),
        "activation": ACTIVATION,
        "dropout": Number(below=1),
        "residual": OneOf(*RESIDUAL),
        "symmetric": OneOf(True, False),
        "training": Instance(Training),
    }

    def __init__(
        self,
        line_input: Input | tuple[Input, ...] = Features(),
        drug_input: Input | tuple[Input, ...] = Names(),
        encoder: tuple[int, ...] = (64, 64, 64),
        top: tuple[int, ...] = (64, 64, 64),
        activation: str = "relu",
        dropout: float = 0.0,
        residual: str = "everywhere",
        symmetric: bool = False,
        training: Training = FEW_EPOCHS,
    ):
        self.line_input = line_input
        self.drug_input = drug_input
        self.encoder = encoder
        self.top = top
        self.activation = activation
        self.dropout = dropout
        self.residual = residual
        self.symmetric = symmetric
        self.training = training

    def fit(
        self,
        X: pd.DataFrame,
        Y: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
        validation: Pair | None = None,
        monitor: Callable[["DrugPairNetwork"], float] | None = None,
    ) -> "DrugPairNetwork":
        """Learn the known cells of Y (lines x pairs); `perturbations` names the drugs of a pair."""
        how = self.training
        lines, drugs, *parts = self._open_pairs(
            X, Y, perturbations, validation, how.validation_fraction, how.seed
        )
        tables = self._tables(lines, drugs, pick_device(how.device))
        data, checked = (
            (*map(torch.tensor, (cells.line, cells.a, cells.b)), torch.tensor(cells.y).float())
            for cells in parts
        )
        with seeded(self.training.seed):  # the initial weights
            self.module_ = self._module(*tables)
        self.history_ = train(
            self.module_,
            lambda module, line, a, b, y: masked_mse(module(*tables, line, a, b), y),
            data,
            checked if len(checked[0]) else None,
            self.training,
            monitor=None if monitor is None else lambda: monitor(self),
        )
        return self

    def fit_as_published(
        self,
        X: pd.DataFrame,
        Y: pd.DataFrame,
        X_test: pd.DataFrame,
        Y_test: pd.DataFrame,
        perturbations: pd.DataFrame | None = None,
    ) -> "DrugPairNetwork":
        """What leaks: the labels of Y_test choose the epoch, and with `plateau` the rate."""
        return self.fit(X, Y, perturbations, validation=(X_test, Y_test))

    def predict(self, X: pd.DataFrame, perturbations: pd.DataFrame | None = None) -> pd.DataFrame:
        """The response to the pairs of `perturbations`, or to the columns of the fitted Y."""
        names, drugs, *ends = self._open_predict(X, perturbations)
        device = next(self.module_.parameters()).device
        tables = self._tables(X, drugs, device)
        with torch.no_grad():
            a, b = (torch.tensor(one, device=device) for one in ends)
            rows = [f.cpu().numpy() for f in self.module_.each_line(*tables, a, b)]
        P = self.y_mean_ + self.y_scale_ * np.reshape(rows, (len(X), len(names)))
        return pd.DataFrame(P, X.index, names)  # (lines, pairs)

    def _tables(
        self, X: pd.DataFrame, drugs: pd.Index, device: torch.device
    ) -> tuple[list[Tensor], Tensor]:
        lines = [torch.tensor(table, device=device) for table in self._of_lines(X)]
        return lines, torch.tensor(self._of_drugs(drugs), device=device)

    def _module(self, lines: list[Tensor], drugs: Tensor) -> "PairModule":
        return PairModule(
            [table.shape[1] for table in lines],
            drugs.shape[1],
            self.encoder,
            self.top,
            self.activation,
            self.dropout,
            self.residual,
            self.symmetric,
        )


class PairModule(nn.Module):
    """Encoders, the first layer of `top` in three parts, and the rest of it."""

    def __init__(
        self,
        lines: Sequence[int],
        drugs: int,
        encoder: tuple[int, ...] = (64, 64, 64),
        top: tuple[int, ...] = (64, 64, 64),
        activation: str = "relu",
        dropout: float = 0.0,
        residual: str = "everywhere",
        symmetric: bool = False,
    ):
        super().__init__()

        def layers(sizes: list[int], added: bool) -> HiddenLayers:
            return HiddenLayers(sizes, activation, dropout, added)

        everywhere = residual == "everywhere"
        self.lines = nn.ModuleList(layers([width, *encoder], everywhere) for width in lines)
        self.drug = layers([drugs, *encoder], everywhere)
        line = sum([width, *encoder][-1] for width in lines)
        drug = [drugs, *encoder][-1]
        self.widths = (line, drug) if symmetric else (line, drug, drug)
        self.first = nn.Linear(sum(self.widths), top[0])
        self.activate = nn.Sequential(ACTIVATIONS[activation](), nn.Dropout(dropout))
        self.rest = layers([*top], residual != "nowhere")
        self.out = nn.Linear(top[-1], 1)

    def forward(
        self, lines: list[Tensor], drugs: Tensor, line: Tensor, a: Tensor, b: Tensor
    ) -> Tensor:
        """The value of each cell (rows,); what is in none of the rows is not encoded."""
        seen, line = line.unique(return_inverse=True)
        some, ab = torch.stack([a, b]).unique(return_inverse=True)
        of_line = self.of_lines([table[seen] for table in lines])
        return self.after(of_line[line] + self.of_pairs(drugs[some], *ab))

    def each_line(self, lines: list[Tensor], drugs: Tensor, a: Tensor, b: Tensor) -> list[Tensor]:
        """The values of all pairs (pairs,) in one line after another."""
        of_pair = self.of_pairs(drugs, a, b)
        return [self.after(of_line + of_pair) for of_line in self.of_lines(lines)]

    def of_lines(self, lines: list[Tensor]) -> Tensor:
        """W_line line + b: (lines, top)."""
        encoded = [encode(table) for encode, table in zip(self.lines, lines, strict=True)]
        W = self.first.weight.split(self.widths, dim=1)
        return nn.functional.linear(torch.cat(encoded, dim=1), W[0], self.first.bias)

    def of_pairs(self, drugs: Tensor, a: Tensor, b: Tensor) -> Tensor:
        """W_1 drug + W_2 drug': (rows, top); the order of a sum of two changes no bit."""
        W = self.first.weight.split(self.widths, dim=1)
        encoded = self.drug(drugs)
        return (encoded @ W[1].T)[a] + (encoded @ W[-1].T)[b]

    def after(self, first: Tensor) -> Tensor:
        return self.out(self.rest(self.activate(first))).squeeze(-1)
