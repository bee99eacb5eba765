"""Two branches learn what a line and a perturbation do together, also for a new perturbation."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from cdp_lib import data, splits
from cdp_lib.errors import InputError
from cdp_lib.models.base.inputs import Features, Names
from cdp_lib.models.base.training import Training
from cdp_lib.models.networks.two_branch import TwoBranch, TwoBranchModule
from cdp_lib.models.pan_perturbation import PanPerturbation


def tables(lines=80, drugs=24, missing=0.1):
    """Simulated: the response is a product of what the line and the drug are, around 50."""
    rng = np.random.default_rng(0)
    names = pd.Index([f"line {number}" for number in range(lines)])
    X = pd.DataFrame(rng.normal(3, 2, size=(lines, 4)), names).add_prefix("gene ")
    D = pd.DataFrame(rng.normal(-1, 3, size=(drugs, 3)))
    D = D.set_axis([f"drug {number}" for number in range(drugs)]).add_prefix("feature ")
    x, z = (X.iloc[:, :2] - 3) / 2, (D.iloc[:, :2] + 1) / 3
    Y = 50 + 8 * z.iloc[:, :1].to_numpy().T + 4 * x.to_numpy() @ z.to_numpy().T
    Y = pd.DataFrame(Y, names, D.index).mask(rng.random(Y.shape) < missing)
    return X, Y, D


def network(D=None, **changes):
    training = Training(epochs=60, lr=0.01, batch_size=16, device="cpu")
    return TwoBranch(Features(D), (32,), (32,), training=training).set_params(**changes)


def trees(D=None, **changes):
    return PanPerturbation(HistGradientBoostingRegressor(), Features(D)).set_params(**changes)


BOTH = pytest.mark.parametrize("make", [network, trees])


def r(P, Y):
    """The mean over perturbations of the correlation over lines."""
    return P.corrwith(Y).mean()


@BOTH
def test_it_predicts_new_lines_and_drugs_without_labels(make):
    X, Y, D = tables()
    known, new = Y.iloc[:60].copy(), list(Y.columns[::4])
    known[new] = np.nan
    P = make(D).fit(X[:60], known).predict(X[60:])
    assert list(P) == list(Y) and P.index.equals(X.index[60:])
    assert r(P.drop(columns=new), Y[60:]) > 0.9
    by_name = make().set_params(perturbation_input=Names()).fit(X[:60], known).predict(X[60:])
    assert r(P[new], Y[60:]) > 0.7 > 0.5 > r(by_name[new], Y[60:])


@BOTH
def test_common_scales_tell_how_strong_a_new_drug_is(make):
    X, Y, D = tables()
    known = Y.drop(columns=[f"drug {number}" for number in range(5)])
    model = make(D, scale_targets=False).fit(X, known)
    P = model.predict(X, perturbations=pd.DataFrame(index=Y.columns))
    assert list(P) == list(Y)
    new = P.iloc[:, :5].mean().corr(Y.iloc[:, :5].mean())
    assert new > 0.8
    own = make(D).fit(X, known).predict(X, perturbations=pd.DataFrame(index=Y.columns[:5]))
    assert own.mean().std() < P.iloc[:, :5].mean().std()


@BOTH
def test_features_come_with_the_table_of_perturbations(make):
    X, Y, D = tables()
    model = make().fit(X, Y, perturbations=D)
    pd.testing.assert_frame_equal(model.predict(X), make(D).fit(X, Y).predict(X))
    turned = D.iloc[::-1]
    again = make().fit(X, Y, perturbations=turned)  # known by name, not by place
    pd.testing.assert_frame_equal(again.predict(X), model.predict(X))
    P = model.predict(X, perturbations=turned)
    pd.testing.assert_frame_equal(P, model.predict(X)[turned.index], rtol=1e-5)


@BOTH
def test_means_and_scales_are_those_of_the_known_labels(make):
    X, Y, D = tables()
    Y["drug 1"], Y["drug 2"] = np.nan, 4.0
    everything = {} if make is trees else {"training__validation_fraction": 0.0}
    model = make(D, **everything).fit(X, Y)
    means = Y.mean().fillna(np.nanmean(Y))
    np.testing.assert_allclose(model.y_mean_, means)
    spread = np.sqrt(Y.drop(columns=["drug 1", "drug 2"]).var(ddof=0).mean())
    expected = Y.std(ddof=0).where(lambda s: s > 0, spread)
    np.testing.assert_allclose(model.y_scale_, expected)
    P = model.predict(X)
    assert (P["drug 2"] - 4).abs().mean() < 0.3 * spread  # it learned that nothing moves there


@BOTH
def test_a_drug_without_labels_teaches_nothing_and_takes_the_means_of_all(make):
    X, Y, D = tables()
    Y["drug 3"] = np.nan
    brief = {"training__epochs": 3} if make is network else {}
    P = make(D, **brief).fit(X, Y).predict(X)
    changed = D.mul(D.index.to_series().eq("drug 3") * 99 + 1, axis=0)
    model = make(changed, **brief).fit(X, Y)
    others = Y.columns.drop("drug 3")
    pd.testing.assert_frame_equal(model.predict(X)[others], P[others], rtol=1e-5)
    by_name = make().set_params(perturbation_input=Names(), **brief).fit(X, Y)
    asked = pd.DataFrame(index=["never seen", "drug 3", "drug 23"])
    _, _, mean, scale = by_name._asked(asked)
    overall, common = by_name.common_
    assert overall == pytest.approx(np.nanmean(Y), abs=0.1)
    np.testing.assert_allclose(mean, [overall, overall, by_name.y_mean_[-1]])
    np.testing.assert_allclose(scale, [common, common, by_name.y_scale_[-1]])


@BOTH
def test_an_unknown_label_plays_no_part(make):
    X, Y, D = tables(missing=0.3)
    settings = {"training__epochs": 3} if make is network else {}
    nothing = make(D, **settings).fit(X, Y).predict(X)
    pd.testing.assert_frame_equal(clone(make(D, **settings)).fit(X, Y).predict(X), nothing)
    changed = Y.copy()
    changed.iloc[0, Y.iloc[0].notna().argmax()] += 100
    assert not make(D, **settings).fit(X, changed).predict(X).equals(nothing)


def test_the_sum_of_two_products_is_the_layer_on_both_together():
    torch.manual_seed(0)
    x, z = torch.randn(5, 4), torch.randn(3, 2)
    module = TwoBranchModule(4, z, (6,), (7, 3), "tanh").eval()
    pairs = [(module.line(x)[i], module.perturbation(z)[j]) for i in range(5) for j in range(3)]
    u, v = (torch.stack(part) for part in zip(*pairs, strict=True))
    W = torch.cat([module.of_line.weight, module.of_perturbation.weight], dim=1)
    first = torch.tanh(torch.cat([u, v], dim=1) @ W.T + module.of_line.bias)
    torch.testing.assert_close(module(x).reshape(-1, 1), module.rest(first))


def test_the_module_is_the_one_that_was_asked_for():
    X, Y, D = tables(20, 6)
    asked = {"encoder": (5, 4), "top": (3, 2), "activation": "tanh", "dropout": 0.3}
    module = network(D, training__epochs=1, **asked).fit(X, Y).module_
    kinds = [type(layer).__name__ for layer in module.modules()]
    assert kinds.count("Tanh") == 2 * 2 + 2 and "ReLU" not in kinds
    shares = {layer.p for layer in module.modules() if isinstance(layer, torch.nn.Dropout)}
    assert shares == {0.3}
    linear = [layer for layer in module.modules() if isinstance(layer, torch.nn.Linear)]
    assert [layer.out_features for layer in linear] == [5, 4, 5, 4, 3, 3, 2, 1]


def test_a_linear_regressor_ranks_the_lines_alike_for_every_drug():
    X, Y, D = tables()
    P = PanPerturbation(LinearRegression(), Features(D)).fit(X, Y).predict(X)
    ranks = P.rank()
    assert (ranks.T.nunique() == 1).all()


def test_cells_are_drawn_by_a_seed():
    X, Y, D = tables()
    few = [trees(D, cells=300, seed=seed).fit(X, Y).predict(X) for seed in (0, 0, 1)]
    pd.testing.assert_frame_equal(few[0], few[1])
    assert not few[0].equals(few[2])


def test_validation_rows_stop_the_network_and_teach_nothing():
    X, Y, D = tables()
    short = {"training__epochs": 3, "training__patience": None}
    one = network(D, **short).fit(X[:60], Y[:60], validation=(X[60:], Y[60:]))
    two = network(D, **short).fit(X[:60], Y[:60], validation=(X[60:], Y[60:] + 9))
    assert one.history_.train == two.history_.train
    assert one.history_.validation != two.history_.validation


@BOTH
@pytest.mark.parametrize("split", [splits.leave_lines_out, splits.leave_perturbations_out])
def test_no_test_label_is_seen(make, split, assert_blind_to_test_labels):
    X, Y, D = tables(30, 12)
    lines = pd.DataFrame({"tissue": "lung", "donor": Y.index}, Y.index)
    cohort = data.Cohort.from_tables(Y, {"expression": X}, lines, D)
    brief = {"training__epochs": 3} if make is network else {"estimator": DecisionTreeRegressor()}
    assert_blind_to_test_labels(lambda: make(D, **brief), cohort, split(cohort, n_folds=3))


@BOTH
def test_what_is_not_described_is_one_sentence(make):
    X, Y, D = tables()
    with pytest.raises(InputError, match="DataFrame"):
        make(D).fit(X.to_numpy(), Y.to_numpy())
    with pytest.raises(InputError, match="no features"):
        make().fit(X, Y)
    with pytest.raises(InputError, match="'kind'"):
        make().fit(X, Y, perturbations=D.assign(kind="drug"))
    with pytest.raises(InputError, match="'drug 0'"):
        make(D[1:]).fit(X, Y)
    with pytest.raises(InputError, match="lacks 1 columns"):
        make().fit(X, Y, perturbations=D[1:])
    with pytest.raises(InputError, match="twice"):
        make(D).fit(X, Y.set_axis(["drug 0"] * 24, axis=1))
    with pytest.raises(InputError, match="not fitted yet"):
        make(D).predict(X)
