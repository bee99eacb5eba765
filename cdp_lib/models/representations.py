"""Representations: a line's row in fewer numbers, learned without any label.

    z = transform(x)        fit(X) learns, transform(X) applies; labels play no part

Any scikit-learn transformer is one, `MaskedAutoencoder` and the principal components here among
them.  A representation may be fitted on lines that have no label at all, those that are tested
later included: that is *transductive*.  Fitted on the training lines alone it is *inductive*.
"""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import Number
from cdp_lib.models.base.tables import Table, TableEstimator, check_names, means_and_scales


class PrincipalComponents(TransformerMixin, TableEstimator):
    """The first principal components of the z-scored features: the linear control.

    With a `bootstrap` seed they are those of as many lines drawn with replacement, so that seeds
    0 to 4 give five representations that differ by chance alone.  A bootstrap of n lines holds
    about 0.63 n different ones, and there are fewer components than different lines, because the
    mean of the lines is taken away first.

    The variance of a component says how much of the lines it describes.  A head that brings its
    features to one variance makes the last component as loud as the first: give it
    standardize=False.
    """

    _settings = {
        "n_components": Number(least=1, whole=True),
        "bootstrap": [Number(whole=True), None],
    }

    def __init__(self, n_components: int = 64, bootstrap: int | None = None):
        self.n_components = n_components
        self.bootstrap = bootstrap

    def fit(self, X: Table, Y: None = None) -> "PrincipalComponents":
        x = self._open_x(X)  # (lines, features)
        if self.bootstrap is not None:
            x = x[np.random.default_rng(self.bootstrap).integers(len(x), size=len(x))]
        lines = len(np.unique(x, axis=0))
        most = min(lines - 1, x.shape[1])  # n lines less their mean vary in n - 1 directions
        if self.n_components > most:
            raise InputError(
                f"n_components is {self.n_components}, but {lines} different lines "
                f"(n_samples={len(x)}) with {x.shape[1]} features have at most {most} "
                "components: give more lines, or take fewer components."
            )
        self.mean_, self.scale_ = means_and_scales(x)
        z = (x - self.mean_) / self.scale_
        self.components_ = PCA(self.n_components, svd_solver="full").fit(z).components_
        return self

    def transform(self, X: Table) -> Table:
        """The component values of each row: (lines, n_components)."""
        x = self._read_x(X)
        latent = (x - self.mean_) / self.scale_ @ self.components_.T
        if not isinstance(X, pd.DataFrame):
            return latent
        return pd.DataFrame(latent, X.index).rename(columns=lambda number: f"PC {number + 1}")


def latents(representation: BaseEstimator, X: Table) -> Table:
    """What a fitted representation makes of X, with the names of its lines where X has names."""
    z = representation.transform(X)
    z = z.toarray() if hasattr(z, "toarray") else z
    if len(np.shape(z)) != 2 or len(z) != len(X):
        raise InputError(
            f"{type(representation).__name__} makes a table of {np.shape(z)} of {len(X)} lines: "
            "a representation gives each line a row."
        )
    if not isinstance(X, pd.DataFrame) or isinstance(z, pd.DataFrame):
        return z
    return pd.DataFrame(z, X.index).rename(columns=lambda number: f"latent {number + 1}")


def lines_to_learn(X: Table, pretraining: pd.DataFrame | None) -> Table:
    """The rows that a representation is fitted on: `pretraining`, and those of X that it lacks.

    Lines are known by name.  Without `pretraining` they are the rows of X.
    """
    if pretraining is None:
        return X
    if not isinstance(pretraining, pd.DataFrame) or not isinstance(X, pd.DataFrame):
        raise InputError(
            "Lines of pretraining and of X are told apart by name: give both as DataFrames."
        )
    check_names(X.columns, pretraining.columns, "pretraining", "features of X, in its order, that")
    if not pretraining.index.is_unique:
        again = pretraining.index[pretraining.index.duplicated()][0]
        raise InputError(f"pretraining names line {again!r} twice: give each line one row.")
    both = X[X.index.isin(pretraining.index)]
    other = ~np.isclose(both, pretraining.loc[both.index], equal_nan=True).all(axis=1)
    if other.any():
        raise InputError(
            f"{other.sum()} lines, such as {both.index[other][0]!r}, have other values in "
            "pretraining than in X: bring both tables to the same scale."
        )
    return pd.concat([pretraining, X[~X.index.isin(pretraining.index)]])
