"""Weights of another random split: what they have seen, and how much too good they look."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import Cohort
from cdp_lib.errors import InputError
from cdp_lib.evaluate.stale import predict_stale, seen
from cdp_lib.models.baselines import MeanEffects, NaiveModel
from cdp_lib.splits import published

RNG = np.random.default_rng(0)
LINES = pd.Index([f"line {i}" for i in range(20)], name="line")
Y = pd.DataFrame(RNG.normal(size=(20, 10)), LINES, list("abcdefghij"))
X = pd.DataFrame(RNG.normal(size=(20, 3)), LINES, ["g", "h", "i"])
COHORT = Cohort.from_tables(Y, {"expression": X}, pd.DataFrame({"tissue": "lung"}, LINES))


class Memory(NaiveModel):
    """Knows every training label by heart, and says 0 elsewhere."""

    def _learn(self, y, lines):
        self.y_ = pd.DataFrame(y, lines, self.columns_)

    def _means(self, lines):
        return self.y_.reindex(lines).fillna(0.0).to_numpy()


def test_a_stale_model_has_seen_the_test_rows():
    split = published.random_rows(COHORT, 3, parts=10)
    P = predict_stale({"memory": Memory(), "means": MeanEffects()}, COHORT, split)
    table = P.summary("r2", "global").set_index("model")["mean"]
    share = np.mean(seen(split, COHORT.Y.notna()))
    assert 0.6 < share < 0.95
    assert table["memory, stale"] > 0.6 > 0.1 > table["memory"]


def test_the_weights_are_those_of_the_repeat_before():
    split = published.random_rows(COHORT, 3, parts=3)
    cells = predict_stale({"memory": Memory()}, COHORT, split).cells()
    for repeat, before in ((0, 2), (1, 0), (2, 1)):
        stale = cells[(cells["model"] == "memory, stale") & (cells["repeat"] == repeat)]
        known = split.folds[before].fit
        rows = [LINES.get_loc(line) for line in stale["line"]]
        columns = [Y.columns.get_loc(name) for name in stale["perturbation"]]
        expected = np.where(known[rows, columns], Y.to_numpy()[rows, columns], 0.0)
        assert 0 < known[rows, columns].mean() < 1
        np.testing.assert_allclose(stale["prediction"], expected, atol=1e-6)


def test_one_repeat_has_no_repeat_before_it():
    with pytest.raises(InputError, match="two repeats"):
        predict_stale({"means": MeanEffects()}, COHORT, published.random_rows(COHORT, 1))
