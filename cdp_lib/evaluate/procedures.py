"""Procedures: everything from raw tables to predictions, with the doors through which leaks come.

    P = procedure(X, Y, fold)       the whole tables and a fold -> predictions for all lines

A leak lives in the steps around a model more often than in the model, so each function below has
an argument that says from whose cells one step learns:

    z_scores   rows        whose mean and sd bring each feature to one scale
    network    watched     in which cells the best epoch is looked for
    by_codes   seen        which labels the autoencoder of the response is fitted on
    stacked    stage_one   on which fold the members of the first stage were trained

`audit.sees_test_labels` and `audit.sees_test_features` say whether a procedure leaks.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cdp_lib import audit, splits
from cdp_lib.audit import Procedure
from cdp_lib.evaluate.cross_validation import cross_predict
from cdp_lib.evaluate.fitting import Omics, inputs
from cdp_lib.evaluate.predictions import Predictions
from cdp_lib.models.base.training import Training
from cdp_lib.models.linear import Ridge
from cdp_lib.models.networks.feedforward import FeedForward
from cdp_lib.splits import Fold, Split

MEMBERS = (1.0, 3000.0)  # alphas of a member that memorises and of a cautious one


def predict_with(
    procedures: Mapping[str, Procedure], cohort, split: Split, omics: Omics = "expression"
) -> Predictions:
    """`cross_predict` for procedures: each runs once in each fold, beside the naive baselines."""
    X = inputs(cohort, omics)
    P = cross_predict({}, cohort, split)
    for name, procedure in procedures.items():
        P = P.add(name, [procedure(X, cohort.Y, fold) for fold in split])
    return P


def z_scores(X: pd.DataFrame, rows: np.ndarray | slice) -> pd.DataFrame:
    """X minus its mean, divided by its sd, both taken over some rows."""
    return (X - X[rows].mean()) / X[rows].std().replace(0, 1)


def ridge(Z: pd.DataFrame, Y: pd.DataFrame, fold: Fold, alpha: float = 1000.0) -> pd.DataFrame:
    """Ridge regression on features that have been scaled: learn on the fit cells, predict all.

    With a tiny alpha and many features it passes through every training point: it memorises.
    """
    rows = fold.fit.any(axis=1)
    model = Ridge(alphas=(alpha,), standardize=False)
    return model.fit(Z[rows], Y.where(fold.fit)[rows]).predict(Z)


def network(
    X: pd.DataFrame,
    Y: pd.DataFrame,
    fold: Fold,
    watched: np.ndarray,
    epochs: int = 100,
    seed: int = 0,
) -> pd.DataFrame:
    """A small network that keeps the weights of the epoch with the least error in some cells."""
    learn, watch = fold.train.any(axis=1), watched.any(axis=1)
    training = Training(epochs=epochs, patience=None, seed=seed, device="cpu")
    model = FeedForward(hidden=(64,), training=training)
    seen = (X[watch], Y.where(watched)[watch])
    return model.fit(X[learn], Y.where(fold.train)[learn], validation=seen).predict(X)


def by_codes(
    X: pd.DataFrame, Y: pd.DataFrame, fold: Fold, seen: np.ndarray, n_codes: int = 8
) -> pd.DataFrame:
    """Predict codes of the response; the linear autoencoder has been fitted on the `seen` cells.

    The best linear autoencoder is known in closed form: the first principal directions.
    """
    means = Y.where(fold.fit).mean()
    centred = (Y - means).where(seen & Y.notna().to_numpy(), 0.0)  # unknown: at the mean
    decoder = np.linalg.svd(centred[seen.any(axis=1)], full_matrices=False)[2][:n_codes]
    codes = centred @ decoder.T  # (lines, codes)
    learn = fold.fit.any(axis=1)
    Z = z_scores(X, learn)
    model = Ridge(alphas=(1000.0,), standardize=False).fit(Z[learn], codes[learn])
    expanded = model.predict(Z).to_numpy() @ decoder + means.to_numpy()
    return pd.DataFrame(expanded, Y.index, Y.columns)


def stacked(
    X: pd.DataFrame, Y: pd.DataFrame, fold: Fold, stage_one: Fold | None = None, seed: int = 0
) -> pd.DataFrame:
    """Two stages: members, then how far to trust each, learned from what the members predict.

    With `stage_one` the members come from that other fold, so that they may have been trained on
    the test lines of this one.  Without it both stages keep this fold, and trust is learned from
    predictions for lines that the members were not trained on.
    """
    parts = members(X, Y, stage_one or fold)
    inside = parts
    if stage_one is None:
        inside = [part.copy() for part in parts]
        for inner in splits.nested(fold, Y, n_folds=3, seed=seed):
            rows = inner.test.any(axis=1)
            for whole, part in zip(inside, members(X, Y, inner), strict=True):
                whole[rows] = part[rows]
    means = Y.where(fold.fit).mean()
    cells = fold.fit & Y.notna().to_numpy()
    given = np.column_stack([(part - means).to_numpy()[cells] for part in inside])
    trust = np.linalg.lstsq(given, (Y - means).to_numpy()[cells], rcond=None)[0]
    return means + sum(weight * (part - means) for weight, part in zip(trust, parts, strict=True))


def members(X: pd.DataFrame, Y: pd.DataFrame, fold: Fold) -> list[pd.DataFrame]:
    """The first stage: a model that memorises and a cautious one."""
    Z = z_scores(X, fold.fit.any(axis=1))
    return [ridge(Z, Y, fold, alpha) for alpha in MEMBERS]


def leak_gains(
    leaking: Mapping[str, Procedure], repaired: Mapping[str, Procedure], cohort, split: Split,
    omics: Omics = "expression",
) -> tuple[pd.DataFrame, Predictions, Predictions]:  # fmt: skip
    """What each leak adds to r per perturbation, and which test sees it: one row a leak.

    Columns: gain, sd (over folds), p (corrected), labels and features (does the test of
    `cdp_lib.audit` see the leak, in the first fold) and clean (it sees nothing in the twin).
    """
    X, Y, fold = inputs(cohort, omics), cohort.Y, split.folds[0]
    with_leak, without = (predict_with(each, cohort, split, omics) for each in (leaking, repaired))
    tests = (audit.sees_test_labels, audit.sees_test_features)
    sizes = without.held[0].folds
    rows = {}
    for name in leaking:
        gain = mean_by_fold(with_leak, name) - mean_by_fold(without, name)
        labels, features = (test(leaking[name], X, Y, fold) for test in tests)
        rows[name] = {
            "gain": gain.mean(),
            "sd": gain.std(),
            "p": audit.corrected_p(gain, (sizes["n_test"] / sizes["n_train"]).mean()),
            "labels": labels,
            "features": features,
            "clean": not any(test(repaired[name], X, Y, fold) for test in tests),
        }
    return pd.DataFrame(rows).T.infer_objects().rename_axis("leak"), with_leak, without


def mean_by_fold(P: Predictions, model: str, metric: str = "pearson") -> pd.Series:
    """The mean score per perturbation of one model in each fold."""
    frame = P.scores(metric)
    return frame[frame["model"] == model].groupby("fold")["score"].mean()
