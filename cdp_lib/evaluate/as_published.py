"""A procedure with its published leaks, under the same folds, beside the leak-free run.

Published code often hands the test rows to the fit.  `predict_as_published` does so in the open:
the models have `fit_as_published(X, Y, X_test, Y_test)`, which says what leaks, and what they
predict is compared by the same metrics, floors and intervals as any other prediction.

    Q = predict_as_published({"network": network}, cohort, published.file_order(cohort))
    Q.summary("pearson")
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from sklearn.base import BaseEstimator, clone

from cdp_lib.evaluate.checkpoint import remember
from cdp_lib.evaluate.cross_validation import cross_predict, label, omics_of
from cdp_lib.evaluate.fitting import (
    Omics,
    Tables,
    inputs,
    labelled,
    perturbation_tables,
    predicted,
    taken,
)
from cdp_lib.evaluate.predictions import Predictions
from cdp_lib.splits import Split


def predict_as_published(
    models: Mapping[str, BaseEstimator],
    cohort,
    split: Split,
    omics: Omics | Mapping[str, Omics] = "expression",
    baselines: Mapping[str, BaseEstimator] | None = None,
    checkpoint: str | Path | None = None,
) -> Predictions:
    """What models predict for the test cells that they have seen, beside the naive baselines.

    `omics` is one choice for all models, or names each model's own; `baselines` are further naive
    models, which see no test label.
    """
    naive = dict(baselines or {})
    chosen = omics_of({**models, **naive}, omics)
    P = cross_predict({}, cohort, split, {name: chosen[name] for name in naive}, naive or True)
    for name, model in models.items():
        X = inputs(cohort, chosen[name])
        about = perturbation_tables(cohort)
        about = taken(model.fit_as_published, about) | taken(model.predict, about)
        tables = [
            remember(checkpoint, _fold, model, X, cohort.Y, fold, about)["P"] for fold in split
        ]
        P = P.add(name, tables, label(chosen[name]))
    return P


def _fold(
    model: BaseEstimator, X: pd.DataFrame, Y: pd.DataFrame, fold, about: Tables | None = None
) -> dict:
    """One fold: what is predicted in the test lines."""
    X_test, Y_test = labelled(X, Y, fold.test)
    model = clone(model)
    more = taken(model.fit_as_published, about or {})
    fitted = model.fit_as_published(*labelled(X, Y, fold.fit), X_test, Y_test, **more)
    return {"P": pd.DataFrame(predicted(fitted, X_test, about), Y_test.index, Y_test.columns)}
