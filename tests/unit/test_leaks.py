"""The check that a fit never sees a test label must itself be able to fail."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestRegressor
from sklearn.preprocessing import StandardScaler

from cdp_lib.splits import leave_lines_out, leave_pairs_out

LINES = [f"line {i}" for i in range(18)]
RNG = np.random.default_rng(0)


class Small:
    """The little of a cohort that a model needs."""

    Y = pd.DataFrame(RNG.normal(size=(18, 4)).astype("float32"), LINES, list("ABCD"))
    lines = pd.DataFrame({"donor": np.repeat(range(9), 2)}, LINES)

    def X(self, omics):
        return pd.DataFrame(1.0, LINES, ["feature"])


class Model(BaseEstimator):
    """Learns the mean, a scaler, a forest, a net and a few plain things."""

    def __init__(self, seen_elsewhere=None, into="scaler"):
        self.seen_elsewhere = seen_elsewhere
        self.into = into

    def fit(self, X, Y):
        labels = {part: Y.fillna(0) for part in ("scaler", "net", "forest", "note", "table")}
        if self.seen_elsewhere is not None:
            labels[self.into] = self.seen_elsewhere.fillna(0)
        self.scaler_ = StandardScaler().fit(labels["scaler"].to_numpy())
        self.net_ = torch.nn.Linear(1, 1)
        torch.nn.init.constant_(self.net_.weight, float(labels["net"].abs().to_numpy().sum()))
        torch.nn.init.zeros_(self.net_.bias)
        forest = RandomForestRegressor(2, random_state=0)
        rows = labels["forest"]
        self.parts_ = {"forest": [forest.fit(np.arange(len(rows))[:, None], rows)]}
        self.note_ = ("seen", float(labels["note"].to_numpy().std()), None, np.nan)
        self.table_ = labels["table"].describe()
        self.columns_ = Y.columns
        return self

    def predict(self, X):
        return pd.DataFrame(0.0, X.index, self.columns_)


class PredictsFromOutside(Model):
    def predict(self, X):
        return self.seen_elsewhere.loc[X.index].fillna(0)


@pytest.mark.parametrize("split", [leave_lines_out, leave_pairs_out], ids=lambda s: s.__name__)
def test_an_honest_model_passes(split, assert_blind_to_test_labels):
    assert_blind_to_test_labels(Model, Small(), split(Small(), n_folds=3), permutations=2)


@pytest.mark.parametrize("part", ["scaler", "net", "forest", "note", "table"])
@pytest.mark.parametrize("split", [leave_lines_out, leave_pairs_out], ids=lambda s: s.__name__)
def test_a_part_fitted_on_all_rows_is_caught(part, split, assert_blind_to_test_labels):
    with pytest.raises(AssertionError, match=f"{part}.* changed"):
        assert_blind_to_test_labels(
            lambda cohort: Model(cohort.Y, into=part), Small(), split(Small(), n_folds=3)
        )


def test_a_prediction_that_looks_up_labels_is_caught(assert_blind_to_test_labels):
    with pytest.raises(AssertionError, match="prediction.* changed"):
        assert_blind_to_test_labels(
            lambda cohort: PredictsFromOutside(cohort.Y, into="nothing"),
            Small(),
            leave_lines_out(Small(), n_folds=3),
        )


def test_a_model_that_shows_nothing_is_refused(assert_blind_to_test_labels):
    class Silent(BaseEstimator):
        def fit(self, X, Y):
            return self

        def predict(self, X):
            return np.zeros(len(X))

    with pytest.raises(AssertionError, match="nothing to compare"):
        assert_blind_to_test_labels(Silent, Small(), leave_lines_out(Small(), n_folds=3))


def test_the_last_bit_counts(assert_blind_to_test_labels):
    class Nearly(Model):
        def fit(self, X, Y):
            super().fit(X, Y)
            total = float(np.nansum(self.seen_elsewhere))
            self.almost_one_ = 1.0 if total == float(np.nansum(Small.Y)) else np.nextafter(1, 2)
            return self

    with pytest.raises(AssertionError, match="almost_one_"):
        assert_blind_to_test_labels(
            lambda cohort: Nearly(cohort.Y, into="nothing"),
            Small(),
            leave_lines_out(Small(), n_folds=3),
        )
