"""What every model of tables shares: scores of known labels only, and no table out of range."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score

from cdp_lib.errors import InputError
from cdp_lib.models.base.stopping import set_aside
from cdp_lib.models.base.training import Training
from cdp_lib.models.baselines import PerturbationMean
from cdp_lib.models.fusion.attention import Stacker
from cdp_lib.models.fusion.omics_networks import (
    AutoencoderFusion,
    DenseEmbedding,
    JointFusion,
    OmicsNetwork,
)
from cdp_lib.models.fusion.stages import AttentionFusion
from cdp_lib.models.linear import LinearRegression, Ridge
from cdp_lib.models.networks.autoencoders import AutoEncoder, EncoderRegressorDecoder
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
        with pytest.raises(InputError, match="lines|columns"):
            model.score(X, other)
    with pytest.raises(InputError, match="nothing to score"):
        model.score(X.iloc[:1], Y.iloc[:1])


@pytest.mark.parametrize("scale", [1e200, 1e-200])
@pytest.mark.parametrize("model", [LinearRegression(), FeedForward(training=FAST)])
def test_values_whose_variance_overflows_or_vanishes_are_refused(model, scale):
    with pytest.raises(InputError, match="1e.30|units"):
        model.fit(X * scale, Y)


def test_extreme_values_are_refused_in_every_table():
    with pytest.raises(InputError, match="Y .*'drug 0'"):
        RIDGE.fit(X, WHOLE * 1e200)
    with pytest.raises(InputError, match="beyond 1e.30"):
        RIDGE.fit(X, Y).predict(X * 1e200)
    with pytest.raises(InputError, match="beyond 1e.30"):
        AutoEncoder(training=FAST).fit(X * 1e200)


@pytest.mark.parametrize("bad", [3.0, np.zeros((40, 2, 2))])
def test_labels_of_another_shape_are_refused(bad):
    with pytest.raises(InputError, match="Y has the shape"):
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
    with pytest.raises(InputError, match="X has 1 NaN"):
        Ridge(alphas=(1.0,)).fit(X.astype("Float64").mask(X == X.iloc[0, 0]), Y)


DATES = pd.DataFrame({"gene 0": pd.date_range("2020-01-01", periods=40)}, LINES)


@pytest.mark.parametrize(
    ("table", "fact"),
    [
        (X.to_numpy() + 1j, "complex"),
        (X.assign(**{"gene 3": 1j}), "complex"),
        (DATES, "dates"),
        (X.assign(**{"gene 3": pd.Timedelta(days=1)}), "times"),
        (np.ma.masked_less(X.to_numpy(), 0), "masked array"),
        (csr_matrix(X.to_numpy()), "sparse"),
        (X.assign(**{"gene 3": "high"}), "'gene 3'"),
        (X.assign(**{"gene 3": DATES["gene 0"].dt.date}), "'gene 3'"),
        (X.assign(**{"gene 3": DATES["gene 0"].dt.tz_localize("UTC")}), "dates"),
    ],
)
def test_what_would_lose_a_part_as_a_number_is_refused(table, fact):
    with pytest.raises(InputError, match=fact):
        RIDGE.fit(table, WHOLE)
    if np.shape(table) == np.shape(X) and isinstance(table, np.ndarray):
        with pytest.raises(InputError, match=f"Y .*{fact}"):
            RIDGE.fit(X, table)


@pytest.mark.parametrize(
    "model",
    [RIDGE, FeedForward(), AutoEncoder(), Stacker(), AttentionFusion({}), PerturbationMean()],
    ids=lambda model: type(model).__name__,
)
def test_a_model_that_is_not_fitted_says_so_as_scikit_learn_expects(model):
    given = {"rppa": X} if isinstance(model, Stacker) else X
    ask = getattr(clone(model), "predict", None) or clone(model).encode
    with pytest.raises(NotFittedError, match=type(model).__name__) as caught:
        ask(given)
    assert isinstance(caught.value, InputError)


def test_rows_are_set_aside_at_random_from_those_with_a_known_value():
    y = np.zeros((40, 2))
    y[:10] = np.nan
    stop = set_aside(y, 0.5, seed=1)
    assert stop.sum() == 15 and not stop[:10].any()
    assert (stop == set_aside(y, 0.5, seed=1)).all() and (stop != set_aside(y, 0.5, seed=2)).any()
    assert not set_aside(y, 0.0, seed=1).any()


NETWORKS = {
    "feed-forward": FeedForward((3,), training=FAST),
    "omics": OmicsNetwork(DenseEmbedding(3), (3,), training=FAST),
    "joint": JointFusion({"expression": OmicsNetwork(DenseEmbedding(3), training=FAST)}),
    "autoencoders": AutoencoderFusion((4,), (4,), pretrain_epochs=2),
    "chain": EncoderRegressorDecoder(
        AutoEncoder((2,), training=FAST),
        AutoEncoder((2,), training=FAST),
        FeedForward((3,), training=FAST),
    ),
    "autoencoder": AutoEncoder((2,)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_validation_means_the_same_in_every_network(name):
    """It stops the training, by a pair of other lines or a fraction, and teaches nothing."""
    table = pd.concat({"expression": X}, axis=1)
    part = "regressor__training" if name == "chain" else "training"
    settings = dict(epochs=4, patience=None, validation_fraction=0.0, lr=0.01, device="cpu")
    model = NETWORKS[name]
    model = clone(model).set_params(**{f"{part}__{k}": v for k, v in settings.items()})
    learn, held = (table[:30], Y[:30]), (table[30:], Y[30:])

    def history(fit):
        fitted = fit(clone(model))
        scaled = getattr(fitted, "source_", fitted)
        mean = scaled.mean_ if hasattr(scaled, "mean_") else scaled.x_mean_
        np.testing.assert_allclose(mean, X[:30].mean())
        return fitted.history_

    alone = history(lambda model: model.fit(*learn))
    stopped = history(lambda model: model.fit(*learn, validation=held))
    shifted = history(lambda model: model.fit(*learn, validation=(held[0] + 9, held[1] + 9)))
    assert alone.validation == {} and len(stopped.validation["loss"]) == 4
    if name != "chain":  # whose autoencoders stop by these rows, too
        assert alone.train == stopped.train == shifted.train
    assert stopped.validation != shifted.validation
    fraction = clone(model).set_params(**{f"{part}__validation_fraction": 0.25}).fit(*learn)
    assert len(fraction.history_.validation["loss"]) == 4
    for wrong in (held[0], (held[0],), "half"):
        with pytest.raises(InputError, match="validation is"):
            clone(model).fit(*learn, validation=wrong)
