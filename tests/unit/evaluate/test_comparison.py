"""Draws of one control count as one model."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib import evaluate
from cdp_lib.data import Cohort
from cdp_lib.errors import InputError
from cdp_lib.splits import leave_lines_out


def test_the_draws_of_a_control_are_averaged_fold_by_fold_and_unit_by_unit():
    rng = np.random.default_rng(0)
    lines = [f"line {i}" for i in range(30)]
    Y = pd.DataFrame(rng.normal(size=(30, 4)), lines, list("abcd"))
    omics = {"expression": pd.DataFrame(rng.normal(size=(30, 2)), lines, ["g", "h"])}
    cohort = Cohort.from_tables(Y, omics, pd.DataFrame({"tissue": "skin"}, lines))
    split = leave_lines_out(cohort, n_folds=3, tune=0)
    P = evaluate.cross_predict({}, cohort, split)
    for draw in range(3):
        P = P.add(f"random {draw}", [Y + (1 + draw) * rng.normal(size=Y.shape) for _ in split])
    P = P.add("true", [Y + rng.normal(size=Y.shape) for _ in split])
    frame = P.scores("r2")
    one = evaluate.averaged(frame, {f"random {draw}": "random" for draw in range(3)})
    drawn = frame[frame["model"].str.startswith("random")]
    expected = drawn.groupby(["fold", "unit"])["score"].mean()
    found = one[one["model"] == "random"].set_index(["fold", "unit"])["score"]
    assert len(found) == 12
    pd.testing.assert_series_equal(found.sort_index(), expected.sort_index(), check_names=False)
    table = evaluate.compared(one, "random", draws=50).set_index("model")
    gain = P.summary("r2").set_index("model")["mean"]
    mean = gain[[f"random {draw}" for draw in range(3)]].mean()
    assert table.loc["true", "gain"] == pytest.approx(gain["true"] - mean)
    assert table.loc["true", "low"] <= table.loc["true", "gain"] <= table.loc["true", "high"]


def test_some_models_alone_keep_their_scores():
    rng = np.random.default_rng(1)
    lines = [f"line {i}" for i in range(30)]
    Y = pd.DataFrame(rng.normal(size=(30, 4)), lines, list("abcd"))
    omics = {"expression": pd.DataFrame(rng.normal(size=(30, 2)), lines, ["g", "h"])}
    cohort = Cohort.from_tables(Y, omics, pd.DataFrame({"tissue": "skin"}, lines))
    split = leave_lines_out(cohort, n_folds=3, tune=0)
    P = evaluate.cross_predict({}, cohort, split).add("ours", [Y + 1 for _ in split])
    some = P.only(["ours", "mean effects"])
    assert set(some.summary("mse")["model"]) == {"ours", "mean effects"}
    whole = P.summary("mse").set_index("model")["mean"]
    assert some.summary("mse").set_index("model")["mean"]["ours"] == whole["ours"]
    with pytest.raises(InputError, match="theirs"):
        P.only(["theirs"])
