"""One table of distances gives what one estimator a perturbation gives."""

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsRegressor

from cdp_lib.errors import InputError
from cdp_lib.models.nearest import NearestLines
from cdp_lib.models.per_perturbation import PerPerturbation


def tables(lines=50, features=30):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(lines, features))
    Y = rng.normal(size=(lines, 6))
    Y[rng.random(Y.shape) < 0.2] = np.nan
    Y[:, 1] = rng.normal(size=lines)
    Y[4:, 4], Y[:, 5] = np.nan, np.nan
    names = [f"line {i}" for i in range(lines)]
    return pd.DataFrame(X, names).add_prefix("gene "), pd.DataFrame(Y, names).add_prefix("drug ")


@pytest.mark.parametrize("features", [3, 30])
def test_it_equals_scikit_learn_on_the_known_lines(features):
    X, Y = tables(features=features)
    ours = NearestLines(10).fit(X[:40], Y[:40]).predict(X)
    theirs = PerPerturbation(KNeighborsRegressor(10)).fit(X[:40], Y[:40]).predict(X)
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-12)


def test_of_equally_near_lines_the_first_count():
    """Twins, and distances on a grid: at the k-th place there is a choice."""
    x = np.tile(np.arange(4.0), 3)[:, None] * np.ones((1, 16))
    y = np.random.default_rng(1).normal(size=(12, 1))
    P = NearestLines(2).fit(x, y).predict(np.zeros((1, 16)))
    np.testing.assert_allclose(P[0], (y[0] + y[4]) / 2)
    near = KNeighborsRegressor(3, algorithm="brute").fit(x, y)
    np.testing.assert_allclose(NearestLines(3).fit(x, y).predict(x), near.predict(x))


def test_it_holds_the_omics_once_and_fills_no_rows():
    X, Y = tables()
    model = NearestLines(3).fit(X, Y)
    assert model.predict(X[:0]).shape == (0, 6)
    assert sum(np.shape(value) == X.shape for value in vars(model).values()) == 1
    with pytest.raises(InputError, match="k is 0"):
        NearestLines(0).fit(X, Y)
