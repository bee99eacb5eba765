"""One estimator a column, on its known rows, with a stated fallback."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cdp_lib.errors import InputError
from cdp_lib.models.per_perturbation import PerPerturbation


def tables(lines=40):
    rng = np.random.default_rng(0)
    names = pd.Index([f"line {i}" for i in range(lines)], name="line")
    X = pd.DataFrame(rng.normal(size=(lines, 5)), names).add_prefix("gene ")
    Y = X.to_numpy() @ rng.normal(size=(5, 4)) + rng.normal(size=(lines, 4))
    Y[rng.random(Y.shape) < 0.2] = np.nan
    Y[:, 2] = np.nan
    Y[5:, 3] = np.nan
    Y[0, 3] = 9.0
    return X, pd.DataFrame(Y, names).add_prefix("drug ")


def test_each_column_is_fitted_on_its_known_rows():
    X, Y = tables()
    P = PerPerturbation(LinearRegression()).fit(X, Y).predict(X)
    for drug in ("drug 0", "drug 1"):
        known = Y[drug].notna()
        alone = LinearRegression().fit(X[known].to_numpy(), Y.loc[known, drug])
        np.testing.assert_allclose(P[drug], alone.predict(X.to_numpy()))
    assert P.index.equals(X.index) and P.columns.equals(Y.columns)


def test_columns_with_few_labels_fall_back_and_are_listed():
    X, Y = tables()
    model = PerPerturbation(LinearRegression(), min_labels=10).fit(X, Y)
    P = model.predict(X)
    assert model.fallback_ == ["drug 2", "drug 3"]
    np.testing.assert_allclose(P["drug 2"], np.nanmean(Y.to_numpy()))
    np.testing.assert_allclose(P["drug 3"], Y["drug 3"].mean())
    assert PerPerturbation(LinearRegression(), min_labels=2).fit(X, Y).fallback_ == ["drug 2"]


def test_open_random_states_are_filled_so_that_two_fits_agree():
    X, Y = tables()
    forest = make_pipeline(StandardScaler(), RandomForestRegressor(n_estimators=3))
    first, second, other = (
        PerPerturbation(forest, seed=seed).fit(X, Y).predict(X) for seed in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert not first.equals(other)
    assert forest.get_params()["randomforestregressor__random_state"] is None, "the user's own"


def test_two_jobs_give_the_same():
    X, Y = tables()
    one, two = (
        PerPerturbation(LinearRegression(), n_jobs=jobs).fit(X, Y).predict(X) for jobs in (1, 2)
    )
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_arrays_and_params():
    X, Y = tables()
    model = PerPerturbation(LinearRegression(), min_labels=3)
    P = clone(model).fit(X.to_numpy(), Y.to_numpy()).predict(X.to_numpy())
    np.testing.assert_array_equal(P, model.fit(X, Y).predict(X).to_numpy())
    assert model.set_params(estimator__fit_intercept=False).estimator.fit_intercept is False
    assert not hasattr(clone(model), "estimators_")


def test_a_failing_estimator_names_the_perturbation():
    with pytest.raises(InputError, match="Logistic.* 'drug 0'"):
        PerPerturbation(LogisticRegression()).fit(*tables())
    with pytest.raises(InputError, match="is None"):
        PerPerturbation(None).fit(*tables())
    with pytest.raises(InputError, match="min_labels is 0"):
        PerPerturbation(LinearRegression(), min_labels=0).fit(*tables())


def test_nan_in_the_features_is_refused_even_where_the_estimator_would_not():
    X, Y = tables()
    with pytest.raises(InputError, match="column 'gene 3'"):
        PerPerturbation(LinearRegression()).fit(X.assign(**{"gene 3": np.nan}), Y)


def test_lines_known_for_several_perturbations_are_held_once():
    X, Y = tables()
    Y = Y.iloc[:, [0, 0, 1, 2, 2]].set_axis(list("abcde"), axis=1).fillna({"d": 1.0, "e": 2.0})

    class Keeping(LinearRegression):
        def fit(self, X, y):
            self.kept_ = X
            return super().fit(X, y)

    a, b, c, d, e = PerPerturbation(Keeping()).fit(X.to_numpy(), Y).estimators_.values()
    assert a.kept_ is b.kept_ and d.kept_ is e.kept_
    assert not np.shares_memory(a.kept_, c.kept_)


def test_no_rows_are_no_predictions():
    X, Y = tables()
    model = PerPerturbation(LinearRegression()).fit(X, Y)
    assert model.predict(X[:0]).shape == (0, 4)
    with pytest.raises(InputError, match="0 rows"):
        PerPerturbation(LinearRegression()).fit(X[:0], Y[:0])
