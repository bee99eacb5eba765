"""Which columns of a table a model is given."""

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from cdp_lib.errors import InputError


class RarelyZero(TransformerMixin, BaseEstimator):
    """Leaves out columns that are zero in more than a share `max_zeros` of the training lines.

    A zero says that nothing was found: no mutation, no expression.  Where it says something else,
    as in a table of copy numbers, whose normal value is 2, few columns are left out.
    """

    def __init__(self, max_zeros: float = 0.95):
        self.max_zeros = max_zeros

    def fit(self, X: pd.DataFrame, Y=None) -> "RarelyZero":
        self.columns_ = X.columns[(X == 0).mean() <= self.max_zeros]
        if not len(self.columns_):
            raise InputError(
                f"All {X.shape[1]} columns are zero in more than {100 * self.max_zeros:g} % of the "
                "lines: raise max_zeros."
            )
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X[self.columns_]
