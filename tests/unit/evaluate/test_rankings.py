"""Whole lines: the folds of a repeat as one, the share of the best that a list names."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cdp_lib import evaluate, metrics
from cdp_lib.errors import InputError
from cdp_lib.evaluate import rankings
from cdp_lib.models.baselines import MeanEffects
from cdp_lib.splits import leave_drugs_out, leave_pairs_out, leave_perturbations_out

LINES = [f"line {i}" for i in range(8)]
PAIRS = [(a, b) for a in "ABCDEFGH" for b in "ABCDEFGH" if a < b]
rng = np.random.default_rng(0)
NAMES = pd.Index([f"{a} + {b}" for a, b in PAIRS], name="perturbation")
Y = pd.DataFrame(rng.normal(size=(8, len(PAIRS))) + rng.normal(size=len(PAIRS)), LINES, NAMES)
Y.iloc[2, 5] = np.nan
SCREEN = SimpleNamespace(Y=Y, perturbations=pd.DataFrame(PAIRS, NAMES, ["drug_a", "drug_b"]))


def run(split):
    return evaluate.cross_predict({"effects": MeanEffects()}, SCREEN, split, omics=None)


@pytest.fixture(scope="module")
def P():
    return run(leave_pairs_out(SCREEN, 4, tune=0))


def test_all_folds_of_a_repeat_are_one(P):
    (whole,) = rankings.pooled(P).held
    assert whole.folds[["repeat", "fold", "n_test"]].values.tolist() == [[0, 0, 8 * 28 - 1]]
    pd.testing.assert_frame_equal(whole.table(slice(None), whole.truth), Y, check_names=False)
    cells = P.cells()
    of_one = cells[(cells["model"] == "effects") & (cells["line"] == "line 3")]
    table = whole.table(slice(None), whole.values["effects", "none"])
    expected = of_one.set_index("perturbation")["prediction"].astype(float)
    assert np.allclose(table.loc["line 3"], expected.reindex(NAMES))


def test_the_score_of_a_whole_line_is_that_of_its_row(P):
    truth, prediction = rankings.whole(P, "effects")
    views = rankings.line_views(P, "effects", k=5, lower_is_better=False)
    assert views.index.tolist() == LINES
    assert np.allclose(views["spearman"], metrics.spearman(truth, prediction, "line"))
    best = [set(row.nlargest(5).index) for row in (Y.loc["line 4"], prediction.loc["line 4"])]
    assert views.loc["line 4", "top 5 shared"] == len(best[0] & best[1]) / 5
    turned = rankings.line_views(P, "effects", k=5, lower_is_better=True)["top 5 shared"]
    lowest = [table.rank(axis=1) <= 5 for table in (truth, prediction)]
    assert np.allclose(turned, (lowest[0] & lowest[1]).sum(axis=1) / 5)
    assert (turned != views["top 5 shared"]).any()
    assert views["n"].tolist() == [28, 28, 27, 28, 28, 28, 28, 28]


def test_gains_over_one_list_have_an_interval_over_lines(P):
    top = metrics.top_shared(5, lower_is_better=False)
    table = rankings.pooled(P).against("perturbation mean", top, axis="line", draws=50)
    row = table.set_index("model").loc["effects"]
    assert row["distinct"] == 8
    assert row["low"] <= row["gain"] <= row["high"]


def test_cells_tested_twice_count_with_the_mean_of_their_predictions():
    P = run(leave_drugs_out(SCREEN, 4, held="one", tune=0))
    cells = P.cells()
    twice = cells[cells["model"] == "effects"].groupby(["line", "perturbation"], observed=True)
    assert (twice.size() == 2).any()
    _, prediction = rankings.whole(P, "effects")
    mean = twice["prediction"].mean()
    assert np.allclose([prediction.loc[line, pair] for line, pair in mean.index], mean)


def test_a_failed_fit_stays_unknown():
    class Broken(MeanEffects):
        def fit(self, X, Y):
            if np.isnan(Y.iloc[:, 0]).all():
                raise ValueError("no")
            return super().fit(X, Y)

    split = leave_perturbations_out(SCREEN, 4, tune=0)
    P = evaluate.cross_predict({"broken": Broken()}, SCREEN, split, omics=None, errors="keep")
    _, prediction = rankings.whole(P, "broken")
    assert prediction.isna().all().sum() == 7  # the pairs of one fold


def test_what_recurs_is_counted_by_hand():
    table = pd.DataFrame({"A": [1.0, 1, 9], "B": [2.0, 9, np.nan], "C": [3.0, 2, 1]})
    found = rankings.recurrent(table, k=1, n=2)
    assert found.index.tolist() == ["A", "C"]
    assert found["lines"].tolist() == [2, 1]
    assert rankings.recurrent(table, k=1, n=1, lower_is_better=False).index.tolist() == ["B"]
    assert rankings.recurrent(table, k=1)["measured"].tolist() == [3, 3, 2]


def test_what_is_no_whole_line_is_refused(P):
    with pytest.raises(InputError, match="one repeat"):
        rankings.whole(run(leave_pairs_out(SCREEN, 4, repeats=2, tune=0)), "effects")
    with pytest.raises(InputError, match="mean effects"):
        rankings.whole(P, "network")
