"""The checks of chapter 02 let right answers pass, and name each likely mistake."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cdp_lib import audit, evaluate, metrics, splits
from cdp_lib.chapter import Chapter
from cdp_lib.data.cohort import Cohort
from cdp_lib.errors import InputError
from cdp_lib.evaluate import procedures
from cdp_lib.exercises import evaluation as exercises
from cdp_lib.models.linear import Ridge

C = Chapter("02", "quick", "teaching", 0, "cpu")
RNG = np.random.default_rng(9)


def verdict(check, *given):
    """None when an answer passes, else the hint."""
    try:
        check(C, *given, must_pass=True)
    except InputError as error:
        return str(error)
    return None


@pytest.fixture(scope="module")
def cohort():
    lines = [f"line {n}" for n in range(80)]
    X = pd.DataFrame(RNG.normal(size=(80, 60)), lines).rename(columns=str)
    Y = X.iloc[:, :5].to_numpy() @ RNG.normal(size=(5, 6)) + RNG.normal(size=(80, 6))
    Y = pd.DataFrame(Y + 2 * RNG.normal(size=6), lines, list("ABCDEF")).mask(
        RNG.random((80, 6)) < 0.1
    )
    tissue = pd.DataFrame({"tissue": np.tile(["a", "b"], 40)}, lines)
    return Cohort.from_tables(Y, {"expression": X}, tissue)


@pytest.fixture(scope="module")
def split(cohort):
    return splits.leave_lines_out(cohort, n_folds=4, tune=0, groups=None)


def test_r2_per_drug_is_told_from_the_global_one():
    truth = pd.DataFrame(RNG.normal(size=(20, 3)) + np.array([0, 5, 9]))
    predicted = truth + RNG.normal(size=truth.shape)
    residual = ((truth - predicted) ** 2).sum()
    right = (1 - residual / ((truth - truth.mean()) ** 2).sum()).mean()
    assert verdict(exercises.check_1, right, truth, predicted) is None
    over_all = metrics.r2(truth, predicted, axis="global")
    assert "global R2" in verdict(exercises.check_1, over_all, truth, predicted)
    assert "one number" in verdict(exercises.check_1, [right, right], truth, predicted)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((7.318, 7.511), None),
        ([7.51, 7.32], None),
        (pd.Series([7.3, 7.5]), None),
        ((4.63, 6.65), "Square the RMSE"),
        ((14.72, 3.73), "same row"),
        ((7.32, 7.32), "MSE / (1 - R2)"),
        (7.32, "two numbers"),
        (..., "not attempted"),
    ],
)
def test_two_variances_may_be_rounded(answer, words):
    found = verdict(exercises.check_2, answer)
    assert found is None if words is None else words in found


def test_a_choice_of_genes_must_see_no_test_line(cohort, split):
    X, Y, fold = cohort.X("expression"), cohort.Y, split.folds[0]

    def honest(X, Y, fold):
        rows = fold.fit.any(axis=1)
        Z = procedures.z_scores(X, rows)
        chosen = exercises.best_genes(Z[rows], Y.where(fold.fit)[rows])
        return procedures.ridge(Z[chosen], Y, fold, alpha=10.0)

    def leaking(X, Y, fold):
        Z = procedures.z_scores(X, fold.fit.any(axis=1))
        return procedures.ridge(Z[exercises.best_genes(Z, Y)], Y, fold, alpha=10.0)

    def other_ridge(X, Y, fold):
        rows = fold.fit.any(axis=1)
        Z = procedures.z_scores(X, rows)
        return procedures.ridge(Z[exercises.best_genes(Z[rows], Y[rows])], Y, fold, alpha=9999.0)

    assert verdict(exercises.check_3, honest, X, Y, fold) is None
    assert "sees test labels" in verdict(exercises.check_3, leaking, X, Y, fold)
    assert "alpha=10" in verdict(exercises.check_3, other_ridge, X, Y, fold)
    assert "all lines and drugs" in verdict(exercises.check_3, lambda X, Y, f: 1.0, X, Y, fold)
    assert "function" in verdict(exercises.check_3, 3, X, Y, fold)


def test_the_corrected_p_is_told_from_the_plain_and_the_one_sided(cohort, split):
    P = evaluate.cross_predict({"ridge": Ridge((10.0,))}, cohort, split)
    scores = P.scores().groupby(["fold", "model"])["score"].mean().unstack()
    gains = scores["ridge"] - scores["tissue mean"]
    folds = P.held[0].folds
    right = audit.corrected_p(gains, (folds["n_test"] / folds["n_train"]).mean())
    assert verdict(exercises.check_4, right, P, gains) is None
    plain = stats.ttest_1samp(gains, 0).pvalue
    assert "plain" in verdict(exercises.check_4, plain, P, gains)
    assert verdict(exercises.check_4, right / 2, P, gains)
    assert "0 and 1" in verdict(exercises.check_4, 3, P, gains)


def test_the_constant_ranker_is_counted_line_by_line(cohort, split):
    fold = split.folds[0]
    means, tests = cohort.Y.where(fold.fit).mean(), cohort.Y[fold.test.any(axis=1)]
    hits = [
        row.dropna().idxmin() == means[row.dropna().index].idxmin() for _, row in tests.iterrows()
    ]
    assert verdict(exercises.check_5, np.mean(hits), cohort.Y, fold) is None
    wrong = verdict(exercises.check_5, np.mean(hits) - 0.2, cohort.Y, fold)
    assert f"{len(tests)} lines count" in wrong


def test_the_fewest_lines_are_found_by_the_formula():
    genes = [1000 * stats.t.sf(0.3 * np.sqrt((n - 2) / 0.91), n - 2) for n in range(4, 300)]
    right = 4 + next(n for n, expected in enumerate(genes) if expected < 1)
    assert verdict(exercises.check_6, right) is None
    assert "Too few" in verdict(exercises.check_6, right - 1)
    assert "Fewer" in verdict(exercises.check_6, right + 1)
    assert "whole number" in verdict(exercises.check_6, 99.5)


@pytest.mark.parametrize(("check", "right"), [("check_7", "d"), ("check_8", "a")])
def test_one_letter_is_right(check, right):
    passed = [letter for letter in "abcd" if verdict(getattr(exercises, check), letter) is None]
    assert passed == [right]
