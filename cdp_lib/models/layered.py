"""Layered ensembles: one predictor on each of several representations, and the mean of them.

    z_r = representation_r(x)                    learned from features alone,  r = 1, ..., R
    y   = 1/R sum over r of head_r(z_r)          head_r learned from (z_r, y)

Averaging helps as far as the heads' errors differ.  With errors of variance s^2 and correlation c
the mean of R heads has an error of variance  s^2 (c + (1 - c) / R).

Two things differ between the members: the representation, and whatever else a head draws.  To
ask whether it is the *layering* that helps, hold the count of fitted heads and their data equal:

    layered     mean over k of  Bagged(head, 1, seed=k)  on representation k
    one         mean over k of  Bagged(head, 1, seed=k)  on representation 0

The second is `Bagged(head, 5)` on representation 0.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from cdp_lib.errors import InputError
from cdp_lib.models.base.parts import MeanOfParts
from cdp_lib.models.base.settings import Number, OneOf
from cdp_lib.models.base.tables import Pair, Table, check_pair
from cdp_lib.models.representations import latents, lines_to_learn


class LayeredEnsemble(MeanOfParts):
    """The mean over `representations` of `head`, fitted on what each makes of the lines.

    `pretraining` is a table of further lines, which need no response: with it representations
    are fitted on these lines and the training lines together (transductive, where it holds the
    lines that are predicted), without it on the training lines alone (inductive).  One that has
    been fitted elsewhere stays as it is inside scikit-learn's `FrozenEstimator`.
    """

    _part = "head"

    def __init__(
        self,
        representations: Sequence[BaseEstimator],
        head: BaseEstimator,
        pretraining: pd.DataFrame | None = None,
    ):
        self.representations = representations
        self.head = head
        self.pretraining = pretraining

    def _fit_parts(
        self, X: Table, Y: Table, validation: Pair | None, offered: Mapping
    ) -> list[BaseEstimator]:
        check_representations(self.representations)
        rows = lines_to_learn(X, self.pretraining)
        self.representations_ = [clone(each).fit(rows, None) for each in self.representations]
        parts = []
        for each in self.representations_:
            judges = None
            if validation is not None:
                X_val, Y_val = check_pair(validation)
                judges = latents(each, X_val), Y_val
            parts.append(self._fit_part(latents(each, X), Y, judges, offered))
        return parts

    def _seen(self, X: Table) -> Iterable[Table]:
        return (latents(each, X) for each in self.representations_)


class Bagged(MeanOfParts):
    """The mean of n clones of `model`, each fitted on a share of the lines or perturbations.

    `over` says which: "line", or "perturbation", whose labels the others of a draw do not see.
    Clone k learns from a draw without replacement by the seed `seed` + k, so that
    Bagged(model, 5) is the mean of Bagged(model, 1, seed=0) to Bagged(model, 1, seed=4).  Copies
    of a line, as a bootstrap has them, would stand on both sides of a model's own inner folds, and
    its penalty would be chosen by lines that it has learned.
    """

    _part = "model"
    _settings = {
        "n": Number(least=1, whole=True),
        "share": Number(most=1),
        "seed": Number(whole=True),
        "over": OneOf("line", "perturbation"),
    }

    def __init__(
        self,
        model: BaseEstimator,
        n: int = 5,
        share: float = 0.8,
        seed: int = 0,
        over: str = "line",
    ):
        self.model = model
        self.n = n
        self.share = share
        self.seed = seed
        self.over = over

    def _fit_parts(
        self, X: Table, Y: Table, validation: Pair | None, offered: Mapping
    ) -> list[BaseEstimator]:
        parts = []
        for number in range(self.n):
            rng = np.random.default_rng(self.seed + number)
            if self.over == "perturbation":
                drawn = X, _columns(Y, self.share, rng)
            else:
                rows = _drawn(np.arange(len(X)), self.share, rng)
                drawn = _rows(X, rows), _rows(Y, rows)
            parts.append(self._fit_part(*drawn, validation, offered))
        return parts

    def _seen(self, X: Table) -> Iterable[Table]:
        return [X] * self.n


def check_representations(representations: Sequence[BaseEstimator]) -> None:
    """Refuse what is no list of transformers."""
    if not isinstance(representations, list | tuple) or not representations:
        raise InputError(
            f"representations is {type(representations).__name__} of no transformer: give a list, "
            "such as [PrincipalComponents(64), MaskedAutoencoder(64)]."
        )
    for each in representations:
        if isinstance(each, type) or not hasattr(each, "transform"):
            raise InputError(f"A representation is {each!r}: give objects with fit and transform.")


def _drawn(units: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """A share of the units, in their order."""
    return np.sort(rng.permutation(units)[: max(1, round(share * len(units)))])


def _columns(Y: Table, share: float, rng: np.random.Generator) -> Table:
    """Y with the labels of a share of its labelled columns, NaN in the others."""
    y = np.asarray(Y, float).copy()
    if y.ndim != 2:
        raise InputError("Bagged over perturbations needs a table of them, not one column.")
    known = np.flatnonzero(~np.isnan(y).all(axis=0))
    y[:, ~np.isin(np.arange(y.shape[1]), _drawn(known, share, rng))] = np.nan
    return pd.DataFrame(y, Y.index, Y.columns) if isinstance(Y, pd.DataFrame) else y


def _rows(table: Table, rows: np.ndarray) -> Table:
    return table.iloc[rows] if hasattr(table, "iloc") else np.asarray(table)[rows]
