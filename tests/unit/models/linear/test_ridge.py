"""Ridge is checked against scikit-learn's Ridge, and its choice of alpha against brute force."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression as PlainLeastSquares
from sklearn.linear_model import Ridge as Reference
from sklearn.preprocessing import StandardScaler

from cdp_lib.errors import InputError
from cdp_lib.models.linear import LinearRegression, Ridge
from cdp_lib.models.linear import ridge as linear

ALPHAS = (0.1, 1.0, 10.0, 100.0, 1000.0)
# More lines than features, even in an inner fold; more lines than features; fewer lines.
SHAPES = [(90, 5), (50, 20), (30, 80)]


def problem(lines, features, targets=5, missing=0.2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(3.0, rng.uniform(0.5, 5.0, size=features), size=(lines, features))
    noise = np.geomspace(1, 300, targets)  # so that targets want different alphas
    Y = 7 + X @ rng.normal(size=(features, targets)) + rng.normal(0, noise, size=(lines, targets))
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


def tables(lines=30, features=8):
    X, Y = problem(lines, features)
    names = pd.Index([f"line {i}" for i in range(lines)], name="line")
    X = pd.DataFrame(X, names).add_prefix("gene ")
    return X, pd.DataFrame(Y, names).add_prefix("drug ").rename_axis(columns="perturbation")


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("inner", [5, "loo"])
@pytest.mark.parametrize("shape", SHAPES)
def test_predictions_equal_scikit_learn(shape, inner, standardize):
    X, Y = problem(*shape)
    new = np.random.default_rng(1).normal(3.0, 2.0, size=(7, shape[1]))
    model = Ridge(ALPHAS, inner, standardize).fit(X, Y)
    P, P_new = model.predict(X), model.predict(new)
    scaler = StandardScaler(with_mean=standardize, with_std=standardize).fit(X)
    for j, alpha in enumerate(model.alpha_):
        known = ~np.isnan(Y[:, j])
        reference = Reference(alpha=alpha).fit(scaler.transform(X[known]), Y[known, j])
        np.testing.assert_allclose(P[:, j], reference.predict(scaler.transform(X)), rtol=1e-6)
        np.testing.assert_allclose(P_new[:, j], reference.predict(scaler.transform(new)), rtol=1e-6)
    np.testing.assert_allclose(P_new, new @ model.coef_.T + model.intercept_, rtol=1e-10)


@pytest.mark.parametrize("inner", [3, "loo"])
@pytest.mark.parametrize("shape", SHAPES)
def test_alpha_has_the_least_held_out_error_for_each_perturbation(shape, inner):
    X, Y = problem(*shape)
    chosen = Ridge(ALPHAS, inner, standardize=False).fit(X, Y).alpha_
    for j in range(Y.shape[1]):
        known = ~np.isnan(Y[:, j])
        x, y = X[known], Y[known, j]
        fold = np.arange(len(y)) % (len(y) if inner == "loo" else inner)
        errors = [
            sum(
                np.square(
                    y[fold == k]
                    - Reference(alpha=alpha).fit(x[fold != k], y[fold != k]).predict(x[fold == k])
                ).sum()
                for k in np.unique(fold)
            )
            for alpha in ALPHAS
        ]
        assert chosen[j] == ALPHAS[int(np.argmin(errors))]
    assert len(set(chosen)) > 1, "the problem must make the choice matter"


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_least_squares_equals_scikit_learn_and_has_the_smallest_norm(shape, standardize):
    X, Y = problem(*shape)
    new = np.random.default_rng(1).normal(3.0, 2.0, size=(7, shape[1]))
    model = LinearRegression(standardize).fit(X, Y)
    scaler = StandardScaler(with_mean=standardize, with_std=standardize).fit(X)
    for j, y in enumerate(Y.T):
        known = ~np.isnan(y)
        reference = PlainLeastSquares().fit(scaler.transform(X[known]), y[known])
        np.testing.assert_allclose(
            model.predict(new)[:, j], reference.predict(scaler.transform(new)), rtol=1e-6
        )
    np.testing.assert_allclose(
        model.predict(new), new @ model.coef_.T + model.intercept_, rtol=1e-8
    )
    assert clone(model).get_params() == {"standardize": standardize}


@pytest.mark.parametrize("inner", [2, 7])
def test_errors_by_the_hat_matrix_and_by_fitting_again_are_the_same(inner, monkeypatch):
    X, Y = problem(90, 5, missing=0.0)
    z, y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    alphas = np.array(ALPHAS)
    again = linear._held_out_errors(z, y, linear._spectrum(z), alphas, inner)
    brute = [
        sum(
            np.square(
                y[k::inner]
                - Reference(alpha=alpha)
                .fit(np.delete(z, np.s_[k::inner], 0), np.delete(y, np.s_[k::inner], 0))
                .predict(z[k::inner])
            ).sum(axis=0)
            for k in range(inner)
        )
        for alpha in ALPHAS
    ]
    np.testing.assert_allclose(again, brute)
    wide = np.hstack([z, np.zeros((90, 90))])  # the same problem, so wide that nothing is refitted
    monkeypatch.delattr(linear, "_refitted_errors")
    np.testing.assert_allclose(
        linear._held_out_errors(wide, y, linear._spectrum(wide), alphas, inner), brute
    )


def test_one_missing_label_changes_nothing_but_its_own_perturbation():
    X, Y = problem(30, 8, missing=0.0)
    holed = Y.copy()
    holed[3, 2] = np.nan
    full, part = Ridge(ALPHAS).fit(X, Y), Ridge(ALPHAS).fit(X, holed)
    np.testing.assert_allclose(np.delete(full.predict(X), 2, 1), np.delete(part.predict(X), 2, 1))
    assert not np.allclose(full.predict(X)[:, 2], part.predict(X)[:, 2])


def test_few_labels_and_no_labels():
    X, Y = problem(20, 4, targets=3, missing=0.0)
    Y[2:, 1], Y[:, 2] = np.nan, np.nan
    model = Ridge(ALPHAS).fit(X, Y)
    assert model.alpha_[1] == max(ALPHAS) and np.isnan(model.alpha_[2])
    np.testing.assert_allclose(model.predict(X)[:, 2], np.nanmean(Y))


def test_constant_features_do_no_harm():
    X, Y = problem(20, 6)
    X[:, 0] = 0.1
    narrow = Ridge(ALPHAS).fit(X[:, 1:], Y).predict(X[:, 1:])
    np.testing.assert_allclose(Ridge(ALPHAS).fit(X, Y).predict(X), narrow)
    flat = Ridge(ALPHAS).fit(np.ones((20, 30)), Y).predict(np.ones((1, 30)))
    np.testing.assert_allclose(flat[0], np.nanmean(Y, axis=0))


def test_tables_in_tables_out_arrays_in_arrays_out():
    X, Y = tables()
    P = Ridge(ALPHAS).fit(X, Y).predict(X.iloc[:3])
    assert P.index.equals(X.index[:3]) and P.columns.equals(Y.columns)
    array = Ridge(ALPHAS).fit(X.to_numpy(), Y.to_numpy()).predict(X.to_numpy()[:3])
    assert isinstance(array, np.ndarray)
    np.testing.assert_array_equal(P.to_numpy(), array)
    one = Ridge(ALPHAS).fit(X, Y["drug 1"]).predict(X)
    assert isinstance(one, pd.Series) and one.shape == (30,)
    x, y = X.to_numpy(), Y["drug 1"].to_numpy()
    assert Ridge(ALPHAS).fit(x, y).predict(x).shape == (30,)


def test_clone_and_params():
    model = Ridge(alphas=(1.0, 2.0), inner="loo", standardize=False)
    assert clone(model).get_params() == {"alphas": (1.0, 2.0), "inner": "loo", "standardize": False}
    assert not hasattr(clone(model.fit(*tables())), "alpha_")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, Y: (X.assign(**{"gene 2": np.nan}), Y), "column 'gene 2'"),
        (lambda X, Y: (X.assign(**{"gene 2": np.inf}), Y), "column 'gene 2'"),
        (lambda X, Y: (X.assign(**{"gene 2": "high"}), Y), "numbers only, but column 'gene 2'"),
        (lambda X, Y: (X.iloc[::-1], Y), "different order"),
        (lambda X, Y: (X.iloc[1:], Y), "X has 29 rows and Y has 30"),
        (lambda X, Y: (X, Y.assign(**{"drug 1": np.inf})), "infinite values in column 'drug 1'"),
        (lambda X, Y: (X, Y * np.nan), "no known label"),
        (lambda X, Y: (X["gene 2"], Y), "must be a table"),
    ],
)
def test_bad_tables_are_one_sentence(change, message):
    with pytest.raises(InputError, match=message):
        Ridge(ALPHAS).fit(*change(*tables()))


def test_bad_settings_and_other_features_are_one_sentence():
    X, Y = tables()
    with pytest.raises(InputError, match="positive"):
        Ridge(alphas=(0.0, 1.0)).fit(X, Y)
    with pytest.raises(InputError, match="alphas is .* positive"):
        Ridge(alphas=("strong",)).fit(X, Y)
    with pytest.raises(InputError, match="number of folds >= 2, or 'loo'"):
        Ridge(inner="all").fit(X, Y)
    with pytest.raises(InputError, match="not fitted"):
        Ridge().predict(X)
    model = Ridge(ALPHAS).fit(X, Y)
    with pytest.raises(InputError, match="lacks 1 of them, first 'gene 0'"):
        model.predict(X.drop(columns="gene 0"))
    with pytest.raises(InputError, match="another order"):
        model.predict(X.iloc[:, ::-1])
    with pytest.raises(InputError, match="7 features"):
        model.predict(X.to_numpy()[:, 1:])
