"""Choose settings inside the rows that a model is fitted on."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import ParameterGrid

from cdp_lib.errors import InputError
from cdp_lib.evaluate.fitting import best_label, check_known, fit_fold, tested
from cdp_lib.metrics import AXES, LOWER_IS_BETTER, METRICS, score_frame
from cdp_lib.splits import Fold, leave_lines_out


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
        check_known("metric", (self.metric,), METRICS)
        check_known("axis", (self.axis,), AXES)
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
        best = best_label(sign * self.results_["score"])
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
        truth, P = tested(fit_fold(model, X, Y, fold), X, Y, fold)
        return score_frame(truth, P, self.metric, self.axis)["score"].mean()
