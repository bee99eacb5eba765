"""A stale checkpoint: the weights that are scored were trained on another random split.

The published code for all cancers saves its weights only after epoch 20 and stops before epoch 5.
It then loads the file that an earlier run left behind, whose training rows hold nearly all test
rows of the new split:

    published score[k] = metric(y, f trained in repeat k - 1), over the test rows of repeat k
"""

from collections.abc import Mapping

import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator

from cdp_lib.errors import InputError
from cdp_lib.evaluate.cross_validation import cross_predict, label
from cdp_lib.evaluate.fitting import Omics, fit_fold, inputs, perturbation_tables, predicted
from cdp_lib.evaluate.predictions import Predictions
from cdp_lib.splits import Split

STALE = "{}, stale"


def predict_stale(
    models: Mapping[str, BaseEstimator],
    cohort,
    split: Split,
    omics: Omics = "expression",
    n_jobs: int | None = None,
) -> Predictions:
    """Each model beside its stale self: "network", and "network, stale" of the repeat before.

    The first repeat takes the weights of the last one.
    """
    if len(split) < 2:
        raise InputError("A stale checkpoint needs two repeats or more: split more often.")
    P = cross_predict({}, cohort, split)
    X, about = inputs(cohort, omics), perturbation_tables(cohort)
    for name, model in models.items():
        tables = Parallel(n_jobs)(delayed(_all)(model, X, cohort.Y, fold, about) for fold in split)
        P = P.add(name, tables, label(omics))
        P = P.add(STALE.format(name), [tables[-1], *tables[:-1]], label(omics))
    return P


def seen(split: Split, known: pd.DataFrame) -> list[float]:
    """The share of each repeat's test rows that the repeat before it trained on."""
    cells, folds = known.to_numpy(), list(split)
    before = [folds[-1], *folds[:-1]]
    return [
        float((old.train & new.test & cells).sum() / (new.test & cells).sum())
        for old, new in zip(before, folds, strict=True)
    ]


def _all(model: BaseEstimator, X, Y, fold, about) -> pd.DataFrame:
    """What a model of one repeat predicts for every cell."""
    return pd.DataFrame(predicted(fit_fold(model, X, Y, fold, about), X, about), Y.index, Y.columns)
