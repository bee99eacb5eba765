"""What the exercises of the chapter on attention ask for: rules, and a hint for each.

A check is given what the page has at hand; the rules compute what is right, so that no page of a
student holds an answer.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from cdp_lib import audit, metrics
from cdp_lib.models.fusion.attention import STEPS
from cdp_lib.models.fusion.stages import fuse, stage_one
from cdp_lib.models.linear import Ridge
from cdp_lib.splits import Fold

Procedure = Callable[[pd.DataFrame, pd.DataFrame, Fold], pd.DataFrame]


def check_1(c, answer, must_pass: bool = False) -> None:
    """The least MSE of a mixture of two predictions."""
    c.check(
        "04-1",
        answer,
        (callable, "Write a function of two MSEs and a weight."),
        (lambda f: abs(f(4.0, 0.0, 1.0) - 4.0) < 1e-9, "All the weight on one: its MSE remains."),
        (
            lambda f: abs(f(3.25, 3.32, 0.9) - audit.mse_lower_bound(3.25, 3.32, 0.9)) < 0.01,
            "Take roots before you mix, then square.",
        ),
        (lambda f: f(1.0, 1.0, 0.5) < 1e-9, "Two errors of one size can cancel: the bound is 0."),
        (lambda f: abs(f(0.0, 4.0, 0.25) - 2.25) < 1e-9, "Either of the two may be the larger."),
        must_pass=must_pass,
    )


def check_2(c, answer, alone: float, rest: float, weight: float, reported: float, must_pass=False):
    """The largest MSE of the heaviest network that allows the reported MSE of the mixture."""
    c.check(
        "04-2",
        answer,
        (lambda m: m > 0, "An MSE is positive."),
        (lambda m: m < alone, "It must be better than the network of Table 1."),
        (
            lambda m: abs(audit.mse_lower_bound(m, rest, weight) - reported) < 0.01,
            "Put your number into the bound, in the place of mutation's MSE: the reported MSE of "
            "the mixture must come out.",
        ),
        must_pass=must_pass,
    )


def check_3(c, answer, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold, must_pass=False) -> None:
    """A leak: a good score, test labels seen, and features used."""
    c.check(
        "04-3",
        answer,
        (callable, "Write a function of X, Y and a fold."),
        (
            lambda f: held_out_r2(f, X, Y, fold) > 0.5,
            "The score is too low for this leak: fit on all lines.",
        ),
        (
            lambda f: audit.sees_test_labels(f, X, Y, fold),
            "It sees no test label, so it is no leak.",
        ),
        (
            lambda f: uses_features(f, X, Y, fold),
            "The prediction does not depend on X: do not hand out labels, fit a ridge.",
        ),
        must_pass=must_pass,
    )


def check_4(c, answer, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold, must_pass=False) -> None:
    """The same without the leak: it learns from training lines only, and it learns."""

    def fit_of(procedure: Procedure) -> float:
        return float(np.nanmean(metrics.pearson(Y.where(fold.fit), procedure(X, Y, fold))))

    c.check(
        "04-4",
        answer,
        (callable, "Write a function of X, Y and a fold."),
        (
            lambda f: not audit.sees_test_labels(f, X, Y, fold),
            "It still sees test labels: use Y.where(fold.fit), also for the means that fill gaps.",
        ),
        (
            lambda f: not audit.sees_test_features(f, X, Y, fold),
            "It still learns from features of test lines: fit on the rows of fold.fit only.",
        ),
        (
            lambda f: uses_features(f, X, Y, fold),
            "The prediction does not depend on X: fit a ridge, then predict all lines.",
        ),
        (
            lambda f: fit_of(f) > 0.3,
            "It does not even follow the lines it was fitted on: fit a ridge, then predict all.",
        ),
        must_pass=must_pass,
    )


def check_5(c, answer, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold, must_pass=False) -> None:
    """Random numbers that get more than half of the attention; `X` has two-level columns."""
    c.check(
        "04-5",
        answer,
        (lambda t: t.index.equals(Y.index), "Give a DataFrame with the lines of Y as its index."),
        (
            lambda t: closest_to_data(t, X, Y) < 0.6,
            "A column follows a drug or a feature: draw it at random.",
        ),
        (
            lambda t: weight_beside_expression(t, X, Y, fold) > 0.5,
            "Attention does not fall for it yet: it rewards a table with which a model can learn "
            "all lines by heart. How many columns does that take?",
        ),
        must_pass=must_pass,
    )


def held_out_r2(procedure: Procedure, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold) -> float:
    """R2 per drug on the test lines of the fold."""
    rows = fold.test.any(axis=1)
    return float(np.nanmean(metrics.r2(Y[rows], procedure(X, Y, fold)[rows])))


def uses_features(procedure: Procedure, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold) -> bool:
    """Other lines' features must give other predictions."""
    other = X.iloc[::-1].set_axis(X.index)
    return not np.allclose(procedure(X, Y, fold), procedure(other, Y, fold), equal_nan=True)


def weight_beside_expression(
    table: pd.DataFrame, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold
) -> float:
    """Mean attention to `table` beside expression, with networks that saw all lines."""
    two = pd.concat({"expression": X["expression"].iloc[:, :50], "nonsense": table}, axis=1)
    ridges = {name: Ridge(alphas=(10.0,)) for name in ("expression", "nonsense")}
    stage = stage_one(ridges, two, Y, fold, "saw_all")
    return float(fuse(stage, training=replace(STEPS, epochs=80)).weights["nonsense"].mean())


def closest_to_data(table: pd.DataFrame, X: pd.DataFrame, Y: pd.DataFrame) -> float:
    """The largest correlation, in absolute value, of a column with a drug or a feature."""
    known = np.hstack([_standardized(Y), _standardized(X)])
    return float(np.abs(known.T @ _standardized(table)).max() / (len(Y) - 1))


def _standardized(table: pd.DataFrame) -> np.ndarray:
    scaled = (table - table.mean()) / table.std().where(table.std() > 0)
    return scaled.fillna(0.0).to_numpy()
