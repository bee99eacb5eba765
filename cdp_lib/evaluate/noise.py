"""How sure a score is: other lines, other drugs, other draws of what is held out.

With w[b, i] the number of times that line i is in sample b, and sums over lines i with known cells,

    n = sum w,  cov = sum w y p - (sum w y)(sum w p) / n,  r = cov / sqrt(var(y) var(p)),

so that thousands of samples are a few products of matrices.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from cdp_lib.audit import Interval
from cdp_lib.errors import InputError
from cdp_lib.evaluate.predictions import Predictions
from cdp_lib.metrics import pearson

BLOCK = 500  # samples at once


def within_folds(P: Predictions, model: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Truth and prediction of every tested line, minus their means in its fold.

    Means over folds differ by luck, and folds that are pooled without this seem to be predicted
    the wrong way round.
    """
    (held,) = P.held
    keys = [key for key in held.values if key[0] == model]
    if len(keys) != 1 or held.folds["repeat"].nunique() > 1:
        raise InputError(
            f"within_folds needs one model {model!r} and one repeat, and found {len(keys)} models "
            f"and {held.folds['repeat'].nunique()} repeats: select them first."
        )
    sides = []
    for values in (held.truth, held.values[keys[0]]):
        tables = [held.table(part, values) for _, part in held.parts()]
        sides.append(pd.concat([table - table.mean() for table in tables]).astype(float))
    return sides[0], sides[1]


def resampled_r(counts: np.ndarray, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Pearson's r of each column when row i is drawn counts[b, i] times: (samples, columns).

    A constant prediction scores 0; a column whose truth is constant in a sample has NaN.
    """
    known = ~np.isnan(y)
    y, p = np.where(known, y, 0.0), np.where(known, p, 0.0)
    n, sum_y, sum_p, yy, pp, yp = (counts @ part for part in (known, y, p, y * y, p * p, y * p))
    with np.errstate(invalid="ignore", divide="ignore"):
        var_y, var_p = yy - sum_y**2 / n, pp - sum_p**2 / n
        r = (yp - sum_y * sum_p / n) / np.sqrt(var_y * var_p)
        r[var_p <= 1e-12 * (1 + pp)] = 0
        r[~(var_y > 1e-12 * (1 + yy)) | (n < 2)] = np.nan
    return np.clip(r, -1, 1)


def drawn(rng: np.random.Generator, units: int, samples: int) -> np.ndarray:
    """How often each unit is in samples drawn with replacement: (samples, units)."""
    return rng.multinomial(units, np.full(units, 1 / units), size=samples).astype(float)


def intervals(
    P: Predictions, model: str, reference: str, lines: np.ndarray | None = None,
    samples: int = 1000, seed: int = 0,
) -> dict[str, Interval]:  # fmt: skip
    """95 % intervals of the mean r per perturbation: of a score and of a gain, over lines or drugs.

    `lines` are positions of the lines to score; all where there are none.
    """
    rng = np.random.default_rng(seed)
    (truth, of_model), (_, of_reference) = within_folds(P, model), within_folds(P, reference)
    y, p, q = (table.to_numpy() for table in (truth, of_model, of_reference))
    if lines is not None:
        y, p, q = y[lines], p[lines], q[lines]
    score, gain = [], []
    for start in range(0, samples, BLOCK):
        counts = drawn(rng, len(y), min(BLOCK, samples - start))
        ours, theirs = resampled_r(counts, y, p), resampled_r(counts, y, q)
        score.append(np.nanmean(ours, axis=1))
        gain.append(np.nanmean(ours - theirs, axis=1))
    once = np.ones((1, len(y)))
    ours, theirs = resampled_r(once, y, p)[0], resampled_r(once, y, q)[0]  # (perturbations,)
    known = ~np.isnan(ours - theirs)
    over_drugs = drawn(rng, int(known.sum()), samples) @ (ours - theirs)[known] / known.sum()
    return {
        "score, over lines": _interval(np.nanmean(ours), np.concatenate(score)),
        "gain, over lines": _interval(np.nanmean(ours - theirs), np.concatenate(gain)),
        "gain, over drugs": _interval(np.nanmean(ours - theirs), over_drugs),
    }


def widths(
    P: Predictions, model: str, reference: str, sizes: Iterable[int], subsets: int = 10,
    samples: int = 1000, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Half of a 95 % interval against the number of test lines: one row a size, a column a kind.

    Each size below that of the cohort is a mean over `subsets` random choices of lines.
    """
    rng = np.random.default_rng(seed)
    whole = len(within_folds(P, model)[0])
    rows = {}
    for size in sizes:
        found = []
        for subset in range(subsets if size < whole else 1):
            lines = rng.permutation(whole)[:size]
            each = intervals(P, model, reference, lines, samples, seed=seed + subset)
            found.append({name: (one.high - one.low) / 2 for name, one in each.items()})
        rows[size] = pd.DataFrame(found).mean()
    return pd.DataFrame(rows).T.rename_axis("test lines")


def mean_r2(Y: pd.DataFrame, draws: int, held: float = 0.2, seed: int = 0) -> np.ndarray:
    """The global R2 of the mean of each row, in many draws of the columns that are held out.

    Rows that are known in held-out columns only are given the mean of all training cells.  Give
    Y for the line mean on new perturbations, Y.T for the mean of a perturbation on new lines.
    """
    values = Y.to_numpy(float)  # (rows, columns)
    known = ~np.isnan(values)
    y = np.where(known, values - np.nanmean(values), 0.0)
    rng = np.random.default_rng(seed)
    columns = y.shape[1]
    size = round(held * columns)
    found = []
    for start in range(0, draws, BLOCK):
        lots = rng.random((min(BLOCK, draws - start), columns))
        tested = np.zeros(lots.shape)
        np.put_along_axis(tested, np.argsort(lots, axis=1)[:, :size], 1.0, axis=1)
        n, total = tested @ known.T, tested @ y.T  # (draws, rows) of the held-out cells
        n_fit, fit = known.sum(axis=1) - n, y.sum(axis=1) - total
        overall = fit.sum(axis=1, keepdims=True) / n_fit.sum(axis=1, keepdims=True)
        mean = np.where(n_fit > 0, fit / np.maximum(n_fit, 1), overall)
        squares = (tested @ np.square(y).sum(axis=0)) - total.sum(axis=1) ** 2 / n.sum(axis=1)
        error = tested @ np.square(y).sum(axis=0) - (2 * mean * total - mean**2 * n).sum(axis=1)
        found.append(1 - error / squares)
    return np.concatenate(found)


def shares_by_luck(
    P: Predictions, model: str, threshold: float, n: int, shuffles: int = 100, seed: int = 0
) -> pd.DataFrame:
    """The share of perturbations whose r passes a threshold when truth and prediction are parted.

    In each fold the first n test lines are given each other's truth, which breaks every relation
    and keeps all else.  One row a shuffle: the share in one fold, and of the mean over all folds.
    """
    (held,) = P.held
    (key,) = [key for key in held.values if key[0] == model]
    folds = []
    for _, part in held.parts():
        tables = (held.table(part, values) for values in (held.truth, held.values[key]))
        folds.append([table.to_numpy(float)[:n] for table in tables])
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(shuffles):
        r = []
        for y, p in folds:
            y = y[rng.permutation(len(y))]
            r.append(pearson(np.where(np.isnan(p), np.nan, y), p))  # a pair needs both
        r = np.stack(r)  # (folds, perturbations)
        found.append(
            {
                "one fold": (r[0] > threshold).mean(),
                "mean of the folds": (r.mean(axis=0) > threshold).mean(),
            }
        )
    return pd.DataFrame(found)


def _interval(value: float, samples: np.ndarray) -> Interval:
    low, high = np.quantile(samples, [0.025, 0.975])
    return Interval(float(value), float(low), float(high))
