"""Attention over the predictions of several networks, and the order in which things are learned.

Wang et al. (2022), equation 7.  Network m predicts y_mi for drug i; for drug d

    p_d = sum_i sum_m W_dmi y_mi,      W_dmi = exp(w_dmi) k_di / sum_m' exp(w_dm'i)

The kill matrix k is the identity, so that drug d hears only what was said about drug d: what is
left is one softmax over the networks for each drug, the same for every line.  p_d is a weighted
mean of the networks' predictions.

Two stages: the networks are fitted, frozen, and predict; the attention learns from these
predictions.  All depends on whether a network has seen the lines whose predictions are weighed:

    out_of_fold  attention learns from predictions for lines the network was not fitted on
    in_sample    attention learns from predictions for the very lines the network was fitted on
    redrawn      folds are drawn anew between the stages: most test lines were fitted in stage 1
    saw_all      the networks were fitted on all lines, test lines included

The paper's text does not tell which lines the networks of stage one had seen.
The first two never see a test label; the last two are leaks, kept here to measure what they do.
"""

import warnings
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from cdp_lib.errors import InputError
from cdp_lib.metrics import r2
from cdp_lib.models.base.scaled import network_columns
from cdp_lib.models.base.settings import (
    Estimator,
    Instance,
    Number,
    OneOf,
    check_setting,
    check_settings,
)
from cdp_lib.models.base.snapshots import snapshots
from cdp_lib.models.base.tables import MaskedScore, NotFitted, check_same_lines
from cdp_lib.models.base.training import Training
from cdp_lib.models.fusion.attention import KINDS, STEPS, Predictions, Stacker
from cdp_lib.splits import Fold, Groups, Split, leave_lines_out

HONEST = ("out_of_fold", "in_sample")
SEEN = (*HONEST, "redrawn", "saw_all")
REDRAWN = 10**6  # seeds far from those of any outer split, which would draw the same folds


@dataclass(frozen=True)
class StageOne:
    """What the frozen networks predict: enough to try any attention over any of the omics."""

    seen: str  # which lines the networks had seen: one of SEEN
    labels: pd.DataFrame  # (lines, drugs), the training labels; NaN elsewhere
    learning: Predictions  # what the attention learns from
    final: Predictions  # what it is applied to, for all lines

    def in_sample(self) -> "StageOne":
        """The same networks, and attention that learns from the lines they were fitted on."""
        if self.seen not in HONEST:
            raise InputError(
                f"Networks of seen={self.seen!r} have seen test labels: start from 'out_of_fold'."
            )
        return replace(self, seen="in_sample", learning=self.final)


@dataclass(frozen=True)
class Fused:
    """A combination of networks: `prediction` (lines, drugs), mean `weights` (drugs, omics)."""

    prediction: pd.DataFrame
    weights: pd.DataFrame


def stage_one(
    networks: dict[str, BaseEstimator],
    X: pd.DataFrame,
    Y: pd.DataFrame,
    fold: Fold,
    seen: str = "out_of_fold",
    n_folds: int = 3,
    groups: Groups = None,
    seed: int = 0,
) -> StageOne:
    """Fit one network an omics on the lines that `seen` names; keep what it predicts for each line.

    `X` has two-level columns (omics, feature), `Y` all labels; only seen="redrawn" and "saw_all"
    look at test labels.  `groups` (a Series over lines) moves together in inner folds.
    """
    return _stages(networks, X, Y, fold, None, seen, n_folds, groups, seed)[None]


def stages_by_epoch(
    networks: dict[str, BaseEstimator],
    X: pd.DataFrame,
    Y: pd.DataFrame,
    fold: Fold,
    epochs: Collection[int],
    seen: str = "out_of_fold",
    n_folds: int = 3,
    groups: Groups = None,
    seed: int = 0,
) -> dict[int, StageOne]:
    """`stage_one` after each of these numbers of epochs, from one training of each network.

    A network whose own `training` ends earlier stands as it is at its end from there on.
    """
    return _stages(networks, X, Y, fold, epochs, seen, n_folds, groups, seed)


def chosen_epochs(stages: dict[int, StageOne]) -> tuple[StageOne, dict[str, int]]:
    """Each network after the epochs whose out-of-fold predictions have the best R2 per drug.

    No test line takes part: the predictions are for training lines by networks that had not seen
    them.  Also the epochs, by omics name.
    """
    first = next(iter(stages.values()))
    if first.seen != "out_of_fold":
        raise InputError(
            f"Networks of seen={first.seen!r} have seen the lines that they predict: choose epochs "
            "by those of 'out_of_fold'."
        )
    rows = first.labels.notna().any(axis=1)

    def score(name: str, epoch: int) -> float:
        return float(np.nanmean(r2(first.labels[rows], stages[epoch].learning[name][rows])))

    best = {name: max(stages, key=lambda e, name=name: score(name, e)) for name in first.final}
    learning = {name: stages[epoch].learning[name] for name, epoch in best.items()}
    final = {name: stages[epoch].final[name] for name, epoch in best.items()}
    return StageOne(first.seen, first.labels, learning, final), best


def _stages(
    networks: dict[str, BaseEstimator],
    X: pd.DataFrame,
    Y: pd.DataFrame,
    fold: Fold,
    epochs: Collection[int] | None,
    seen: str,
    n_folds: int,
    groups: Groups,
    seed: int,
) -> dict[int | None, StageOne]:
    """Stage one after each of `epochs`; after all of them where that is None."""
    check_setting("seen", seen, OneOf(*SEEN))
    _check_lines(X, Y)
    if not isinstance(fold, Fold):
        raise InputError(
            f"fold is a {type(fold).__name__}: give one fold of a split, such as "
            "leave_lines_out(cohort).folds[0]."
        )
    fold.match(Y)
    tables = _tables(networks, X)
    labels = Y.where(fold.fit)
    if seen == "saw_all":
        shown = Y
    elif seen == "redrawn":
        other = REDRAWN + seed + fold.repeat
        again = _inner_folds(Y, n_folds, other, groups)
        shown = Y.where(again.folds[fold.number % n_folds].fit)
    else:
        shown = labels
    final, learning = {}, {}
    for name, network in networks.items():
        final[name] = _predicted(network, tables[name], shown, tables[name], epochs)
        learning[name] = (
            _out_of_fold(network, tables[name], labels, n_folds, groups, seed, epochs)
            if seen == "out_of_fold"
            else final[name]
        )
    return {
        at: StageOne(
            seen,
            labels,
            {name: found[at] for name, found in learning.items()},
            {name: found[at] for name, found in final.items()},
        )
        for at in ([None] if epochs is None else epochs)
    }


def fuse(
    stage: StageOne,
    omics: str | list[str] | None = None,
    attention: str = "drug",
    training: Training = STEPS,
) -> Fused:
    """Learn the attention over the stored predictions of some omics (all by default)."""
    omics = stage.final if omics is None else [omics] if isinstance(omics, str) else omics
    unknown = [name for name in omics if name not in stage.final]
    if unknown or not omics:
        what = f"Stage one has no omics {unknown[0]!r}" if unknown else "omics names none"
        raise InputError(f"{what}: choose from {', '.join(stage.final)}.")
    rows = stage.labels.notna().any(axis=1)
    learner = Stacker(attention, training).fit(
        {name: stage.learning[name][rows] for name in omics}, stage.labels[rows]
    )
    final = {name: stage.final[name] for name in omics}
    return Fused(learner.predict(final), learner.weights(final))


def out_of_fold(
    network: BaseEstimator,
    X: pd.DataFrame,
    Y: pd.DataFrame,
    n_folds: int = 3,
    groups: Groups = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Each labelled line predicted by a clone of `network` that was not fitted on it."""
    return _out_of_fold(network, X, Y, n_folds, groups, seed, None)[None]


def _out_of_fold(
    network: BaseEstimator,
    X: pd.DataFrame,
    Y: pd.DataFrame,
    n_folds: int,
    groups: Groups,
    seed: int,
    epochs: Collection[int] | None,
) -> dict[int | None, pd.DataFrame]:
    _check_lines(X, Y)
    Y = Y[Y.notna().any(axis=1)]
    at = [None] if epochs is None else epochs
    found = {epoch: pd.DataFrame(np.nan, X.index, Y.columns) for epoch in at}
    for fold in _inner_folds(Y, n_folds, seed, groups):
        held = Y.index[fold.test.any(axis=1)]
        parts = _predicted(network, X.loc[Y.index], Y.where(fold.fit), X.loc[held], epochs)
        for epoch, part in parts.items():
            found[epoch].loc[held] = part
    return found


class AttentionFusion(MaskedScore, Estimator):
    """Both stages inside the training rows: any omics models, and attention over them.

    `networks`: omics name -> model; `X` has two-level columns (omics, feature).  `seen` is
    "out_of_fold" (stacking) or "in_sample"; the paper's text does not tell which of them it means.
    `training` is that of the attention, and its seed draws the inner folds, too.  There is no
    `validation=`: the attention learns from each line's prediction by networks that did not see it,
    and each network stops by the rows that it sets aside itself.
    `weights_` (drugs, omics) is the mean attention over the training lines.
    """

    _settings = {
        "seen": OneOf(*HONEST),
        "attention": OneOf(*KINDS),
        "n_folds": Number(least=2, whole=True),
        "training": Instance(Training),
    }

    def __init__(
        self,
        networks: dict[str, BaseEstimator],
        seen: str = "out_of_fold",
        attention: str = "drug",
        n_folds: int = 3,
        groups: pd.Series | None = None,
        training: Training = STEPS,
    ):
        self.networks = networks
        self.seen = seen
        self.attention = attention
        self.n_folds = n_folds
        self.groups = groups
        self.training = training

    def fit(self, X: pd.DataFrame, Y: pd.DataFrame) -> "AttentionFusion":
        check_settings(self)
        _check_lines(X, Y)
        known = Y.notna().any(axis=1)
        tables, Y = _tables(self.networks, X[known]), Y[known]
        self.networks_ = {
            name: clone(network).fit(tables[name], Y) for name, network in self.networks.items()
        }
        learning = {
            name: out_of_fold(
                network, tables[name], Y, self.n_folds, self.groups, self.training.seed
            )
            if self.seen == "out_of_fold"
            else self.networks_[name].predict(tables[name])
            for name, network in self.networks.items()
        }
        _warn_of_constants(self.networks_, tables)
        self.stacker_ = Stacker(self.attention, self.training).fit(learning, Y)
        self.weights_ = self.stacker_.weights(learning)
        return self

    def predict(self, X: pd.DataFrame) -> pd.DataFrame:
        if not hasattr(self, "networks_"):
            raise NotFitted("This AttentionFusion is not fitted yet: call fit(X, Y) first.")
        tables = _tables(self.networks_, X)
        return self.stacker_.predict(
            {name: network.predict(tables[name]) for name, network in self.networks_.items()}
        )


def _warn_of_constants(networks: dict[str, BaseEstimator], tables: Predictions) -> None:
    """Say which networks predict the same for every line: nothing of their omics is used."""
    for name, network in networks.items():
        P = np.asarray(network.predict(tables[name]))  # (lines, drugs)
        if (np.ptp(P, axis=0) <= 1e-6 * np.abs(P).max(axis=0)).all():
            warnings.warn(
                f"The network of {name!r} predicts the same for every line, so attention weighs a "
                "constant: train it with a smaller lr, or leave it out.",
                stacklevel=3,
            )


def _check_lines(X: pd.DataFrame, Y: pd.DataFrame) -> None:
    if not (isinstance(X, pd.DataFrame) and isinstance(Y, pd.DataFrame)):
        raise InputError("X and Y must be DataFrames with a row a line, as a cohort's are.")
    check_same_lines(X, Y)
    for names, what in ((Y.index, "line"), (Y.columns, "perturbation")):
        if not names.is_unique:
            raise InputError(
                f"Y names the {what} {names[names.duplicated()][0]!r} twice: merge or "
                "rename its labels."
            )


def _tables(networks: dict[str, BaseEstimator], X: pd.DataFrame) -> Predictions:
    """Omics name -> its table, for each omics that has a network."""
    return {name: X[name] for name in network_columns(networks, getattr(X, "columns", None))}


def _predicted(
    network: BaseEstimator,
    X: pd.DataFrame,
    Y: pd.DataFrame,
    new: pd.DataFrame,
    epochs: Collection[int] | None,
) -> dict[int | None, pd.DataFrame]:
    """What a clone of `network`, fitted on the labelled lines, predicts for the lines of `new`."""
    rows = Y.notna().any(axis=1)
    if epochs is None:
        return {None: clone(network).fit(X[rows], Y[rows]).predict(new)}
    return snapshots(network, X[rows], Y[rows], new, epochs)


def _inner_folds(Y: pd.DataFrame, n_folds: int, seed: int, groups: Groups) -> Split:
    if isinstance(groups, str):
        raise InputError(
            f"groups is {groups!r}, but Y has no such column: give a Series over the "
            "lines, such as cohort.lines['donor']."
        )
    return leave_lines_out(Y, n_folds, tune=0.0, seed=seed, groups=groups)
