"""Several fits of one model: their mean, their spread, and what each of them sees."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone

from cdp_lib.errors import InputError
from cdp_lib.models.base.validation import uses_validation
from cdp_lib.models.baselines import MeanEffects
from cdp_lib.models.drug_effects import DrugEffectsByLine
from cdp_lib.models.ensemble import Ensemble

rng = np.random.default_rng(0)
ENDS = [(a, b) for a in "ABCDEF" for b in "ABCDEF" if a < b]
PAIRS = pd.DataFrame(ENDS, [f"{a} + {b}" for a, b in ENDS], ["drug_a", "drug_b"])
X = pd.DataFrame(rng.normal(size=(6, 2)), [f"L{i}" for i in range(6)])
Y = pd.DataFrame(rng.normal(size=(6, len(PAIRS))), X.index, PAIRS.index)


class Seeded(BaseEstimator):
    """Predicts its seed, and remembers which columns had labels."""

    def __init__(self, seed=7):
        self.seed = seed

    def fit(self, X, Y, validation=None):
        self.seen_ = Y.columns[Y.notna().any()]
        self.columns_, self.validation_ = Y.columns, validation
        return self

    def predict(self, X):
        return pd.DataFrame(float(self.seed), X.index, self.columns_)


def test_mean_and_spread_of_the_members_by_hand():
    ensemble = Ensemble(Seeded(), members=3, seed=4).fit(X, Y)
    mean, sd = ensemble.mean_and_sd(X)
    assert (mean == 5).all(axis=None)  # seeds 4, 5 and 6
    assert (sd == 1).all(axis=None)
    pd.testing.assert_frame_equal(ensemble.predict(X), mean)


def test_each_member_sees_its_own_share_of_the_perturbations():
    seen = [set(m.seen_) for m in Ensemble(Seeded(), members=4, share=0.6).fit(X, Y).members_]
    assert {len(each) for each in seen} == {9}
    assert len({frozenset(each) for each in seen}) > 1
    whole = Ensemble(Seeded(), members=2, share=1.0).fit(X, Y)
    assert all(len(member.seen_) == 15 for member in whole.members_)


def test_unknown_columns_are_not_drawn():
    hidden = Y.assign(**{PAIRS.index[0]: np.nan})
    members = Ensemble(Seeded(), members=3, share=1.0).fit(X, hidden).members_
    assert all(len(member.seen_) == 14 for member in members)


def test_a_model_of_pairs_predicts_new_pairs():
    ensemble = Ensemble(DrugEffectsByLine(), members=3).fit(X, Y.iloc[:, 2:], PAIRS)
    mean, sd = ensemble.mean_and_sd(X, PAIRS)
    assert mean.columns.equals(PAIRS.index)
    assert (sd > 0).all(axis=None)
    again = clone(ensemble).fit(X, Y.iloc[:, 2:], PAIRS).predict(X, PAIRS)
    pd.testing.assert_frame_equal(mean, again)


def test_validation_goes_to_members_that_want_it():
    assert uses_validation(Ensemble(Seeded()))
    assert not uses_validation(Ensemble(MeanEffects()))
    aside = (X.head(2), Y.head(2))
    members = Ensemble(Seeded(), members=2).fit(X, Y, validation=aside).members_
    assert all(member.validation_ is aside for member in members)


@pytest.mark.parametrize("wrong", [{"members": 1}, {"share": 0.0}, {"share": 1.5}])
def test_what_is_no_ensemble_is_refused(wrong):
    with pytest.raises(InputError, match=str(*wrong.values())):
        Ensemble(MeanEffects(), **wrong).fit(X, Y)
    with pytest.raises(InputError, match="not fitted"):
        Ensemble(MeanEffects()).predict(X)
