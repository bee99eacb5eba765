"""Lasso and elastic net are checked against scikit-learn's, their gaps from the rows themselves."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet as Reference
from sklearn.preprocessing import StandardScaler

from cdp_lib.errors import InputError
from cdp_lib.metrics import spearman
from cdp_lib.models.linear import ElasticNet, Lasso, lasso_path
from cdp_lib.models.linear.lasso_path import Gram

# More lines than features, as many in an inner fold, fewer lines.
SHAPES = [(60, 12), (40, 32), (24, 50)]
ALPHAS = (1.0, 0.3, 0.1)


def problem(lines, features, targets=4, missing=0.0, seed=0):
    """Features that two hidden factors make alike, and labels of a few of them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(lines, 2)) @ rng.normal(size=(2, features))
    X = 5 + 3 * (X + rng.normal(size=(lines, features)))
    weights = rng.normal(size=(features, targets)) * (rng.random((features, targets)) < 0.3)
    Y = 7 + X @ weights + rng.normal(0, np.geomspace(1, 20, targets), size=(lines, targets))
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


def reference(alpha, l1_ratio):
    return Reference(alpha=alpha, l1_ratio=l1_ratio, tol=1e-12, max_iter=100_000)


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
@pytest.mark.parametrize("shape", SHAPES)
def test_one_alpha_equals_scikit_learn(shape, l1_ratio, standardize):
    X, Y = problem(*shape, missing=0.15)
    settings = {"ensemble": False, "standardize": standardize, "tolerance": 1e-10}
    model = ElasticNet(l1_ratio, (0.5,), **settings).fit(X, Y)
    scaler = StandardScaler(with_mean=standardize, with_std=standardize).fit(X)
    x = scaler.transform(X)
    for j, y in enumerate(Y.T):
        known = ~np.isnan(y)
        expected = reference(0.5, l1_ratio).fit(x[known], y[known])
        np.testing.assert_allclose(model.weights_[:, j], expected.coef_, rtol=0, atol=1e-5)
        np.testing.assert_allclose(model.predict(X)[:, j], expected.predict(x), rtol=1e-5)
        if shape == SHAPES[0]:
            np.testing.assert_array_equal(model.weights_[:, j] == 0, expected.coef_ == 0)
    np.testing.assert_allclose(model.predict(X), X @ model.coef_.T + model.intercept_, rtol=1e-10)
    assert (model.weights_ == 0).any() and (model.alpha_ == 0.5).all()


def held_out(lines, inner=3, seed=0):
    order = np.random.default_rng(seed).permutation(lines)
    return [order[k::inner] for k in range(inner)]


@pytest.mark.parametrize("metric", ["spearman", "mse"])
@pytest.mark.parametrize("ensemble", [True, False])
def test_alpha_has_the_best_mean_score_of_the_inner_folds(ensemble, metric):
    X, Y = problem(60, 12, targets=6)
    settings = {"inner": 3, "metric": metric, "ensemble": ensemble, "tolerance": 1e-10}
    model = Lasso((0.1, 3.0, 1.0), **settings).fit(X, Y)
    x, alphas = StandardScaler().fit_transform(X), (3.0, 1.0, 0.1)
    for j, y in enumerate(Y.T):
        scores, fits = np.zeros((3, 3)), {}
        for a, alpha in enumerate(alphas):
            for k, out in enumerate(held_out(60)):
                fits[a, k] = reference(alpha, 1.0).fit(np.delete(x, out, 0), np.delete(y, out))
                p = fits[a, k].predict(x[out])
                own = (
                    spearman(y[out], p)[0] if metric == "spearman" else -((y[out] - p) ** 2).mean()
                )
                scores[a, k] = np.nan_to_num(own)
        np.testing.assert_allclose(model.scores_[:, j], scores.mean(axis=1), rtol=1e-4)
        best = scores.mean(axis=1).argmax()
        assert model.alpha_[j] == alphas[best]
        chosen = [fits[best, k] for k in range(3)]
        if not ensemble:
            chosen = [reference(alphas[best], 1.0).fit(x, y)]
        mean = np.mean([fit.predict(x) for fit in chosen], axis=0)
        np.testing.assert_allclose(model.predict(X)[:, j], mean, rtol=1e-4)
    assert len(set(model.alpha_)) > 1, "the problem must make the choice matter"


def test_the_grid_begins_where_all_weights_are_0():
    X, Y = problem(60, 12)
    x, y = StandardScaler().fit_transform(X), Y - Y.mean(axis=0)
    top = np.abs(x.T @ y).max(axis=0) / 60
    model = Lasso(4, smallest=0.01, tolerance=1e-10)
    np.testing.assert_allclose(
        model._grid(x, Y), top * np.array([[1], [0.2154], [0.0464], [0.01]]), 1e-3
    )
    first = model._path(x, Y, top[None] * 1.000001)
    below = model._path(x, Y, top[None] * 0.99)
    assert (first.weights == 0).all() and (below.weights != 0).any(axis=1).all()


def gap(x, y, w, l1, l2):
    """The relative duality gap, from the rows of a problem with one row more for each l2 weight."""
    x = np.vstack([x, np.sqrt(l2) * np.eye(len(w))])
    y = np.append(y, np.zeros(len(w)))
    r = y - x @ w
    theta = r * min(1, l1 / np.abs(x.T @ r).max())
    return (r @ r / 2 + l1 * np.abs(w).sum() - y @ theta + theta @ theta / 2) / (y @ y / 2)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
@pytest.mark.parametrize("shape", [(90, 30), (30, 60)])
def test_every_solution_has_the_gap_that_it_reports(shape, l1_ratio, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(shape[0], 6)) @ rng.normal(size=(6, shape[1]))
    X += 0.03 * rng.normal(size=X.shape)  # nearly of rank 6
    Y = X[:, :3] + rng.normal(size=(shape[0], 3))
    paths = []
    keep = ElasticNet._path

    def spy(self, z, y, alphas):
        paths.append((z, y, alphas, keep(self, z, y, alphas)))
        return paths[-1][-1]

    monkeypatch.setattr(ElasticNet, "_path", spy)
    model = ElasticNet(l1_ratio, inner=3, ensemble=False).fit(X, Y)
    assert len(paths) == 4
    for z, y, alphas, path in paths:
        x, labels = z - z.mean(axis=0), y - y.mean(axis=0)
        for a, j in np.ndindex(alphas.shape):
            l1, l2 = len(z) * alphas[a, j] * np.array([l1_ratio, 1 - l1_ratio])
            own = gap(x, labels[:, j], path.weights[a, :, j], l1, l2)
            np.testing.assert_allclose(path.gaps[a, j], own, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(model.gap_, np.max([p.gaps for *_, p in paths], axis=(0, 1)))
    assert (0 < model.gap_).all() and (model.gap_ <= 1e-5).all()


def test_a_gap_that_is_not_reached_is_told(monkeypatch):
    X, Y = problem(60, 12)
    monkeypatch.setattr(lasso_path, "STEPS", 20)
    with pytest.warns(ConvergenceWarning, match="in 4 of 4"):
        model = Lasso(tolerance=1e-9).fit(X, Y)
    assert (model.gap_ > 1e-9).all() and (model.coef_ != 0).any(axis=1).all()


def test_slack_takes_the_strongest_alpha_that_loses_little():
    X, Y = problem(60, 12)
    settings = {"metric": "r2", "ensemble": False}
    best, sparse = Lasso(20, **settings).fit(X, Y), Lasso(20, slack=0.1, **settings).fit(X, Y)
    np.testing.assert_array_equal(best.scores_, sparse.scores_)
    for j in range(4):
        enough = best.scores_[:, j] >= best.scores_[:, j].max() - 0.1
        top = best.alpha_[j] / 1e-3 ** (best.scores_[:, j].argmax() / 19)
        np.testing.assert_allclose(sparse.alpha_[j], top * 1e-3 ** (enough.argmax() / 19))
        assert sparse.alpha_[j] > best.alpha_[j]
        assert (sparse.coef_[j] != 0).sum() <= (best.coef_[j] != 0).sum()


@pytest.mark.parametrize("shape", SHAPES)
def test_tensors_give_what_arrays_give(shape):
    X, Y = problem(*shape)
    x, y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    l1 = np.abs(x.T @ y).max(axis=0) * np.geomspace(1, 1e-3, 5)[:, None]
    results = []
    for kind in (np.asarray, torch.as_tensor):
        a, b = kind(x), kind(y)
        results.append(lasso_path.lasso_path(Gram(a), a.T @ b, (b**2).sum(0), l1, l1 / 7, 1e-9))
    (W, gaps), (W_torch, gaps_torch) = results
    assert all(isinstance(w, torch.Tensor) for w in W_torch)
    for w, w_torch in zip(W, W_torch, strict=True):
        np.testing.assert_allclose(x @ w_torch.numpy(), x @ w, rtol=0, atol=1e-4 * np.ptp(y))
    assert gaps.max() <= 1e-9 and gaps_torch.max() <= 1e-9


@pytest.mark.parametrize("change", ["alone", "threads", "narrow"])
def test_perturbations_and_blocks_do_not_matter(change, monkeypatch):
    X, Y = problem(60, 12, targets=9, missing=0.1)
    Y[:, 4:] = np.where(np.isnan(Y[:, [4]]), np.nan, problem(60, 12, targets=9)[1][:, 4:])
    whole = Lasso(tolerance=1e-9).fit(X, Y)
    if change == "alone":
        P = np.hstack([Lasso(tolerance=1e-9).fit(X, Y[:, [j]]).predict(X) for j in range(9)])
    else:
        monkeypatch.setattr("cdp_lib.models.linear.lasso.WIDTH", 2 if change == "narrow" else 256)
        P = Lasso(tolerance=1e-9, n_jobs=2).fit(X, Y).predict(X)
    np.testing.assert_allclose(P, whole.predict(X), rtol=1e-4)


def test_labels_that_leave_nothing_to_learn():
    X, Y = problem(30, 6, targets=6)
    Y[:, 0] = 3.1  # the same in all lines
    Y[:, 1] = np.nan  # unknown
    Y[1:, 2] = np.nan  # known in one line
    Y[3:, 3] = np.nan  # known in fewer lines than there are folds
    Y[:4, 4] = np.nan
    model = Lasso().fit(X, Y)
    P = model.predict(X)
    assert np.isfinite(P).all() and np.isnan(model.alpha_[:3]).all()
    np.testing.assert_allclose(P[:, 0], 3.1)
    np.testing.assert_allclose(P[:, 1], np.nanmean(Y))
    np.testing.assert_allclose(P[:, 2], Y[0, 2])
    assert (model.scores_[:, 3] == 0).all(), "one line has no correlation: alpha_max"
    assert np.ptp(P[:, 4]) > 0 and np.ptp(P[:, 5]) > 0
    assert (model.gap_ <= 1e-5).all()


def test_features_that_leave_little_to_learn():
    X, Y = problem(30, 6)
    alone = Lasso(tolerance=1e-10).fit(X, Y)
    constant = Lasso(tolerance=1e-10).fit(np.column_stack([X, np.full(30, 0.1)]), Y)
    np.testing.assert_allclose(
        constant.predict(np.column_stack([X, X[:, 0]])), alone.predict(X), 1e-4
    )
    assert (constant.coef_[:, 6] == 0).all()
    twice = Lasso(tolerance=1e-10).fit(np.hstack([X, X]), Y)
    np.testing.assert_allclose(twice.predict(np.hstack([X, X])), alone.predict(X), rtol=1e-4)
    nothing = Lasso().fit(np.ones((30, 3)), Y)
    np.testing.assert_allclose(nothing.predict(np.ones((1, 3)))[0], Y.mean(axis=0))


def test_one_line():
    X, Y = problem(30, 6)
    model = Lasso().fit(X[:1], Y[:1])
    np.testing.assert_allclose(model.predict(X), np.tile(Y[0], (30, 1)))


@pytest.mark.parametrize(
    "settings, fact",
    [
        ({"alphas": (0.0, 1.0)}, "alphas is 0"),
        ({"alphas": 0}, "alphas is 0"),
        ({"alphas": 1}, "alphas is 1"),
        ({"alphas": (-1.0,)}, "alphas is"),
        ({"smallest": 0.0}, "smallest is 0"),
        ({"l1_ratio": 0.0}, "l1_ratio is 0"),
        ({"l1_ratio": 1.00000005}, "at most 1"),
        ({"inner": 1}, "inner is 1"),
        ({"metric": "auc"}, "metric is 'auc'"),
        ({"tolerance": 0.0}, "tolerance is 0"),
        ({"n_jobs": 0}, "n_jobs is 0"),
        ({"device": "abacus"}, "abacus"),
    ],
)
def test_bad_settings_get_one_sentence(settings, fact):
    with pytest.raises(InputError, match=fact):
        ElasticNet(**settings).fit(*problem(10, 3))


def test_unknown_features_are_refused():
    X, Y = problem(30, 6)
    X[3, 2] = np.nan
    with pytest.raises(InputError, match="1 NaN or infinite"):
        Lasso().fit(X, Y)


def test_names_settings_and_randomness():
    X, Y = problem(30, 6)
    names = pd.Index([f"line {i}" for i in range(30)], name="line")
    X, Y = pd.DataFrame(X, names).add_prefix("gene "), pd.DataFrame(Y, names).add_prefix("drug ")
    state = np.random.get_state()[1].copy()
    model = Lasso(alphas=5, seed=3)
    P = model.fit(X, Y).predict(X)
    assert P.index.equals(Y.index) and P.columns.equals(Y.columns)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    pd.testing.assert_frame_equal(clone(model).fit(X, Y).predict(X), P, check_exact=True)
    assert "l1_ratio" not in model.get_params() and model.get_params()["alphas"] == 5
    assert model.scores_.shape == (5, 4)
