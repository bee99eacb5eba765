"""Each representation is fitted once and shared; an ensemble is a view of its members."""

from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.neighbors import KNeighborsRegressor

from cdp_lib import audit, splits
from cdp_lib.errors import InputError
from cdp_lib.evaluate import Predictions, cross_predict, fitted, predict_layers
from cdp_lib.models.base.inputs import Names
from cdp_lib.models.base.training import Training
from cdp_lib.models.layered import Bagged, LayeredEnsemble
from cdp_lib.models.linear import Lasso, Ridge
from cdp_lib.models.nearest import NearestLines
from cdp_lib.models.networks.feedforward import FeedForward
from cdp_lib.models.networks.masked import MaskedAutoencoder
from cdp_lib.models.networks.two_branch import TwoBranch
from cdp_lib.models.per_perturbation import PerPerturbation
from cdp_lib.models.representations import PrincipalComponents
from cdp_lib.models.trees import LightGBM, RandomForest

FEW = Training(lr=0.01, epochs=3, batch_size=None, validation_fraction=0.2, device="cpu")


def make_cohort(lines=36, genes=10, drugs=5, missing=0.1, seed=0):
    rng = np.random.default_rng(seed)
    names = pd.Index([f"line {i:02}" for i in range(lines)], name="line")
    X = pd.DataFrame(rng.normal(size=(lines, genes)), names).add_prefix("gene ")
    Y = X.to_numpy() @ rng.normal(size=(genes, drugs)) + rng.normal(size=(lines, drugs))
    Y = pd.DataFrame(np.where(rng.random(Y.shape) < missing, np.nan, Y), names).add_prefix("drug ")
    about = pd.DataFrame({"tissue": [f"tissue {i % 3}" for i in range(lines)]}, names)
    return SimpleNamespace(
        Y=Y, lines=about, perturbations=pd.DataFrame(index=Y.columns), X=lambda omics: X
    )


COHORT = make_cohort()
REPRESENTATIONS = {
    "mae 0": MaskedAutoencoder(4, training=FEW),
    "mae 1": MaskedAutoencoder(4, training=FEW).set_params(training__seed=1),
    "pca": PrincipalComponents(3),
}
HEADS = {
    "ridge": Ridge((1.0, 100.0)),
    "nearest": NearestLines(3),
    "network": FeedForward((4,), training=Training(epochs=3, patience=None, device="cpu")),
}
pytestmark = pytest.mark.filterwarnings("ignore::cdp_lib.models.linear.AlphaAtEdge")


def values(P: Predictions, model: str) -> np.ndarray:
    (held,) = P.held
    return next(v for (name, _), v in held.values.items() if name == model)


@pytest.mark.parametrize("tune", [0.0, 0.2])
@pytest.mark.parametrize("transductive", [False, True])
def test_the_ensemble_is_the_mean_of_its_members(tune, transductive):
    split = splits.leave_lines_out(COHORT, n_folds=3, tune=tune)
    pretraining = COHORT.X("expression") if transductive else None
    P = predict_layers(REPRESENTATIONS, HEADS, COHORT, split, pretraining=pretraining)
    names = {f"layered {h}": [f"{h} on {r}" for r in REPRESENTATIONS] for h in HEADS}
    P = P.mean_of(names)
    layers = list(REPRESENTATIONS.values())
    models = {
        f"layered {h}": LayeredEnsemble(layers, head, pretraining) for h, head in HEADS.items()
    }
    direct = cross_predict(models, COHORT, split)
    for name in names:
        np.testing.assert_allclose(values(P, name), values(direct, name), atol=1e-6)
    assert len(P.held[0].values) == 9 + 3 + 5  # members, ensembles, naive baselines


ALL_HEADS = {
    "lasso": Lasso(3, inner=2),
    "correlation network": FeedForward((4,), loss="correlation", training=FEW),
    "two branches": TwoBranch(Names(), (4,), (4,), training=FEW),
    "forest": RandomForest(3, max_features=0.5),
    "LightGBM": LightGBM(3, max_leaves=4, min_leaf=3),
    "bagged": Bagged(Ridge((1.0,)), 2),
    "one column at a time": PerPerturbation(KNeighborsRegressor(3)),
}


@pytest.mark.parametrize("name", ALL_HEADS)
def test_every_head_takes_part(name):
    split = splits.leave_lines_out(COHORT, n_folds=2, tune=0.2)
    layers = {"a": PrincipalComponents(3, 0), "b": PrincipalComponents(3, 1)}
    P = predict_layers(layers, {"head": ALL_HEADS[name]}, COHORT, split, baselines=False)
    P = P.mean_of({"both": ["head on a", "head on b"]})
    direct = cross_predict(
        {"both": LayeredEnsemble(list(layers.values()), ALL_HEADS[name])}, COHORT, split
    )
    np.testing.assert_allclose(values(P, "both"), values(direct, "both"), atol=1e-6)


class Counted(PrincipalComponents):
    fits: list = []

    def fit(self, X, Y=None):
        self.fits.append(len(X))
        return super().fit(X)


@pytest.mark.parametrize("transductive, expected", [(False, 3), (True, 1)])
def test_a_representation_is_fitted_once_for_all_heads(transductive, expected):
    Counted.fits.clear()
    pretraining = COHORT.X("expression") if transductive else None
    split = splits.leave_lines_out(COHORT, n_folds=3)
    heads = {name: HEADS[name] for name in ("ridge", "nearest")}
    predict_layers({"pca": Counted(3)}, heads, COHORT, split, pretraining=pretraining)
    assert len(Counted.fits) == expected
    full = make_cohort(missing=0, drugs=20)
    predict_layers({"pca": Counted(3)}, heads, full, splits.leave_pairs_out(full, n_folds=3))
    assert len(Counted.fits) == expected + 1  # the same lines teach in every fold


def test_pairs_that_are_wanted():
    split = splits.leave_lines_out(COHORT, n_folds=3)
    heads = {str(k): Bagged(Ridge((1.0,)), 1, seed=k) for k in range(2)}
    layers = {"a": PrincipalComponents(3, 0), "b": PrincipalComponents(3, 1)}
    pairs = [("0", "a"), ("1", "a"), ("1", "b")]
    P = predict_layers(layers, heads, COHORT, split, pairs=pairs, baselines=False)
    assert [name for name, _ in P.held[0].values] == ["0 on a", "1 on a", "1 on b"]
    P = P.mean_of({"one": ["0 on a", "1 on a"], "layered": ["0 on a", "1 on b"]})
    bagged = LayeredEnsemble([layers["a"]], Bagged(Ridge((1.0,)), 2))
    direct = cross_predict({"one": bagged}, COHORT, split)
    np.testing.assert_allclose(values(P, "one"), values(direct, "one"), atol=1e-6)
    with pytest.raises(InputError, match="'ridge', 'a'"):
        predict_layers(layers, heads, COHORT, split, pairs=[("ridge", "a")])


@pytest.mark.parametrize("split", [splits.leave_lines_out, splits.leave_pairs_out])
@pytest.mark.parametrize("transductive", [False, True])
def test_a_fit_never_sees_a_test_label(split, transductive, assert_blind_to_test_labels):
    pretraining = COHORT.X("expression") if transductive else None
    assert_blind_to_test_labels(
        lambda: LayeredEnsemble(list(REPRESENTATIONS.values()), Ridge((1.0,)), pretraining),
        COHORT,
        split(COHORT, n_folds=3),
    )


def test_test_labels_leave_the_shared_predictions_unchanged():
    fold = splits.leave_lines_out(COHORT, n_folds=3).folds[0]
    shuffled = make_cohort()
    rng = np.random.default_rng(1)
    shuffled.Y = COHORT.Y.where(~(fold.test & COHORT.Y.notna().to_numpy()), rng.normal())
    both = [
        predict_layers(REPRESENTATIONS, HEADS, cohort, [fold], pretraining=COHORT.X("expression"))
        for cohort in (COHORT, shuffled)
    ]
    for head in HEADS:
        np.testing.assert_array_equal(*(values(P, f"{head} on mae 1") for P in both))


@pytest.mark.parametrize("transductive", [False, True])
def test_only_the_transductive_form_sees_test_features(transductive):
    fold = splits.leave_lines_out(COHORT, n_folds=3).folds[0]

    def procedure(X, Y, fold):
        cohort = SimpleNamespace(Y=Y, X=lambda omics: X)
        further = X if transductive else None
        model = LayeredEnsemble(list(REPRESENTATIONS.values()), Ridge((1.0,)), further)
        return fitted(model, cohort, fold).predict(X)

    X = COHORT.X("expression")
    assert audit.sees_test_features(procedure, X, COHORT.Y, fold) is transductive
    assert not audit.sees_test_labels(procedure, X, COHORT.Y, fold)


class Fails(BaseEstimator):
    def __init__(self, where="line 00"):
        self.where = where

    def fit(self, X, Y=None):
        if self.where not in X.index:
            raise ZeroDivisionError("as it was asked to")
        self.columns_ = None if Y is None else Y.columns
        return self

    def transform(self, X):
        return X

    def predict(self, X):
        return pd.DataFrame(0.0, X.index, self.columns_)


def test_an_error_names_its_place_and_can_be_kept():
    split = splits.leave_lines_out(COHORT, n_folds=3)
    layers, heads = {"all": Fails(), "pca": PrincipalComponents(2)}, {"ridge": Ridge((1.0,))}
    with pytest.raises(ZeroDivisionError) as caught:
        predict_layers(layers, heads, COHORT, split)
    assert "representation 'all', fold" in caught.value.__notes__[0]
    with pytest.raises(ZeroDivisionError) as caught:
        predict_layers({"pca": layers["pca"]}, {"zero": Fails()}, COHORT, split)
    assert "model 'zero on pca', fold" in caught.value.__notes__[0]
    P = predict_layers(layers, heads | {"zero": Fails()}, COHORT, split, errors="keep")
    assert P.failures["model"].tolist() == ["ridge on all", "zero on all", "zero on pca"]
    assert np.isnan(values(P, "ridge on all")).any()
    with pytest.raises(InputError, match="'ridge on all'.* 1 folds"):
        P.mean_of({"both": ["ridge on pca", "ridge on all"]})


def test_what_is_finished_is_kept(tmp_path):
    split = splits.leave_lines_out(COHORT, n_folds=3)
    Counted.fits.clear()
    layers, heads = {"pca": Counted(3)}, {"ridge": Ridge((1.0,))}
    asked = dict(cohort=COHORT, split=split, checkpoint=tmp_path)
    first = predict_layers(layers, heads, **asked)
    again = predict_layers(layers, heads | {"nearest": NearestLines(3)}, **asked)
    assert len(Counted.fits) == 3
    np.testing.assert_array_equal(values(first, "ridge on pca"), values(again, "ridge on pca"))
    predict_layers({"pca": Counted(2)}, heads, **asked)
    predict_layers(layers, heads, pretraining=COHORT.X("expression"), **asked)
    assert len(Counted.fits) == 3 + 3 + 1


def test_two_workers_find_the_same():
    split = splits.leave_lines_out(COHORT, n_folds=2)
    found = []
    for workers in (1, 2):
        with joblib.parallel_config("threading", n_jobs=workers):
            P = predict_layers(
                {"pca": REPRESENTATIONS["pca"]}, {"ridge": HEADS["ridge"]}, COHORT, split
            )
        found.append(values(P, "ridge on pca"))
    np.testing.assert_allclose(*found)


def test_means_of_members():
    split = splits.leave_lines_out(COHORT, n_folds=3)
    P = cross_predict({"a": Ridge((1.0,)), "b": Ridge((50.0,))}, COHORT, split)
    Q = P.mean_of({"both": ["a", "b"], "naive": ["line mean", "global mean"]})
    np.testing.assert_allclose(values(Q, "both"), (values(P, "a") + values(P, "b")) / 2)
    kinds = {name: kind for (name, _), kind in Q.held[0].kinds.items()}
    assert kinds["both"] == "model" and kinds["naive"] == "baseline"
    assert ("both", "expression") in Q.held[0].values and ("naive", "none") in Q.held[0].values
    assert "both" not in {name for name, _ in P.held[0].values}
    for ensembles, fact in [
        ({"both": ["a", "c"]}, "no member 'c'"),
        ({"both": "ab"}, "'both' has no list"),
        ({"both": []}, "'both' has no list"),
        ({"both": ["a", "b", "a"]}, "member 'a' twice"),
        ({"a": ["a", "b"]}, "'a' on expression"),
    ]:
        with pytest.raises(InputError, match=fact):
            P.mean_of(ensembles)
    twice = P | cross_predict({"a": Ridge((1.0,))}, COHORT, split, omics="mutation")
    with pytest.raises(InputError, match="'a' of 'both' predicts from 2"):
        twice.mean_of({"both": ["a", "b"]})


@pytest.mark.parametrize(
    "layers, heads, fact",
    [
        ({}, HEADS, "Give representations"),
        (list(REPRESENTATIONS.values()), HEADS, "Give representations"),
        (REPRESENTATIONS, {}, "Give heads"),
        (REPRESENTATIONS, {"ridge": "ridge"}, "The head 'ridge' is"),
        ({"ridge": Ridge()}, HEADS, "A representation is Ridge"),
    ],
)
def test_wrong_parts_are_refused(layers, heads, fact):
    with pytest.raises(InputError, match=fact):
        predict_layers(layers, heads, COHORT, splits.leave_lines_out(COHORT, n_folds=2))
