"""A mean of several models, by their number: held against means taken by hand."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib import evaluate, splits
from cdp_lib.data.cohort import Cohort
from cdp_lib.errors import InputError
from cdp_lib.models.linear import Ridge

MEMBERS = ["ridge 0.1", "ridge 10", "ridge 1000"]


@pytest.fixture(scope="module")
def P():
    rng = np.random.default_rng(0)
    names = pd.Index([f"line {n}" for n in range(40)])
    X = pd.DataFrame(rng.normal(size=(40, 8)), names, [f"g{n}" for n in range(8)])
    Y = pd.DataFrame(X.to_numpy()[:, :5] + rng.normal(size=(40, 5)), names, list("abcde"))
    lines = pd.DataFrame({"tissue": "lung"}, names)
    made = Cohort.from_tables(Y, {"expression": X}, lines, name="made")
    held = splits.leave_lines_out(made, n_folds=2, tune=0)
    models = {f"ridge {alpha:g}": Ridge((alpha,)) for alpha in (0.1, 10.0, 1e3)}
    return evaluate.cross_predict(models, made, held)


def mean_score(P, members):
    scores = P.mean_of({"m": members}).summary("spearman").set_index("model")
    return scores.loc["m", "mean"]


def test_the_score_of_n_members_is_the_mean_over_which_stands_first(P):
    table = evaluate.by_count(P, {"ridges": MEMBERS})["ridges"]
    assert list(table.index) == [1, 2, 3]
    one = [mean_score(P, [member]) for member in MEMBERS]
    two = [mean_score(P, [MEMBERS[a], MEMBERS[b]]) for a, b in ((0, 1), (1, 2), (2, 0))]
    for n, scores in ((1, one), (2, two), (3, [mean_score(P, MEMBERS)])):
        expected = np.mean(scores), min(scores), max(scores)
        assert table.loc[n, ["mean", "least", "most"]].to_numpy(float) == pytest.approx(expected)


def test_a_member_counts_once(P):
    with pytest.raises(InputError, match="'ridges' has 2"):
        evaluate.by_count(P, {"ridges": [MEMBERS[0], MEMBERS[0]]})
