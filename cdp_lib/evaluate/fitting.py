"""Where a model meets a fold: it is handed the fold's training cells, and nothing else.

`fitted` is the one door through which a label reaches a model; `naive_baselines` are the
predictions that any model must beat.  A model says in the signature of its `fit` what it uses:

    fit(X, Y)                    lines with their omics, and the labels of the training cells
    fit(..., validation=)        (X, Y) of the tune cells, by which it stops; a model that can do
                                 without says `asks_for_validation = False` and learns from them
    fit(..., perturbations=)     one row for each column of Y: kind, smiles, target, ...,
                                 in a screen of pairs drug_a and drug_b
    fit(..., drugs=)             one row for each single drug: in a screen of pairs the table that
                                 drug_a and drug_b name, elsewhere `perturbations` itself

Y always has all columns.  A column that a fold holds out has no label there, only NaN, but it has
its row in `perturbations`, because what a drug is made of is not a label; `predict` fills every
column of Y, so a model that compares drugs can predict one that it never saw at work.  Nothing in
these two tables may be computed from Y.  A `predict` whose signature has `perturbations` or
`drugs` is handed them, too, and predicts these rows, which may be those of another cohort.
Columns, drugs and lines are known by their names, never by their position.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from cdp_lib.errors import InputError
from cdp_lib.models.base.drugs import ENDS
from cdp_lib.models.base.parts import taken
from cdp_lib.models.base.validation import uses_validation
from cdp_lib.models.baselines import (
    GlobalMean,
    LineMean,
    MeanEffects,
    PerturbationMean,
    TissueMean,
)
from cdp_lib.models.drug_effects import (
    DrugEffects,
    DrugEffectsByLine,
    LineAndDrugEffects,
    PairEffects,
)
from cdp_lib.splits import Fold

Omics = str | list[str] | None  # None: no omics, only the names of the lines
Tables = Mapping[str, pd.DataFrame]


def naive_baselines(cohort) -> dict[str, BaseEstimator]:
    """The naive predictions that any model must beat, by name.

    The tissue mean needs a line of known tissue; in a screen of pairs the effects of the single
    drugs join in, because they know more of a new pair than its line.
    """
    naive = {
        "global mean": GlobalMean(),
        "perturbation mean": PerturbationMean(),
        "line mean": LineMean(),
        "mean effects": MeanEffects(),
    }
    lines = getattr(cohort, "lines", None)
    if lines is not None and "tissue" in lines and (lines["tissue"].dropna() != "unknown").any():
        naive["tissue mean"] = TissueMean(tissue=lines["tissue"])
    perturbations = getattr(cohort, "perturbations", None)
    if perturbations is not None and set(ENDS) <= set(perturbations):
        naive["drug + drug"] = DrugEffects()
        naive["line + drug + drug"] = LineAndDrugEffects()
        naive["drug x line"] = DrugEffectsByLine()
        naive["drug x line + pair"] = PairEffects()
    return naive


def fitted(model, cohort, fold: Fold, omics: Omics = "expression") -> BaseEstimator:
    """A clone of `model`, fitted on the training cells of `fold`.

    A model that uses `validation` learns from the train cells and stops by the tune cells;
    any other model learns from both.  Lines without a training label are left out.
    """
    tables = perturbation_tables(cohort)
    return fit_fold(model, inputs(cohort, omics), cohort.Y, fold, tables)


def inputs(cohort, omics: Omics) -> pd.DataFrame:
    return pd.DataFrame(index=cohort.Y.index) if omics is None else cohort.X(omics)


def perturbation_tables(cohort) -> Tables:
    """What the cohort knows of its perturbations and their drugs, by the keyword of `fit`."""
    perturbations, names = getattr(cohort, "perturbations", None), cohort.Y.columns
    if perturbations is None:
        return {}
    missing = names.difference(perturbations.index, sort=False)
    if len(missing):
        raise InputError(
            f"The table of perturbations has no row for {len(missing)} columns of Y, such as "
            f"{missing.tolist()[0]!r}: build a Cohort first."
        )
    perturbations = perturbations.loc[names]
    return {"perturbations": perturbations, "drugs": getattr(cohort, "drugs", perturbations)}


def fit_fold(
    model: BaseEstimator,
    X: pd.DataFrame,
    Y: pd.DataFrame,
    fold: Fold,
    tables: Tables | None = None,
) -> BaseEstimator:
    """A clone of `model`, fitted on the fold's cells of Y; `tables` from `perturbation_tables`."""
    if not X.index.equals(Y.index):
        raise InputError("The omics and the response name different lines: build a Cohort first.")
    fold.match(Y)
    model = clone(model)
    more = taken(model.fit, tables or {})
    tune = labelled(X, Y, fold.tune)
    cells = fold.fit
    if len(tune[0]) and uses_validation(model):
        cells, more = fold.train, more | {"validation": tune}
    result = model.fit(*labelled(X, Y, cells), **more)
    return model if result is None else result


def predicted(
    model: BaseEstimator, X: pd.DataFrame, tables: Tables | None = None
) -> pd.DataFrame | np.ndarray:
    """What a fitted model predicts for the lines of X and all perturbations."""
    return model.predict(X, **taken(model.predict, tables or {}))


def labelled(
    X: pd.DataFrame, Y: pd.DataFrame, cells: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Y with all but `cells` masked, and X, in the lines where a label is left."""
    Y = Y.where(cells)
    rows = Y.notna().any(axis=1)
    return X[rows], Y[rows]


def tested(
    model: BaseEstimator,
    X: pd.DataFrame,
    Y: pd.DataFrame,
    fold: Fold,
    tables: Tables | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The test cells of Y, all else masked, and the predictions, in the lines that have some."""
    X, truth = labelled(X, Y, fold.test)
    P = predicted(model, X, tables)
    if truth.shape[1] == 1 and np.ndim(P) == 1:
        P = np.reshape(P, (-1, 1))
    if np.shape(P) != truth.shape:
        raise InputError(f"It predicts a table of {np.shape(P)} where {truth.shape} is due.")
    return truth, _named_as(truth, P)


def _named_as(truth: pd.DataFrame, P: pd.DataFrame | np.ndarray) -> pd.DataFrame:
    """The predictions by name; rows or columns without names of their own go by position."""
    P = pd.DataFrame(P)
    for axis, what in enumerate(("lines", "perturbations")):
        if isinstance(P.axes[axis], pd.RangeIndex):
            P = P.set_axis(truth.axes[axis], axis=axis)
        elif not P.axes[axis].equals(truth.axes[axis]):
            raise InputError(
                f"It names other {what} than it was asked for, or orders them differently: "
                "predict the rows of X and the columns of Y in their order."
            )
    return P


def best_label(scores: pd.Series):
    """The label of the highest score; None when no score is known."""
    return None if scores.isna().all() else scores.idxmax()


def check_known(what: str, given: tuple, known) -> None:
    for name in given:
        if name not in known:
            raise InputError(f"Unknown {what} {name!r}: use one of {', '.join(map(str, known))}.")
