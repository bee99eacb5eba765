"""Any model, any split, all naive baselines beside it.

    for each fold, for each model:  fit on the training cells, predict the test cells, score

A model never meets a test label: `fitted` is the one place where a model meets a fold, and it
hands over nothing but the fold's training cells.  Scores of folds depend on each other, because
their training sets overlap; `summary` therefore compares models with the corrected resampled
t-test (Nadeau & Bengio 2003).
"""

import inspect
from collections.abc import Mapping

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import stats
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import ParameterGrid

from cdp_lib.errors import InputError
from cdp_lib.metrics import AXES, LOWER_IS_BETTER, METRICS, score_frame
from cdp_lib.models.baselines import (
    GlobalMean,
    LineMean,
    MeanEffects,
    PerturbationMean,
    TissueMean,
)
from cdp_lib.splits import Fold, Split, leave_lines_out

Omics = str | list[str] | None  # None: no omics, only the names of the lines
FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


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
    return _fit(model, _inputs(cohort, omics), cohort.Y, fold)


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
    _check_known("metric", metrics, METRICS)
    _check_known("axis", axes, AXES)
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
    X, Y = _inputs(cohort, omics), cohort.Y  # (lines, features), (lines, perturbations)
    frames = Parallel(n_jobs=n_jobs)(
        delayed(_scores)(name, model, X, Y, fold, metrics, axes)
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
    _check_known("reference", (reference or frame["model"].iloc[0],), frame["model"].unique())
    rows = []
    for (split, axis, metric), part in frame.groupby(["split", "axis", "metric"], sort=False):
        folds = part.groupby(["model", "repeat", "fold"], sort=False)
        scores = folds["score"].mean().unstack("model")  # (folds, models)
        sizes = folds[["n_train", "n_test"]].first()
        share = (sizes["n_test"] / sizes["n_train"]).mean()
        sign = -1 if metric in LOWER_IS_BETTER else 1
        kinds = part.groupby("model", sort=False)["kind"].first()
        against = reference or _best(sign * scores[kinds.index[kinds == "baseline"]].mean())
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


class Search(BaseEstimator):
    """Choose the hyper-parameters of `model` inside the rows it is fitted on.

    Each setting of `grid` (scikit-learn's: name -> values) is scored by leaving lines out
    `n_folds` times, whole groups of lines together when `groups` (a Series over lines) is given;
    the best is fitted again on all rows.
    """

    def __init__(
        self,
        model: BaseEstimator,
        grid: dict[str, list],
        metric: str = "pearson",
        axis: str = "perturbation",
        n_folds: int = 5,
        groups: pd.Series | None = None,
        seed: int = 0,
    ):
        self.model = model
        self.grid = grid
        self.metric = metric
        self.axis = axis
        self.n_folds = n_folds
        self.groups = groups
        self.seed = seed

    def fit(self, X, Y) -> "Search":
        _check_known("metric", (self.metric,), METRICS)
        _check_known("axis", (self.axis,), AXES)
        lines, table = pd.DataFrame(X), pd.DataFrame(Y)
        groups = None if self.groups is None else self.groups.reindex(table.index)
        split = leave_lines_out(table, self.n_folds, tune=0.0, seed=self.seed, groups=groups)
        settings = list(ParameterGrid(self.grid))
        scores = [
            [
                self._score(clone(self.model).set_params(**setting), lines, table, fold)
                for fold in split
            ]
            for setting in settings
        ]  # (settings, folds)
        self.results_ = pd.DataFrame(settings).assign(score=np.mean(scores, axis=1))
        sign = -1 if self.metric in LOWER_IS_BETTER else 1
        best = _best(sign * self.results_["score"])
        if best is None:
            raise InputError(
                f"No setting has a {self.metric} per {self.axis} in every inner fold: "
                "use fewer folds or another metric or axis."
            )
        self.best_params_ = settings[best]
        self.best_model_ = clone(self.model).set_params(**self.best_params_).fit(X, Y)
        return self

    def predict(self, X):
        return self.best_model_.predict(X)

    def _score(self, model: BaseEstimator, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold) -> float:
        truth, P = _tested(_fit(model, X, Y, fold), X, Y, fold)
        return score_frame(truth, P, self.metric, self.axis)["score"].mean()


def _inputs(cohort, omics: Omics) -> pd.DataFrame:
    return pd.DataFrame(index=cohort.Y.index) if omics is None else cohort.X(omics)


def _fit(model: BaseEstimator, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold) -> BaseEstimator:
    if not X.index.equals(Y.index):
        raise InputError("The omics and the response name different lines: build a Cohort first.")
    fold.match(Y)
    model = clone(model)
    tune = _labelled(X, Y, fold.tune)
    if len(tune[0]) and "validation" in inspect.signature(model.fit).parameters:
        return model.fit(*_labelled(X, Y, fold.train), validation=tune)
    return model.fit(*_labelled(X, Y, fold.fit))


def _labelled(
    X: pd.DataFrame, Y: pd.DataFrame, cells: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Y with all but `cells` masked, and X, in the lines where a label is left."""
    Y = Y.where(cells)
    rows = Y.notna().any(axis=1)
    return X[rows], Y[rows]


def _tested(
    model: BaseEstimator, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The test cells of Y, all else masked, and the predictions, in the lines that have some."""
    X, truth = _labelled(X, Y, fold.test)
    P = model.predict(X)
    if np.shape(P) != truth.shape:
        raise InputError(f"it predicted a table of {np.shape(P)} where {truth.shape} was due")
    if not isinstance(P, pd.DataFrame):
        P = pd.DataFrame(P, index=truth.index, columns=truth.columns)
    return truth, P


def _scores(
    name: str,
    model: BaseEstimator,
    X: pd.DataFrame,
    Y: pd.DataFrame,
    fold: Fold,
    metrics: tuple[str, ...],
    axes: tuple[str, ...],
) -> pd.DataFrame:
    """All scores of one model in one fold; units without a test cell have no row."""
    try:
        truth, P = _tested(_fit(model, X, Y, fold), X, Y, fold)
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


def _best(scores: pd.Series):
    """The label of the highest score; None when no score is known."""
    return None if scores.isna().all() else scores.idxmax()


def _check_known(what: str, given: tuple, known) -> None:
    for name in given:
        if name not in known:
            raise InputError(f"Unknown {what} {name!r}: use one of {', '.join(map(str, known))}.")
