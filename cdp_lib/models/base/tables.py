"""Tables in, tables out: what every model that learns from omics shares.

The matrix work of a model happens on plain arrays.  These classes check the names and numbers on
the way in (nothing is realigned, nothing dropped) and put the names back on the way out.
"""

import numpy as np
import pandas as pd
from sklearn.base import RegressorMixin
from sklearn.exceptions import NotFittedError

from cdp_lib.errors import InputError
from cdp_lib.metrics import r2
from cdp_lib.models.base.settings import Estimator, check_settings

LARGEST = 1e30  # far from where a variance overflows
Table = pd.DataFrame | pd.Series | np.ndarray
Pair = tuple[Table, Table]


class NotFitted(InputError, NotFittedError):
    """A model was asked before it was fitted."""


class TableEstimator(Estimator):
    """Reads tables of lines by features: `_open_x(X)` when it is fitted, `_read_x(X)` afterwards.

    `_open_x` also checks the settings that the model declares in `_settings`.  `what` is the name
    that a complaint gives to the table; with `missing` it may hold NaN.
    """

    def _open_x(self, X: Table, what: str = "X", missing: bool = False) -> np.ndarray:
        """Remember the names of X's features; return X as float64 with two dimensions."""
        check_settings(self)
        self.features_ = X.columns if isinstance(X, pd.DataFrame) else None
        self.n_features_in_ = np.shape(X)[1] if np.ndim(X) == 2 else 0
        x = self._read_x(X, what, missing)
        if np.isnan(x).all():  # so it is, too, without rows
            raise InputError(
                f"{what} has {len(x)} rows and no known value: there is nothing to learn from."
            )
        return x

    def _read_x(self, X: Table, what: str = "X", missing: bool = False) -> np.ndarray:
        self._check_fitted()
        if np.ndim(X) != 2 or np.shape(X)[1] == 0:
            raise InputError(
                f"{what} must be a table of lines by features, but its shape is {np.shape(X)}."
            )
        if isinstance(X, pd.DataFrame) and self.features_ is not None:
            check_names(self.features_, X.columns, what)
        elif np.shape(X)[1] != self.n_features_in_:
            raise InputError(
                f"{what} has {np.shape(X)[1]} features but the model was fitted with "
                f"{self.n_features_in_}: pass the same features."
            )
        x = floats(X, what)
        bad = ~(np.abs(x) <= LARGEST)
        if missing:
            bad &= ~np.isnan(x)
        if bad.any():
            columns = np.flatnonzero(bad.any(axis=0))
            raise InputError(
                f"{what} has {bad.sum()} {'' if missing else 'NaN or '}infinite values, or "
                f"beyond {LARGEST:g}, in {len(columns)} of {x.shape[1]} columns, the first in "
                f"column {_name(X, columns[0])}: fill or remove them first."
            )
        return x

    def _check_fitted(self) -> None:
        if not hasattr(self, "n_features_in_"):
            raise NotFitted(f"This {type(self).__name__} is not fitted yet: call fit first.")


class MaskedScore(RegressorMixin):
    """What `cross_val_score` and `GridSearchCV` call, for labels that may be unknown (NaN)."""

    def score(self, X: Table, Y: Table) -> float:
        """R2 over the known labels of each perturbation, and its mean over the perturbations.

        A perturbation counts that has two known labels or more, not all the same.
        """
        P = self.predict(X)
        pandas = isinstance(P, pd.DataFrame | pd.Series) and isinstance(Y, pd.DataFrame | pd.Series)
        if pandas:
            check_same_lines(P, Y)
        scores = r2(Y, P)  # (perturbations,)
        if np.isnan(scores).all():
            raise InputError(
                "No perturbation has two different known labels in Y: there is nothing to score."
            )
        return float(np.nanmean(scores))


class TableRegressor(MaskedScore, TableEstimator):
    """A child's `fit` calls `_open(X, Y)`; its `_predict(x)` maps an array to an array."""

    def predict(self, X: Table) -> Table:
        """Predict for each row of X, in the form that Y had."""
        return self._as_given(self._predict(self._read_x(X)), X)

    def _as_given(self, P: np.ndarray, X: Table) -> Table:
        """The predictions (lines, perturbations) for the rows of X, in the form that Y had."""
        index = X.index if isinstance(X, pd.DataFrame) else None
        if self._kind is pd.DataFrame:
            return pd.DataFrame(P, index=index, columns=self.perturbations_)
        if self._kind is pd.Series:
            return pd.Series(P[:, 0], index=index)
        return P if self._ndim == 2 else P[:, 0]

    def _open(self, X: Table, Y: Table) -> tuple[np.ndarray, np.ndarray]:
        """Remember the names of X and Y; return both as float64 arrays with two dimensions."""
        self.perturbations_ = Y.columns if isinstance(Y, pd.DataFrame) else None
        self._kind, self._ndim, self._width = type(Y), np.ndim(Y), np.shape(Y)[1:]
        return self._open_x(X), self._read_y(X, Y)

    def _read_y(self, X: Table, Y: Table) -> np.ndarray:
        if np.ndim(Y) not in (1, 2) or np.shape(Y)[1:] != self._width:
            raise InputError(
                f"Y has the shape {np.shape(Y)}: give lines by perturbations, the "
                "same ones for training and validation."
            )
        if len(X) != len(Y):
            raise InputError(f"X has {len(X)} rows and Y has {len(Y)}: give the same lines.")
        if isinstance(X, pd.DataFrame) and isinstance(Y, pd.DataFrame | pd.Series):
            check_same_lines(X, Y)
        if isinstance(Y, pd.DataFrame) and self.perturbations_ is not None:
            check_names(self.perturbations_, Y.columns, "Y", "perturbations")
        y = floats(Y, "Y")
        y = y if y.ndim == 2 else y[:, None]
        huge = np.abs(y) > LARGEST
        if huge.any():
            column = np.flatnonzero(huge.any(axis=0))[0]
            raise InputError(
                f"Y has infinite values in column {_name(Y, column)}, or beyond "
                f"{LARGEST:g}: use NaN there."
            )
        if np.isnan(y).all():
            raise InputError("Y has no known label at all: there is nothing to learn from.")
        return y


def column_means(y: np.ndarray) -> np.ndarray:
    """The mean of each column's known labels; the mean of all labels where a column has none."""
    known = ~np.isnan(y)
    sums, counts = np.where(known, y, 0.0).sum(axis=0), known.sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), sums.sum() / counts.sum())


def means_and_scales(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column; 1 instead of the deviation of a constant.

    A column is constant, too, that varies by no more than the rounding of its values.
    """
    rounding = 8 * np.finfo(float).eps * np.abs(x).max(axis=0)
    scale = np.where(np.ptp(x, axis=0) > rounding, x.std(axis=0), 1.0)
    if (scale == 0).any():
        raise InputError(
            f"Column {scale.argmin()} varies by {np.ptp(x[:, scale.argmin()]):g}, too "
            "little for a standard deviation: give the table in larger units."
        )
    return x.mean(axis=0), scale


def check_pair(validation: Pair) -> Pair:
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise InputError(
            f"validation is of {type(validation).__name__}: give the pair (X, Y) of other lines."
        )
    return validation


def check_same_lines(X: Table, Y: Table) -> None:
    """Refuse two tables with names that do not name the same lines in the same order."""
    if not X.index.equals(Y.index):
        raise InputError(
            f"X and Y name different lines ({len(X)} and {len(Y)} rows) or a different order: "
            "align them first, for example with X = X.loc[Y.index]."
        )


def floats(table: Table, what: str) -> np.ndarray:
    """The table as float64; what would change silently on the way is refused."""
    what_not = _not_real(table)
    if what_not:
        raise InputError(
            f"{what} is {what_not}: give a table of real numbers, NaN where one is missing."
        )
    try:
        if isinstance(table, pd.DataFrame | pd.Series):  # pandas' own missing value is NaN, too
            return table.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(table, dtype=np.float64)
    except (ValueError, TypeError):
        text = pd.DataFrame(table).select_dtypes(exclude=["number", "bool"]).columns
        raise InputError(
            f"{what} must hold numbers only, but column {text[0]!r} does not: "
            "encode or remove it first."
        ) from None


def _not_real(table: Table) -> str:
    """What float64 would take without a word, and lose a part of; "" for real numbers."""
    if isinstance(table, np.ma.MaskedArray):
        return "a masked array, whose mask would be lost"
    if hasattr(table, "toarray"):
        return "a sparse matrix"
    dtypes = table.dtypes.unique() if isinstance(table, pd.DataFrame) else [_dtype(table)]
    kinds = {"c": "complex numbers", "M": "dates", "m": "times"}
    return next((f"of {kinds[dtype.kind]}" for dtype in dtypes if dtype.kind in kinds), "")


def _dtype(table: Table) -> np.dtype:
    return table.dtype if hasattr(table, "dtype") else np.asarray(table).dtype


def _name(table: Table, column: int) -> str:
    return repr(table.columns[column]) if isinstance(table, pd.DataFrame) else str(column)


def check_names(fitted: pd.Index, given: pd.Index, what: str, kind: str = "features") -> None:
    if given.equals(fitted):
        return
    missing = fitted.difference(given, sort=False)
    wrong = (
        f"lacks {len(missing)} of them, first {missing[0]!r}"
        if len(missing)
        else ("has others too or another order")
    )
    raise InputError(
        f"{what} must have the {len(fitted)} {kind} the model was fitted with, but {wrong}: "
        "select them by name first."
    )


def check_model(what: str, model: object) -> None:
    """Refuse as a part of another model what cannot be cloned, fitted and asked to predict."""
    methods = ("get_params", "fit", "predict")
    if isinstance(model, type) or not all(hasattr(model, method) for method in methods):
        raise InputError(f"{what} is {model!r}: give a model with fit and predict.")
