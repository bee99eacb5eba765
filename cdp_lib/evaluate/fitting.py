"""Where a model meets a fold: it is handed the fold's training cells, and nothing else.

`fitted` is the one door through which a label reaches a model; `naive_baselines` are the
predictions that any model must beat.
"""

import inspect

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from cdp_lib.errors import InputError
from cdp_lib.models.baselines import (
    GlobalMean,
    LineMean,
    MeanEffects,
    PerturbationMean,
    TissueMean,
)
from cdp_lib.splits import Fold

Omics = str | list[str] | None  # None: no omics, only the names of the lines


def naive_baselines(cohort) -> dict[str, BaseEstimator]:
    """The naive predictions that any model must beat, by name."""
    naive = {
        "global mean": GlobalMean(),
        "perturbation mean": PerturbationMean(),
        "line mean": LineMean(),
        "mean effects": MeanEffects(),
    }
    lines = getattr(cohort, "lines", None)
    if lines is not None and "tissue" in lines:
        naive["tissue mean"] = TissueMean(tissue=lines["tissue"])
    return naive


def fitted(model, cohort, fold: Fold, omics: Omics = "expression") -> BaseEstimator:
    """A clone of `model`, fitted on the training cells of `fold`.

    A model whose `fit` takes `validation` learns from the train cells and stops by the tune cells;
    any other model learns from both.  Lines without a training label are left out.
    """
    return fit_fold(model, inputs(cohort, omics), cohort.Y, fold)


def inputs(cohort, omics: Omics) -> pd.DataFrame:
    return pd.DataFrame(index=cohort.Y.index) if omics is None else cohort.X(omics)


def fit_fold(model: BaseEstimator, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold) -> BaseEstimator:
    if not X.index.equals(Y.index):
        raise InputError("The omics and the response name different lines: build a Cohort first.")
    fold.match(Y)
    model = clone(model)
    tune = labelled(X, Y, fold.tune)
    if len(tune[0]) and "validation" in inspect.signature(model.fit).parameters:
        return model.fit(*labelled(X, Y, fold.train), validation=tune)
    return model.fit(*labelled(X, Y, fold.fit))


def labelled(
    X: pd.DataFrame, Y: pd.DataFrame, cells: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Y with all but `cells` masked, and X, in the lines where a label is left."""
    Y = Y.where(cells)
    rows = Y.notna().any(axis=1)
    return X[rows], Y[rows]


def tested(
    model: BaseEstimator, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The test cells of Y, all else masked, and the predictions, in the lines that have some."""
    X, truth = labelled(X, Y, fold.test)
    P = model.predict(X)
    if np.shape(P) != truth.shape:
        raise InputError(f"it predicted a table of {np.shape(P)} where {truth.shape} was due")
    if not isinstance(P, pd.DataFrame):
        P = pd.DataFrame(P, index=truth.index, columns=truth.columns)
    return truth, P


def best_label(scores: pd.Series):
    """The label of the highest score; None when no score is known."""
    return None if scores.isna().all() else scores.idxmax()


def check_known(what: str, given: tuple, known) -> None:
    for name in given:
        if name not in known:
            raise InputError(f"Unknown {what} {name!r}: use one of {', '.join(map(str, known))}.")
