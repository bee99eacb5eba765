"""Canonical correlation is checked against scikit-learn's, and against what it must not claim."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import eigh
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.cross_decomposition import CCA as Reference

from cdp_lib import splits
from cdp_lib.errors import InputError
from cdp_lib.evaluate import cross_validate
from cdp_lib.models.base.training import Training
from cdp_lib.models.linear import Ridge
from cdp_lib.models.linear.cca import CCA, CCAReduced, in_and_out, noise_correlation, noise_theory
from cdp_lib.models.networks.feedforward import FeedForward


def tables(rows=200, features=6, targets=5, shared=2, noise=0.5, seed=0):
    """Two tables with `shared` hidden factors in common."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(rows, shared)) * [3.0, 1.5][:shared]
    names = pd.Index([f"line {i}" for i in range(rows)], name="line")
    X, Y = (
        pd.DataFrame(
            5
            + factors @ rng.normal(size=(shared, columns))
            + noise * rng.normal(size=(rows, columns)),
            names,
        )
        for columns in (features, targets)
    )
    return X.add_prefix("gene "), Y.add_prefix("drug ")


def test_it_equals_scikit_learn_up_to_sign():
    X, Y = tables()
    model = CCA(2).fit(X, Y)
    reference = Reference(2, max_iter=10_000, tol=1e-12).fit(X, Y)
    for ours, theirs in zip(model.transform(X, Y), reference.transform(X, Y), strict=True):
        for found, expected in zip(ours.to_numpy().T, theirs.T, strict=True):
            assert abs(np.corrcoef(found, expected)[0, 1]) == pytest.approx(1, abs=1e-6)
    theirs = [
        np.corrcoef(a, b)[0, 1]
        for a, b in zip(*map(np.transpose, reference.transform(X, Y)), strict=True)
    ]
    np.testing.assert_allclose(model.correlations_, theirs, atol=1e-6)


def test_with_ridges_it_solves_the_generalised_eigenproblem():
    X, Y = tables(rows=40, features=60, targets=3)
    ridge = (0.7, 0.2)
    x, y = ((table - table.mean()) / table.std(ddof=0) for table in (X, Y))
    within_x = x.T @ x / 40 + 0.7 * np.eye(60)
    within_y = y.T @ y / 40 + 0.2 * np.eye(3)
    across = x.T @ y / 40
    _, b = eigh(across.T @ np.linalg.solve(within_x, across), within_y)
    expected = (y.to_numpy() @ b)[:, ::-1]
    _, found = CCA(3, ridge).fit(X, Y).transform(X, Y)
    for ours, theirs in zip(found.to_numpy().T, expected.T, strict=True):
        assert abs(np.corrcoef(ours, theirs)[0, 1]) == pytest.approx(1, abs=1e-9)


def test_correlations_are_those_of_the_training_rows_in_falling_order():
    X, Y = tables()
    model = CCA(4).fit(X, Y)
    np.testing.assert_allclose(model.correlations_, model.score_components(X, Y), atol=1e-9)
    assert (np.diff(model.correlations_) <= 0).all() and model.correlations_.max() < 1


def test_components_of_one_table_are_uncorrelated_without_ridge():
    X, Y = tables()
    Z = CCA(4).fit(X, Y).transform(X)
    np.testing.assert_allclose(np.corrcoef(Z.T), np.eye(4), atol=1e-9)


def test_more_features_than_rows_correlate_perfectly_with_anything_in_sample():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(60, 100)), rng.normal(size=(60, 4))
    model = CCA(4).fit(X[:40], Y[:40])
    np.testing.assert_allclose(model.correlations_, 1)
    assert np.abs(model.score_components(X[40:], Y[40:])).max() < 0.7
    assert CCA(4, ridge=(10.0, 0.0)).fit(X[:40], Y[:40]).correlations_.max() < 1 - 1e-4


def test_what_is_shared_is_found_in_other_rows_and_ridge_helps():
    X, Y = tables(rows=160, features=200, targets=20, noise=2.0)
    learn, test = slice(0, 80), slice(80, None)
    plain, ridged = (
        CCA(1, ridge).fit(X[learn], Y[learn]).score_components(X[test], Y[test])[0]
        for ridge in ((0.0, 0.0), (1.0, 1.0))
    )
    assert ridged > 0.8 and ridged > plain


def test_the_order_of_the_rows_does_not_turn_a_component():
    X, Y = tables(rows=60)
    model = CCA(3).fit(X, Y)
    weights = model.x_.weights_
    assert (weights[np.abs(weights).argmax(axis=0), range(3)] > 0).all()
    for seed in range(6):
        order = np.random.default_rng(seed).permutation(60)
        other = CCA(3).fit(X.iloc[order], Y.iloc[order])
        for one, two in zip(model.transform(X, Y), other.transform(X, Y), strict=True):
            np.testing.assert_allclose(one, two, atol=1e-8)


def test_directions_are_arbitrary_where_all_correlations_are_one():
    X, Y = tables(rows=40, features=60, targets=5)
    assert CCA(3).fit(X, Y).arbitrary_
    assert not CCA(3, (0.1, 0.1)).fit(X, Y).arbitrary_


def test_lists_are_tables_and_nothing_is_one_sentence():
    X, Y = tables(rows=30)
    lists = CCA(2).fit(X.to_numpy().tolist(), Y.to_numpy().tolist())
    np.testing.assert_allclose(lists.correlations_, CCA(2).fit(X, Y).correlations_)
    for nothing in (None, [], csr_matrix(X.to_numpy())):
        with pytest.raises(InputError, match="X "):
            CCA(2).fit(nothing, Y)
        with pytest.raises(InputError, match="Y "):
            CCA(2).fit(X, nothing)


def test_constant_and_doubled_columns_do_no_harm():
    X, Y = tables()
    more = X.assign(flat=0.1, twin=X["gene 0"])
    np.testing.assert_allclose(
        CCA(3).fit(more, Y).correlations_, CCA(3).fit(X, Y).correlations_, atol=1e-9
    )


def test_tables_in_tables_out_and_params():
    X, Y = tables()
    model = CCA(3, (0.1, 0.2))
    Z = model.fit(X, Y).transform(X.iloc[:4])
    assert Z.index.equals(X.index[:4]) and list(Z) == [f"component {i}" for i in (1, 2, 3)]
    array = clone(model).fit(X.to_numpy(), Y.to_numpy()).transform(X.to_numpy()[:4])
    np.testing.assert_array_equal(Z.to_numpy(), array)
    assert not hasattr(clone(model), "x_")
    assert CCA(99).fit(X, Y).correlations_.shape == (5,), "cut to the smaller table"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, Y: (X.iloc[1:], Y), "X has 199 rows and Y has 200"),
        (lambda X, Y: (X.iloc[::-1], Y), "name different lines"),
        (lambda X, Y: (X, Y.assign(**{"drug 1": np.nan})), "Y has 200 NaN .* column 'drug 1'"),
        (lambda X, Y: (X * 0, Y), "X is the same in all 200 rows"),
        (lambda X, Y: (X, Y["drug 1"]), "Y must be a table"),
    ],
)
def test_bad_tables_are_one_sentence(change, message):
    with pytest.raises(InputError, match=message):
        CCA(2).fit(*change(*tables()))


def test_bad_settings_are_one_sentence():
    X, Y = tables()
    for settings, message in [
        ((0,), "n_components is 0"),
        ((2, (0.1, -1)), "ridge is"),
        ((2, 0.1), "give two numbers"),
        ((2, (np.nan, 0)), "ridge is nan"),
        ((2.5,), "n_components is 2.5"),
    ]:
        with pytest.raises(InputError, match=message):
            CCA(*settings).fit(X, Y)
    with pytest.raises(InputError, match="not fitted"):
        CCA().transform(X)
    with pytest.raises(InputError, match="'gene 0'"):
        CCA(2).fit(X, Y).transform(X.drop(columns="gene 0"))
    with pytest.raises(InputError, match="name different lines"):
        CCA(2).fit(X, Y).transform(X, Y.iloc[::-1])
    with pytest.raises(InputError, match="regressor is None"):
        CCAReduced(None).fit(X, Y)


def cohort():
    X, Y = tables(rows=40, features=12, targets=6)
    Y = Y.mask(np.random.default_rng(0).random(Y.shape) < 0.1)
    about = pd.DataFrame({"tissue": [f"tissue {i % 4}" for i in range(40)]}, Y.index)
    perturbations = pd.DataFrame(index=Y.columns)
    return SimpleNamespace(Y=Y, lines=about, perturbations=perturbations, X=lambda omics: X)


REGRESSORS = {
    "ridge": lambda: CCAReduced(Ridge(alphas=(1.0, 100.0)), 2),
    "network": lambda: CCAReduced(
        FeedForward((4,), training=Training(epochs=2, device="cpu")), 2, ridge=(1.0, 1.0)
    ),
}


@pytest.mark.parametrize(
    "split",
    [
        splits.leave_lines_out,
        splits.leave_pairs_out,
        splits.leave_tissues_out,
        splits.leave_both_out,
    ],
)
@pytest.mark.parametrize("name", REGRESSORS)
def test_the_reduced_regressor_sees_no_test_label(name, split, assert_blind_to_test_labels):
    small = cohort()
    assert_blind_to_test_labels(REGRESSORS[name], small, split(small, 2))


def test_the_reduced_regressor_predicts_what_the_tables_share():
    X, Y = tables(features=50)
    about = SimpleNamespace(
        Y=Y,
        X=lambda omics: X,
        lines=pd.DataFrame(index=Y.index),
        perturbations=pd.DataFrame(index=Y.columns),
    )
    frame = cross_validate(
        {"reduced": CCAReduced(Ridge(), 2, (1.0, 1.0))},
        about,
        splits.leave_lines_out(about, 3, groups=None),
        metrics="pearson",
    )
    assert frame.loc[frame["model"] == "reduced", "score"].mean() > 0.8


def test_validation_rows_stop_a_network_and_teach_any_other_regressor():
    X, Y = tables()
    part = (X.iloc[150:], Y.iloc[150:])
    network = REGRESSORS["network"]().fit(X.iloc[:150], Y.iloc[:150], validation=part)
    assert len(network.regressor_.history_.validation["loss"]) == 2
    np.testing.assert_allclose(network.cca_.x_.mean_, X.iloc[:150].mean())
    ridge = REGRESSORS["ridge"]().fit(X.iloc[:150], Y.iloc[:150], validation=part)
    np.testing.assert_allclose(ridge.predict(X), REGRESSORS["ridge"]().fit(X, Y).predict(X))


def test_the_first_correlation_in_and_out():
    X, Y = tables()
    held = np.arange(len(X)) >= 150
    cca = CCA(1, (1.0, 1.0)).fit(X[~held], Y[~held])
    inside, outside = in_and_out(X, Y, held, (1.0, 1.0))
    assert inside == pytest.approx(cca.correlations_[0])
    assert outside == pytest.approx(cca.score_components(X[held], Y[held])[0])
    few = np.arange(len(X)) >= 4
    assert in_and_out(X, Y, few)[0] == pytest.approx(1) and np.isnan(in_and_out(X, Y, few)[1])


@pytest.mark.parametrize("share", [0.05, 0.2, 0.45, 0.7])
def test_theory_of_noise_meets_simulation(share):
    rng = np.random.default_rng(2)
    n = 2000
    a, b = (np.linalg.qr(rng.normal(size=(n, int(share * n))))[0] for _ in range(2))
    first = np.linalg.svd(a.T @ b, compute_uv=False)[0]
    assert float(noise_theory(share)) == pytest.approx(first, abs=0.06)
    assert noise_correlation(share, 60, rng) == pytest.approx(float(noise_theory(share)), abs=0.1)
