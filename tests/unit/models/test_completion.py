"""A table completed from itself: against a plain singular value decomposition, and against luck."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib import metrics
from cdp_lib.models.baselines import MeanEffects
from cdp_lib.models.completion import TableCompletion, completed

RNG = np.random.default_rng(2)
LINES, DRUGS = [f"line {n}" for n in range(60)], [f"drug {n}" for n in range(25)]


@pytest.fixture(scope="module")
def table():
    """Effects of lines and drugs, two shared patterns, some noise and gaps."""
    effects = RNG.normal(size=(60, 1)) + 2 * RNG.normal(size=(1, 25))
    patterns = 1.5 * RNG.normal(size=(60, 2)) @ RNG.normal(size=(2, 25))
    whole = effects + patterns + 0.3 * RNG.normal(size=(60, 25))
    whole = pd.DataFrame(whole, LINES, DRUGS)
    return whole, whole.mask(RNG.random(whole.shape) < 0.2)


def test_a_step_is_what_the_plain_decomposition_gives():
    filled = RNG.normal(size=(12, 7))
    U, sizes, V = np.linalg.svd(filled, full_matrices=False)
    expected = (U * np.maximum(sizes - 1.3, 0)) @ V
    ours = completed(filled, np.ones((12, 7), bool), 1.3, 1, np.zeros((12, 7)))
    np.testing.assert_allclose(ours, expected, atol=1e-9)


def test_it_fills_gaps_that_mean_effects_cannot(table):
    whole, known = table
    names = pd.DataFrame(index=whole.index)
    gaps = whole.where(known.isna())
    ours, effects = (
        metrics.r2(gaps, model.fit(names, known).predict(names), axis="global")
        for model in (TableCompletion((10.0, 3.0, 1.0)), MeanEffects())
    )
    assert ours > 0.9 > 0.75 > effects


def test_of_a_new_line_it_knows_no_more_than_the_mean_effects(table):
    _, known = table
    new = pd.DataFrame(index=["a new line", *LINES[:3]])
    model = TableCompletion().fit(known[[]], known)
    effects = MeanEffects().fit(known[[]], known)
    pd.testing.assert_frame_equal(model.predict(new)[:1], effects.predict(new)[:1])
    assert not np.allclose(model.predict(new)[1:], effects.predict(new)[1:])


def test_where_nothing_is_shared_the_largest_strength_is_chosen():
    noise = pd.DataFrame(np.random.default_rng(8).normal(size=(200, 20)))
    assert TableCompletion((50.0, 0.1)).fit(noise[[]], noise).strength_ == 50.0
