"""BEMKL: its bound never falls, it finds the omics that matter, and it masks."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from cdp_lib.data import Cohort
from cdp_lib.errors import InputError
from cdp_lib.models.linear import bemkl as module
from cdp_lib.models.linear.bemkl import BEMKL, learn
from cdp_lib.splits import leave_lines_out, leave_pairs_out

pytestmark = pytest.mark.filterwarnings("ignore:BEMKL's bound still grows")
LINES = [f"line {i}" for i in range(70)]


def rbf(x):
    squared = np.square(x[:, None] - x[None]).sum(axis=2)
    return np.exp(-squared / np.median(squared))


def simulated(informative=1, noise=0.3, missing=0.1, seed=0):
    """Three omics; smooth functions of one of them are the responses of five drugs."""
    rng = np.random.default_rng(seed)
    tables = {f"omics {m}": rng.normal(size=(70, 4)) for m in range(3)}
    F = rbf(tables[f"omics {informative}"]) @ rng.normal(size=(70, 5))
    F = (F - F.mean(axis=0)) / F.std(axis=0)
    Y = 3 + 2 * (F + noise * rng.normal(size=F.shape))
    Y[rng.random(Y.shape) < missing] = np.nan
    X = pd.concat({name: pd.DataFrame(t, LINES) for name, t in tables.items()}, axis=1)
    return X, pd.DataFrame(Y, LINES).add_prefix("drug ")


def standard(Y):
    return ((Y - Y.mean()) / Y.std(ddof=0)).to_numpy(copy=True)


def kernels(X):
    return np.array([rbf(X[name].to_numpy()) for name in X.columns.levels[0]])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_evidence_bound_never_falls(seed):
    X, Y = simulated(missing=0.2 * seed, seed=seed)
    bound = learn(kernels(X), standard(Y), iterations=60, tol=-np.inf).bound
    assert len(bound) == 60
    assert np.diff(bound).min() > -1e-8 * abs(bound[-1])
    assert bound[-1] > bound[0] + 10


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_bound_rises_all_the_way_to_its_top(seed):
    """Few lines, labels far from 0, many rounds: an update that is a little wrong falls back."""
    X, Y = simulated(noise=1.0, missing=0.3, seed=seed)
    y, K = standard(Y)[:12] + [3.0, -2.0, 1.0, 0.5, 4.0], kernels(X)[:, :12, :12]
    bound = learn(K, y, iterations=500, tol=-np.inf).bound
    assert np.diff(bound).min() > -1e-10 * abs(bound[-1])
    assert bound[-1] - bound[-100] < 0.5


@pytest.mark.parametrize("prior", [(1.0, 1.0), (3.0, 0.2)])
def test_the_precisions_of_offsets_and_omics_count_the_uncertainty(prior):
    """One value each: Gamma(shape + 1/2, 1 / (1/scale + E[value^2] / 2)), E[v^2] = mean^2 + var."""
    X, Y = simulated(noise=1.0, missing=0.3)
    y, K = standard(Y)[:12] + [3.0, -2.0, 1.0, 0.5, 4.0], kernels(X)[:, :12, :12]
    y[:, 3] = np.nan
    p = learn(K, y, 20, shape=prior[0], scale=prior[1])
    known = np.array([True, True, True, False, True])
    assert (p.b_var[known] > 0.01).all() and (p.e_var > 0.001).all()  # they change the result
    for mean, variance, precision in (
        (p.b[known], p.b_var[known], p.c[known]),
        (p.e, p.e_var, p.o),
    ):
        squares = mean**2 + variance
        expected = (prior[0] + 0.5) / (1 / prior[1] + squares / 2)
        np.testing.assert_allclose(precision, expected, rtol=1e-10)
    assert (p.b[3], p.b_var[3], p.c[3]) == (0, 0, np.inf)


@pytest.mark.parametrize("informative", [0, 1, 2])
def test_the_informative_kernel_gets_the_weight(informative):
    X, Y = simulated(informative)
    model = BEMKL(iterations=100).fit(X, Y)
    assert model.weights_.abs().idxmax() == f"omics {informative}"
    others = model.weights_.drop(f"omics {informative}").abs()
    assert others.max() < 0.5 * model.weights_[f"omics {informative}"]


def test_it_predicts_lines_it_has_not_seen():
    X, Y = simulated(noise=0.1)
    P = BEMKL(iterations=100).fit(X[:50], Y[:50]).predict(X[50:])
    assert (((Y[50:] - P) ** 2).mean() < 0.7 * Y[50:].var()).all()
    assert P.index.equals(X.index[50:]) and P.columns.equals(Y.columns)


def test_an_unknown_label_is_a_line_left_out_for_that_drug():
    X, Y = simulated(missing=0.0)
    y, K = standard(Y)[:, :1], kernels(X)
    masked = y.copy()
    masked[40:] = np.nan
    whole = learn(K, masked, iterations=10, tol=-np.inf)
    part = learn(K[:, :40, :40], y[:40], iterations=10, tol=-np.inf)
    np.testing.assert_allclose(whole.a[:40], part.a)
    np.testing.assert_allclose(whole.e, part.e)
    assert not whole.a[40:].any()


def test_a_drug_with_few_labels_learns_the_omics_weights_from_the_others():
    alone, together = [], []
    for seed in range(5):
        X, Y = simulated(noise=0.5, seed=seed)
        y, K = standard(Y), kernels(X)
        y[12:, 0] = np.nan
        for found, drugs in ((alone, slice(1)), (together, slice(None))):
            e = np.abs(learn(K, y[:, drugs], iterations=30).e)
            found.append(e[1] / e.sum())
    assert np.mean(together) > np.mean(alone) + 0.1


def test_a_drug_without_labels_is_predicted_by_the_mean():
    X, Y = simulated()
    Y["drug 2"] = np.nan
    P = BEMKL(iterations=5).fit(X, Y).predict(X)
    np.testing.assert_allclose(P["drug 2"], np.nanmean(Y))


def test_it_ends_where_the_bound_has_converged_whatever_the_limit():
    X, Y = simulated(noise=1.0)
    X, Y = X[:16], Y.iloc[:16, :3]
    short, long = (BEMKL(iterations=n).fit(X, Y) for n in (3000, 4000))
    assert short.converged_ and short.updates_ == len(short.bound_) < 3000
    pd.testing.assert_frame_equal(short.predict(X), long.predict(X), check_exact=True)
    further = BEMKL(iterations=2 * short.updates_, tol=0.0).fit(X, Y)
    left = further.bound_[-1] - short.bound_[-1]
    assert left < 2e-4 * Y.notna().sum().sum(), "less than tol a label was left to gain"
    assert clone(short).get_params() == short.get_params()


def test_it_says_when_it_has_not_converged():
    X, Y = simulated()
    with pytest.warns(ConvergenceWarning, match="after 4 updates"):
        model = BEMKL(iterations=4).fit(X, Y)
    assert not model.converged_ and model.updates_ == 4


def test_validation_rows_choose_the_number_of_updates_and_teach_nothing():
    X, Y = simulated(noise=2.0)
    part = X[50:], Y[50:]
    model = BEMKL(iterations=15, early_stopping=True).fit(X[:50], Y[:50], validation=part)

    def error(updates):
        P = BEMKL(iterations=updates, tol=0.0).fit(X[:50], Y[:50]).predict(X[50:])
        return np.nanmean(((P - Y[50:]) / Y[:50].std(ddof=0)) ** 2)

    errors = [error(updates) for updates in range(1, 16)]
    assert model.updates_ == 1 + int(np.argmin(errors)) < 15
    alone = BEMKL(iterations=model.updates_).fit(X[:50], Y[:50])
    pd.testing.assert_frame_equal(model.predict(X), alone.predict(X), check_exact=True)
    assert model.asks_for_validation and not BEMKL().asks_for_validation


def test_a_kernel_is_as_wide_as_the_median_distance():
    X, Y = simulated()
    X.iloc[0] *= 100  # one far line moves the mean, hardly the median
    model = BEMKL(iterations=1).fit(X, Y)
    for name, width in zip(X.columns.levels[0], model.widths_, strict=True):
        z = ((X[name] - X[name].mean()) / X[name].std(ddof=0)).to_numpy()
        squared = [((z[i] - z[j]) ** 2).sum() for i in range(70) for j in range(i)]
        assert width == pytest.approx(np.median(squared))
        assert abs(width / np.mean(squared) - 1) > 0.1


def test_drugs_in_many_batches_are_as_in_one(monkeypatch):
    X, Y = simulated(missing=0.2)
    whole = learn(kernels(X), standard(Y), iterations=5)
    monkeypatch.setattr(module, "BATCH", 2 * 70**2)
    parts = learn(kernels(X), standard(Y), iterations=5)
    np.testing.assert_allclose(whole.a, parts.a, rtol=1e-10)
    np.testing.assert_allclose(whole.bound, parts.bound, rtol=1e-12)


@pytest.mark.parametrize("split", [leave_lines_out, leave_pairs_out], ids=lambda s: s.__name__)
def test_blind_to_test_labels(split, assert_blind_to_test_labels):
    X, Y = simulated()
    about = pd.DataFrame({"tissue": "lung", "donor": LINES}, LINES)
    omics = {name: X[name].add_prefix("feature ") for name in X.columns.levels[0]}
    cohort = Cohort.from_tables(Y, omics, about)
    assert_blind_to_test_labels(
        lambda: BEMKL(iterations=3), cohort, split(cohort, n_folds=2), list(omics)
    )


def test_bad_input_is_one_sentence():
    X, Y = simulated()
    with pytest.raises(InputError, match="two-level columns"):
        BEMKL().fit(X["omics 0"], Y)
    with pytest.raises(InputError, match="iterations is 0"):
        BEMKL(iterations=0).fit(X, Y)
    with pytest.raises(InputError, match="iterations is 2.5"):
        BEMKL(iterations=2.5).fit(X, Y)
    with pytest.raises(InputError, match="tol is None"):
        BEMKL(tol=None).fit(X, Y)
    with pytest.raises(InputError, match="a positive shape"):
        BEMKL(shape=0).fit(X, Y)


def test_an_omics_of_constants_is_harmless():
    X, Y = simulated()
    X["omics 0"] = 1.0
    assert np.isfinite(BEMKL(iterations=5).fit(X, Y).predict(X)).all(axis=None)


def test_the_best_scale_saves_most_of_the_updates_and_loses_nothing(monkeypatch):
    X, Y = simulated(noise=1.0)
    y, K = standard(Y)[:40], kernels(X)[:, :40, :40]
    scaled = learn(K, y, iterations=4000)
    monkeypatch.setattr(module, "minimize_scalar", lambda lost, **options: SimpleNamespace(x=0.0))
    plain = learn(K, y, iterations=4000)
    assert scaled.converged and plain.converged
    assert scaled.updates < 0.5 * plain.updates
    assert scaled.bound[-1] > plain.bound[-1] - 1e-3 * len(y) * y.shape[1]


def test_a_scale_changes_no_prediction():
    """One update more or less: a, g -> c a, c g and e -> e / c, for the c that is best."""
    X, Y = simulated()
    factors = module.Factors(torch.as_tensor(kernels(X)), torch.as_tensor(standard(Y)), (1.0, 1.0))
    for step in ("lines", "views", "weights", "noise"):
        getattr(factors, f"_update_{step}")()
    before, errors = factors.e[:, None] * factors.a.sum(), factors.errors
    factors._update_scale()
    np.testing.assert_allclose(factors.e[:, None] * factors.a.sum(), before)
    assert factors.errors is errors


def test_the_model_is_shown_after_each_update_and_stays_as_it_is():
    X, Y = simulated()
    seen = []
    model = BEMKL(iterations=4).fit(X, Y, monitor=lambda m: seen.append(m.weights_.copy()) or 0.0)
    assert len(seen) == 4
    pd.testing.assert_series_equal(seen[-1], model.weights_)
    pd.testing.assert_series_equal(seen[1], BEMKL(iterations=2).fit(X, Y).weights_)
