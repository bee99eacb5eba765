"""Procedures with doors for leaks, each against scipy and scikit-learn and against the audit."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import Ridge as PlainRidge

from cdp_lib import audit, metrics, splits
from cdp_lib.data.cohort import Cohort
from cdp_lib.evaluate import procedures

RNG = np.random.default_rng(5)
LINES = [f"line {n}" for n in range(60)]


@pytest.fixture(scope="module")
def cohort():
    X = pd.DataFrame(RNG.normal(size=(60, 20)), LINES).astype("float32").rename(columns=str)
    signal = X.to_numpy() @ RNG.normal(size=(20, 6)) / 4
    Y = pd.DataFrame(signal + RNG.normal(size=(60, 6)), LINES, list("ABCDEF"))
    Y = Y.mask(RNG.random(Y.shape) < 0.1)
    return Cohort.from_tables(Y, {"expression": X}, pd.DataFrame({"tissue": "x"}, LINES))


@pytest.fixture(scope="module")
def split(cohort):
    return splits.leave_lines_out(cohort, n_folds=3, tune=0.15, groups=None)


def with_features_of(rows):
    return lambda X, Y, fold: procedures.ridge(procedures.z_scores(X, rows(fold)), Y, fold)


def watching(cells):
    return lambda X, Y, fold: procedures.network(X, Y, fold, cells(fold), epochs=40)


def seeing(cells):
    return lambda X, Y, fold: procedures.by_codes(X, Y, fold, cells(fold), n_codes=3)


def stacking(again):
    return lambda X, Y, fold: procedures.stacked(X, Y, fold, again and again.folds[fold.number])


DOORS = {
    "scaling": (
        with_features_of(lambda fold: slice(None)),
        with_features_of(lambda fold: fold.fit.any(axis=1)),
        (False, True),
    ),
    "epoch": (watching(lambda fold: fold.test), watching(lambda fold: fold.tune), (True, True)),
    "codes": (
        seeing(lambda fold: fold.fit | fold.test),
        seeing(lambda fold: fold.fit),
        (True, False),
    ),
}


@pytest.mark.parametrize("name", DOORS)
def test_each_door_lets_in_what_it_says_and_nothing_when_it_is_shut(name, cohort, split):
    leaking, repaired, expected = DOORS[name]
    X, Y, fold = cohort.X("expression"), cohort.Y, split.folds[0]
    tests = (audit.sees_test_labels, audit.sees_test_features)
    assert tuple(test(leaking, X, Y, fold) for test in tests) == expected
    assert not any(test(repaired, X, Y, fold) for test in tests)


def test_stages_that_draw_their_folds_apart_see_test_lines(cohort, split):
    X, Y, fold = cohort.X("expression"), cohort.Y, split.folds[0]
    again = splits.leave_lines_out(cohort, n_folds=3, tune=0, seed=1, groups=None)
    assert audit.sees_test_labels(stacking(again), X, Y, fold)
    assert not audit.sees_test_labels(stacking(None), X, Y, fold)
    assert not audit.sees_test_features(stacking(None), X, Y, fold)


def test_z_scores_are_those_of_scipy(cohort, split):
    X, rows = cohort.X("expression").astype(float), split.folds[0].fit.any(axis=1)
    expected = stats.zscore(X[rows].to_numpy(), ddof=1)
    np.testing.assert_allclose(procedures.z_scores(X, rows)[rows], expected, atol=1e-9)


def test_the_linear_autoencoder_is_a_projection_on_principal_directions(cohort, split):
    X, Y, fold = cohort.X("expression"), cohort.Y, split.folds[0]
    rows = fold.fit.any(axis=1)
    ours = procedures.by_codes(X, Y, fold, fold.fit, n_codes=3)
    means = Y[rows].mean()
    centred = (Y[rows] - means).fillna(0).to_numpy(dtype=float)
    directions = np.linalg.eigh(centred.T @ centred)[1][:, -3:]
    Z = procedures.z_scores(X, rows)
    plain = PlainRidge(alpha=1000.0).fit(Z[rows], centred).predict(Z)
    expected = plain @ directions @ directions.T + means.to_numpy()
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_trust_is_what_least_squares_gives(cohort, split):
    X, Y, fold = cohort.X("expression"), cohort.Y, split.folds[0]
    again = splits.leave_lines_out(cohort, n_folds=3, tune=0, seed=1, groups=None).folds[0]
    ours = procedures.stacked(X, Y, fold, again)
    first, second = procedures.members(X, Y, again)
    means = Y.where(fold.fit).mean()
    cells = fold.fit & Y.notna().to_numpy()
    given = np.stack([(part - means).to_numpy()[cells] for part in (first, second)])
    wanted = (Y - means).to_numpy()[cells]
    trust = np.linalg.solve(given @ given.T, given @ wanted)
    expected = means + trust[0] * (first - means) + trust[1] * (second - means)
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_procedures_stand_beside_the_naive_baselines(cohort, split):
    leaking, repaired, _ = DOORS["codes"]
    P = procedures.predict_with({"leaking": leaking, "repaired": repaired}, cohort, split)
    scores = P.scores("pearson")
    assert {"leaking", "repaired", "perturbation mean"} <= set(scores["model"])
    fold = split.folds[1]
    rows = fold.test.any(axis=1)
    predicted = repaired(cohort.X("expression"), cohort.Y, fold)
    expected = metrics.pearson(cohort.Y[rows], predicted[rows])
    found = scores[(scores["model"] == "repaired") & (scores["fold"] == 1)]["score"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_table_of_leaks_says_what_each_adds_and_which_test_sees_it(cohort, split):
    leaking, repaired = (
        {"codes": DOORS["codes"][n], "scaling": DOORS["scaling"][n]} for n in (0, 1)
    )
    table, with_leak, without = procedures.leak_gains(leaking, repaired, cohort, split)
    assert table.loc["codes", ["labels", "features", "clean"]].tolist() == [True, False, True]
    assert table.loc["scaling", ["labels", "features", "clean"]].tolist() == [False, True, True]
    by_fold = [procedures.mean_by_fold(P, "codes") for P in (with_leak, without)]
    assert table["gain"]["codes"] == pytest.approx((by_fold[0] - by_fold[1]).mean())
    summary = without.summary("pearson").set_index("model")
    assert by_fold[1].mean() == pytest.approx(summary["mean"]["codes"])
