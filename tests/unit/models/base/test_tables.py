"""What every model of tables shares: scores of known labels only, and no table out of range."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score

from cdp_lib.errors import InputError
from cdp_lib.models.base.training import Training
from cdp_lib.models.baselines import PerturbationMean
from cdp_lib.models.linear import LinearRegression, Ridge
from cdp_lib.models.networks.autoencoders import AutoEncoder
from cdp_lib.models.networks.feedforward import FeedForward

RNG = np.random.default_rng(0)
LINES = pd.Index([f"line {i}" for i in range(40)])
X = pd.DataFrame(RNG.normal(size=(40, 5)), LINES).add_prefix("gene ")
WHOLE = (X @ RNG.normal(size=(5, 3)) + RNG.normal(size=(40, 3))).add_prefix("drug ")
Y = WHOLE.mask(RNG.random(WHOLE.shape) < 0.3)
FAST = Training(epochs=2, device="cpu")
RIDGE = Ridge(alphas=(1.0,))


def test_the_score_of_complete_labels_is_that_of_scikit_learn():
    P = RIDGE.fit(X, WHOLE).predict(X)
    assert RIDGE.score(X, WHOLE) == pytest.approx(r2_score(WHOLE, P))
    one = WHOLE["drug 0"]
    assert RIDGE.fit(X, one).score(X, one) == pytest.approx(r2_score(one, P["drug 0"]))


def test_unknown_labels_are_not_scored():
    P = RIDGE.fit(X, Y).predict(X)
    by_drug = [r2_score(Y[drug].dropna(), P.loc[Y[drug].notna(), drug]) for drug in Y]
    assert RIDGE.score(X, Y) == pytest.approx(np.mean(by_drug))
    hidden = Y.assign(**{"drug 0": np.nan})  # a drug that cannot be judged does not count
    assert RIDGE.score(X, hidden) == pytest.approx(np.mean(by_drug[1:]))


@pytest.mark.parametrize(
    "model",
    [RIDGE, PerturbationMean(), FeedForward((3,), training=FAST)],
    ids=lambda model: type(model).__name__,
)
def test_scikit_learn_can_cross_validate_with_unknown_labels(model):
    assert np.isfinite(cross_val_score(model, X, Y, cv=3)).all()


def test_scikit_learn_can_search_with_unknown_labels():
    grid = GridSearchCV(RIDGE, {"alphas": [(1.0,), (1e6,)]}, cv=3).fit(X, Y)
    assert grid.best_params_ == {"alphas": (1.0,)}


def test_a_score_is_not_realigned_and_needs_labels():
    model = RIDGE.fit(X, Y)
    for other in (Y.iloc[::-1], Y.iloc[:, ::-1]):
        with pytest.raises(InputError, match="different lines|columns of Y and P differ"):
            model.score(X, other)
    with pytest.raises(InputError, match="nothing to score"):
        model.score(X.iloc[:1], Y.iloc[:1])


@pytest.mark.parametrize("scale", [1e200, 1e-200])
@pytest.mark.parametrize("model", [LinearRegression(), FeedForward(training=FAST)])
def test_values_whose_variance_overflows_or_vanishes_are_refused(model, scale):
    with pytest.raises(InputError, match="beyond 1e.30, in 5 of 5|in larger units"):
        model.fit(X * scale, Y)


def test_extreme_values_are_refused_in_every_table():
    with pytest.raises(InputError, match=r"Y has infinite values in column 'drug 0', or beyond"):
        RIDGE.fit(X, WHOLE * 1e200)
    with pytest.raises(InputError, match="beyond 1e.30"):
        RIDGE.fit(X, Y).predict(X * 1e200)
    with pytest.raises(InputError, match="beyond 1e.30"):
        AutoEncoder(training=FAST).fit(X * 1e200)


@pytest.mark.parametrize("bad", [3.0, np.zeros((40, 2, 2))])
def test_labels_of_another_shape_are_refused(bad):
    with pytest.raises(InputError, match="Y has the shape .*: give lines by perturbations"):
        RIDGE.fit(X, bad)


def test_a_column_that_varies_by_rounding_alone_is_constant():
    rounded = X.assign(nearly=np.where(np.arange(40) % 2, 0.3, 0.1 + 0.2))
    model = Ridge(alphas=(1.0,)).fit(rounded, WHOLE)
    expected = Ridge(alphas=(1.0,)).fit(X, WHOLE).predict(X)
    pd.testing.assert_frame_equal(model.predict(rounded.assign(nearly=0.5)), expected)


def test_missing_values_of_pandas_are_unknown_labels_and_refused_features():
    nullable = Y.astype("Float64")
    assert nullable.isna().equals(Y.isna())
    pd.testing.assert_frame_equal(
        Ridge(alphas=(1.0,)).fit(X, nullable).predict(X), Ridge(alphas=(1.0,)).fit(X, Y).predict(X)
    )
    with pytest.raises(InputError, match="X has 1 NaN or infinite values"):
        Ridge(alphas=(1.0,)).fit(X.astype("Float64").mask(X == X.iloc[0, 0]), Y)
