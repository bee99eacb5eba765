"""What a score can mean: tests for leaks, and the noise that any score has.

    implied variance   MSE / (1 - R2): the variance of the response behind a row of a table
    lower bound        the least MSE of a weighted mean of predictions, from weights and parts
    leaks              change the test labels (or test features), run everything again, compare
    company            ask for the same rows in another order, alone and twice, compare
    bootstrap          draw n of the n units with replacement, score again: the spread is the noise
    corrected t-test   t = mean(gain) / sqrt((1 / folds + n_test / n_train) var(gain))
    power              a gain g is found with power b where  g / se = z(1 - a / 2) + z(b)
    correlation        of n lines without any relation:  r sqrt((n - 2) / (1 - r^2)) ~ t(n - 2)

The last four say how large a score must be to mean anything; the first two need only printed
numbers.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from cdp_lib.errors import InputError
from cdp_lib.splits.folds import Fold

Procedure = Callable[[pd.DataFrame, pd.DataFrame, Fold], pd.DataFrame]
GRID = 1000  # cells of the correlation scale from 0 to 1


class Interval(NamedTuple):
    """A number and the range that it may come from."""

    value: float
    low: float
    high: float


def implied_variance(
    mse: float, r2: float, mse_rounding: float = 0.0, r2_rounding: float = 0.0
) -> Interval:
    """The variance of the scored response, from a mean squared error and a global R2.

    R2 = 1 - MSE / variance, so rows of a table that were scored on the same cells imply the same
    variance.  A printed 0.83 stands for 0.825 to 0.835 (rounding 0.005): the interval holds every
    variance that the printed digits allow, so two intervals without overlap are two responses.

    >>> implied_variance(0.5, 0.75)
    Interval(value=2.0, low=2.0, high=2.0)
    """
    left = 1 - r2  # the share of the variance that the model leaves
    if mse - mse_rounding < 0 or left - r2_rounding <= 0:
        raise InputError(
            f"No variance follows from MSE = {mse} and R2 = {r2}: the MSE must be at least 0 and "
            "the R2 below 1, whatever the last digit was rounded from."
        )
    low, high = mse - mse_rounding, mse + mse_rounding
    return Interval(mse / left, low / (left + r2_rounding), high / (left - r2_rounding))


def mse_lower_bound(heaviest: float, rest: float, weight: float) -> float:
    """The least MSE of a mixture that gives `weight` to one prediction, whose MSE is `heaviest`.

    The errors are vectors over the scored cells, and the error of the mixture is their weighted
    mean, so by the triangle inequality

        RMSE >= weight * sqrt(heaviest) - (1 - weight) * sqrt(rest).

    `rest` is the sum of the MSEs of all other predictions, which may share the remaining weight
    differently in each column; for one column, where shares are fixed, the largest of them.

    >>> float(mse_lower_bound(4.0, 4.0, 0.75))
    1.0
    """
    return np.maximum(weight * np.sqrt(heaviest) - (1 - weight) * np.sqrt(rest), 0) ** 2


def sees_test_labels(
    procedure: Procedure, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold, seed: int = 0
) -> bool:
    """Does any prediction change when the labels of the fold's test cells do?

    `procedure(X, Y, fold)` is everything from raw tables to the predictions for all lines.  The
    test labels are permuted, then replaced by noise: a mean over all lines survives the first.
    """
    cells = fold.test & Y.notna().to_numpy()  # (lines, perturbations)
    return _changes(lambda labels: procedure(X, labels, fold), Y, cells, seed)


def sees_test_features(
    procedure: Procedure, X: pd.DataFrame, Y: pd.DataFrame, fold: Fold, seed: int = 0
) -> bool:
    """Does a prediction *for training lines* change when the features of the test lines do?

    A test line is one with test cells only.  Its own predictions may change, of course; those
    for the other lines change only if something was learned from its features.
    """
    lines = fold.test.all(axis=1)
    if not lines.any():
        raise InputError("No line of this fold is tested in all its cells: leave lines out.")
    cells = np.broadcast_to(lines[:, None], X.shape)
    return _changes(lambda features: procedure(features, Y, fold)[~lines], X, cells, seed)


def depends_on_company(
    predict: Callable[[pd.DataFrame], pd.DataFrame | np.ndarray],
    rows: pd.DataFrame,
    seed: int = 0,
    tolerance: float = 1e-6,
) -> bool:
    """Does the prediction of a row change with the rows that are asked for beside it?

    `predict(rows)` gives a prediction for each row.  A prediction is a row's own: the same where
    the rows come in another order, one at a time, and each of them twice.

    >>> table = pd.DataFrame({"x": [0.0, 1.0, 5.0]})
    >>> depends_on_company(lambda rows: 2 * rows["x"], table)
    False
    >>> depends_on_company(lambda rows: rows["x"] - rows["x"].mean(), table)
    True
    """
    rng = np.random.default_rng(seed)
    expected = np.asarray(predict(rows), float)  # (rows, ...)
    scale = tolerance * max(1.0, float(np.abs(expected).max(initial=0)))
    order = rng.permutation(len(rows))
    alone = rng.permutation(len(rows))[:20]
    asked = [order, np.repeat(np.arange(len(rows)), 2), *alone[:, None]]
    return not all(
        np.allclose(np.asarray(predict(rows.iloc[some]), float), expected[some], 0, scale)
        for some in asked
    )


def _changes(
    run: Callable[[pd.DataFrame], pd.DataFrame], table: pd.DataFrame, cells: np.ndarray, seed: int
) -> bool:
    """Does run(table) change, to the last bit, when the values in `cells` do?"""
    rng = np.random.default_rng(seed)
    values = table.to_numpy()

    def outcome(values: np.ndarray) -> np.ndarray:
        # a copy gives every run the same layout: sums in another order differ in their last digit
        return np.asarray(run(pd.DataFrame(values.copy(), table.index, table.columns)))

    before = outcome(values)
    noise = values.std(where=~np.isnan(values)) * 10 * rng.normal(size=cells.sum())
    for other in (rng.permutation(values[cells]), noise):
        changed = values.copy()
        changed[cells] = other
        if not np.array_equal(before, outcome(changed), equal_nan=True):
            return True
    return False


def bootstrap(
    score: Callable[[np.ndarray], float],
    n: int,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The score of n units, and the interval that holds `level` of its bootstrap draws.

    `score(units)` scores the units at these positions, 0 to n - 1, each as often as it is named.
    The units must be independent: lines rather than cells, donors rather than lines of one donor.

    >>> bootstrap(lambda units: 3.0, n=5)
    Interval(value=3.0, low=3.0, high=3.0)
    """
    if n < 2:
        raise InputError(f"A bootstrap needs at least 2 units, not {n}.")
    rng = np.random.default_rng(seed)
    scores = [score(rng.integers(n, size=n)) for _ in range(draws)]
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(score(np.arange(n))), float(low), float(high))


def corrected_p(gains: pd.Series | np.ndarray, share: float = 0.0) -> float:
    """Two-sided p of the corrected resampled t-test; share = n_test / n_train.

    Folds share training cells, so their gains depend on each other (Nadeau & Bengio 2003); with
    share = 0 this is the plain t-test, which takes them for independent.
    """
    gains = np.asarray(gains, float)
    gains = gains[~np.isnan(gains)]
    if len(gains) < 2:
        return np.nan
    variance = gains.var(ddof=1)
    if variance == 0:
        return float(gains.mean() == 0)
    t = gains.mean() / np.sqrt((1 / len(gains) + share) * variance)
    return float(2 * stats.t.sf(abs(t), len(gains) - 1))


def false_alarms(worlds: int, lines: int = 100, splits: int = 10, seed: int = 0) -> pd.Series:
    """How often each t-test calls two equally good models different, at p < 0.05.

    Each simulated world has `lines` lines and two groups of ten features that matter equally; one
    model of least squares sees the first group, the other the second.  `splits` random fifths are
    tested, and the tests look at the gains in squared error.
    """
    rng = np.random.default_rng(seed)
    p = {"plain t-test": [], "corrected t-test": []}
    for start in range(0, worlds, 1000):
        gains = _equal_models(rng, min(1000, worlds - start), lines, splits)  # (worlds, splits)
        for name, share in (("plain t-test", 0.0), ("corrected t-test", 0.25)):
            scale = np.sqrt((1 / splits + share) * gains.var(axis=1, ddof=1))
            p[name].append(2 * stats.t.sf(np.abs(gains.mean(axis=1) / scale), splits - 1))
    return pd.Series(
        {name: float((np.concatenate(each) < 0.05).mean()) for name, each in p.items()}
    )


def _equal_models(rng: np.random.Generator, worlds: int, lines: int, splits: int) -> np.ndarray:
    """What the first of two equally good models gains in each split: (worlds, splits)."""
    X = rng.normal(size=(2, worlds, lines, 10))
    y = X.sum(axis=(0, 3)) + rng.normal(size=(worlds, lines))
    gains = []
    for _ in range(splits):
        test, train = np.split(rng.permutation(lines), [lines // 5])
        x = X[:, :, train]  # (2, worlds, train, 10)
        moments = np.swapaxes(x, 2, 3) @ y[:, train, None]
        weights = np.linalg.solve(np.swapaxes(x, 2, 3) @ x, moments)
        error = np.square(y[:, test, None] - X[:, :, test] @ weights).mean(axis=(2, 3))
        gains.append(error[1] - error[0])
    return np.stack(gains, axis=1)


def lines_needed(interval: Interval, n: int, gain: float, power: float = 0.8) -> float:
    """How many lines it takes to find a gain with this power, at p < 0.05 on two sides.

    `interval` is the 95 % interval of a gain over n lines; its width falls with the root of n.
    With a power of one half the interval of a typical sample just touches 0.
    """
    error = (interval.high - interval.low) / (2 * stats.norm.ppf(0.975))
    return float(n * ((stats.norm.ppf(0.975) + stats.norm.ppf(power)) * error / gain) ** 2)


def null_fraction(threshold: float, n: int, folds: int = 1) -> float:
    """The share of unpredictable genes whose correlation, averaged over folds, passes a threshold.

    Each fold has n test lines and predictions unrelated to the truth.  For one fold the share is
    a tail of Student's t; for more, the distribution of r is convolved with itself on a fine grid.

    >>> round(null_fraction(0.2, 126), 3)
    0.012
    """
    if n < 4 or folds < 1:
        raise InputError(f"A null share needs 4 lines and 1 fold or more, not {n} and {folds}.")
    if folds == 1:
        return float(stats.t.sf(threshold * np.sqrt((n - 2) / (1 - threshold**2)), n - 2))
    edges = (np.arange(-GRID - 1, GRID + 1) + 0.5) / GRID  # cells centred on -1, ..., 0, ..., 1
    half = (n - 2) / 2
    one = np.diff(stats.beta.cdf((edges + 1) / 2, half, half))  # (2 GRID + 1,) of one r
    total = one
    for _ in range(folds - 1):
        total = np.convolve(total, one)  # of the sum of the r so far
    place = np.arange(len(total)) - folds * GRID
    passed = place - folds * threshold * GRID  # in cells; the cell at the threshold counts in part
    return float((total * np.clip(passed + 0.5, 0, 1)).sum())
