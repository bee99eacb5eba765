"""Ridge is checked against scikit-learn's Ridge, and its choice of alpha against brute force."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LinearRegression as PlainLeastSquares
from sklearn.linear_model import Ridge as Reference
from sklearn.preprocessing import StandardScaler

from cdp_lib.errors import InputError
from cdp_lib.models.linear import AlphaAtEdge, LinearRegression, Ridge, unknown
from cdp_lib.models.linear import ridge as linear
from cdp_lib.models.linear import spectrum as spectra
from cdp_lib.models.linear.spectrum import spectrum

pytestmark = pytest.mark.filterwarnings("ignore::cdp_lib.models.linear.AlphaAtEdge")

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
    again = linear._held_out_errors(z, y, spectrum(z), alphas, inner)
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
        linear._held_out_errors(wide, y, spectrum(wide), alphas, inner), brute
    )


@pytest.mark.parametrize("inner", [3, "loo"])
@pytest.mark.parametrize("shape", SHAPES[1:])
def test_lines_held_out_for_all_and_eigenvalues_for_each_choose_and_predict_the_same(
    shape, inner, monkeypatch
):
    X, Y = problem(*shape, targets=12)
    alphas = (1e-2, *ALPHAS)
    together = Ridge(alphas, inner).fit(X, Y)
    calls = []
    monkeypatch.setattr(
        linear, "solve_incomplete", lambda *a: calls.append(a) or unknown.solve_incomplete(*a)
    )
    Ridge(alphas, inner).fit(X, Y)
    assert len(calls) == 1, "perturbations unknown in a few lines are solved together"
    monkeypatch.setattr(
        linear,
        "solve_incomplete",
        lambda z, y, *more: one_by_one(z, y, *more),
    )
    apart = Ridge(alphas, inner).fit(X, Y)
    np.testing.assert_array_equal(together.alpha_, apart.alpha_)
    np.testing.assert_allclose(together.predict(X), apart.predict(X), rtol=1e-9)
    assert len(set(apart.alpha_)) > 1, "the problem must make the choice matter"


def one_by_one(z, y, alphas, inner, judge):
    """An eigendecomposition for each column."""
    fits = []
    for j in range(y.shape[1]):
        known = ~np.isnan(y[:, j])
        pair = judge and (judge[0], judge[1][:, [j]])
        fits.append(linear._solve(z[known], y[known][:, [j]], alphas, inner, pair))
    weights, offsets, best = zip(*fits, strict=True)
    return np.hstack(weights), np.concatenate(offsets), np.concatenate(best)


def test_alphas_that_come_close_in_single_precision_are_told_apart_in_double(monkeypatch):
    X, Y = problem(40, 200, targets=30)
    alphas = tuple(np.geomspace(90.0, 110.0, 40))  # their errors differ by less than 1e-4
    double, precisions = unknown._errors, set()

    def watched(R, *more):
        precisions.add(str(R.dtype))
        errors = double(R, *more)
        return errors * (1 + 1e-5 * np.sin(1e3 * errors)) if R.dtype == np.float32 else errors

    monkeypatch.setattr(unknown, "_errors", watched)
    together = Ridge(alphas).fit(X, Y)
    assert precisions == {"float32", "float64"}
    monkeypatch.setattr(linear, "solve_incomplete", one_by_one)
    np.testing.assert_array_equal(together.alpha_, Ridge(alphas).fit(X, Y).alpha_)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_on_tensors_it_is_the_same(missing):
    """What `device` moves there; a second device is not needed to compute with tensors."""
    X, Y = problem(40, 60, targets=8, missing=missing)
    solver = unknown.solve_incomplete if missing else linear._solve
    alphas, z = np.array(ALPHAS), X - X.mean(axis=0)
    for inner in (3, "loo"):
        *arrays, best = solver(z, Y, alphas, inner, (z[:9], Y[:9]))
        pair = torch.tensor(z[:9]), torch.tensor(Y[:9])
        *tensors, same = solver(torch.tensor(z), torch.tensor(Y), alphas, inner, pair)
        np.testing.assert_array_equal(best, same)
        for a, b in zip(arrays, tensors, strict=True):
            np.testing.assert_allclose(a, b.numpy(), rtol=1e-7)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_validation_rows_choose_alpha_and_teach_nothing(missing):
    X, Y = problem(60, 30, missing=missing)
    new, truth = X[40:].copy(), Y[40:].copy()
    truth[:, 2] = np.nan
    model = Ridge(ALPHAS).fit(X[:40], Y[:40], validation=(new, truth))
    fixed = [Ridge((alpha,)).fit(X[:40], Y[:40]) for alpha in ALPHAS]
    errors = [np.nansum((truth - one.predict(new)) ** 2, axis=0) for one in fixed]
    chosen = np.array(ALPHAS)[np.argmin(errors, axis=0)]
    chosen[2] = Ridge(ALPHAS).fit(X[:40], Y[:40]).alpha_[2]  # nothing known there: inner folds
    np.testing.assert_array_equal(model.alpha_, chosen)
    P = np.stack([one.predict(X) for one in fixed])  # (alphas, lines, perturbations)
    at = [ALPHAS.index(alpha) for alpha in chosen]
    np.testing.assert_allclose(model.predict(X), P[at, :, range(5)].T, rtol=1e-9)
    again = Ridge(ALPHAS, "validation").fit(X[:40], Y[:40], validation=(new, truth))
    np.testing.assert_array_equal(again.alpha_, chosen)
    assert again.asks_for_validation and not model.asks_for_validation


def test_an_alpha_at_the_edge_is_said():
    X, Y = problem(60, 10, missing=0.0)
    Y[2:, 4] = np.nan  # two labels: there is no choice
    with pytest.warns(AlphaAtEdge, match="the largest, 5, for 2") as warned:
        model = Ridge((1.0, 2.0, 5.0)).fit(X, np.hstack([Y, 1e-3 * X[:, :1]]))
    assert "the smallest, 1, for " in str(warned[0].message) and len(warned) == 1
    inside = model.alpha_ == 2.0
    np.testing.assert_array_equal(model.at_edge_, ~inside & (np.arange(6) != 4))


def test_a_single_alpha_and_the_middle_of_the_grid_say_nothing(recwarn):
    X, Y = problem(60, 10, missing=0.1)
    grid = (1e-3, 1.0, 10.0, 1e9)
    inside = ~Ridge(grid).fit(X, Y).at_edge_
    assert 0 < inside.sum() < 5
    recwarn.clear()
    for alphas, labels in ((grid, Y[:, inside]), ((1.0,), Y), ((1.0, 1.0), Y)):
        assert not Ridge(alphas).fit(X, labels).at_edge_.any()
    assert not recwarn.list


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
    for model in (Ridge(ALPHAS), LinearRegression()):
        flat = model.fit(np.ones((20, 30)), Y).predict(np.ones((1, 30)))
        np.testing.assert_allclose(flat[0], np.nanmean(Y, axis=0))


def test_no_empty_matrix_is_decomposed(monkeypatch):
    """LAPACK refuses it under some versions of scipy."""
    real = spectra.scipy_eigh
    monkeypatch.setattr(spectra, "scipy_eigh", lambda a: real(a) if len(a) else pytest.fail("0"))
    X, Y = np.ones((20, 30)), problem(20, 6)[1]
    Ridge(ALPHAS).fit(X, Y)


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
    settings = {"alphas": (1.0, 2.0), "inner": "loo", "standardize": False, "device": "cpu"}
    assert clone(model).get_params() == settings
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
    with pytest.raises(InputError, match="inner is 'all'"):
        Ridge(inner="all").fit(X, Y)
    with pytest.raises(InputError, match="validation="):
        Ridge(inner="validation").fit(X, Y)
    with pytest.raises(InputError, match="device 'abacus'"):
        Ridge(device="abacus").fit(X, Y)
    with pytest.raises(InputError, match="not fitted"):
        Ridge().predict(X)
    model = Ridge(ALPHAS).fit(X, Y)
    with pytest.raises(InputError, match="'gene 0'"):
        model.predict(X.drop(columns="gene 0"))
    with pytest.raises(InputError, match="another order"):
        model.predict(X.iloc[:, ::-1])
    with pytest.raises(InputError, match="7 features"):
        model.predict(X.to_numpy()[:, 1:])
