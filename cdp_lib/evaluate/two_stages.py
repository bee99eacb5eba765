"""Two stages in every fold: networks of several omics, then attention over what they predict.

    stages[e][f]   what the networks of fold f predict after e epochs (`models.fusion.stages`)
    fused[f]       the attention that fold f learned from them, and its prediction
    importance     R2 of a drug on test lines - R2 with one omics' predictions shuffled among them

The networks are trained once; every attention over any of the omics then costs a fraction of a
second.  The predictions of `fused` join others by `P.add(name, [f.prediction for f in fused])`.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from cdp_lib.evaluate.checkpoint import remember
from cdp_lib.evaluate.predictions import Predictions
from cdp_lib.metrics import r2
from cdp_lib.models.base.training import Training
from cdp_lib.models.fusion.attention import STEPS
from cdp_lib.models.fusion.stages import (
    Fused,
    StageOne,
    chosen_epochs,
    fuse,
    stage_one,
    stages_by_epoch,
)
from cdp_lib.splits import Fold, Split

Stages = list[StageOne]  # one a fold


def first_stage(
    networks: Mapping[str, BaseEstimator],
    cohort,
    split: Split,
    epochs: Collection[int],
    seen: str = "out_of_fold",
    inner: int = 3,
    seed: int = 0,
    kept: Path | None = None,
) -> dict[int, Stages]:
    """Stage one of every fold after each of these numbers of epochs.

    `inner` is the number of folds inside the training lines; the folds that seen="redrawn" draws
    anew are as many as those of the split.  Networks that saw all lines are trained once for all
    folds.  `kept` is a folder that keeps each finished fold.
    """
    X, Y, donors = cohort.X(list(networks)), cohort.Y.astype(float), cohort.lines["donor"]
    n_folds = len(split) if seen == "redrawn" else inner
    folds = split.folds[:1] if seen == "saw_all" else split.folds
    found = [
        remember(
            kept, _tables, dict(networks), X, Y, fold, list(epochs), seen, n_folds, donors, seed
        )
        for fold in folds
    ]
    stages = [{epoch: StageOne(**part) for epoch, part in one.items()} for one in found]
    if seen == "saw_all":
        (once,) = stages
        labels = [Y.where(fold.fit) for fold in split]
        stages = [{e: replace(s, labels=known) for e, s in once.items()} for known in labels]
    return {epoch: [stage[epoch] for stage in stages] for epoch in epochs}


def _tables(*setting) -> dict:
    return {epoch: asdict(stage) for epoch, stage in stages_by_epoch(*setting).items()}


def choose_epochs(by_epoch: Mapping[int, Stages]) -> tuple[Stages, pd.DataFrame]:
    """Each fold's networks after the epochs that its inner folds prefer.

    Also these epochs: (folds, omics).
    """
    folds = [dict(zip(by_epoch, one, strict=True)) for one in zip(*by_epoch.values(), strict=True)]
    found = [chosen_epochs(stages) for stages in folds]
    return [stage for stage, _ in found], pd.DataFrame([epochs for _, epochs in found])


def second_stage(
    stages: Stages,
    omics: str | list[str] | None = None,
    attention: str = "drug",
    training: Training = STEPS,
) -> list[Fused]:
    """The attention of every fold over some of the omics."""
    return [fuse(stage, omics, attention, training) for stage in stages]


def course(
    by_epoch: Mapping[int, Stages],
    naive: Predictions,
    omics: str | list[str] | None = None,
    training: Training = STEPS,
) -> pd.DataFrame:
    """R2 per drug of the attention after each number of epochs: mean and sd over folds.

    `naive` are predictions for the same cells, such as `cross_predict({}, cohort, split)`.
    """
    rows = {}
    for epoch, stages in by_epoch.items():
        fused = second_stage(stages, omics, training=training)
        P = naive.add("attention", [fold.prediction for fold in fused])
        rows[epoch] = P.summary("r2").set_index("model").loc["attention", ["mean", "sd"]]
    return pd.DataFrame(rows).T.astype(float).rename_axis("epochs")


def as_procedure(
    networks: Mapping[str, BaseEstimator],
    seen: str,
    groups: pd.Series | None = None,
    training: Training = STEPS,
    seed: int = 0,
):
    """Both stages as one procedure of (X, Y, fold), as `audit.sees_test_labels` asks for."""

    def run(X: pd.DataFrame, Y: pd.DataFrame, fold: Fold) -> pd.DataFrame:
        stage = stage_one(dict(networks), X, Y, fold, seen, 2, groups, seed)
        return fuse(stage, training=training).prediction

    return run


def mean_weights(fused: list[Fused]) -> pd.DataFrame:
    """The attention, mean over folds: (drugs, omics)."""
    return sum(part.weights for part in fused) / len(fused)


def fit_to_training(stages: Stages) -> pd.Series:
    """R2 per drug of each omics' network on the lines that it was trained on, mean over folds."""
    return pd.Series(
        {
            name: float(np.mean([np.nanmean(r2(s.labels, s.final[name])) for s in stages]))
            for name in stages[0].final
        }
    )


def importance(
    stages: Stages,
    fused: list[Fused],
    Y: pd.DataFrame,
    split: Split,
    draws: int = 10,
    seed: int = 0,
) -> pd.DataFrame:
    """How much R2 of each drug falls when one omics' predictions are shuffled: (drugs, omics).

    Mean over folds and draws, on test lines, for attention with one set of weights a drug.
    """
    rng = np.random.default_rng(seed)
    folds = []
    for fold, stage, part in zip(split, stages, fused, strict=True):
        rows = fold.test.any(axis=1)
        truth, weights = Y[rows], part.weights
        final = {name: stage.final[name][rows] for name in weights}
        intact = r2(truth, _mixture(weights, final))
        lost = pd.DataFrame(0.0, Y.columns, weights.columns)
        for name in weights:
            for _ in range(draws):
                other = final[name].iloc[rng.permutation(len(truth))].set_axis(truth.index)
                lost[name] += intact - r2(truth, _mixture(weights, final | {name: other}))
        folds.append(lost / draws)
    return sum(folds) / len(folds)


def named_cause(explained: Mapping[str, pd.DataFrame], cause: pd.Series) -> pd.DataFrame:
    """How often each explanation (drugs, omics) gives the true cause of a drug the largest share.

    One row an explanation, and one for the most frequent cause named always: share, and the 95 %
    interval for drugs drawn at random.
    """
    share = {name: (table.idxmax(axis=1) == cause).mean() for name, table in explained.items()}
    often = cause.value_counts(normalize=True)
    share[f"always {often.idxmax()}"] = often.max()
    share = pd.Series(share, name="share")
    half = 1.96 * np.sqrt(share * (1 - share) / len(cause))
    return pd.DataFrame({"share": share, "low": share - half, "high": share + half})


def _mixture(weights: pd.DataFrame, predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The weighted mean, written out: what the attention predicts."""
    return sum(predictions[name] * weights[name] for name in weights)
