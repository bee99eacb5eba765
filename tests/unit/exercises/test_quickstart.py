"""The checks of chapter 00 let right answers pass, and name each likely mistake."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from cdp_lib import evaluate, splits
from cdp_lib.chapter import Chapter
from cdp_lib.data.cohort import Cohort
from cdp_lib.errors import InputError
from cdp_lib.exercises import quickstart as exercises
from cdp_lib.models.linear import Ridge

C = Chapter("00", "quick", "teaching", 0, "cpu")
RNG = np.random.default_rng(6)


def verdict(check, *given):
    """None when an answer passes, else the hint."""
    try:
        check(C, *given, must_pass=True)
    except InputError as error:
        return str(error)
    return None


@pytest.fixture(scope="module")
def cohort():
    lines = [f"line {n}" for n in range(60)]
    X = pd.DataFrame(RNG.normal(size=(60, 8)), lines).rename(columns=str)
    Y = (
        X.to_numpy() @ RNG.normal(size=(8, 6))
        + 3 * RNG.normal(size=(60, 6))
        + 3 * RNG.normal(size=6)
    )
    tissue = pd.DataFrame({"tissue": np.repeat(["a", "b", "c", "d"], 15)}, lines)
    return Cohort.from_tables(pd.DataFrame(Y, lines, list("ABCDEF")), {"expression": X}, tissue)


@pytest.fixture(scope="module")
def fold(cohort):
    return splits.leave_pairs_out(cohort, n_folds=3).folds[0]


def test_the_drug_mean_is_known_from_its_likely_mistakes(cohort, fold):
    learned, tested = cohort.Y.where(fold.fit), cohort.Y.where(fold.test)
    errors = np.nansum((tested - learned.mean()) ** 2)
    right = 1 - errors / np.nansum((tested - np.nanmean(tested)) ** 2)
    of_training = 1 - errors / np.nansum((tested - np.nanmean(learned)) ** 2)
    known = tested.notna().to_numpy()
    p = np.broadcast_to(learned.mean(), tested.shape)
    squared = np.corrcoef(tested.to_numpy()[known], p[known])[0, 1] ** 2
    assert verdict(exercises.check_1, right, cohort, fold) is None
    assert verdict(exercises.check_1, round(right, 3), cohort, fold) is None
    assert verdict(exercises.check_1, squared, cohort, fold)
    assert verdict(exercises.check_1, of_training, cohort, fold)
    assert "-1 and 1" in verdict(exercises.check_1, 7.0, cohort, fold)
    assert "not attempted" in verdict(exercises.check_1, ..., cohort, fold)


def test_without_the_drugs_the_full_score_is_named(cohort, fold):
    from cdp_lib import metrics
    from cdp_lib.models.baselines import MeanEffects

    learned, tested = cohort.Y.where(fold.fit), cohort.Y.where(fold.test)
    effects = MeanEffects().fit(cohort.X("expression"), learned).predict(cohort.X("expression"))
    drugs = learned.mean()
    right = metrics.r2(tested - drugs, effects - drugs, axis="global")
    assert verdict(exercises.check_2, right, cohort, fold) is None
    whole = metrics.r2(tested, effects, axis="global")
    assert "full score" in verdict(exercises.check_2, whole, cohort, fold)
    assert "one number" in verdict(exercises.check_2, [right, right], cohort, fold)


def test_ridge_on_new_tissues_is_told_from_its_ranks(cohort):
    split = splits.leave_tissues_out(cohort, n_folds=3)
    P = evaluate.cross_predict({"ridge": Ridge()}, cohort, split)
    both = P.summary(("pearson", "spearman")).set_index(["metric", "model"])["mean"]
    assert verdict(exercises.check_3, both["pearson", "ridge"], cohort, split) is None
    assert "Spearman" in verdict(exercises.check_3, both["spearman", "ridge"], cohort, split)
    assert "tissues_out" in verdict(
        exercises.check_3, both["pearson", "ridge"] - 0.1, cohort, split
    )


class Oracle(BaseEstimator):
    """Knows the answers."""

    def __init__(self, truth):
        self.truth = truth

    def fit(self, X, Y):
        return self

    def predict(self, X):
        return self.truth.loc[X.index]


def test_a_model_of_ones_own_must_be_ones_own_and_honest(cohort):
    split = splits.leave_lines_out(cohort, n_folds=3)
    known = {"ridge"}

    def table(**models):
        return evaluate.cross_predict(models, cohort, split)

    good = table(mine=Ridge((10.0,))).summary("pearson")
    assert verdict(exercises.check_4, good, split, known) is None
    assert "name" in verdict(exercises.check_4, table(ridge=Ridge()).summary(), split, known)
    ranks = table(mine=Ridge()).summary("spearman")
    assert "pearson" in verdict(exercises.check_4, ranks, split, known)
    oracle = table(mine=Oracle(cohort.Y)).summary("pearson")
    assert "seen the tested lines" in verdict(exercises.check_4, oracle, split, known)
    assert ".summary" in verdict(exercises.check_4, table(mine=Ridge()).scores(), split, known)
    renamed = good.replace({"model": {"tissue mean": "my own", "mine": "ridge"}})
    assert "name of its own" in verdict(exercises.check_4, renamed, split, known)


@pytest.mark.parametrize(("check", "right"), [("check_5", "c"), ("check_6", "b")])
def test_a_letter_is_taken_in_any_spelling(check, right):
    check = getattr(exercises, check)
    for letter in (right, right.upper(), f"({right})", f" {right}."):
        assert verdict(check, letter) is None
    assert all(verdict(check, letter) for letter in set("abcd") - {right})
    assert "not attempted" in verdict(check, "...")
    assert "one letter" in verdict(check, "both")
