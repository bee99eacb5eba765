"""Stability selection keeps its bound in simulated worlds, and finds what is there."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LassoLars

from cdp_lib.errors import InputError
from cdp_lib.models.interpret.stability import _first, stability_selection
from cdp_lib.models.linear import Lasso

GENES = pd.Index([f"gene {i}" for i in range(60)])
WORLDS = pd.Index([f"world {i}" for i in range(40)])


def worlds(effect, related=4, lines=100, seed=0):
    """Forty responses to unrelated features; each hangs on `related` of them and on noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(lines, len(GENES)))
    true = rng.permuted(np.tile(np.arange(len(GENES)) < related, (len(WORLDS), 1)), axis=1).T
    Y = effect * X @ true + rng.normal(size=(lines, len(WORLDS)))
    return pd.DataFrame(X, columns=GENES), pd.DataFrame(Y, columns=WORLDS), true


@pytest.mark.parametrize("errors, threshold", [(1.0, 0.6), (2.0, 0.75), (5.0, 0.9)])
def test_the_bound_holds_in_simulated_worlds(errors, threshold):
    X, Y, true = worlds(effect=0.5)
    found = stability_selection(X, Y, errors, threshold)
    assert found.errors == pytest.approx(found.entering**2 / ((2 * threshold - 1) * 60))
    larger = (found.entering + 1) ** 2 / ((2 * threshold - 1) * 60)
    assert found.errors <= errors < larger
    wrong = (found.stable & ~true).sum()  # in each world
    assert wrong.mean() + 2 * wrong.std() / np.sqrt(len(wrong)) <= found.errors
    assert (found.stable & true).sum().mean() > 2, "and the true ones must be found"


def test_the_bound_needs_the_threshold():
    """Features that are chosen now and then are many: the bound is no matter of course."""
    X, Y, true = worlds(effect=0.0, related=0)
    found = stability_selection(X, Y, errors=1.0, threshold=0.75)
    assert found.stable.to_numpy().sum() / 40 <= 1.0
    assert (found.frequency > 0.2).to_numpy().sum() / 40 > 1.5 * found.errors


def test_a_teacher_of_all_lines_breaks_the_bound_and_one_of_each_half_keeps_it():
    """Simulated noise: whatever a teacher takes of it by luck, it says again in every half."""
    X, Y, _ = worlds(effect=0.0, related=0)
    teacher = Lasso((0.15,), ensemble=False)
    once = stability_selection(X, teacher.fit(X, Y).predict(X))
    anew = stability_selection(X, Y, teacher=teacher)
    assert once.stable.sum().mean() > 1.2 * once.errors
    assert anew.stable.sum().mean() <= anew.errors == once.errors


def test_a_teacher_is_distilled_on_each_half():
    X, Y, true = worlds(effect=0.7)
    Y = Y.iloc[:, :4].mask(np.arange(100)[:, None] < [0, 0, 0, 30])
    teacher = Lasso((0.05,), ensemble=False)
    found = stability_selection(X, Y, pairs=1, seed=2, teacher=teacher)
    order = np.random.default_rng(2).permutation(100)
    expected = 0
    for half in (order[:50], order[50:]):
        x, y = X.to_numpy()[half], Y.to_numpy()[half, :3]
        expected = expected + _first(x, teacher.fit(x, y).predict(x), found.entering) / 2
    np.testing.assert_array_equal(found.frequency.iloc[:, :3], expected)
    assert (found.stable & true[:, :4]).sum().min() >= 2
    with pytest.raises(InputError, match="teacher is 3"):
        stability_selection(X, Y, teacher=3)


def test_the_first_features_are_those_of_the_lasso():
    X, Y, _ = worlds(effect=0.7)
    x, y = X.to_numpy(), Y.to_numpy()[:, :3]
    chosen = _first(x, y, 7)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    for j in range(3):
        # the weakest penalty at which no more than seven features have had a weight
        path = LassoLars(alpha=0.0, max_iter=7).fit(z, y[:, j]).coef_path_
        np.testing.assert_array_equal(chosen[:, j], (path != 0).any(axis=1))
    assert (chosen.sum(axis=0) <= 7).all() and (chosen.sum(axis=0) >= 5).all()


def test_frequencies_are_shares_of_the_halves_and_repeat():
    X, Y, _ = worlds(effect=0.5)
    Y = Y.iloc[:, :4].copy()
    Y.iloc[:30, 1] = np.nan
    found = stability_selection(X, Y, pairs=5, seed=3)
    again = stability_selection(X, Y, pairs=5, seed=3, n_jobs=2)
    pd.testing.assert_frame_equal(found.frequency, again.frequency)
    shares = found.frequency.to_numpy() * 10
    np.testing.assert_allclose(shares, shares.round())
    assert found.frequency.index.equals(GENES) and found.frequency.columns.equals(Y.columns)
    assert (found.frequency.sum() <= found.entering + 1e-9).all()
    alone = stability_selection(X.iloc[30:], Y.iloc[30:, [1]], pairs=5, seed=3)
    assert np.abs(alone.frequency - found.frequency[["world 1"]]).to_numpy().max() <= 0.5


def test_what_cannot_be_chosen():
    X, Y, _ = worlds(effect=2.0)
    X, Y = X.copy(), Y.iloc[:, :4].copy()
    X["gene 0"] = 7.1  # constant
    X["gene 1"] = X["gene 2"]  # a twin
    Y.iloc[7:, 0] = np.nan  # too few
    Y.iloc[:, 1] = 3.0  # constant
    Y.iloc[:, 2] = np.nan
    found = stability_selection(X, Y, pairs=5)
    assert found.frequency[["world 0", "world 2"]].isna().all(axis=None)
    assert not found.stable[["world 0", "world 2"]].any(axis=None)
    assert (found.frequency["world 1"] == 0).all()
    assert found.frequency.loc["gene 0", "world 3"] == 0 and found.stable["world 3"].any()


@pytest.mark.parametrize(
    "settings, fact",
    [
        ({"threshold": 0.5}, "not one can be"),
        ({"threshold": 1.1}, "threshold is 1.1"),
        ({"threshold": 1.00000005}, "at most 1"),
        ({"errors": 0.01}, "at most 0.01"),
        ({"errors": -1}, "errors is -1"),
        ({"pairs": 0}, "pairs is 0"),
        ({"n_jobs": 0}, "n_jobs is 0"),
    ],
)
def test_bad_settings_get_one_sentence(settings, fact):
    X, Y, _ = worlds(effect=0.5)
    with pytest.raises(InputError, match=fact):
        stability_selection(X, Y, **settings)
