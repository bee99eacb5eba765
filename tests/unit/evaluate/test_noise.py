"""Resampled scores, each against one sample after the other."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from cdp_lib import audit, evaluate, metrics, splits
from cdp_lib.data.cohort import Cohort
from cdp_lib.errors import InputError
from cdp_lib.evaluate import noise
from cdp_lib.models.baselines import LineMean
from cdp_lib.models.linear import Ridge

RNG = np.random.default_rng(7)
LINES = [f"line {n}" for n in range(40)]


@pytest.fixture(scope="module")
def cohort():
    X = pd.DataFrame(RNG.normal(size=(40, 5)), LINES).astype("float32").rename(columns=str)
    Y = pd.DataFrame(X.to_numpy() @ RNG.normal(size=(5, 7)), LINES, list("ABCDEFG"))
    Y = (Y + RNG.normal(size=Y.shape)).mask(RNG.random(Y.shape) < 0.15)
    tissue = pd.DataFrame({"tissue": np.tile(["lung", "skin"], 20)}, LINES)
    return Cohort.from_tables(Y, {"expression": X}, tissue)


@pytest.fixture(scope="module")
def predictions(cohort):
    split = splits.leave_lines_out(cohort, n_folds=4, tune=0)
    return evaluate.cross_predict({"ridge": Ridge(alphas=(1.0,))}, cohort, split)


def test_a_resampled_r_is_that_of_the_repeated_rows():
    y, p = RNG.normal(size=(2, 30, 4))
    y[RNG.random(y.shape) < 0.2] = np.nan
    p[:, 3] = 1.0
    counts = noise.drawn(np.random.default_rng(0), 30, 5)
    ours = noise.resampled_r(counts, y, p)
    for sample, found in zip(counts, ours):
        rows = np.repeat(np.arange(30), sample.astype(int))
        np.testing.assert_allclose(found, metrics.pearson(y[rows], p[rows]), atol=1e-9)
    assert (ours[:, 3] == 0).all()


def test_each_sample_draws_as_many_units_as_there_are():
    counts = noise.drawn(np.random.default_rng(0), 12, 400)
    assert (counts.sum(axis=1) == 12).all()
    assert counts.mean(axis=0) == pytest.approx(np.ones(12), abs=0.2)


def test_within_folds_every_line_is_tested_once_and_every_fold_has_the_mean_0(predictions, cohort):
    truth, predicted = noise.within_folds(predictions, "ridge")
    assert sorted(truth.index) == sorted(LINES)
    assert (truth.notna().to_numpy() == cohort.Y.loc[truth.index].notna().to_numpy()).all()
    (held,) = predictions.held
    for _, part in held.parts():
        lines = held.lines[np.unique(held.line[part])]
        for table in (truth, predicted):
            assert table.loc[lines].mean().to_numpy() == pytest.approx(np.zeros(7), abs=1e-6)


def test_intervals_are_those_of_the_plain_bootstrap(predictions):
    ours = noise.intervals(predictions, "ridge", "tissue mean", samples=3000, seed=1)
    (y, p), (_, q) = (noise.within_folds(predictions, name) for name in ("ridge", "tissue mean"))
    y, p, q = (table.to_numpy() for table in (y, p, q))

    def gain(rows, columns=slice(None)):
        part = [table[rows][:, columns] for table in (y, p, q)]
        return np.nanmean(metrics.pearson(part[0], part[1]) - metrics.pearson(part[0], part[2]))

    over_lines = audit.bootstrap(gain, 40, draws=1500)
    over_drugs = audit.bootstrap(lambda u: gain(np.arange(40), u), 7, draws=1500)
    for name, expected in (("lines", over_lines), ("drugs", over_drugs)):
        assert ours[f"gain, over {name}"] == pytest.approx(expected, abs=0.03)
    assert ours["score, over lines"].value == pytest.approx(np.nanmean(metrics.pearson(y, p)))


def test_intervals_grow_narrow_with_the_number_of_lines(predictions):
    table = noise.widths(predictions, "ridge", "tissue mean", (10, 20, 40), subsets=8, samples=300)
    assert list(table.index) == [10, 20, 40]
    assert table["score, over lines"].is_monotonic_decreasing


def test_an_unknown_model_is_refused(predictions):
    with pytest.raises(InputError, match="'forest'"):
        noise.within_folds(predictions, "forest")


@pytest.mark.parametrize("turned", [False, True])
def test_many_draws_of_a_mean_are_what_the_baseline_scores(cohort, turned):
    Y = cohort.Y.T if turned else cohort.Y
    ours = noise.mean_r2(Y, draws=3, held=0.3, seed=4)
    lots = np.random.default_rng(4).random((3, Y.shape[1]))
    size = round(0.3 * Y.shape[1])
    for draw, found in zip(lots, ours):
        tested = np.isin(np.arange(Y.shape[1]), np.argsort(draw)[:size])
        names = pd.DataFrame(index=Y.index)
        fit = Y.where(np.broadcast_to(~tested, Y.shape))
        P = LineMean().fit(names, fit).predict(names)
        expected = metrics.r2(Y.loc[:, tested], P.loc[:, tested], axis="global")
        assert found == pytest.approx(expected, abs=1e-5)


def test_the_gain_of_a_better_model_is_seen_by_every_interval(cohort):
    split = splits.leave_lines_out(cohort, n_folds=4, tune=0)
    from cdp_lib.models.per_perturbation import PerPerturbation

    P = evaluate.cross_predict({"plain": PerPerturbation(LinearRegression())}, cohort, split)
    each = noise.intervals(P, "plain", "tissue mean", samples=400)
    assert all(interval.low > 0 for interval in each.values())


def test_luck_passes_a_threshold_as_often_as_theory_says(cohort):
    Y = pd.DataFrame(RNG.normal(size=(90, 300)), [f"line {n}" for n in range(90)])
    Y.columns = Y.columns.astype(str)
    about = pd.DataFrame({"tissue": "x"}, Y.index)
    X = pd.DataFrame(RNG.normal(size=(90, 4)), Y.index).rename(columns=str)
    many = Cohort.from_tables(Y, {"expression": X}, about)
    split = splits.leave_lines_out(many, n_folds=3, tune=0, groups=None)
    P = evaluate.cross_predict({"ridge": Ridge(alphas=(1.0,))}, many, split)
    shares = noise.shares_by_luck(P, "ridge", 0.2, n=25, shuffles=60)
    assert shares["one fold"].mean() == pytest.approx(audit.null_fraction(0.2, 25), abs=0.015)
    expected = audit.null_fraction(0.2, 25, folds=3)
    assert shares["mean of the folds"].mean() == pytest.approx(expected, abs=0.01)
