"""Other lines for one fitted model: held against plain loops, and against arithmetic."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cdp_lib import evaluate, splits
from cdp_lib.data.cohort import Cohort
from cdp_lib.errors import InputError
from cdp_lib.evaluate.predictions import Predictions
from cdp_lib.models.linear import Ridge

LINES = 60


@pytest.fixture(scope="module")
def P():
    rng = np.random.default_rng(0)
    names = pd.Index([f"line {n}" for n in range(LINES)])
    X = pd.DataFrame(rng.normal(size=(LINES, 8)), names, [f"g{n}" for n in range(8)])
    Y = pd.DataFrame(X.to_numpy()[:, :4] + rng.normal(size=(LINES, 4)), names, list("abcd"))
    Y.loc[names[::2], "b"] = np.nan
    Y.loc[names[5:], "d"] = np.nan
    tissues = ["lung"] * 40 + ["skin"] * 20
    made = Cohort.from_tables(Y, {"expression": X}, pd.DataFrame({"tissue": tissues}, names))
    held = splits.leave_tissues_out(made, n_folds=2, tune=0)
    return evaluate.cross_predict({"weak": Ridge((1e4,)), "strong": Ridge((1.0,))}, made, held)


def largest(P, model):
    cells = P.cells().query("model == @model")
    fold = cells.groupby("fold").size().idxmax()
    return cells[cells["fold"] == fold]


def test_the_value_is_the_score_of_the_largest_fold(P):
    table = evaluate.over_lines(P, draws=20).set_index(["perturbation", "model"])
    cells = largest(P, "strong")
    for drug in "abc":
        mine = cells[cells["perturbation"] == drug]
        expected = stats.spearmanr(mine["truth"], mine["prediction"]).statistic
        assert table.loc[(drug, "strong"), "value"] == pytest.approx(expected)
        assert table.loc[(drug, "strong"), "n"] == len(mine)
    assert "d" not in table.index.get_level_values(0)
    mean = table.xs("strong", level=1)["value"]
    assert mean["mean"] == pytest.approx(mean[list("abc")].mean())


def test_the_interval_is_that_of_lines_drawn_again(P):
    table = evaluate.over_lines(P, draws=1000, seed=1).set_index(["perturbation", "model"])
    mine = largest(P, "strong").query("perturbation == 'a'")
    rng = np.random.default_rng(2)
    y, p = mine["truth"].to_numpy(), mine["prediction"].to_numpy()
    some = rng.integers(len(y), size=(500, len(y)))
    plain = np.quantile([stats.spearmanr(y[i], p[i]).statistic for i in some], (0.025, 0.975))
    assert table.loc[("a", "strong"), ["low", "high"]].to_numpy(float) == pytest.approx(
        plain, abs=0.05
    )


def test_gains_come_from_the_same_draws(P):
    table = evaluate.over_lines(P, "weak", draws=200).set_index(["perturbation", "model"])
    assert (table.xs("weak", level=1)[["gain", "gain_low", "gain_high"]] == 0).all(axis=None)
    row = table.loc[("a", "strong")]
    assert row["gain"] == pytest.approx(row["value"] - table.loc[("a", "weak"), "value"])
    apart = row["high"] - row["low"] + table.loc[("a", "weak"), "high"]
    assert row["gain_high"] - row["gain_low"] < apart - table.loc[("a", "weak"), "low"]


def test_repeats_shrink_with_what_is_removed(P):
    sd = {r: evaluate.repeats(P, "strong", r, 400).std() for r in (1, 10, 20)}
    assert sd[1] < sd[10] < sd[20]
    # means over n - r of n numbers without replacement: sqrt(r / (n - r)) of one another
    n = largest(P, "strong")["line"].nunique()
    assert sd[10] / sd[1] == pytest.approx(np.sqrt(10 / (n - 10) * (n - 1)), rel=0.35)


def test_an_error_that_falls_is_a_gain(P):
    table = evaluate.over_lines(P, "weak", "mse", draws=50).set_index(["perturbation", "model"])
    better, worse = (table.loc[("a", model)] for model in ("strong", "weak"))
    assert better["value"] < worse["value"]
    assert better["gain"] == pytest.approx(worse["value"] - better["value"])
    assert better["gain_low"] <= better["gain"] <= better["gain_high"]


def test_classes_have_their_own_scores_and_an_unknown_one_is_named(P):
    (held,) = P.held
    classes = Predictions((replace(held, truth=(held.truth > 0).astype(float)),))
    table = evaluate.over_lines(classes, metric="auroc", draws=20).set_index(
        ["perturbation", "model"]
    )
    mine = largest(classes, "strong").query("perturbation == 'a'")
    above = (
        np.subtract.outer(*(mine.query(f"truth == {y}")["prediction"].to_numpy() for y in (1, 0)))
        > 0
    )
    assert table.loc[("a", "strong"), "value"] == pytest.approx(above.mean())
    assert evaluate.repeats(classes, "strong", metric="auroc", times=3).min() > 0.5
    for ask in (evaluate.over_lines, evaluate.repeats):
        with pytest.raises(InputError, match="metric 'auc'"):
            ask(P, "strong", metric="auc")


@pytest.mark.parametrize("removed", [0, 38])
def test_some_lines_must_go_and_some_must_stay(P, removed):
    with pytest.raises(InputError, match=f"{removed} of 40"):
        evaluate.repeats(P, "strong", removed)


def test_an_unknown_reference_is_named(P):
    with pytest.raises(InputError, match="'nobody'"):
        evaluate.over_lines(P, "nobody")
