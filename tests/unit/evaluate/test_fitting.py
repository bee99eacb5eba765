"""A model is handed what its signature names: training labels, and what drugs are made of."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from cdp_lib import splits
from cdp_lib.data.pairs import PairScreen
from cdp_lib.errors import InputError
from cdp_lib.evaluate import cross_validate, fitted, fitting, naive_baselines
from cdp_lib.evaluate.fitting import fit_fold, perturbation_tables, predicted

LINES = pd.Index([f"line {i:02}" for i in range(12)], name="line")


def make_cohort(seed=0) -> SimpleNamespace:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(12, 3)), LINES).add_prefix("gene ")
    Y = pd.DataFrame(rng.normal(size=(12, 6)), LINES).add_prefix("drug ").astype("float32")
    weights = pd.DataFrame({"weight": 100.0 * np.arange(6)}, Y.columns)
    return SimpleNamespace(
        Y=Y,
        lines=pd.DataFrame({"tissue": ["lung", "skin"] * 6}, LINES),
        perturbations=weights.iloc[::-1],  # by name, not by position
        X=lambda omics: X,
    )


def make_screen() -> PairScreen:
    rng = np.random.default_rng(0)
    names = ["a", "b", "c", "d"]
    ends = [(a, b) for a in names for b in names if a < b]
    pairs = pd.DataFrame(
        [(line, a, b, rng.normal()) for line in LINES for a, b in ends],
        columns=["line", "drug_a", "drug_b", "value"],
    )
    lines = pd.DataFrame({"tissue": ["lung", "skin"] * 6}, LINES)
    omics = {"expression": pd.DataFrame(rng.normal(size=(12, 2)), LINES).add_prefix("gene ")}
    return PairScreen.from_tables(pairs, omics, lines, pd.DataFrame({"mass": 1.0}, names))


class Weighted(BaseEstimator):
    """The mean label of a line, plus the weight that the table gives to the perturbation."""

    def fit(self, X, Y, perturbations):
        self.perturbations_ = perturbations
        self.Y_ = Y
        self.mean_ = float(Y.stack().mean())
        return self

    def predict(self, X):
        values = self.mean_ + self.perturbations_["weight"].to_numpy()
        return pd.DataFrame(np.tile(values, (len(X), 1)), X.index, self.Y_.columns)


class WeightedAnywhere(Weighted):
    """The same for any perturbations that predict is given."""

    def predict(self, X, perturbations=None):
        if perturbations is None:
            return super().predict(X)
        values = self.mean_ + perturbations["weight"].to_numpy()
        return pd.DataFrame(np.tile(values, (len(X), 1)), X.index, perturbations.index)


class Everything(BaseEstimator):
    """Keeps what it was shown."""

    def fit(self, X, Y, validation=None, drugs=None, perturbations=None):
        self.columns_, self.validation_ = Y.columns, validation
        self.drugs_, self.perturbations_ = drugs, perturbations
        return self

    def predict(self, X):
        return pd.DataFrame(0.0, X.index, self.columns_)


@pytest.mark.parametrize("split", [splits.leave_perturbations_out, splits.leave_both_out])
def test_a_held_out_column_has_a_row_of_features_and_no_label(split):
    cohort = make_cohort()
    for fold in split(cohort, 3, tune=0):
        model = fitted(Weighted(), cohort, fold)
        assert model.Y_.columns.equals(cohort.Y.columns)
        held = fold.test.any(axis=0)
        assert model.Y_.loc[:, held].isna().all(axis=None)
        assert model.perturbations_.index.equals(cohort.Y.columns)
        assert model.perturbations_["weight"].tolist() == [0, 100, 200, 300, 400, 500]


@pytest.mark.parametrize("model", [Weighted(), WeightedAnywhere()], ids=["fit", "predict, too"])
def test_features_tell_new_perturbations_apart(model):
    cohort = make_cohort()
    split = splits.leave_both_out(cohort, 3, tune=0)
    frame = cross_validate({"weighted": model}, cohort, split, metrics="rmse", axis="perturbation")
    for fold in split:
        seen = cohort.Y.where(fold.fit)
        expected = seen.stack().mean() + 100.0 * np.arange(6)
        here = frame.query("model == 'weighted' and fold == @fold.number").set_index("unit")
        truth = cohort.Y.where(fold.test)
        rmse = np.sqrt(((truth - expected) ** 2).mean()).dropna()
        np.testing.assert_allclose(here["score"].reindex(rmse.index), rmse, rtol=1e-5)


def test_a_predict_that_takes_the_tables_is_handed_them():
    class Demanding(Weighted):
        def predict(self, X, perturbations, drugs):
            assert drugs is perturbations
            return super().predict(X) + perturbations["weight"]

    cohort = make_cohort()
    fold, X = splits.leave_lines_out(cohort, 3, tune=0).folds[0], cohort.X("expression")
    tables = perturbation_tables(cohort)
    model = fit_fold(Demanding(), X, cohort.Y, fold, tables)
    _, P = fitting.tested(model, X, cohort.Y, fold, tables)
    np.testing.assert_allclose(P.iloc[0], model.mean_ + 200.0 * np.arange(6))


def test_predict_may_be_asked_for_the_perturbations_of_another_cohort():
    cohort = make_cohort()
    model = fitted(WeightedAnywhere(), cohort, splits.leave_lines_out(cohort, 3).folds[0])
    others = pd.DataFrame({"weight": [7.0]}, ["stranger"])
    P = predicted(model, cohort.X("expression"), {"perturbations": others, "drugs": others})
    assert list(P.columns) == ["stranger"] and P.iloc[0, 0] == pytest.approx(model.mean_ + 7)


def test_only_what_a_signature_names_is_handed_over():
    cohort = make_cohort()
    fold = splits.leave_lines_out(cohort, 3, tune=0.3).folds[0]
    X, Y, tables = cohort.X("expression"), cohort.Y, perturbation_tables(cohort)
    seen = fit_fold(Everything(), X, Y, fold, tables)
    assert seen.drugs_ is seen.perturbations_ and seen.validation_[0].index.isin(LINES).all()
    assert seen.perturbations_["weight"].tolist() == [0, 100, 200, 300, 400, 500]
    bare = fit_fold(Everything(), X, Y, fold)
    assert bare.drugs_ is None and bare.perturbations_ is None
    truth, P = fitting.tested(seen, X, Y, fold, tables)
    assert P.shape == truth.shape


def test_a_screen_of_pairs_hands_over_its_pairs_and_its_single_drugs():
    screen = make_screen()
    seen = fitted(Everything(), screen, splits.leave_drugs_out(screen, 2, tune=0).folds[0])
    assert seen.perturbations_.loc["a + c", ["drug_a", "drug_b"]].tolist() == ["a", "c"]
    pd.testing.assert_frame_equal(seen.drugs_, screen.drugs)


def test_a_cohort_may_know_nothing_of_its_perturbations():
    cohort = make_cohort()
    del cohort.perturbations
    assert perturbation_tables(cohort) == {}
    cohort.perturbations = make_cohort().perturbations.iloc[:4]
    with pytest.raises(InputError, match="2 columns of Y.*'drug 0'"):
        perturbation_tables(cohort)


def test_a_screen_of_pairs_has_the_effects_of_its_drugs_beside_the_means():
    screen = make_screen()
    naive = list(naive_baselines(screen))
    of_pairs = ["drug + drug", "line + drug + drug", "drug x line", "drug x line + pair"]
    assert naive[-5:] == ["tissue mean", *of_pairs]
    assert naive[:-4] == list(naive_baselines(make_cohort()))
    split = splits.leave_perturbations_out(screen, 3, tune=0)
    frame = cross_validate({}, screen, split, metrics="rmse", axis="line")
    assert list(frame["model"].unique()) == naive and frame["score"].notna().all()


@pytest.mark.parametrize("tissue", ["unknown", np.nan, None])
def test_no_tissue_mean_without_a_known_tissue(tissue):
    cohort = make_cohort()
    cohort.lines = pd.DataFrame({"tissue": [tissue] * 12}, LINES, dtype=object)
    assert "tissue mean" not in naive_baselines(cohort)
    cohort.lines.loc[LINES[0], "tissue"] = "lung"
    assert "tissue mean" in naive_baselines(cohort)


class Peeking(Weighted):
    """Replaces the weights by means that include the labels of the test cells."""

    def __init__(self, means):
        self.means = means

    def fit(self, X, Y, perturbations):
        return super().fit(X, Y, perturbations.assign(weight=self.means))


@pytest.mark.parametrize("split", [splits.leave_perturbations_out, splits.leave_both_out])
def test_the_leak_check_reaches_models_that_take_perturbations(split, assert_blind_to_test_labels):
    cohort = make_cohort()
    folds = split(cohort, 3)
    assert_blind_to_test_labels(Weighted, cohort, folds)
    assert_blind_to_test_labels(WeightedAnywhere, cohort, folds)
    with pytest.raises(AssertionError, match="perturbations_.* changed"):
        assert_blind_to_test_labels(lambda cohort: Peeking(cohort.Y.mean()), cohort, folds)
