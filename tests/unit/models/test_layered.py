"""The mean over representations of a head on each, and the mean over draws of the lines."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor

from cdp_lib.errors import InputError
from cdp_lib.models.base.inputs import Names
from cdp_lib.models.base.training import Training
from cdp_lib.models.drug_pair import DrugPairNetwork
from cdp_lib.models.layered import Bagged, LayeredEnsemble
from cdp_lib.models.linear import Ridge
from cdp_lib.models.networks.feedforward import FeedForward
from cdp_lib.models.representations import PrincipalComponents
from cdp_lib.models.similar_drugs import SimilarDrugs

RNG = np.random.default_rng(0)
LINES = pd.Index([f"line {i}" for i in range(40)])
X = pd.DataFrame(RNG.normal(3, 2, (40, 8)), LINES).add_prefix("gene ")
Y = pd.DataFrame(X.to_numpy() @ RNG.normal(size=(8, 3)), LINES).add_prefix("drug ")
Y = Y.mask(RNG.random(Y.shape) < 0.1)
FIVE = [PrincipalComponents(3, bootstrap=seed) for seed in range(5)]
HEAD = Ridge((1.0,))


def test_the_mean_of_the_heads_written_out():
    model = LayeredEnsemble(FIVE, HEAD).fit(X[:30], Y[:30])
    expected = 0
    for each in FIVE:
        fitted = clone(each).fit(X[:30])
        head = clone(HEAD).fit(fitted.transform(X[:30]), Y[:30])
        expected = expected + head.predict(fitted.transform(X[30:])) / 5
    pd.testing.assert_frame_equal(model.predict(X[30:]), expected)
    assert not hasattr(FIVE[0], "components_") and not hasattr(HEAD, "scale_")


def test_arrays_columns_and_models_of_scikit_learn():
    y = Y["drug 0"].fillna(0)
    model = LayeredEnsemble(FIVE, KNeighborsRegressor(3))
    P = model.fit(X, y).predict(X)
    assert isinstance(P, pd.Series) and P.index.equals(LINES)
    array = clone(model).fit(X.to_numpy(), y.to_numpy()).predict(X.to_numpy())
    np.testing.assert_allclose(array, P)
    table = clone(model).fit(X, y.to_frame()).predict(X)
    assert list(table) == ["drug 0"]


def test_further_lines_teach_the_representations_alone():
    inductive = LayeredEnsemble(FIVE, HEAD).fit(X[:30], Y[:30])
    transductive = LayeredEnsemble(FIVE, HEAD, pretraining=X).fit(X[:30], Y[:30])
    both = [model.representations_[0].mean_ for model in (inductive, transductive)]
    whole, part = clone(FIVE[0]).fit(X).mean_, clone(FIVE[0]).fit(X[:30]).mean_
    np.testing.assert_allclose(both, [part, whole])
    assert not np.allclose(inductive.predict(X), transductive.predict(X))
    with pytest.raises(InputError, match="'line 3'"):
        LayeredEnsemble(
            FIVE, HEAD, X.assign(**{"gene 1": X["gene 1"].where(LINES != "line 3", 9)})
        ).fit(X[:30], Y[:30])


def test_rows_that_stop_a_head_are_handed_on():
    network = FeedForward((4,), training=Training(epochs=4, patience=None, device="cpu"))
    model = LayeredEnsemble(FIVE[:2], network)
    assert (
        model.asks_for_validation
        and not LayeredEnsemble(FIVE, LinearRegression()).asks_for_validation
    )
    model.fit(X[:30], Y[:30], validation=(X[30:], Y[30:]))
    for each, head in zip(model.representations_, model.parts_):
        alone = clone(network).fit(
            each.transform(X[:30]), Y[:30], validation=(each.transform(X[30:]), Y[30:])
        )
        assert alone.history_ == head.history_
    bagged = Bagged(network, 2, share=1.0).fit(X[:30], Y[:30], validation=(X[30:], Y[30:]))
    alone = clone(network).fit(X[:30], Y[:30], validation=(X[30:], Y[30:]))
    assert bagged.parts_[0].history_ == bagged.parts_[1].history_ == alone.history_


def test_what_is_known_of_perturbations_is_handed_on():
    smiles = pd.DataFrame({"smiles": ["CCO", "CCN", "CCC"]}, Y.columns)
    new = Y.assign(**{"drug 2": np.nan})
    head = SimilarDrugs(Ridge((1.0,)))
    model = LayeredEnsemble(FIVE[:2], head).fit(X, new, perturbations=smiles)
    fitted = clone(FIVE[0]).fit(X)
    alone = clone(head).fit(fitted.transform(X), new, perturbations=smiles)
    pd.testing.assert_frame_equal(
        model.parts_[0].predict(fitted.transform(X)), alone.predict(fitted.transform(X))
    )


def test_bagged_is_the_mean_of_bagged_ones():
    five = Bagged(HEAD, 5, share=0.7, seed=3).fit(X, Y)
    each = [Bagged(HEAD, 1, share=0.7, seed=3 + k).fit(X, Y).predict(X) for k in range(5)]
    pd.testing.assert_frame_equal(five.predict(X), sum(each) / 5)
    assert not np.allclose(each[0], each[1])
    whole = Bagged(HEAD, 2, share=1.0).fit(X, Y)
    pd.testing.assert_frame_equal(whole.predict(X), clone(HEAD).fit(X, Y).predict(X))


def test_a_clone_of_a_bag_learns_from_its_share_of_different_lines():
    class Spy(Ridge):
        def fit(self, X, Y):
            self.lines_ = list(X.index)
            return super().fit(X, Y)

    bag = Bagged(Spy((1.0,)), 3, share=0.8).fit(X, Y)
    for part in bag.parts_:
        assert len(part.lines_) == len(set(part.lines_)) == 32
    assert bag.parts_[0].lines_ != bag.parts_[1].lines_


@pytest.mark.parametrize(
    "model, fact",
    [
        (LayeredEnsemble([], HEAD), "of no transformer"),
        (LayeredEnsemble(PrincipalComponents(3), HEAD), "PrincipalComponents of"),
        (LayeredEnsemble([HEAD], HEAD), "A representation is Ridge"),
        (LayeredEnsemble([PrincipalComponents], HEAD), "A representation is <class"),
        (LayeredEnsemble(FIVE, "ridge"), "head is 'ridge'"),
        (Bagged(Ridge, 2), "model is <class"),
        (Bagged(HEAD, 0), "n is 0"),
        (Bagged(HEAD, share=1.5), "share is 1.5"),
    ],
)
def test_wrong_parts_are_refused(model, fact):
    with pytest.raises(InputError, match=fact):
        model.fit(X, Y)


def test_strange_tables_are_refused():
    for model in (LayeredEnsemble(FIVE, HEAD), Bagged(HEAD)):
        with pytest.raises(InputError, match="NaN"):
            clone(model).fit(X.mask(X > 5), Y)
        with pytest.raises(InputError, match="not fitted"):
            clone(model).predict(X)
        model = clone(model).fit(X, Y)
        with pytest.raises(InputError, match="'gene 0'"):
            model.predict(X.drop(columns="gene 0"))


class SeenColumns(BaseEstimator):
    """Predicts how many columns it has seen labels of."""

    def fit(self, X, Y):
        self.seen_ = np.flatnonzero(Y.notna().any())
        self.columns_ = Y.columns
        return self

    def predict(self, X):
        return pd.DataFrame(float(len(self.seen_) + self.seen_[0]), X.index, self.columns_)


def test_a_bag_over_perturbations_hides_the_labels_of_the_others():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(9, 2)))
    Y = pd.DataFrame(rng.normal(size=(9, 20)))
    Y.iloc[:, 3] = np.nan  # of a fold that holds it out
    bag = Bagged(SeenColumns(), 6, share=0.5, over="perturbation").fit(X, Y)
    seen = [part.seen_ for part in bag.parts_]
    assert all(len(each) == 10 and 3 not in each for each in seen)
    assert len({tuple(each) for each in seen}) > 1
    first = np.array([each[0] for each in seen], float)
    assert np.allclose(bag.predict(X), 10 + first.mean())
    assert np.allclose(bag.spread(X), first.std(ddof=1))


def test_a_spread_needs_two_parts_and_a_bag_of_perturbations_a_table():
    X, Y = pd.DataFrame(np.eye(4)), pd.DataFrame(np.eye(4))
    with pytest.raises(InputError, match="here are 1"):
        Bagged(SeenColumns(), 1).fit(X, Y).spread(X)
    with pytest.raises(InputError, match="not one column"):
        Bagged(HEAD, 2, over="perturbation").fit(np.eye(6), np.arange(6.0))


def test_a_bag_needs_omics_only_where_its_model_does():
    drugs = [f"drug {i}" for i in range(5)]
    ends = [(a, b) for i, a in enumerate(drugs) for b in drugs[i + 1 :]]
    pairs = pd.DataFrame(ends, [f"{a} + {b}" for a, b in ends], ["drug_a", "drug_b"])
    P = pd.DataFrame(RNG.normal(size=(40, len(pairs))), LINES, pairs.index)
    network = DrugPairNetwork(
        Names(), encoder=(4,), top=(4,), training=Training(epochs=1, patience=None, device="cpu")
    )
    names = pd.DataFrame(index=LINES)
    bag = Bagged(network, 2).fit(names, P, perturbations=pairs)
    alone = [Bagged(network, 1, seed=k).fit(names, P, perturbations=pairs) for k in (0, 1)]
    means = sum(each.predict(names, perturbations=pairs) for each in alone) / 2
    pd.testing.assert_frame_equal(bag.predict(names, perturbations=pairs), means)
    with pytest.raises(InputError, match="0 features"):
        bag.predict(X, perturbations=pairs)
    for model in (Bagged(HEAD), Bagged(HEAD).fit(X, Y), LayeredEnsemble(FIVE, HEAD)):
        with pytest.raises(InputError, match=r", 0\)"):
            model.fit(names, Y)
    with pytest.raises(InputError, match=r", 0\)"):
        Bagged(HEAD).fit(X, Y).predict(names)
    with pytest.raises(InputError, match="not fitted"):
        Bagged(network).predict(names)
