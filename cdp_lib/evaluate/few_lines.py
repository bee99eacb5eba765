"""How far a score would move with other lines, where one fitted model is tested on few of them.

    over_lines   the tested lines drawn again with replacement, all perturbations together
    repeats      some lines removed at random, the rest scored, many times: no measure of certainty

Subsets of n lines without r of them share most lines, so the sd of their scores is that of a mean
over n - r of n lines without replacement: for a mean of numbers of variance s^2

    sd of the subsets = s sqrt(r / (n (n - r))),      sd over other lines = s / sqrt(n)

The first goes to 0 with r, whatever the model is worth; it is a setting.
"""

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError
from cdp_lib.evaluate.fitting import check_known
from cdp_lib.evaluate.predictions import HeldOut, Predictions
from cdp_lib.metrics import LOWER_IS_BETTER, METRICS, OF_CLASSES

ALL = "mean"
SCORES = METRICS | OF_CLASSES


def over_lines(
    P: Predictions,
    reference: str | None = None,
    metric: str = "spearman",
    draws: int = 1000,
    least: int = 10,
    seed: int = 0,
) -> pd.DataFrame:
    """The score of each perturbation and model in the largest fold, and its 95 % interval.

    Columns perturbation, model, n, value, low, high and, against a `reference`, gain, gain_low and
    gain_high, above 0 where the model is better.  The last rows, "mean", are the means over
    perturbations.  A perturbation with fewer than `least` known lines is left out.
    """
    check_known("metric", (metric,), SCORES)
    truth, predicted = _largest(P, least)
    if reference is not None and reference not in predicted:
        raise InputError(f"There is no model {reference!r}: choose from {', '.join(predicted)}.")
    rng = np.random.default_rng(seed)
    n = len(truth)
    rows = [np.arange(n), *rng.integers(n, size=(draws, n))]  # the first draw: each line once
    score, sign = SCORES[metric], -1 if metric in LOWER_IS_BETTER else 1
    Y = truth.to_numpy(float)
    of = {
        model: np.array([score(Y[some], values[some]) for some in rows])
        for model, values in predicted.items()
    }  # (1 + draws, perturbations)
    found = []
    names = [*truth.columns, ALL]
    known = [*truth.notna().sum(), n]
    of = {
        model: np.column_stack([scores, np.nanmean(scores, axis=1)]) for model, scores in of.items()
    }
    for place, (name, count) in enumerate(zip(names, known, strict=True)):
        for model, scores in of.items():
            row = {"perturbation": name, "model": model, "n": int(count)}
            row |= dict(zip(("value", "low", "high"), _interval(scores[:, place]), strict=True))
            if reference is not None:
                gain = sign * (scores[:, place] - of[reference][:, place])
                ends = ("gain", "gain_low", "gain_high")
                row |= dict(zip(ends, _interval(gain), strict=True))
            found.append(row)
    return pd.DataFrame(found)


def repeats(
    P: Predictions,
    model: str,
    removed: int = 10,
    times: int = 100,
    metric: str = "spearman",
    seed: int = 0,
) -> np.ndarray:
    """The mean score over perturbations in the largest fold without some of its lines: (times,)."""
    check_known("metric", (metric,), SCORES)
    truth, predicted = _largest(P.only([model]), 0)
    n = len(truth)
    if not 0 < removed < n - 2:
        raise InputError(f"{removed} of {n} lines cannot be removed: leave three or more.")
    rng, Y, score = np.random.default_rng(seed), truth.to_numpy(float), SCORES[metric]
    kept = [rng.permutation(n)[removed:] for _ in range(times)]
    return np.array([np.nanmean(score(Y[some], predicted[model][some])) for some in kept])


def _largest(P: Predictions, least: int) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Truth and predictions (lines, perturbations) in the fold with most tested cells."""
    if len(P.held) != 1:
        raise InputError(f"Predictions for {len(P.held)} cohorts or splits: take one.")
    (held,) = P.held
    _, part = max(held.parts(), key=lambda one: one[1].stop - one[1].start)
    truth = held.table(part, held.truth)
    truth = truth.loc[:, truth.notna().sum() >= least]
    if not truth.size:
        raise InputError(f"No perturbation has {least} tested lines in the largest fold.")
    return truth, {
        model: _table(held, part, key, truth) for key in held.values for model in key[:1]
    }


def _table(held: HeldOut, part: slice, key: tuple, truth: pd.DataFrame) -> np.ndarray:
    return held.table(part, held.values[key]).loc[:, truth.columns].to_numpy(float)


def _interval(scores: np.ndarray) -> tuple[float, float, float]:
    low, high = np.nanquantile(scores[1:], (0.025, 0.975))
    return float(scores[0]), float(low), float(high)
