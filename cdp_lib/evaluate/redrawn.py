"""How far a gain would move with other held-out units, whatever the axis of the score.

New genes (or drugs) are held out, but the score may run along them, one number a line.  Then the
lines are no sample of anything that was held out: all of them share the same tested genes, and
their spread says nothing about other genes.  So the held-out units are drawn again:

    r(line) over genes drawn with replacement,    gain = mean over folds and lines of the change
"""

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError
from cdp_lib.evaluate.comparison import corrected_p
from cdp_lib.evaluate.predictions import HeldOut, Predictions


def redrawn(
    P: Predictions, reference: str, axis: str = "line", draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Gain of each model over the reference in Pearson's r, and its interval over held-out units.

    `axis` is that of the score; the units that are drawn again are those along which it runs, the
    perturbations of a line or the lines of a perturbation.  One row a model: model, mean, gain,
    low, high (95 % of the draws), p (corrected, over folds), unit and n, the number of such units.
    """
    if len(P.held) != 1:
        raise InputError(f"Predictions for {len(P.held)} cohorts or splits: redraw one.")
    (held,) = P.held
    names = {name: key for key in held.values for name in (key[0],)}
    if reference not in names:
        raise InputError(f"There is no model {reference!r}: choose from {', '.join(names)}.")
    rng = np.random.default_rng(seed)
    means = {name: [] for name in names}  # one row a fold, one column a draw
    units, sizes = set(), []
    for row, part in held.parts():
        along, truth = _turned(held, part, held.truth, axis)
        units |= set(along)
        sizes.append(row["n_test"] / row["n_train"])
        times = rng.multinomial(len(along), np.full(len(along), 1 / len(along)), draws)
        times = np.vstack([np.ones(len(along)), times])  # the first draw: each unit once
        for name, key in names.items():
            _, prediction = _turned(held, part, held.values[key], axis)
            means[name].append(np.nanmean(_weighted(truth, prediction, times.T), axis=0))
    scores = {name: np.array(of) for name, of in means.items()}  # (folds, 1 + draws)
    rows = []
    for name, of in scores.items():
        gain = of - scores[reference]
        low, high = np.quantile(gain[:, 1:].mean(axis=0), (0.025, 0.975))
        p = np.nan if name == reference else corrected_p(pd.Series(gain[:, 0]), np.mean(sizes))
        rows.append((name, of[:, 0].mean(), of[:, 0].std(ddof=1), gain[:, 0].mean(), low, high, p))
    table = pd.DataFrame(rows, columns=["model", "mean", "sd", "gain", "low", "high", "p"])
    unit = "perturbations" if axis == "line" else "lines"
    return table.assign(reference=reference, unit=unit, n=len(units))


def without_line_means(P: Predictions) -> Predictions:
    """Truth and prediction less their means of each line, over the tested cells of a fold.

    A line that needs many genes is high in all of them; what is left says which genes it needs more
    than other lines do.
    """
    (held,) = P.held

    def less(values: np.ndarray) -> np.ndarray:
        values = values.astype(float)
        for _, part in held.parts():
            frame = pd.Series(values[part])
            values[part] -= frame.groupby(held.line[part]).transform("mean").to_numpy()
        return values

    fields = held.__dict__ | {
        "truth": less(held.truth),
        "values": {key: less(values) for key, values in held.values.items()},
    }
    return Predictions((HeldOut(**fields),), P.failures)


def _turned(
    held: HeldOut, part: slice, values: np.ndarray, axis: str
) -> tuple[pd.Index, np.ndarray]:
    """The units along which a score runs, and the cells as (scored units, these)."""
    table = held.table(part, values)
    table = table.loc[:, table.notna().any()]
    if axis != "line":
        table = table.T
    return table.columns, table.to_numpy(float)


def _weighted(y: np.ndarray, p: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson's r of each row under each column of weights: (rows, draws); a constant p has 0."""
    known = ~np.isnan(y) & ~np.isnan(p)
    y, p = (np.where(known, table - np.nanmean(table, axis=1)[:, None], 0.0) for table in (y, p))
    n = known.astype(float) @ weights
    mean_y, mean_p = y @ weights / n, p @ weights / n
    both = (y * p) @ weights / n - mean_y * mean_p
    spread_y = (y * y) @ weights / n - mean_y**2
    spread_p = (p * p) @ weights / n - mean_p**2
    least = 1e-12 * np.maximum(np.square(p).mean(axis=1, keepdims=True), 1e-300)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = both / np.sqrt(np.maximum(spread_y, 0) * np.maximum(spread_p, 0))
    r = np.where(spread_p <= least, 0.0, r)
    return np.where(spread_y <= 0, np.nan, r)
