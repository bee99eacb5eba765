"""Tests for leaks and noise, each against an independent computation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cdp_lib import audit, metrics, splits
from cdp_lib.errors import InputError

RNG = np.random.default_rng(3)
LINES = [f"line {i}" for i in range(24)]
X = pd.DataFrame(RNG.normal(size=(24, 3)), LINES, list("abc"))
Y = pd.DataFrame(RNG.normal(size=(24, 4)), LINES, list("ABCD")).mask(RNG.random((24, 4)) < 0.1)
FOLD = splits.leave_lines_out(Y, n_folds=3, tune=0).folds[0]
TRAIN = FOLD.fit[:, 0]


def least_squares(X, Y, fold, scale_rows=slice(None), label_rows=None):
    """Z-scores by some rows, labels filled by the means of some rows, plain least squares."""
    known = Y.where(fold.fit)
    Z = (X - X[scale_rows].mean()) / X[scale_rows].std()
    means = (known if label_rows is None else Y[label_rows]).mean()
    weights = np.linalg.lstsq(Z[TRAIN], known[TRAIN].fillna(means) - means, rcond=None)[0]
    return pd.DataFrame(Z.to_numpy() @ weights + means.to_numpy(), Y.index, Y.columns)


def honest(X, Y, fold):
    return least_squares(X, Y, fold, scale_rows=TRAIN)


def scales_on_all(X, Y, fold):
    return least_squares(X, Y, fold)


def label_means_of_all(X, Y, fold):
    return least_squares(X, Y, fold, scale_rows=TRAIN, label_rows=np.ones(len(Y), bool))


@pytest.mark.parametrize(
    ("procedure", "labels", "features"),
    [(honest, False, False), (scales_on_all, False, True), (label_means_of_all, True, False)],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_leak_is_seen_by_its_own_test(procedure, labels, features):
    assert audit.sees_test_labels(procedure, X, Y, FOLD) is labels
    assert audit.sees_test_features(procedure, X, Y, FOLD) is features


def test_every_run_gets_a_table_of_its_own_in_the_same_layout():
    stored = pd.DataFrame(np.asfortranarray(X.to_numpy()), LINES, X.columns)
    assert stored.to_numpy().flags.f_contiguous
    layouts = set()

    def notes_the_layout(X, Y, fold):
        values = X.to_numpy()
        layouts.add(values.strides)
        assert not np.shares_memory(values, stored.to_numpy())
        return Y

    assert not audit.sees_test_features(notes_the_layout, stored, Y, FOLD)
    assert len(layouts) == 1


def test_a_sum_over_all_labels_survives_a_permutation_and_is_seen_all_the_same():
    counts = Y.fillna(0).round()  # sums of whole numbers are exact in any order

    def total(X, Y, fold):
        return pd.DataFrame(Y.to_numpy().sum(), Y.index, Y.columns)

    shuffled = np.random.default_rng(0).permutation(counts.to_numpy().ravel()).reshape(Y.shape)
    assert total(X, pd.DataFrame(shuffled), FOLD).iat[0, 0] == total(X, counts, FOLD).iat[0, 0]
    assert audit.sees_test_labels(total, X, counts, FOLD)


def test_the_tables_given_are_left_alone():
    before = X.copy(), Y.copy()
    audit.sees_test_labels(honest, X, Y, FOLD)
    audit.sees_test_features(honest, X, Y, FOLD)
    pd.testing.assert_frame_equal(X, before[0])
    pd.testing.assert_frame_equal(Y, before[1])


def test_features_of_scattered_cells_have_no_test_lines():
    wide = pd.DataFrame(RNG.normal(size=(24, 40)), LINES)
    scattered = splits.leave_pairs_out(wide, n_folds=3, tune=0).folds[0]
    with pytest.raises(InputError, match="leave lines out"):
        audit.sees_test_features(honest, X, wide, scattered)


def test_implied_variance_is_the_variance_of_the_scored_cells():
    truth, guess = RNG.normal(2, 3, 200), RNG.normal(2, 3, 200)
    implied = audit.implied_variance(
        metrics.mse(truth, guess, axis="global"), metrics.r2(truth, guess, axis="global")
    )
    assert implied.value == pytest.approx(truth.var())
    assert implied.low == implied.high == implied.value


def test_rounding_widens_the_interval_to_what_the_digits_allow():
    tried = [
        mse / (1 - r2)
        for mse in np.linspace(0.275, 0.285, 21)
        for r2 in np.linspace(0.895, 0.905, 21)
    ]
    value, low, high = audit.implied_variance(0.28, 0.90, 0.005, 0.005)
    assert value == pytest.approx(2.8)
    assert (low, high) == pytest.approx((min(tried), max(tried)))


@pytest.mark.parametrize(
    ("mse", "r2", "rounding"), [(1.0, 1.0, 0), (-1.0, 0.5, 0), (1, 0.999, 0.01)]
)
def test_numbers_that_imply_nothing_are_refused(mse, r2, rounding):
    with pytest.raises(InputError, match="No variance follows"):
        audit.implied_variance(mse, r2, 0.0, rounding)


def test_the_bootstrap_of_a_mean_has_the_width_of_its_standard_error():
    scores = RNG.normal(0.3, 0.1, 400)
    interval = audit.bootstrap(lambda units: scores[units].mean(), n=400, draws=2000)
    half = 1.96 * scores.std() / np.sqrt(400)
    assert interval.value == pytest.approx(scores.mean())
    assert (interval.high - interval.low) / 2 == pytest.approx(half, rel=0.08)
    assert interval.low < interval.value < interval.high


def test_the_bootstrap_agrees_with_scipy():
    scores = RNG.gamma(2, 1, 60)
    ours = audit.bootstrap(lambda units: np.median(scores[units]), n=60, draws=2000, level=0.8)
    theirs = stats.bootstrap(
        (scores,),
        np.median,
        n_resamples=2000,
        confidence_level=0.8,
        method="percentile",
        random_state=np.random.default_rng(1),
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.12)


def test_a_bootstrap_of_one_unit_is_refused():
    with pytest.raises(InputError, match="at least 2 units"):
        audit.bootstrap(lambda units: 0.0, n=1)


@pytest.mark.parametrize("n", [10, 40])
@pytest.mark.parametrize("folds", [1, 2, 5])
def test_the_null_share_is_what_random_numbers_give(n, folds):
    rng = np.random.default_rng(n + folds)
    truth, guess = rng.normal(size=(2, 20_000 * folds, n))
    truth, guess = (stats.zscore(table, axis=1) for table in (truth, guess))
    r = (truth * guess).mean(axis=1).reshape(-1, folds).mean(axis=1)
    share = (r > 0.15).mean()
    assert audit.null_fraction(0.15, n, folds) == pytest.approx(share, abs=0.012)


def test_the_grid_reproduces_the_exact_tail_and_its_symmetry():
    exact = stats.pearsonr(np.arange(30), RNG.normal(size=30), alternative="greater")
    assert audit.null_fraction(exact.statistic, 30) == pytest.approx(exact.pvalue)
    assert audit.null_fraction(0.0, 50, folds=5) == pytest.approx(0.5)
    assert audit.null_fraction(0.1, 50, 3) + audit.null_fraction(-0.1, 50, 3) == pytest.approx(1)
    many = audit.null_fraction(0.2, 126, folds=5)  # close to normal: sd of r is 1 / sqrt(n - 1)
    assert many == pytest.approx(stats.norm.sf(0.2 * np.sqrt(5 * 125)), rel=0.5)


@pytest.mark.parametrize(("n", "folds"), [(3, 1), (50, 0)])
def test_a_null_share_of_nothing_is_refused(n, folds):
    with pytest.raises(InputError, match="4 lines and 1 fold"):
        audit.null_fraction(0.2, n, folds)


def test_the_bound_is_reached_by_opposite_errors():
    error = 0.9 * np.sqrt(3.25) - 0.1 * np.sqrt(3.32)
    assert audit.mse_lower_bound(3.25, 3.32, 0.9) == pytest.approx(error**2)
    assert audit.mse_lower_bound(2.0, 2.0, 0.5) == 0
    assert audit.mse_lower_bound(2.0, 9.0, 1.0) == pytest.approx(2.0)


def test_a_prediction_that_leans_on_its_neighbours_is_seen():
    rows = pd.DataFrame(RNG.normal(size=(30, 3)), columns=list("abc"))

    def each_by_itself(rows):
        return rows.to_numpy() @ np.array([[1.0, 0.5], [2.0, 1.0], [0.0, 3.0]])

    def by_position(rows):
        return each_by_itself(rows) + np.arange(len(rows))[:, None]

    def scaled_where_it_is_asked(rows):
        return each_by_itself((rows - rows.mean()) / rows.std(ddof=0).replace(0, 1))

    def once_more_for_each_copy(rows):
        names = rows.index if rows.index.is_unique else rows.index.repeat(1)
        count = pd.Series(names).map(pd.Series(names).value_counts()).to_numpy()
        return each_by_itself(rows) * count[:, None]

    assert not audit.depends_on_company(each_by_itself, rows)
    for predict in (by_position, scaled_where_it_is_asked, once_more_for_each_copy):
        assert audit.depends_on_company(predict, rows), predict.__name__


def test_the_corrected_p_is_that_of_scipy_where_nothing_is_corrected():
    gains = RNG.normal(0.1, 0.3, 12)
    assert audit.corrected_p(gains) == pytest.approx(stats.ttest_1samp(gains, 0).pvalue)
    t = gains.mean() / np.sqrt((1 / 12 + 0.25) * gains.var(ddof=1))
    assert audit.corrected_p(gains, 0.25) == pytest.approx(2 * stats.t.sf(abs(t), 11))
    assert np.isnan(audit.corrected_p(gains[:1]))
    assert audit.corrected_p(np.array([np.nan, 0.2, 0.2])) == 0.0


def test_equal_models_are_equal_and_only_the_corrected_test_keeps_its_promise():
    gains = audit._equal_models(np.random.default_rng(0), 600, 100, 10)
    assert gains.shape == (600, 10)
    assert stats.ttest_1samp(gains.mean(axis=1), 0).pvalue > 0.001
    alarms = audit.false_alarms(2000)
    assert 0.04 < alarms["corrected t-test"] < 0.08 < 0.2 < alarms["plain t-test"]
    by_hand = np.mean([audit.corrected_p(world, 0.25) < 0.05 for world in gains])
    assert by_hand == pytest.approx(alarms["corrected t-test"], abs=0.03)


def test_the_lines_that_a_gain_needs_are_found_by_simulation():
    interval = audit.Interval(0.0, -0.196, 0.196)  # a standard error of 0.1 over 100 lines
    n = audit.lines_needed(interval, 100, gain=0.2)
    error = 0.1 * np.sqrt(100 / n)
    found = np.abs(RNG.normal(0.2, error, 200_000)) > 1.96 * error
    assert found.mean() == pytest.approx(0.8, abs=0.01)
    half = audit.lines_needed(interval, 100, gain=0.2, power=0.5)
    assert half == pytest.approx(100 * (1.96 / 2) ** 2, rel=1e-3)
