"""Choose a model, its settings and its epochs inside the rows that it is fitted on.

    score(candidate) = mean over inner folds of the metric on rows that the candidate did not see
    fitted again     = the best candidate, on all rows, for the median of its best epochs

`Search` is a model like any other, so that `cross_validate` hands it the training cells of a fold
and nothing else.  A row is what is new at test time: a line, or, with both tables turned
(`fit(X.T, Y.T)`), a perturbation that is known by a column of features.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline

from cdp_lib.errors import InputError
from cdp_lib.evaluate.fitting import (
    Tables,
    best_label,
    check_known,
    fit_fold,
    labelled,
    predicted,
    tested,
)
from cdp_lib.evaluate.running import Failure, carry_out, reraise
from cdp_lib.metrics import AXES, LOWER_IS_BETTER, METRICS, score_frame
from cdp_lib.models.base.parts import taken
from cdp_lib.models.base.validation import uses_validation
from cdp_lib.splits import TEST, TRAIN, TUNE, Fold, leave_lines_out

VALIDATION = "validation"


@dataclass(frozen=True)
class HoldOut:
    """One inner fold: a share of the rows drawn by a seed, or (None) the first ones of the file."""

    share: float = 0.2
    seed: int | None = 0

    def mask(self, rows: int) -> np.ndarray:
        """Which of so many rows are held out."""
        order = np.arange(rows)
        if self.seed is not None:
            order = np.random.default_rng(self.seed).permutation(order)
        return np.isin(np.arange(rows), order[: int(rows * self.share + 1e-9)])


class Search(BaseEstimator):
    """The best of some candidates by a metric, chosen in inner folds and fitted on all rows.

    `model` is one model with a `grid` of settings (scikit-learn's: name -> values), or a list of
    models.  `inner` is a number of folds, a `HoldOut`, or "validation": then the rows of
    `fit(X, Y, validation=(X, Y))` judge, as the tune cells of a fold do in `cross_validate`, and
    nothing is fitted again.  Rows of one group of `groups` (a Series over rows) stay together.

    With `epochs=True` a network's score is that of its best epoch by the same metric, and it is
    fitted on all rows for as many epochs as were best in the inner folds (their median).

    A candidate that fails is out (`errors="keep"`) or ends the search ("raise").  `results_` has a
    row a candidate: its settings, score, epochs and error; `best_index_` is the row of the best,
    `best_params_` its settings, `best_epochs_` its epochs, `best_model_` the fitted model.
    """

    def __init__(
        self,
        model: BaseEstimator | list[BaseEstimator],
        grid: dict[str, list] | list[dict] | None = None,
        metric: str = "pearson",
        axis: str = "perturbation",
        inner: int | HoldOut | str = 5,
        groups: pd.Series | None = None,
        epochs: bool = False,
        errors: str = "keep",
        n_jobs: int | None = None,
        seed: int = 0,
    ):
        self.model = model
        self.grid = grid
        self.metric = metric
        self.axis = axis
        self.inner = inner
        self.groups = groups
        self.epochs = epochs
        self.errors = errors
        self.n_jobs = n_jobs
        self.seed = seed

    @property
    def asks_for_validation(self) -> bool:
        return self.inner == VALIDATION

    def fit(self, X, Y, validation=None, perturbations=None, drugs=None) -> "Search":
        """Choose the best candidate, and fit it on all rows of X and Y."""
        model = self.choose(X, Y, validation, perturbations, drugs)
        if self.asks_for_validation:
            return self
        if self.best_epochs_ is not None:
            training = f"{_place_of_training(model)}training"
            rows = {f"{training}__epochs": self.best_epochs_, f"{training}__validation_fraction": 0}
            model.set_params(**rows)
        more = taken(model.fit, _tables(perturbations, drugs))
        self.best_model_ = model.fit(pd.DataFrame(X), pd.DataFrame(Y), **more)
        return self

    def fit_as_published(self, X, Y, X_test, Y_test) -> "Search":
        """Choose among the candidates as `fit` does, and the epoch once more, on the test rows.

        What leaks: the labels Y_test choose the epoch of a network, by this search's own metric.
        """
        best = self.choose(X, Y)
        self.best_model_ = best_epoch(best, X, Y, X_test, Y_test, self.metric, self.axis)
        return self

    def choose(self, X, Y, validation=None, perturbations=None, drugs=None) -> BaseEstimator:
        """The best candidate as it was given, not fitted; what `fit` does first."""
        check_known("metric", (self.metric,), METRICS)
        check_known("axis", (self.axis,), AXES)
        X, Y, folds = self._folds(pd.DataFrame(X), pd.DataFrame(Y), validation)
        settings, candidates = self._candidates()
        judged = self.asks_for_validation
        trials = carry_out(
            _trial,
            (X, Y, _tables(perturbations, drugs), self.metric, self.axis, self.epochs, judged),
            [(model, fold) for model in candidates for fold in folds],
            n_jobs=self.n_jobs,
            errors=self.errors,
        )
        by_candidate = [
            trials[start : start + len(folds)] for start in range(0, len(trials), len(folds))
        ]
        summaries = [_summary(of_one) for of_one in by_candidate]
        self.results_ = pd.concat([pd.DataFrame(settings), pd.DataFrame(summaries)], axis=1)
        failures = [trial for trial in trials if isinstance(trial, Failure)]
        if failures and self.results_["error"].ne("").all():
            reraise(failures[0])
        sign = -1 if self.metric in LOWER_IS_BETTER else 1
        best = best_label(sign * self.results_["score"])
        if best is None:
            raise InputError(
                f"No candidate has a {self.metric} per {self.axis} in every inner fold: "
                "use fewer folds or another metric or axis."
            )
        self.best_index_, self.best_params_ = best, settings[best]
        self.best_epochs_ = summaries[best]["epochs"]
        if judged:
            self.best_model_ = by_candidate[best][0]["model"]
        return clone(candidates[best])

    def predict(self, X, perturbations=None, drugs=None):
        P = predicted(self.best_model_, pd.DataFrame(X), _tables(perturbations, drugs))
        return P if isinstance(X, pd.DataFrame) else np.asarray(P)

    def _candidates(self) -> tuple[list[dict], list[BaseEstimator]]:
        """The settings of each candidate, and the candidate."""
        if isinstance(self.model, list | tuple):
            if self.grid is not None or not self.model:
                raise InputError("Search takes a list of models, or one model with a grid.")
            return [{"model": model} for model in self.model], list(self.model)
        settings = list(ParameterGrid(self.grid or {}))
        return settings, [clone(self.model).set_params(**setting) for setting in settings]

    def _folds(
        self, X: pd.DataFrame, Y: pd.DataFrame, validation
    ) -> tuple[pd.DataFrame, pd.DataFrame, list[Fold]]:
        """All rows that are known, and the inner folds of them."""
        if self.asks_for_validation:
            if validation is None:
                raise InputError(
                    'Search(inner="validation") needs rows that judge: fit(X, Y, validation=(X, '
                    "Y)), or a split with tune cells."
                )
            judges = [pd.DataFrame(table) for table in validation]
            for table, judge in zip((X, Y), judges):
                if not table.columns.equals(judge.columns):
                    raise InputError("The validation tables have other columns than X and Y.")
            roles = [TRAIN] * len(X) + [TEST] * len(judges[0])
            X, Y = pd.concat([X, judges[0]]), pd.concat([Y, judges[1]])
            return X, Y, [_fold(roles, Y)]
        groups = None if self.groups is None else self.groups.reindex(Y.index)
        if isinstance(self.inner, HoldOut):
            group = np.arange(len(Y)) if groups is None else pd.factorize(groups)[0]
            held = self.inner.mask(group.max() + 1)[group]
            return X, Y, [_fold(np.where(held, TEST, TRAIN), Y)]
        split = leave_lines_out(Y, self.inner, tune=0.0, seed=self.seed, groups=groups)
        return X, Y, list(split)


def best_epoch(
    model: BaseEstimator,
    X: pd.DataFrame,
    Y: pd.DataFrame,
    X_judge: pd.DataFrame,
    Y_judge: pd.DataFrame,
    metric: str = "pearson",
    axis: str = "perturbation",
) -> BaseEstimator:
    """A clone of `model`, fitted on all rows of X, at the epoch that is best on the judging rows.

    The last step of a pipeline may be the network.  A model without epochs is fitted as usual.
    """
    model = clone(model)
    if isinstance(model, Pipeline):
        front = model[:-1].fit(X, Y)
        name, last = model.steps[-1]
        last = best_epoch(
            last, front.transform(X), Y, front.transform(X_judge), Y_judge, metric, axis
        )
        return model.set_params(steps=[*front.steps, (name, last)])
    if hasattr(model, "fit_as_published"):
        return model.fit_as_published(X, Y, X_judge, Y_judge, metric, axis)
    return model.fit(X, Y)


def _trial(
    X: pd.DataFrame,
    Y: pd.DataFrame,
    tables: Tables,
    metric: str,
    axis: str,
    epochs: bool,
    judged: bool,
    model: BaseEstimator,
    fold: Fold,
) -> dict:
    """One candidate in one inner fold: its score and best epoch, and, to be kept, the model."""
    best = None
    if epochs and hasattr(_network(model), "fit_as_published"):
        parts = *labelled(X, Y, fold.fit), *labelled(X, Y, fold.test)
        fitted = best_epoch(model, *parts, metric, axis)
        best = _network(fitted).history_.best_epoch + 1
    else:
        roles = np.where(fold.test, TUNE, fold.roles)  # a model that can stops by the judging rows
        seen = replace(fold, roles=roles) if judged and uses_validation(model) else fold
        fitted = fit_fold(model, X, Y, seen, tables)
    truth, P = tested(fitted, X, Y, fold, tables)
    score = score_frame(truth, P, metric, axis)["score"].mean()
    return {"score": score, "epochs": best, "model": fitted if judged else None}


def _summary(trials: list[dict | Failure]) -> dict:
    failure = next((trial for trial in trials if isinstance(trial, Failure)), None)
    if failure is not None:
        return {"score": np.nan, "epochs": None, "error": f"{failure.kind}: {failure.message}"}
    epochs = [trial["epochs"] for trial in trials if trial["epochs"] is not None]
    return {
        "score": np.mean([trial["score"] for trial in trials]),
        "epochs": int(np.median(epochs)) if epochs else None,
        "error": "",
    }


def _network(model: BaseEstimator) -> BaseEstimator:
    return model.steps[-1][1] if isinstance(model, Pipeline) else model


def _place_of_training(model: BaseEstimator) -> str:
    """The prefix of the settings of the network whose epochs were chosen."""
    step = f"{model.steps[-1][0]}__" if isinstance(model, Pipeline) else ""
    own = f"{step}training__epochs" in model.get_params()
    return step if own else f"{step}regressor__"


def _fold(roles: np.ndarray | list[int], Y: pd.DataFrame) -> Fold:
    roles = np.asarray(roles, np.int8)[:, None]
    return Fold(np.broadcast_to(roles, Y.shape))


def _tables(perturbations: pd.DataFrame | None, drugs: pd.DataFrame | None) -> Tables:
    tables = {"perturbations": perturbations, "drugs": drugs}
    return {name: table for name, table in tables.items() if table is not None}
