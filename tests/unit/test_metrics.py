"""Every score against scipy or scikit-learn, and what must hold for any input."""

import doctest
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn import metrics as sk

import cdp_lib.metrics
from cdp_lib.errors import InputError
from cdp_lib.metrics import (
    METRICS,
    OF_CLASSES,
    auroc,
    average_precision,
    constant_predictions,
    mae,
    mse,
    pearson,
    r2,
    rmse,
    score_frame,
    spearman,
    top_k,
)


def one_by_one(name: str, y: np.ndarray, p: np.ndarray) -> float:
    """The score of one unit by other people's code, with the house's rules for empty units."""
    known = ~np.isnan(y)
    y, p = y[known].astype(float), p[known].astype(float)
    if name in ("mse", "rmse", "mae"):
        if len(y) == 0:
            return np.nan
        return {
            "mse": sk.mean_squared_error,
            "mae": sk.mean_absolute_error,
            "rmse": lambda y, p: sk.mean_squared_error(y, p) ** 0.5,
        }[name](y, p)
    if len(y) < 2 or np.ptp(y) == 0:
        return np.nan
    if name == "r2":
        return sk.r2_score(y, p)
    if np.ptp(p) == 0:
        return 0.0
    return (stats.pearsonr if name == "pearson" else stats.spearmanr)(y, p)[0]


values = st.integers(-6, 6).map(lambda whole: whole / 4)  # ties and constants are common
shapes = st.tuples(st.integers(1, 9), st.integers(1, 7))


@st.composite
def tables(draw):
    """A truth with gaps and a prediction, ties and constants included."""
    shape = draw(shapes)
    Y = draw(arrays(float, shape, elements=values | st.just(np.nan)))
    P = draw(arrays(float, shape, elements=values))
    return Y, P


@settings(max_examples=150, deadline=None)
@given(tables(), st.sampled_from(list(METRICS)), st.sampled_from(["perturbation", "line"]))
def test_each_unit_scores_as_elsewhere(table, name, axis):
    Y, P = table
    found = METRICS[name](Y, P, axis)
    units = zip(Y.T, P.T) if axis == "perturbation" else zip(Y, P)
    expected = [one_by_one(name, y, p) for y, p in units]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(list(METRICS)))
def test_global_is_one_unit_of_all_cells(table, name):
    Y, P = table
    found = METRICS[name](Y, P, "global")
    assert isinstance(found, float)
    np.testing.assert_allclose(found, one_by_one(name, Y.ravel(), P.ravel()), atol=1e-9)


@pytest.mark.parametrize("name", list(METRICS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_more_columns_than_one_block(name, dtype, order):
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(40, 77)).astype(dtype, order=order)
    P = (Y + rng.normal(size=Y.shape)).astype(dtype)
    Y[:, 40:][rng.random((40, 37)) < 0.3] = np.nan  # complete blocks and others
    expected = [one_by_one(name, y, p) for y, p in zip(Y.T, P.T)]
    np.testing.assert_allclose(METRICS[name](Y, P), expected, rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(list(METRICS)), st.randoms(use_true_random=False))
def test_the_order_of_columns_and_lines_does_not_matter(table, name, random):
    Y, P = table
    columns = random.sample(range(Y.shape[1]), Y.shape[1])
    lines = random.sample(range(Y.shape[0]), Y.shape[0])
    score = METRICS[name]
    np.testing.assert_array_equal(score(Y[:, columns], P[:, columns]), score(Y, P)[columns])
    np.testing.assert_allclose(score(Y[lines], P[lines]), score(Y, P), atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(tables(), st.floats(0.01, 100), st.floats(-100, 100))
def test_correlations_are_blind_to_scale_and_offset(table, scale, offset):
    Y, P = table
    for score in (pearson, spearman):
        before = score(Y, P)
        np.testing.assert_allclose(score(Y, scale * P + offset), before, atol=1e-7)
        np.testing.assert_allclose(score(Y, -P), -before, atol=1e-12)
        np.testing.assert_allclose(score(scale * Y + offset, P), before, atol=1e-7)
        inside = before[~np.isnan(before)]
        assert ((-1 <= inside) & (inside <= 1)).all()
    both = [score(scale * Y + offset, scale * P + offset) for score in (r2, rmse, mae, mse)]
    expected = [r2(Y, P), scale * rmse(Y, P), scale * mae(Y, P), scale**2 * mse(Y, P)]
    np.testing.assert_allclose(both, expected, rtol=1e-6, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(tables())
def test_what_is_predicted_where_nothing_was_measured_does_not_matter(table):
    Y, P = table
    unknown = np.isnan(Y)
    for filler in (np.nan, 1e30, np.inf):
        other = np.where(unknown, filler, P)
        for score in METRICS.values():
            np.testing.assert_array_equal(score(Y, other), score(Y, P))
        np.testing.assert_array_equal(constant_predictions(Y, other), constant_predictions(Y, P))
        np.testing.assert_array_equal(top_k(Y, other, 2), top_k(Y, P, 2))


def test_float32_far_from_zero_is_summed_safely():
    rng = np.random.default_rng(0)
    Y = (1e4 + rng.normal(size=(50_000, 3))).astype("float32")
    P = (1e4 + rng.normal(size=Y.shape)).astype("float32") / 2 + Y / 2
    for name, score in METRICS.items():
        expected = [one_by_one(name, y, p) for y, p in zip(Y.T, P.T)]
        np.testing.assert_allclose(score(Y, P), expected, rtol=1e-9)


def test_a_constant_prediction_is_found_whatever_its_last_bits():
    rng = np.random.default_rng(0)
    for n in (7, 50, 127, 1000, 20_000):
        Y, P = rng.normal(size=(n, 20)), np.tile(rng.normal(size=20), (n, 1))
        Y[rng.random(Y.shape) < 0.1] = np.nan
        assert constant_predictions(Y, P).all() and (pearson(Y, P) == 0).all()


def test_a_constant_prediction_scores_nothing_and_is_found():
    Y = np.random.default_rng(0).normal(size=(30, 4))
    P = Y.copy()
    P[:, 0] = 0.1  # no sum of 0.1 is exact
    P[:, 1] = np.float32(0.1)
    nearly = P.astype("float32")
    nearly[::2, 0] = np.nextafter(nearly[0, 0], np.float32(1))  # the last bit of a net's output
    for predicted in (P, nearly):
        for score in (pearson, spearman):
            np.testing.assert_array_equal(score(Y, predicted)[:2], 0)
            np.testing.assert_allclose(score(Y, predicted)[2:], 1)
        np.testing.assert_array_equal(
            constant_predictions(Y, predicted), [True, True, False, False]
        )
    assert constant_predictions(Y, np.full_like(Y, 2.0), "global") is True
    assert constant_predictions(Y, Y, "global") is False


def test_a_unit_without_two_different_known_cells_is_empty():
    nan = np.nan
    Y = np.array([[nan, 1.0, 0.1], [nan, nan, 0.1], [nan, nan, 0.1]])
    P = np.arange(9.0).reshape(3, 3)
    for score in (pearson, spearman, r2):
        assert np.isnan(score(Y, P)).all()
    np.testing.assert_allclose(mse(Y, P), [nan, 0.0, np.mean((P[:, 2] - 0.1) ** 2)])
    assert not constant_predictions(Y, np.zeros((3, 3)))[:2].any()


def test_no_score_warns():
    nan = np.nan
    Y = np.array([[nan, 1.0, 2.0, 1e-3], [nan, 1.0, nan, 3e-3]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for score in METRICS.values():
            for axis in ("perturbation", "line", "global"):
                score(Y, np.zeros((2, 4)), axis)


def test_a_vector_is_one_column():
    y, p = [1.0, 2.0, 4.0], [1.0, 3.0, 3.0]
    assert pearson(y, p).shape == (1,)
    assert pearson(pd.Series(y), np.array(p))[0] == pytest.approx(stats.pearsonr(y, p)[0])


@pytest.mark.parametrize(
    "Y, P, words",
    [
        ([[1.0, np.inf]], [[0.0, 0.0]], "Y holds 1 infinite"),
        ([[1.0, -np.inf, np.inf]], [[0.0, 0.0, 0.0]], "Y holds 2 infinite"),
        ([[1.0, 2.0]], [[np.nan, 0.0]], "P is NaN in 1 of the 2 known cells"),
        ([[1.0, np.nan], [1.0, 1.0]], [[0.0, np.nan], [np.nan, np.nan]], "in 2 of the 3 known"),
        ([[1.0, 2.0]], [[-np.inf, 0.0]], "P is infinite in 1"),
        ([[1.0, 2.0]], [[1.0]], "shape"),
        ([["low", "high"]], [[1.0, 1.0]], "Y holds what is not a number"),
        (np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), "3 dimensions"),
    ],
)
def test_bad_tables_are_refused_in_one_sentence(Y, P, words):
    for score in (*METRICS.values(), constant_predictions, lambda Y, P: top_k(Y, P, 1)):
        with pytest.raises(InputError, match=words) as error:
            score(Y, P)
        assert "\n" not in str(error.value)


def test_tables_that_name_other_cells_are_refused():
    Y = pd.DataFrame(np.eye(2), ["a", "b"], ["x", "y"])
    assert pearson(Y, Y).tolist() == pytest.approx([1, 1])
    for other, side in ((Y.iloc[::-1], "index"), (Y.iloc[:, ::-1], "columns")):
        with pytest.raises(InputError, match=f"{side}"):
            pearson(Y, other)
    with pytest.raises(InputError, match="Unknown axis 'drug'"):
        pearson(Y, Y, axis="drug")


class TestTopK:
    """Ranks among the measured cells of a line; lower is better unless told."""

    Y = [[1.0, 2.0, 3.0, 4.0]]
    P = [[3.0, 1.0, 2.0, 4.0]]  # predicted order: 1, 2, 0, 3; the true best comes third

    def test_the_two_definitions_differ(self):
        true_best = [top_k(self.Y, self.P, k)[0] for k in (1, 2, 3)]
        predicted_best = [top_k(self.Y, self.P, k, "predicted_best_in_true")[0] for k in (1, 2, 3)]
        assert true_best == [0, 0, 1]
        assert predicted_best == [0, 1, 1]

    def test_higher_can_be_better(self):
        assert top_k(self.Y, self.P, 1, lower_is_better=False)[0] == 1
        assert top_k(-np.array(self.Y), -np.array(self.P), 3, lower_is_better=False)[0] == 1

    def test_only_measured_cells_compete(self):
        Y = [[1.0, np.nan, 3.0, 4.0]]
        assert top_k(Y, self.P, 1)[0] == 0
        assert top_k(Y, self.P, 2)[0] == 1  # the cell predicted first was not measured

    def test_a_line_that_cannot_miss_is_empty(self):
        Y = [[1.0, 2.0, 3.0], [1.0, 2.0, np.nan], [1.0, np.nan, np.nan], [np.nan] * 3]
        found = top_k(Y, np.ones((4, 3)), 2)
        assert found[0] == pytest.approx(2 / 3)
        assert np.isnan(found[1:]).all()

    @pytest.mark.parametrize("definition", ["true_best_in_predicted", "predicted_best_in_true"])
    def test_a_constant_prediction_scores_its_chance(self, definition):
        Y = np.random.default_rng(0).normal(size=(1, 8))
        for k in (1, 3, 7):
            assert top_k(Y, np.zeros((1, 8)), k, definition)[0] == pytest.approx(k / 8)

    @settings(max_examples=80, deadline=None)
    @given(tables(), st.integers(1, 4), st.booleans())
    def test_ties_are_worth_their_chance_under_random_order(self, table, k, lower):
        Y, P = table
        known = ~np.isnan(Y[0])
        assume(k < known.sum() <= 6)
        rng = np.random.default_rng(0)
        sign = 1 if lower else -1
        y, p = sign * Y[0][known], sign * P[0][known]
        hits = []
        for _ in range(2000):
            best = rng.choice(np.flatnonzero(y == y.min()))
            first = np.lexsort((rng.random(len(p)), p))[:k]
            hits.append(best in first)
        assert top_k(Y, P, k, lower_is_better=lower)[0] == pytest.approx(np.mean(hits), abs=0.06)

    @pytest.mark.parametrize("k", [0, -1, 1.5, "3"])
    def test_k_must_be_a_count(self, k):
        with pytest.raises(InputError, match="whole number k"):
            top_k(self.Y, self.P, k)

    def test_an_unknown_definition_is_refused(self):
        with pytest.raises(InputError, match="true_best_in_predicted"):
            top_k(self.Y, self.P, 1, "precision")


def test_score_frame_is_tidy():
    Y = pd.DataFrame([[1.0, 2.0], [2.0, np.nan], [3.0, 1.0]], list("abc"), ["drug x", "drug y"])
    P = pd.DataFrame(0.0, Y.index, Y.columns)
    P["drug x"] = Y["drug x"] * 2
    frame = score_frame(Y, P, ("pearson", "rmse"))
    assert list(frame) == ["metric", "axis", "unit", "n", "score", "constant"]
    assert frame["metric"].tolist() == ["pearson"] * 2 + ["rmse"] * 2
    assert frame["unit"].tolist() == ["drug x", "drug y"] * 2
    assert frame["n"].tolist() == [3, 2, 3, 2]
    assert frame["constant"].tolist() == [False, True, False, True]
    np.testing.assert_allclose(frame["score"], [1, 0, *rmse(Y, P)])
    assert score_frame(Y, P, "r2", "line")["unit"].tolist() == ["a", "b", "c"]
    assert score_frame(Y, P, "r2", "global")[["unit", "n"]].values.tolist() == [["all", 5]]
    assert score_frame(Y.to_numpy(), P.to_numpy())["unit"].tolist() == [0, 1]
    with pytest.raises(InputError, match="'auc'.* mse"):
        score_frame(Y, P, "auc")


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(cdp_lib.metrics).failed == 0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", OF_CLASSES)
@pytest.mark.parametrize("digits", [0, 1, 6])
def test_scores_of_classes_are_those_of_scikit_learn(name, digits):
    rng = np.random.default_rng(digits)
    Y = (rng.random((60, 7)) < 0.4).astype(float)
    P = np.round(rng.normal(size=Y.shape) + Y, digits)  # few digits: many ties
    Y[rng.random(Y.shape) < 0.1] = np.nan
    theirs = {"auroc": sk.roc_auc_score, "average_precision": sk.average_precision_score}[name]
    for axis, table in (("perturbation", (Y.T, P.T)), ("line", (Y, P))):
        found = OF_CLASSES[name](Y, P, axis)
        for y, p, score in zip(*table, found, strict=True):
            known = ~np.isnan(y)
            if len(set(y[known])) == 2:
                assert score == pytest.approx(theirs(y[known], p[known]))
            else:
                assert np.isnan(score)


def test_a_class_that_is_missing_has_no_score_and_a_constant_knows_nothing():
    assert np.isnan(auroc([[1.0], [1.0]], [[0.1], [0.2]])[0])
    assert np.isnan(average_precision([[0.0], [0.0]], [[0.1], [0.2]])[0])
    assert auroc([[1.0], [0.0]], [[3.0], [3.0]])[0] == 0.5
    assert average_precision([[1.0], [0.0], [0.0], [0.0]], [[3.0]] * 4)[0] == 0.25
    with pytest.raises(InputError, match="0 and 1"):
        auroc([[0.5], [1.0]], [[0.1], [0.2]])


def test_top_k_in_percent_is_a_metric_of_one_line():
    Y = np.array([[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]])
    P = np.array([[2.0, 1.0, 3.0, 4.0], [4.0, 3.0, 1.0, 2.0]])
    for k, definition in ((1, "true_best_in_predicted"), (2, "predicted_best_in_true")):
        metric = cdp_lib.metrics.percent_top(k, definition)
        found = [metric(y, p) for y, p in zip(Y, P, strict=True)]
        np.testing.assert_allclose(found, 100 * cdp_lib.metrics.top_k(Y, P, k, definition))
    assert cdp_lib.metrics.percent_top(3).__name__ == "top_3"
    assert cdp_lib.metrics.percent_top(1)(Y[0], P[0]) == 0
    assert cdp_lib.metrics.percent_top(1, lower_is_better=False)(Y[0], P[0]) == 100


def test_the_shared_top_by_hand():
    share = cdp_lib.metrics.top_shared(2)
    assert share.__name__ == "top 2 shared"
    assert share(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0])) == 0.5
    assert cdp_lib.metrics.top_shared(2, False)(np.arange(4.0), -np.arange(4.0)) == 0
    assert share(np.arange(4.0), np.zeros(4)) == 0.5  # any two of four: each is right by one half
    tied = np.array([1.0, 2.0, 2.0, 4.0])  # the second place belongs to either by one half
    assert share(tied, np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx((1 + 0.5) / 2)
    assert np.isnan(share(np.arange(2.0), np.arange(2.0)))  # nothing can be missed
    precision = cdp_lib.metrics.top_shared(1, of=3)
    assert precision.__name__ == "precision at 1"
    assert [precision(np.arange(4.0), np.roll(range(4), n)) for n in range(4)] == [1, 1, 1, 0]
    for wrong in ({"k": 0}, {"k": 1, "of": 0}):
        with pytest.raises(InputError, match="not 0"):
            cdp_lib.metrics.top_shared(**wrong)


@given(st.integers(1, 12), st.integers(0, 10**6))
def test_the_shared_top_is_that_of_random_orders(k, seed):
    rng = np.random.default_rng(seed)
    y, p = rng.integers(4, size=(2, 15)).astype(float)
    drawn = []
    for _ in range(600):
        orders = [np.lexsort((rng.random(15), x))[:k] for x in (y, p)]
        drawn.append(len(set(orders[0]) & set(orders[1])) / k)
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert abs(cdp_lib.metrics.top_shared(k)(y, p) - np.mean(drawn)) <= 6 * error + 1e-9
