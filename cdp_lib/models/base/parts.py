"""Models inside other models, and the mean of several.

A part is handed what the signature of its `fit` names: validation, perturbations, drugs.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import check_settings
from cdp_lib.models.base.tables import Pair, Table, TableRegressor, check_model
from cdp_lib.models.base.validation import uses_validation


def taken(method: Callable, offered: Mapping) -> dict:
    """Those of the offered keywords that the signature of a method names."""
    parameters = inspect.signature(method).parameters
    return {name: value for name, value in offered.items() if name in parameters}


class MeanOfParts(TableRegressor):
    """The mean of what several clones of one model predict, each fitted on something else.

    A child's `_part` names the model, its `_fit_parts(X, Y, validation, offered)` returns the
    fitted clones, and its `_seen(X)` gives for each of them the table that it predicts from.
    """

    _part: str

    @property
    def asks_for_validation(self) -> bool:
        return uses_validation(getattr(self, self._part))

    def fit(
        self,
        X: Table,
        Y: Table,
        validation: Pair | None = None,
        perturbations: pd.DataFrame | None = None,
        drugs: pd.DataFrame | None = None,
    ) -> "MeanOfParts":
        """Fit each part; `validation`, `perturbations` and `drugs` are for parts that ask."""
        check_model(self._part, getattr(self, self._part))
        self._open(X, Y)
        self.parts_ = self._fit_parts(X, Y, validation, _given(perturbations, drugs))
        return self

    def predict(
        self,
        X: Table,
        perturbations: pd.DataFrame | None = None,
        drugs: pd.DataFrame | None = None,
    ) -> Table:
        """The mean of the parts' predictions, in the form that Y had."""
        each = self._of_parts(X, perturbations, drugs)
        mean = sum(np.asarray(P, float) for P in each) / len(each)  # (lines, perturbations)
        if isinstance(each[0], pd.DataFrame):
            return pd.DataFrame(mean, each[0].index, each[0].columns)
        return self._as_given(mean.reshape(len(X), -1), X)

    def spread(
        self,
        X: Table,
        perturbations: pd.DataFrame | None = None,
        drugs: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """The standard deviation over the parts, of parts that predict a DataFrame.

        It knows what a part was fitted on, and neither the noise in a measurement nor an error that
        all parts share, so as an interval it is too narrow: `evaluate.forecast` widens it.
        """
        each = self._of_parts(X, perturbations, drugs)
        if len(each) < 2 or not isinstance(each[0], pd.DataFrame):
            raise InputError(f"A spread needs 2 parts or more and tables; here are {len(each)}.")
        sd = np.std([P.to_numpy(float) for P in each], axis=0, ddof=1)
        return pd.DataFrame(sd, each[0].index, each[0].columns)

    def _open_x(self, X: Table, what: str = "X", missing: bool = False) -> np.ndarray:
        if not _lines_alone(X):
            return super()._open_x(X, what, missing)
        check_settings(self)
        self.features_, self.n_features_in_ = X.columns, 0
        return self._read_x(X)

    def _read_x(self, X: Table, what: str = "X", missing: bool = False) -> np.ndarray:
        """As any table; lines without features, the omics None, are for the parts to judge."""
        if _lines_alone(X) and getattr(self, "n_features_in_", None) == 0:
            return np.empty((len(X), 0))
        return super()._read_x(X, what, missing)

    def _of_parts(self, X: Table, *tables: pd.DataFrame | None) -> list[Table]:
        self._read_x(X)
        offered = _given(*tables)
        return [
            part.predict(table, **taken(part.predict, offered))
            for part, table in zip(self.parts_, self._seen(X), strict=True)
        ]

    def _fit_part(
        self, X: Table, Y: Table, validation: Pair | None, offered: Mapping
    ) -> BaseEstimator:
        part = clone(getattr(self, self._part))
        if validation is not None:
            offered = {**offered, "validation": validation}
        result = part.fit(X, Y, **taken(part.fit, offered))
        return part if result is None else result

    def _fit_parts(
        self, X: Table, Y: Table, validation: Pair | None, offered: Mapping
    ) -> list[BaseEstimator]:
        raise NotImplementedError

    def _seen(self, X: Table) -> Iterable[Table]:
        raise NotImplementedError


def _lines_alone(X: Table) -> bool:
    """Whether X names lines and has no column."""
    return isinstance(X, pd.DataFrame) and len(X) > 0 and X.shape[1] == 0


def _given(perturbations: pd.DataFrame | None, drugs: pd.DataFrame | None) -> dict:
    tables = {"perturbations": perturbations, "drugs": drugs}
    return {name: table for name, table in tables.items() if table is not None}
