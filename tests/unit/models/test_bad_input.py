"""What no head of a layered ensemble may stumble over: a defined answer, or one clear sentence.

A head learns each perturbation from the summary of a line.  Whoever fits a thousand perturbations
meets every kind of them: few labels, constant ones, none at all.
"""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.tree import DecisionTreeRegressor

from cdp_lib.errors import InputError
from cdp_lib.models.base.inputs import Names
from cdp_lib.models.base.training import Training
from cdp_lib.models.linear import ElasticNet, Lasso, LinearRegression, Ridge
from cdp_lib.models.nearest import NearestLines
from cdp_lib.models.networks.feedforward import FeedForward
from cdp_lib.models.networks.two_branch import TwoBranch
from cdp_lib.models.pan_perturbation import PanPerturbation
from cdp_lib.models.trees import BoostedTrees, LightGBM, RandomForest

pytestmark = [
    pytest.mark.filterwarnings("ignore::cdp_lib.models.linear.AlphaAtEdge"),
    pytest.mark.filterwarnings("error::RuntimeWarning"),  # no division by zero on the way
]
FEW = Training(epochs=15, lr=0.01, batch_size=8, validation_fraction=0.0, device="cpu")
ALONE = {  # heads that learn each perturbation by itself, or in outputs of its own
    "ridge": Ridge(),
    "least squares": LinearRegression(),
    "lasso": Lasso(),
    "elastic net": ElasticNet(),
    "one lasso": Lasso(ensemble=False),
    "nearest lines": NearestLines(5),
    "forest": RandomForest(5),
    "boosting": BoostedTrees(5),
    "LightGBM": LightGBM(5),
    "network": FeedForward((8,), training=FEW),
    "network, correlation": FeedForward((8,), loss="correlation", training=FEW),
}
TOGETHER = {  # one model for all perturbations
    "two branches": TwoBranch(Names(), (8,), (8,), training=FEW),
    "all perturbations at once": PanPerturbation(DecisionTreeRegressor(), Names()),
}
HEADS = ALONE | TOGETHER
alone = pytest.mark.parametrize("name", ALONE)
every = pytest.mark.parametrize("name", HEADS)


def tables(lines=30):
    rng = np.random.default_rng(0)
    names = [f"line {number}" for number in range(lines)]
    X = pd.DataFrame(rng.normal(size=(lines, 5)), names).add_prefix("gene ")
    Y = pd.DataFrame(X.to_numpy() @ rng.normal(size=(5, 4)), names).add_prefix("drug ")
    return X, Y + 0.1 * rng.normal(size=Y.shape)


def fitted(name, X, Y):
    if name == "LightGBM":
        pytest.importorskip("lightgbm")
    return clone(HEADS[name]).fit(X, Y)


def predicted(name, X, Y, new=None):
    new = X if new is None else new
    P = fitted(name, X, Y).predict(new)
    assert P.index.equals(new.index) and P.columns.equals(Y.columns)
    assert np.isfinite(P.to_numpy()).all()
    return P


@every
@pytest.mark.parametrize("labels", [1, 2, 3, 4])
def test_fewer_labels_than_folds(name, labels):
    X, Y = tables()
    few = Y["drug 1"].copy()
    few[labels:] = np.nan
    P = predicted(name, X, Y.assign(**{"drug 1": few}))
    assert P["drug 1"].abs().max() < 20 * Y.abs().max().max()


@alone
def test_other_perturbations_do_not_mind_one_with_few_labels(name):
    X, Y = tables()
    few = Y.copy()
    few.loc[few.index[2:], "drug 1"] = np.nan
    P, whole = predicted(name, X, few), predicted(name, X, Y)
    if name.startswith(("network", "forest")):  # shared weights, or shared trees
        return
    others = Y.columns.drop("drug 1")
    pd.testing.assert_frame_equal(P[others], whole[others], rtol=1e-3, atol=1e-3)


@every
def test_constant_labels(name):
    X, Y = tables()
    P = predicted(name, X, Y.assign(**{"drug 2": 7.25}))
    atol = 1e-4 if name in ALONE else 0.6 * Y.std().mean()
    np.testing.assert_allclose(P["drug 2"], 7.25, atol=atol)


@every
def test_constant_labels_everywhere(name):
    X, Y = tables()
    P = predicted(name, X, Y * 0 + 3.5)
    np.testing.assert_allclose(P, 3.5, atol=0.5 if name in TOGETHER else 1e-4)


@every
def test_a_column_without_labels(name):
    X, Y = tables()
    P = predicted(name, X, Y.assign(**{"drug 3": np.nan}))
    if name in ALONE:
        np.testing.assert_allclose(P["drug 3"], np.nanmean(Y.drop(columns="drug 3")), rtol=1e-5)


@every
def test_no_label_at_all_is_refused(name):
    X, Y = tables()
    with pytest.raises(InputError, match="no known label"):
        fitted(name, X, Y * np.nan)


@every
def test_constant_and_duplicated_features(name):
    X, Y = tables()
    more = X.assign(constant=3.0, zero=0.0, **{f"{gene} again": X[gene] for gene in X})
    predicted(name, more, Y)


@every
def test_nothing_but_constant_features(name):
    X, Y = tables()
    P = predicted(name, X * 0 + 1, Y)
    assert (P.nunique() == 1).all()
    if name in ALONE and "nearest" not in name and "forest" not in name:
        level = 1e-4 if "network" not in name else 0.5 * Y.std().max()
        np.testing.assert_allclose(P.iloc[0], Y.mean(), atol=level)


@every
def test_one_line(name):
    X, Y = tables()
    P = predicted(name, X[:1], Y[:1], new=X)
    np.testing.assert_allclose(P, np.tile(Y[:1], (30, 1)), atol=1.0 if name in TOGETHER else 1e-4)


@every
def test_two_lines_and_fewer_lines_than_features(name):
    X, Y = tables()
    for lines in (2, 3, 6):
        predicted(name, X[:lines], Y[:lines], new=X)


@every
def test_an_unknown_feature_is_refused_by_name(name):
    X, Y = tables()
    hole = X.mask((X.index == "line 4")[:, None] & (X.columns == "gene 3"))
    empty = X.assign(**{"gene 3": np.nan})
    for bad in (hole, empty, X.assign(**{"gene 3": np.inf})):
        with pytest.raises(InputError, match="column 'gene 3'"):
            fitted(name, bad, Y)
    model = fitted(name, X, Y)
    with pytest.raises(InputError, match="column 'gene 3'"):
        model.predict(hole)


@every
def test_no_line_is_predicted_by_an_empty_table(name):
    X, Y = tables()
    P = fitted(name, X, Y).predict(X[:0])
    assert P.shape == (0, 4) and P.columns.equals(Y.columns)


@every
def test_lines_out_of_order_are_refused(name):
    X, Y = tables()
    with pytest.raises(InputError, match="different lines"):
        fitted(name, X, Y[::-1])


@pytest.mark.parametrize(
    "model",
    [Ridge((0.0,)), Lasso(alphas=(0.0,)), ElasticNet(alphas=(1.0, 0.0)), Lasso(smallest=0.0)],
    ids=repr,
)
def test_an_alpha_of_zero_is_refused(model):
    with pytest.raises(InputError, match="give .*positive number"):
        model.fit(*tables())
