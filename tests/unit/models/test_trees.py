"""Forests and boosting are scikit-learn's, with missing labels left out."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from cdp_lib.errors import InputError
from cdp_lib.models.trees import BoostedTrees, LightGBM, RandomForest


def tables(lines=60, missing=True):
    rng = np.random.default_rng(0)
    names = [f"line {i}" for i in range(lines)]
    X = pd.DataFrame(rng.normal(size=(lines, 6)), names).add_prefix("gene ")
    signal = np.where(X.to_numpy()[:, :4] > 0, 2.0, -1.0) @ rng.normal(size=(4, 4))
    Y = signal + 0.3 * rng.normal(size=(lines, 4))
    if missing:
        Y[:9, 0], Y[5:, 2], Y[:, 3] = np.nan, np.nan, np.nan
    return X, pd.DataFrame(Y, names).add_prefix("drug ")


def test_a_forest_is_grown_for_perturbations_known_in_the_same_lines():
    X, Y = tables(missing=False)
    Y.iloc[:9, 0] = np.nan
    P = RandomForest(10, max_features=1.0, seed=3).fit(X, Y).predict(X)
    settings = {"max_features": 1.0, "min_samples_leaf": 3, "random_state": 3}
    x = X.to_numpy(np.float32)
    together = RandomForestRegressor(10, **settings).fit(x, Y.iloc[:, 1:])
    np.testing.assert_allclose(P.iloc[:, 1:], together.predict(x))
    alone = RandomForestRegressor(10, **settings).fit(x[9:], Y.iloc[9:, 0])
    np.testing.assert_allclose(P.iloc[:, 0], alone.predict(x))


def test_boosting_is_grown_on_the_known_lines_of_each_perturbation():
    X, Y = tables()
    P = BoostedTrees(10, max_features=1.0).fit(X, Y).predict(X)
    x = X.to_numpy(np.float32)
    alone = HistGradientBoostingRegressor(
        max_iter=10,
        max_leaf_nodes=8,
        min_samples_leaf=5,
        max_bins=63,
        early_stopping=False,
        random_state=0,
    ).fit(x[9:], Y.iloc[9:, 0])
    np.testing.assert_allclose(P["drug 0"], alone.predict(x))


def test_lightgbm_is_grown_on_the_known_lines_of_each_perturbation():
    library = pytest.importorskip("lightgbm")
    X, Y = tables(missing=True)
    P = LightGBM(10, 0.3, max_leaves=4, min_leaf=7, max_features=0.5, seed=2).fit(X, Y).predict(X)
    alone = library.LGBMRegressor(
        n_estimators=10,
        learning_rate=0.3,
        num_leaves=4,
        min_child_samples=7,
        colsample_bytree=0.5,
        random_state=2,
        deterministic=True,
        force_row_wise=True,
        n_jobs=1,
        verbose=-1,
    ).fit(X.to_numpy(np.float32)[9:], Y.iloc[9:, 0])
    np.testing.assert_allclose(P["drug 0"], alone.predict(X.to_numpy(np.float32)))
    np.testing.assert_allclose(P["drug 2"], Y["drug 2"].mean())


def test_without_lightgbm_one_sentence_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)  # importing it now fails
    with pytest.raises(InputError, match="pip install lightgbm"):
        LightGBM().fit(*tables())


def lightgbm(*settings, **more):
    """LightGBM's model, or a test that is skipped where LightGBM is missing."""
    pytest.importorskip("lightgbm")
    return LightGBM(*settings, **more)


@pytest.mark.parametrize("make", [RandomForest, BoostedTrees, lightgbm])
def test_few_labels_are_predicted_by_a_mean_and_seeds_decide(make):
    X, Y = tables()
    model = make(5, max_features=0.5)
    P = model.fit(X, Y).predict(X)
    np.testing.assert_allclose(P["drug 2"], Y["drug 2"].mean())
    np.testing.assert_allclose(P["drug 3"], np.nanmean(Y))
    pd.testing.assert_frame_equal(P, model.fit(X, Y).predict(X), check_exact=True)
    assert not P.equals(model.set_params(seed=1).fit(X, Y).predict(X))


@pytest.mark.parametrize("make", [RandomForest, BoostedTrees, lightgbm])
def test_all_learn_steps_that_no_line_fits(make):
    X, Y = tables(200, missing=False)
    P = make(40, max_features=0.5).fit(X[:150], Y[:150]).predict(X[150:])
    assert (((P - Y[150:]) ** 2).mean() < 0.5 * Y[150:].var()).all()


def test_bad_settings_are_one_sentence():
    for model in (RandomForest(n_trees=0), BoostedTrees(n_trees=2.5), RandomForest(n_jobs=0)):
        with pytest.raises(InputError, match="n_trees is|n_jobs is 0"):
            model.fit(*tables())
