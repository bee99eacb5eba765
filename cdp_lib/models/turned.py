"""New perturbations: the tables on their side, a row a perturbation.

For a new gene (or drug) j nothing of Y is known, but a column of X speaks of it: the expression of
the gene, or of the drug's targets, in every line.  So with x_j that column and y_j the response,
both (lines,), any model of rows learns

    Turned(model)     y_j = f(x_j)                    f learned from the known perturbations
    OneNumber(d)      y_ij = g(mean over i of x_ij)   g a polynomial: the same in every line i

`OneNumber` does not know one line from another.  Its score along the perturbations of a line is
what knowing the perturbations alone is worth.
"""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import Number
from cdp_lib.models.base.tables import (
    MaskedScore,
    NotFitted,
    TableEstimator,
    check_model,
    check_same_lines,
)


class Turned(MaskedScore, BaseEstimator):
    """`model`, fitted on the columns of Y that have labels; it predicts every column of Y.

    X has the columns of Y among its own, or several such tables beside each other under two-level
    columns.
    A label that is missing in a known column is for `model` to deal with.  Where `predict` is given
    some of the lines only, the others are as they were in `fit`: all describe a perturbation.
    """

    def __init__(self, model: BaseEstimator):
        self.model = model

    def fit(self, X: pd.DataFrame, Y: pd.DataFrame) -> "Turned":
        check_model("model", self.model)
        rows, labels = self._learn(X, Y)
        self.model_ = clone(self.model).fit(rows, labels)
        return self

    def fit_as_published(
        self, X: pd.DataFrame, Y: pd.DataFrame, X_test: pd.DataFrame, Y_test: pd.DataFrame
    ) -> "Turned":
        """What leaks: the labels of Y_test, those of the tested columns, choose the epoch."""
        rows, labels = self._learn(X, Y)
        tested = Y_test.notna().any().to_numpy()
        new = on_their_side(self._whole(X_test), Y_test.columns)[tested]
        self.model_ = clone(self.model)
        self.model_.fit_as_published(rows, labels, new, Y_test.reindex(self.X_.index).T[tested])
        return self

    def predict(self, X: pd.DataFrame) -> pd.DataFrame:
        if not hasattr(self, "model_"):
            raise NotFitted("This Turned is not fitted yet: call fit first.")
        rows = on_their_side(self._whole(X), self.columns_)  # (perturbations, features)
        P = np.asarray(self.model_.predict(rows)).T
        return pd.DataFrame(P, self.X_.index, self.columns_).loc[X.index]

    def _learn(self, X: pd.DataFrame, Y: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The known perturbations as rows: features and labels."""
        check_same_lines(X, Y)
        self.X_, self.columns_ = X, Y.columns
        known = Y.notna().any().to_numpy()
        return on_their_side(X, Y.columns)[known], Y.T[known]

    def _whole(self, X: pd.DataFrame) -> pd.DataFrame:
        """X in all lines that were learned from; a line that it lacks is as it was then."""
        new = X.index.difference(self.X_.index)
        if len(new):
            raise InputError(
                f"X has {len(new)} lines, such as {new[0]!r}, that were not learned from: a "
                "perturbation is known by its values in the lines of fit."
            )
        if X.index.equals(self.X_.index):
            return X
        left = self.X_.index.difference(X.index)
        return pd.concat([X, self.X_.loc[left, X.columns]]).loc[self.X_.index]


def on_their_side(X: pd.DataFrame, names: pd.Index) -> pd.DataFrame:
    """A row a perturbation: its columns of each table, found by name, one after the other."""
    if X.columns.nlevels == 1:
        return of_names(X, names).T
    parts = {omics: on_their_side(X[omics], names) for omics in X.columns.unique(0)}
    both = pd.concat(parts, axis=1)
    return both.set_axis([f"{omics} {line}" for omics, line in both.columns], axis=1)


def of_names(X: pd.DataFrame, names: pd.Index) -> pd.DataFrame:
    """The columns that are named after perturbations."""
    missing = names.difference(X.columns, sort=False)
    if len(missing):
        raise InputError(
            f"X has no column for {len(missing)} of {len(names)} perturbations, such as "
            f"{missing[0]!r}: a new perturbation is predicted from its own column."
        )
    return X[names]


class OneNumber(MaskedScore, TableEstimator):
    """One number a perturbation, equal in all lines: mean of Y as a polynomial of mean of X."""

    _settings = {"degree": Number(least=1, whole=True)}

    def __init__(self, degree: int = 1):
        self.degree = degree

    def fit(self, X: pd.DataFrame, Y: pd.DataFrame) -> "OneNumber":
        self.columns_ = Y.columns
        own = of_names(X, Y.columns)
        self._open_x(own)
        known = Y.notna().any().to_numpy()
        x, y = own.mean().to_numpy(float)[known], Y.mean().to_numpy(float)[known]
        self.curve_ = np.polynomial.Polynomial.fit(x, y, self.degree)
        return self

    def predict(self, X: pd.DataFrame) -> pd.DataFrame:
        self._check_fitted()
        own = of_names(X, self.columns_)
        self._read_x(own)
        inside = np.clip(own.mean().to_numpy(float), *self.curve_.domain)  # a cubic is wild outside
        return pd.DataFrame(np.tile(self.curve_(inside), (len(X), 1)), X.index, self.columns_)
