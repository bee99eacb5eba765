"""Any model, any split, all naive baselines beside it.

    for each fold, for each model:  fit on the training cells, predict the test cells, score

A model never meets a test label: `fitted` is the one place where a model meets a fold, and it
hands over nothing but the fold's training cells.  Scores of folds depend on each other, because
their training sets overlap; `summary` therefore compares models with the corrected resampled
t-test (Nadeau & Bengio 2003).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import stats
from sklearn.base import BaseEstimator

from cdp_lib.errors import InputError
from cdp_lib.evaluate.fitting import (
    Omics,
    Tables,
    best_label,
    check_known,
    fit_fold,
    inputs,
    naive_baselines,
    perturbation_tables,
    tested,
)
from cdp_lib.metrics import AXES, LOWER_IS_BETTER, METRICS, score_frame
from cdp_lib.splits import Fold, Split

FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def cross_validate(
    models: dict[str, BaseEstimator],
    cohort,
    split: Split,
    omics: Omics = "expression",
    metrics: tuple[str, ...] | str = ("pearson", "r2", "rmse"),
    axis: tuple[str, ...] | str = "perturbation",
    baselines: bool = True,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Score each model in each fold, and the naive baselines beside them.

    One row a score: model, kind ("model" or "baseline"), split, axis, metric, repeat, fold, unit,
    n (cells scored), score, constant (the unit's prediction was), n_train and n_test (cells of the
    fold).  `n_jobs=None` means one process, or what `joblib.parallel_config` says, so that
    `with joblib.parallel_config("dask"):` sends every (model, fold) to a cluster.
    """
    metrics = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    axes = (axis,) if isinstance(axis, str) else tuple(axis)
    check_known("metric", metrics, METRICS)
    check_known("axis", axes, AXES)
    if not isinstance(models, Mapping):
        raise InputError(
            f"Models come as a dictionary, name -> model, not a {type(models).__name__}."
        )
    if not isinstance(split, Split):
        raise InputError(
            f"cross_validate needs a Split, not a {type(split).__name__}: make one "
            "with cdp_lib.splits."
        )
    for fold in split:
        fold.match(cohort.Y)
    naive = naive_baselines(cohort) if baselines else {}
    if not models and not naive:
        raise InputError("There is no model and no baseline to score: give one, or baselines=True.")
    if clash := set(models) & set(naive):
        raise InputError(f"{min(clash)!r} is the name of a baseline: call your model otherwise.")
    X, Y = inputs(cohort, omics), cohort.Y  # (lines, features), (lines, perturbations)
    tables = perturbation_tables(cohort)
    frames = Parallel(n_jobs=n_jobs)(
        delayed(_scores)(name, model, X, Y, tables, fold, metrics, axes)
        for name, model in (models | naive).items()
        for fold in split
    )
    frame = pd.concat(frames, ignore_index=True)
    frame.insert(1, "kind", np.where(frame["model"].isin(list(naive)), "baseline", "model"))
    frame.insert(2, "split", split.name)
    frame.attrs["sentence"] = split.sentence
    return frame


def summary(frame: pd.DataFrame, reference: str | None = None) -> pd.DataFrame:
    """One row for each model, split, axis and metric of a frame made by `cross_validate`.

    mean and sd are over folds (of the mean over a fold's units); units, constant and empty count
    the units scored, those with a constant prediction and those whose score is undefined, over
    all folds.  gain is the mean improvement over `reference` (by default the best baseline by
    mean score): positive is better, whichever way the metric points; p is two-sided, from

        t = mean(gain) / sqrt((1 / folds + n_test / n_train) * var(gain)),  folds - 1 degrees.
    """
    check_known("reference", (reference or frame["model"].iloc[0],), frame["model"].unique())
    rows = []
    for (split, axis, metric), part in frame.groupby(["split", "axis", "metric"], sort=False):
        folds = part.groupby(["model", "repeat", "fold"], sort=False)
        scores = folds["score"].mean().unstack("model")  # (folds, models)
        sizes = folds[["n_train", "n_test"]].first()
        share = (sizes["n_test"] / sizes["n_train"]).mean()
        sign = -1 if metric in LOWER_IS_BETTER else 1
        kinds = part.groupby("model", sort=False)["kind"].first()
        against = reference or best_label(sign * scores[kinds.index[kinds == "baseline"]].mean())
        for model, units in part.groupby("model", sort=False):
            gain = sign * (scores[model] - scores[against]) if against else scores[model] * np.nan
            rows.append(
                {
                    "split": split,
                    "axis": axis,
                    "metric": metric,
                    "model": model,
                    "kind": kinds[model],
                    "mean": scores[model].mean(),
                    "sd": scores[model].std(),
                    "folds": len(scores),
                    "units": len(units),
                    "constant": int(units["constant"].sum()),
                    "empty": int(units["score"].isna().sum()),
                    "reference": against,
                    "gain": gain.mean(),
                    "p": np.nan if model == against else _corrected_p(gain, share),
                }
            )
    return pd.DataFrame(rows)


def _scores(
    name: str,
    model: BaseEstimator,
    X: pd.DataFrame,
    Y: pd.DataFrame,
    tables: Tables,
    fold: Fold,
    metrics: tuple[str, ...],
    axes: tuple[str, ...],
) -> pd.DataFrame:
    """All scores of one model in one fold; units without a test cell have no row."""
    try:
        truth, P = tested(fit_fold(model, X, Y, fold, tables), X, Y, fold, tables)
        frame = pd.concat([score_frame(truth, P, metrics, axis) for axis in axes])
    except FAILURES as error:
        reason = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
        raise InputError(
            f"Model {name!r} failed in fold {fold.number} of repeat {fold.repeat}: {reason}."
        ) from error
    frame = frame[frame["n"] > 0]
    known = Y.notna().to_numpy()
    return frame.assign(
        model=name,
        repeat=fold.repeat,
        fold=fold.number,
        n_train=int((fold.fit & known).sum()),
        n_test=int((fold.test & known).sum()),
    )[
        [
            "model",
            "axis",
            "metric",
            "repeat",
            "fold",
            "unit",
            "n",
            "score",
            "constant",
            "n_train",
            "n_test",
        ]
    ]


def _corrected_p(gain: pd.Series, share: float) -> float:
    """Two-sided p of the corrected resampled t-test; share = n_test / n_train."""
    gain = gain.dropna()
    if len(gain) < 2:
        return np.nan
    if gain.var() == 0:
        return float(gain.mean() == 0)
    t = gain.mean() / np.sqrt((1 / len(gain) + share) * gain.var())
    return float(2 * stats.t.sf(abs(t), len(gain) - 1))
