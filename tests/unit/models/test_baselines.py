"""Baselines against pandas, numpy and the real GDSC matrix."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from cdp_lib.errors import InputError
from cdp_lib.metrics import pearson, r2, rmse
from cdp_lib.models.baselines import (
    GlobalMean,
    LineMean,
    MeanEffects,
    PerturbationMean,
    TissueMean,
)
from cdp_lib.splits import leave_lines_out, leave_pairs_out, leave_perturbations_out

LINES = pd.Index([f"line {i}" for i in range(12)], name="line")
DRUGS = pd.Index([f"drug {j}" for j in range(7)], name="perturbation")
TISSUE = pd.Series(["lung", "skin", "bone"] * 4, LINES)
X = pd.DataFrame(index=LINES)


def response(seed=0, missing=0.3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(12, 7)) + 3 * rng.normal(size=7) + rng.normal(size=(12, 1))
    return pd.DataFrame(np.where(rng.random((12, 7)) < missing, np.nan, values), LINES, DRUGS)


def test_means_equal_those_of_pandas():
    Y = response()
    ones = pd.DataFrame(1.0, LINES, DRUGS)
    expected = {
        GlobalMean(): ones * Y.stack().mean(),
        PerturbationMean(): ones.mul(Y.mean(), axis=1),
        LineMean(): ones.mul(Y.mean(axis=1), axis=0),
        TissueMean(TISSUE): Y.groupby(TISSUE).transform("mean").fillna(ones.mul(Y.mean(), axis=1)),
    }
    for model, means in expected.items():
        predicted = model.fit(X, Y).predict(X)
        pd.testing.assert_frame_equal(predicted, means, check_exact=False, rtol=1e-12)


def by_least_squares(Y: pd.DataFrame) -> np.ndarray:
    """Additive predictions for all cells from the textbook design matrix."""
    lines, drugs = Y.shape
    row, column = np.nonzero(Y.notna().to_numpy())
    design = np.zeros((len(row), lines + drugs))
    design[np.arange(len(row)), row] = 1
    design[np.arange(len(row)), lines + column] = 1
    effects, *_ = np.linalg.lstsq(design, Y.to_numpy()[row, column], rcond=None)
    return effects[:lines, None] + effects[lines:]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 0.5), st.booleans())
def test_mean_effects_are_least_squares(seed, missing, wide):
    Y = response(seed, missing)
    Y.iloc[0] = 1.5  # one complete row and column: every cell is then determined
    Y.iloc[:, 0] = np.arange(12.0)
    if wide:
        Y = Y.T
    predicted = MeanEffects().fit(Y, Y).predict(Y)
    np.testing.assert_allclose(predicted, by_least_squares(Y), atol=1e-9)


def test_mean_effects_of_separate_blocks_fit_each_known_cell():
    Y = separate_blocks()
    predicted = MeanEffects().fit(Y, Y).predict(Y)
    known = Y.notna().to_numpy()
    np.testing.assert_allclose(predicted.to_numpy()[known], Y.to_numpy()[known])


@pytest.mark.parametrize("turned", [False, True], ids=["wide", "tall"])
def test_between_separate_blocks_the_effects_of_the_shorter_side_sum_to_zero_in_each(turned):
    Y = separate_blocks()
    # lines deviate by -1 and 1 in the first block, by -0.5 and 0.5 in the second
    across = np.add.outer([-1.0, 1.0], [10.5, 20.5, 30.5])
    back = np.add.outer([-0.5, 0.5], [2.0, 3.0])
    Y = Y.T if turned else Y
    predicted = MeanEffects().fit(Y, Y).predict(Y)
    predicted = predicted.T if turned else predicted
    np.testing.assert_allclose(predicted.iloc[:2, 2:], across)
    np.testing.assert_allclose(predicted.iloc[2:, :2], back)


def separate_blocks() -> pd.DataFrame:
    """Two lines with two drugs, two other lines with three other drugs."""
    Y = pd.DataFrame(np.nan, LINES[:4], DRUGS[:5])
    Y.iloc[:2, :2] = [[1.0, 2.0], [3.0, 4.0]]
    Y.iloc[2:, 2:] = [[10.0, 20.0, 30.0], [11.0, 21.0, 31.0]]
    return Y


def test_the_unknown_gets_the_next_coarser_mean():
    Y = response(missing=0)
    Y.iloc[:, 6] = np.nan  # an unknown drug
    Y.iloc[11] = np.nan  # an unknown line
    known = Y.iloc[:11, :6]
    overall = known.to_numpy().mean()

    drug_means = PerturbationMean().fit(X, Y).predict(X)
    np.testing.assert_allclose(drug_means.iloc[11, :6], known.mean())
    np.testing.assert_allclose(drug_means.iloc[:, 6], overall)

    line_means = LineMean().fit(X, Y).predict(X)
    np.testing.assert_allclose(line_means.iloc[:11, 6], known.mean(axis=1))
    np.testing.assert_allclose(line_means.iloc[11], overall)

    effects = MeanEffects().fit(X, Y).predict(X)
    np.testing.assert_allclose(effects.iloc[11, :6], known.mean())
    np.testing.assert_allclose(effects.iloc[:11, 6], known.mean(axis=1))
    np.testing.assert_allclose(effects.iloc[11, 6], overall)
    np.testing.assert_allclose(
        effects.iloc[:11, :6],
        known.mean().to_numpy() + known.mean(axis=1).to_numpy()[:, None] - overall,
    )

    tissue = TISSUE.where(TISSUE != "bone")  # bone lines have no tissue now
    by_tissue = TissueMean(tissue).fit(X, Y).predict(X)
    np.testing.assert_allclose(by_tissue.iloc[2, :6], known.mean())
    np.testing.assert_allclose(by_tissue.iloc[0, :6], known[TISSUE[:11] == "lung"].mean())
    np.testing.assert_allclose(by_tissue.iloc[:, 6], overall)


def test_new_lines_are_known_by_name_not_by_position():
    Y = response()
    model = LineMean().fit(X, Y)
    others = pd.DataFrame(index=["line 3", "a stranger", "line 0"])
    predicted = model.predict(others)
    assert list(predicted.index) == list(others.index)
    np.testing.assert_allclose(
        predicted.iloc[:, 0], [Y.loc["line 3"].mean(), Y.stack().mean(), Y.loc["line 0"].mean()]
    )


@pytest.mark.parametrize(
    "model",
    [GlobalMean(), PerturbationMean(), LineMean(), MeanEffects(), TissueMean(TISSUE)],
    ids=lambda model: type(model).__name__,
)
def test_scikit_learn_contract(model):
    Y = response()
    twin = clone(model)
    assert set(twin.get_params()) == set(model.get_params())
    assert twin.fit(X, Y) is twin
    predicted = twin.predict(X)
    assert predicted.index.equals(LINES) and predicted.columns.equals(DRUGS)
    assert predicted.notna().to_numpy().all()
    assert not [name for name in vars(model) if name.endswith("_")]


def test_float32_with_a_large_offset_loses_nothing():
    Y = (response() + 1e5).astype("float32")
    expected = Y.astype(float).stack().mean()
    np.testing.assert_allclose(GlobalMean().fit(X, Y).global_mean_, expected, rtol=1e-12)
    np.testing.assert_allclose(
        MeanEffects().fit(X, Y).predict(X), MeanEffects().fit(X, Y.astype(float)).predict(X)
    )


@pytest.mark.parametrize(
    "X_bad, Y_bad, words",
    [
        (X.iloc[::-1], response(), "different lines"),
        (X.to_numpy(), response(), "DataFrames"),
        (X, response() * np.nan, "no known response"),
        (X, response().replace(np.nan, np.inf), "infinite"),
        (X, response().set_axis(["same"] * 7, axis=1), "twice"),
        (X, response().astype(object).fillna("weak"), "numbers"),
    ],
)
def test_bad_input_is_one_sentence(X_bad, Y_bad, words):
    with pytest.raises(InputError, match=words) as error:
        MeanEffects().fit(X_bad, Y_bad)
    assert "\n" not in str(error.value)


def test_bad_calls_of_predict_are_one_sentence():
    with pytest.raises(InputError, match="GlobalMean"):
        GlobalMean().predict(X)
    with pytest.raises(InputError, match="X as a DataFrame"):
        LineMean().fit(X, response()).predict(X.to_numpy())


def test_a_tissue_table_must_speak_of_these_lines():
    with pytest.raises(InputError, match="training lines"):
        TissueMean({"elsewhere": "lung"}).fit(X, response())
    with pytest.raises(InputError, match="two tissues"):
        TissueMean(pd.concat([TISSUE, TISSUE])).fit(X, response())


@pytest.fixture(scope="module")
def Y(mirror):
    table = pd.read_csv(mirror / "gdsc-pocket" / "GDSC_IC50.csv", index_col=0)
    return table.T  # (lines, drugs)


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """The known cells as rows: line, drug, y."""
    return table.stack().dropna().rename("y").rename_axis(["line", "drug"]).reset_index()


class TestOnGdsc:
    """The table of naive baselines on real ln IC50, each number computed a second way."""

    def scores(self, Y, split, model, by_hand):
        """Mean over folds of global R2, RMSE and per-drug Pearson; by_hand: long table -> p."""
        found = []
        for fold in split:
            train, truth = Y.where(fold.fit), Y.where(fold.test)
            P = model.fit(Y, train).predict(Y)
            long, seen = cells(truth), cells(train)
            long["p"] = by_hand(seen, long)
            residual = ((long.y - long.p) ** 2).sum()
            score = 1 - residual / ((long.y - long.y.mean()) ** 2).sum()
            assert r2(truth, P, "global") == pytest.approx(score, abs=1e-6)
            error = np.sqrt(residual / len(long))
            assert rmse(truth, P, "global") == pytest.approx(error, abs=1e-6)
            found.append([score, error, np.nanmean(pearson(truth, P))])
        return np.mean(found, axis=0)

    @staticmethod
    def drug_mean(seen, wanted):
        return wanted["drug"].map(seen.groupby("drug").y.mean()).fillna(seen.y.mean())

    @staticmethod
    def line_mean(seen, wanted):
        return wanted["line"].map(seen.groupby("line").y.mean()).fillna(seen.y.mean())

    @staticmethod
    def two_means(seen, wanted):
        """Alternate the two means to convergence."""
        line, drug = seen.y * 0, seen.y * 0
        for _ in range(30):
            line = (seen.y - drug).groupby(seen["line"]).transform("mean")
            drug = (seen.y - line).groupby(seen["drug"]).transform("mean")
        a = wanted["line"].map(line.groupby(seen["line"]).first())
        b = wanted["drug"].map(drug.groupby(seen["drug"]).first())
        return a + b

    def test_shape_and_variance(self, Y):
        assert Y.shape == (969, 266)
        assert Y.notna().sum().sum() == 208_734
        assert np.nanvar(Y) == pytest.approx(7.23, abs=0.01)

    def test_leave_pairs_out(self, Y):
        split = leave_pairs_out(Y, n_folds=10, tune=0)
        drug = self.scores(Y, split.folds[:3], PerturbationMean(), self.drug_mean)
        line = self.scores(Y, split.folds[:3], LineMean(), self.line_mean)
        both = self.scores(Y, split.folds[:3], MeanEffects(), self.two_means)
        print("leave pairs out:", drug, line, both)
        assert drug == pytest.approx([0.706, 1.46, 0.0], abs=0.015)
        assert line == pytest.approx([0.065, 2.61, 0.50], abs=0.02)
        assert both == pytest.approx([0.775, 1.28, 0.50], abs=0.015)

    def test_leave_lines_out(self, Y):
        split = leave_lines_out(Y, tune=0)
        drug = self.scores(Y, split, PerturbationMean(), self.drug_mean)
        both = self.scores(Y, split, MeanEffects(), self.drug_mean)
        print("leave lines out:", drug, both)
        assert drug == pytest.approx([0.713, 1.44, 0.0], abs=0.02)
        assert both == pytest.approx(drug)

    def test_leave_drugs_out(self, Y):
        split = leave_perturbations_out(Y, tune=0)
        line = self.scores(Y, split, LineMean(), self.line_mean)
        both = self.scores(Y, split, MeanEffects(), self.line_mean)
        print("leave drugs out:", line, both)
        # One draw of a fifth of the drugs scatters by 0.03 in R2 and by 0.24 in RMSE.
        assert 0.0 < line[0] < 0.1
        assert line[1:] == pytest.approx([2.55, 0.50], abs=0.12)
        assert both == pytest.approx(line)


@pytest.mark.parametrize(
    "split",
    [leave_pairs_out, leave_lines_out, leave_perturbations_out],
    ids=lambda split: split.__name__,
)
def test_no_baseline_sees_a_test_label(split, assert_blind_to_test_labels):
    cohort = Small()
    folds = split(cohort, n_folds=3, repeats=2)
    for model in (GlobalMean, PerturbationMean, LineMean, MeanEffects):
        assert_blind_to_test_labels(model, cohort, folds)
    assert_blind_to_test_labels(lambda cohort: TissueMean(cohort.lines["tissue"]), cohort, folds)


class Small:
    """The little of a cohort that a baseline needs."""

    Y = response()
    lines = pd.DataFrame({"tissue": TISSUE})

    def X(self, omics):
        return X
