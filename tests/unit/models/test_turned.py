"""New perturbations are predicted from their own column, by any model of rows."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.linear_model import Ridge as PlainRidge
from sklearn.model_selection import KFold

from cdp_lib import evaluate, splits
from cdp_lib.errors import InputError
from cdp_lib.models.base.training import Training
from cdp_lib.models.linear import Ridge
from cdp_lib.models.networks.feedforward import FeedForward
from cdp_lib.models.turned import OneNumber, Turned
from cdp_lib.splits import published

pytestmark = pytest.mark.filterwarnings("ignore::cdp_lib.models.linear.AlphaAtEdge")

NETWORK = FeedForward(
    (6,), "tanh", training=Training(lr=0.02, epochs=8, batch_size=8, device="cpu")
)


class Tables:
    """Expression and dependency of 24 lines and 40 genes; some genes need their own expression."""

    rng = np.random.default_rng(5)
    lines, genes = [f"line {i}" for i in range(24)], [f"gene {i}" for i in range(40)]
    expression = pd.DataFrame(rng.normal(4, 1, (24, 40)), lines, genes)
    Y = pd.DataFrame(rng.normal(0, 0.3, (24, 40)), lines, genes)
    Y.iloc[:, :10] += expression.iloc[:, :10] - 4
    Y += 0.5 * expression.mean()

    def X(self, omics):
        return self.expression


def without_labels(Y, start):
    hidden = Y.copy()
    hidden.iloc[:, start:] = np.nan
    return hidden


@pytest.fixture
def cohort():
    return Tables()


def test_new_genes_are_predicted_from_their_own_column(cohort):
    split = published.file_order(cohort.Y, 4, "perturbation")
    model = Turned(Ridge((50.0,), standardize=False))
    P = evaluate.cross_predict({"ridge": model}, cohort, split, baselines=False)
    cells = P.cells().pivot(index="line", columns="perturbation", values="prediction")
    X, Y = cohort.expression.T, cohort.Y.T
    for learn, test in KFold(4).split(X):
        plain = PlainRidge(alpha=50.0).fit(X.iloc[learn], Y.iloc[learn])
        found = cells.loc[cohort.Y.index, cohort.Y.columns[test]]
        assert np.allclose(found.T, plain.predict(X.iloc[test]), atol=1e-4)


def test_several_tables_stand_one_after_the_other(cohort):
    X, Y = cohort.expression, cohort.Y
    both = pd.concat({"expression": X, "dependency": X**2}, axis=1)
    hidden = without_labels(Y, 30)
    model = Turned(Ridge((5.0,), standardize=False)).fit(both, hidden)
    rows = np.hstack([X.T, X.T**2])
    plain = PlainRidge(alpha=5.0).fit(rows[:30], Y.T[:30])
    assert np.allclose(model.predict(both).T, plain.predict(rows))


@pytest.mark.parametrize("model", [Turned(NETWORK), Turned(Ridge()), OneNumber(), OneNumber(3)])
def test_labels_of_new_genes_change_no_prediction(cohort, model):
    X, Y = cohort.expression, cohort.Y
    split = published.file_order(Y, 2, "perturbation")

    def predicted(labels):
        cohort.Y = labels
        own = splits.Split(split.name, split.sentence, split.folds[:1])
        P = evaluate.cross_predict({"model": model}, cohort, own, baselines=False)
        return P.cells()["prediction"].to_numpy()

    other = Y.copy()
    other.iloc[:, :20] = -10 * Y.iloc[::-1, :20].to_numpy()
    assert np.array_equal(predicted(Y), predicted(other))
    assert X.equals(cohort.expression)


def test_as_published_the_tested_genes_choose_the_epoch_once_more(cohort):
    X, Y = cohort.expression, cohort.Y
    split = published.file_order(Y, 2, "perturbation")
    search = evaluate.Search([NETWORK], inner=evaluate.HoldOut(0.2, None), epochs=True)
    P = evaluate.predict_as_published({"network": Turned(search)}, cohort, split)
    cells = P.cells().query("model == 'network'")
    cells = cells.pivot(index="line", columns="perturbation", values="prediction")
    for learn, test in KFold(2).split(X.T):
        by_hand = clone(NETWORK).fit_as_published(
            X.T.iloc[learn], Y.T.iloc[learn], X.T.iloc[test], Y.T.iloc[test]
        )
        found = cells.loc[Y.index, Y.columns[test]].T
        assert np.allclose(found, by_hand.predict(X.T.iloc[test]), atol=1e-6)


@pytest.mark.parametrize("degree", [1, 3])
def test_one_number_a_gene_is_a_curve_through_the_means(cohort, degree):
    X, Y = cohort.expression, cohort.Y
    P = OneNumber(degree).fit(X, without_labels(Y, 30)).predict(X)
    assert (P.nunique() == 1).all()
    x, y = X.mean().to_numpy(), Y.mean().to_numpy()
    curve = np.polyfit(x[:30], y[:30], degree)
    inside = np.clip(x, x[:30].min(), x[:30].max())
    assert np.allclose(P.iloc[0], np.polyval(curve, inside))
    if degree == 1:
        line = stats.linregress(x[:30], y[:30])
        assert np.allclose(P.iloc[5], line.intercept + line.slope * inside)


def test_a_prediction_is_a_perturbations_own(cohort):
    """Other new genes beside it change nothing: they are rows of their own."""
    X, hidden = cohort.expression, without_labels(cohort.Y, 30)
    other = X.copy()
    other.iloc[:, 35:] = 9.0
    for model in (Turned(Ridge((5.0,))), Turned(NETWORK), OneNumber(3)):
        P = model.fit(X, hidden).predict(X)
        assert np.allclose(P.iloc[:, :35], model.predict(other).iloc[:, :35], atol=1e-6)


def test_columns_are_found_by_name(cohort):
    X, Y = cohort.expression, without_labels(cohort.Y, 30)
    more = pd.concat([X.iloc[:, ::-1], X.add_prefix("other ")], axis=1)
    for model in (Turned(Ridge((5.0,))), OneNumber()):
        P = model.fit(X, Y).predict(X)
        pd.testing.assert_frame_equal(model.fit(more, Y).predict(more), P)


def test_some_of_the_lines_are_predicted_as_among_all(cohort):
    X, Y = cohort.expression, without_labels(cohort.Y, 30)
    for model in (Turned(Ridge((5.0,))), OneNumber()):
        P = model.fit(X, Y).predict(X)
        few = model.predict(X.iloc[[3, 0, 7]])
        if isinstance(model, Turned):
            pd.testing.assert_frame_equal(few, P.iloc[[3, 0, 7]])
    hidden = cohort.Y.iloc[:20, :].copy()
    hidden.iloc[:, :30] = np.nan
    model = Turned(NETWORK).fit_as_published(X, Y, X.iloc[:20], hidden)
    assert model.predict(X.iloc[:20]).shape == (20, 40)


def test_other_lines_are_refused(cohort):
    model = Turned(Ridge()).fit(cohort.expression[:20], cohort.Y[:20])
    with pytest.raises(InputError, match="'line 20'"):
        model.predict(cohort.expression)
    with pytest.raises(InputError, match="gene 39"):
        Turned(Ridge()).fit(cohort.expression.iloc[:, :39], cohort.Y)
