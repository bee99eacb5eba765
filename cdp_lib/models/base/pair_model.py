"""What the models of drug pairs share that are told of lines and drugs: cells, names and inputs.

A known cell (line, pair) is a row to learn from.  `line_input` and `drug_input` say what is told
of a line and of a drug (see inputs.py); they learn from the lines and drugs of training cells.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError
from cdp_lib.models.base.drugs import drug_ends
from cdp_lib.models.base.inputs import by_omics, several
from cdp_lib.models.base.settings import check_settings
from cdp_lib.models.base.stopping import set_aside
from cdp_lib.models.base.tables import NotFitted, Pair, TableRegressor, check_pair


class Cells(NamedTuple):
    """Known cells, one a row: the numbers of its line and of its two drugs, and its label."""

    line: np.ndarray
    a: np.ndarray
    b: np.ndarray
    y: np.ndarray


class PairModel(TableRegressor):
    """A child's fit calls `_open_pairs`; labels have mean 0 and deviation 1 inside."""

    def _open_pairs(
        self,
        X: pd.DataFrame,
        Y: pd.DataFrame,
        perturbations: pd.DataFrame | None,
        validation: Pair | None,
        fraction: float,
        seed: int,
    ) -> tuple[pd.DataFrame, pd.Index, Cells, Cells]:
        """All lines and drugs that occur, the cells to learn from, and those set aside."""
        check_settings(self)
        y = self._labels(X, Y, first=True)  # (lines, pairs)
        self.ends_ = drug_ends(perturbations, Y.columns)
        if validation is None:
            aside = set_aside(y.reshape(-1, 1), fraction, seed).reshape(y.shape)
            lines, start, y_val = X, 0, np.where(aside, y, np.nan)
            y = np.where(aside, np.nan, y)
        else:
            X_val, Y_val = check_pair(validation)
            lines, start, y_val = pd.concat([X, X_val]), len(X), self._labels(X_val, Y_val)
        known = ~np.isnan(y)
        self.y_mean_, self.y_scale_ = float(y[known].mean()), float(y[known].std()) or 1.0
        trained = pd.DataFrame(index=drugs_of(self.ends_[known.any(axis=0)]))
        learning = X[known.any(axis=1)]
        self.lines_ = [one.learn(learning) for one in several(self.line_input)]
        self.drugs_ = [one.learn(trained) for one in several(self.drug_input)]
        drugs = drugs_of(self.ends_[~np.isnan(np.vstack([y, y_val])).all(axis=0)])
        return lines, drugs, self._cells(y, 0, drugs), self._cells(y_val, start, drugs)

    def _open_predict(
        self, X: pd.DataFrame, perturbations: pd.DataFrame | None
    ) -> tuple[pd.Index, pd.Index, np.ndarray, np.ndarray]:
        """The names of the pairs to predict, the drugs in them, and the numbers of these."""
        if not hasattr(self, "y_mean_"):
            raise NotFitted(f"This {type(self).__name__} is not fitted yet: call fit first.")
        self._check_named(X)
        ends = self.ends_ if perturbations is None else drug_ends(perturbations)
        drugs = drugs_of(ends)
        return ends.index, drugs, *(drugs.get_indexer(ends[end]) for end in ends)

    def _of_lines(self, X: pd.DataFrame) -> list[np.ndarray]:
        """What is told of each line: a table for each omics and each further input."""
        inputs = zip(several(self.line_input), self.lines_, strict=True)
        return [table for one, learned in inputs for table in by_omics(one.rows(X, learned))]

    def _of_drugs(self, drugs: pd.Index) -> np.ndarray:
        """What is told of each drug, in one table."""
        names = pd.DataFrame(index=drugs)
        inputs = zip(several(self.drug_input), self.drugs_, strict=True)
        return np.hstack([one.rows(names, known).to_numpy(np.float32) for one, known in inputs])

    def _cells(self, y: np.ndarray, start: int, drugs: pd.Index) -> Cells:
        line, pair = np.nonzero(~np.isnan(y))
        a, b = (drugs.get_indexer(self.ends_[end])[pair] for end in self.ends_)
        return Cells(line + start, a, b, (y[line, pair] - self.y_mean_) / self.y_scale_)

    def _labels(self, X: pd.DataFrame, Y: pd.DataFrame, first: bool = False) -> np.ndarray:
        self._check_named(X)
        if not isinstance(Y, pd.DataFrame):
            raise InputError(f"{type(self).__name__} knows pairs by name: give Y as a DataFrame.")
        if first:
            if not (X.index.is_unique and Y.columns.is_unique):
                raise InputError("X names a line twice, or Y a pair: merge or rename them.")
            self.perturbations_, self._width = Y.columns, Y.shape[1:]
        return self._read_y(X, Y)

    def _check_named(self, X: pd.DataFrame) -> None:
        if not isinstance(X, pd.DataFrame):
            raise InputError(f"{type(self).__name__} knows lines by name: give X as a DataFrame.")


def drugs_of(ends: pd.DataFrame) -> pd.Index:
    """In an order of their own, so that the order in a pair changes no rounding."""
    return pd.Index(sorted(pd.unique(ends.to_numpy().ravel()), key=str), dtype=object)
