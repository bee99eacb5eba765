"""One gene predicts another by its slope, and families go by their names."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cdp_lib.models.linear import SingleGene
from cdp_lib.models.linear.single_gene import Strangers, another, own, sisters


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(5)
    genes = [f"gene {i}" for i in range(40)]
    X = pd.DataFrame(rng.normal(4, 1, (24, 40))).set_axis(genes, axis=1)
    Y = pd.DataFrame(rng.normal(0, 0.3, (24, 40))).set_axis(genes, axis=1)
    Y.iloc[:, :10] += X.iloc[:, :10] - 4
    return X, Y


def test_a_single_gene_predicts_by_its_own_slope(tables):
    X, Y = tables
    model = SingleGene(own).fit(X[:16], Y[:16])
    P = model.predict(X[16:])
    for gene in Y.columns[:12]:
        line = stats.linregress(X[gene][:16], Y[gene][:16])
        assert np.allclose(P[gene], line.intercept + line.slope * X[gene][16:])
    assert (model.picked_ == Y.columns).all()


def test_the_other_gene_is_found_and_is_another(tables):
    X, Y = tables
    picked = SingleGene(another).fit(X, Y.assign(**{"gene 30": 3 * X["gene 31"]})).picked_
    assert picked["gene 30"] == "gene 31"
    assert (picked != Y.columns).all()


def test_a_gene_that_may_have_none_is_predicted_by_its_mean(tables):
    X, Y = tables
    model = SingleGene(own).fit(X.drop(columns="gene 3"), Y)
    P = model.predict(X.drop(columns="gene 3"))
    assert np.allclose(P["gene 3"], Y["gene 3"].mean()) and model.picked_["gene 3"] == ""


def test_a_prediction_is_a_rows_own(tables):
    X, Y = tables
    model = SingleGene(another).fit(X, Y)
    rows = [3, 3, 0, 20]
    assert np.allclose(model.predict(X.iloc[rows]), model.predict(X).iloc[rows])


def test_unknown_labels_take_no_part(tables):
    X, Y = tables
    hidden = Y.copy()
    hidden.iloc[20:, 2] = np.nan
    slope = SingleGene(own).fit(X, hidden)
    other = hidden.copy()
    assert np.allclose(slope.offset_[2], Y.iloc[:20, 2].mean())
    other.iloc[:20, 2] += 1.0
    assert SingleGene(own).fit(X, other).offset_[2] == pytest.approx(slope.offset_[2] + 1)


def test_sisters_share_the_name_but_for_its_end():
    features = np.array(["ROCK1", "ROCK2", "STK17A", "STK17B", "C6", "C7", "C1orf2", "C1orf3"])
    found = sisters(features[:, None], features)
    pairs = {tuple(sorted(features[list(pair)])) for pair in zip(*np.nonzero(found), strict=True)}
    assert pairs == {("ROCK1", "ROCK2"), ("STK17A", "STK17B")}
    drawn = Strangers(0)(features[:, None], features)
    assert (drawn.sum(axis=0) == found.sum(axis=0)).all()
    assert not (drawn & found).any() and not np.diag(drawn).any()
