"""A network for pairs of drugs: what a line is and what its two drugs are, in one row.

With x_i the features of line i and z_d those of drug d, the response to d and e together is

    y[i, de] = mean + scale * top(line(x_i), drug(z_d), drug(z_e))

`line` holds an encoder for each omics, `drug` is one encoder for both places, and `top` is a
residual network (Xia et al. 2018).  Means and scales come from the training cells.

Few lines and few drugs make many rows, so each is encoded once a step and its row is fetched where
it is needed.  The first layer of `top` is linear before its activation f, hence

    f(W [line; drug; drug'] + b) = f((W_line line + b) + (W_1 drug + W_2 drug'))

and its three products are taken once for each line and drug, too.  A symmetric network has
W_1 = W_2: it sees the sum over the drugs of a pair, which has no order, and nothing is lost,
because any function of a set is a function of such a sum (Zaheer et al. 2017).
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from cdp_lib.errors import InputError
from cdp_lib.models.base.blocks import ACTIVATION, ACTIVATIONS, HiddenLayers
from cdp_lib.models.base.drugs import drug_ends
from cdp_lib.models.base.inputs import INPUT, Features, Input, Names, by_omics, several
from cdp_lib.models.base.settings import WIDTHS, Instance, Number, OneOf, Tuple, check_settings
from cdp_lib.models.base.stopping import set_aside
from cdp_lib.models.base.tables import NotFitted, Pair, TableRegressor, check_pair
from cdp_lib.models.base.training import Training, masked_mse, pick_device, seeded, train

RESIDUAL = ("everywhere", "top", "nowhere")
FEW_EPOCHS = Training(epochs=20, batch_size=4096, warmup=2, plateau=3, patience=None)


class DrugPairNetwork(TableRegressor):
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
        check_settings(self)
        y = self._labels(X, Y, first=True)  # (lines, pairs)
        self.ends_ = drug_ends(perturbations, Y.columns)
        if validation is None:
            fraction, seed = self.training.validation_fraction, self.training.seed
            aside = set_aside(y.reshape(-1, 1), fraction, seed).reshape(y.shape)
            lines, start, y_val = X, 0, np.where(aside, y, np.nan)
            y = np.where(aside, np.nan, y)
        else:
            X_val, Y_val = check_pair(validation)
            lines, start, y_val = pd.concat([X, X_val]), len(X), self._labels(X_val, Y_val)
        self._learn_inputs(X, y)
        drugs = self._drugs_of(self.ends_[~np.isnan(np.vstack([y, y_val])).all(axis=0)])
        tables = self._tables(lines, drugs, pick_device(self.training.device))
        data, checked = self._cells(y, 0, drugs), self._cells(y_val, start, drugs)
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
        """What leaks: the labels of Y_test choose the epoch and halve the learning rate."""
        return self.fit(X, Y, perturbations, validation=(X_test, Y_test))

    def predict(self, X: pd.DataFrame, perturbations: pd.DataFrame | None = None) -> pd.DataFrame:
        """The response to the pairs of `perturbations`, or to the columns of the fitted Y."""
        if not hasattr(self, "module_"):
            raise NotFitted("This DrugPairNetwork is not fitted yet: call fit first.")
        check_named(X)
        ends = self.ends_ if perturbations is None else drug_ends(perturbations)
        drugs = self._drugs_of(ends)
        device = next(self.module_.parameters()).device
        tables = self._tables(X, drugs, device)
        a, b = (torch.tensor(drugs.get_indexer(ends[end]), device=device) for end in ends)
        with torch.no_grad():
            rows = [f.cpu().numpy() for f in self.module_.each_line(*tables, a, b)]
        P = self.y_mean_ + self.y_scale_ * np.reshape(rows, (len(X), len(ends)))
        return pd.DataFrame(P, X.index, ends.index)  # (lines, pairs)

    def _labels(self, X: pd.DataFrame, Y: pd.DataFrame, first: bool = False) -> np.ndarray:
        check_named(X)
        if not isinstance(Y, pd.DataFrame):
            raise InputError("DrugPairNetwork knows pairs by name: give Y as a DataFrame.")
        if first:
            if not (X.index.is_unique and Y.columns.is_unique):
                raise InputError("X names a line twice, or Y a pair: merge or rename them.")
            self.perturbations_, self._width = Y.columns, Y.shape[1:]
        return self._read_y(X, Y)

    def _learn_inputs(self, X: pd.DataFrame, y: np.ndarray) -> None:
        """What the inputs must know of the training lines and drugs, and the scale of labels."""
        known = ~np.isnan(y)
        drugs = pd.DataFrame(index=self._drugs_of(self.ends_[known.any(axis=0)]))
        self.lines_ = [one.learn(X) for one in several(self.line_input)]
        self.drugs_ = [one.learn(drugs) for one in several(self.drug_input)]
        self.y_mean_, self.y_scale_ = float(y[known].mean()), float(y[known].std()) or 1.0

    @staticmethod
    def _drugs_of(ends: pd.DataFrame) -> pd.Index:
        """In an order of their own, so that the order in a pair changes no rounding."""
        return pd.Index(sorted(pd.unique(ends.to_numpy().ravel()), key=str), dtype=object)

    def _tables(
        self, X: pd.DataFrame, drugs: pd.Index, device: torch.device
    ) -> tuple[list[Tensor], Tensor]:
        """What is told of each line, a table an encoder; and of each drug, one table."""
        lines = [
            torch.tensor(table, device=device)
            for one, learned in zip(several(self.line_input), self.lines_, strict=True)
            for table in by_omics(one.rows(X, learned))
        ]
        names = pd.DataFrame(index=drugs)
        told = [
            one.rows(names, learned).to_numpy(np.float32)
            for one, learned in zip(several(self.drug_input), self.drugs_, strict=True)
        ]
        return lines, torch.tensor(np.hstack(told), device=device)

    def _cells(self, y: np.ndarray, start: int, drugs: pd.Index) -> tuple[Tensor, ...]:
        """A row for each known cell: the numbers of its line, its two drugs, and its label."""
        line, pair = np.nonzero(~np.isnan(y))
        a, b = (drugs.get_indexer(self.ends_[end])[pair] for end in self.ends_)
        labels = (y[line, pair] - self.y_mean_) / self.y_scale_
        numbers = (torch.tensor(one) for one in (line + start, a, b))
        return (*numbers, torch.tensor(labels, dtype=torch.float32))

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


def check_named(X: pd.DataFrame) -> None:
    if not isinstance(X, pd.DataFrame):
        raise InputError("DrugPairNetwork knows lines by name: give X as a DataFrame.")
