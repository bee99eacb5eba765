"""How far a gain would move with other held-out units, whatever the axis of the score.

New genes (or drugs) are held out, but the score may run along them, one number a line.  Then the
lines are no sample of anything that was held out: all of them share the same tested genes, and
their spread says nothing about other genes.  So the held-out units are drawn again:

    r(line) over genes drawn with replacement,    gain = mean over folds and lines of the change
"""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from cdp_lib.audit import bootstrap
from cdp_lib.errors import InputError
from cdp_lib.evaluate.comparison import corrected_p
from cdp_lib.evaluate.noise import drawn
from cdp_lib.evaluate.predictions import HeldOut, Predictions


def redrawn(
    P: Predictions,
    reference: str,
    axis: str = "line",
    draws: int = 1000,
    seed: int = 0,
    models: Collection[str] | None = None,
) -> pd.DataFrame:
    """Gain of each model over the reference in Pearson's r, and its interval over held-out units.

    `axis` is that of the score; the units that are drawn again are those along which it runs, the
    perturbations of a line or the lines of a perturbation.  One row a model, or one of `models`:
    mean and sd over folds, gain, low and high (95 % of the draws), p (corrected, over folds) and
    `distinct`, the number of such units.
    """
    if len(P.held) != 1:
        raise InputError(f"Predictions for {len(P.held)} cohorts or splits: redraw one.")
    (held,) = P.held
    names = {key[0]: key for key in held.values}
    if models is not None:
        names = {name: names[name] for name in names if name in {reference, *models}}
    if reference not in names:
        raise InputError(f"There is no model {reference!r}: choose from {', '.join(names)}.")
    rng = np.random.default_rng(seed)
    means = {name: [] for name in names}  # one row a fold, one column a draw
    units, sizes = set(), []
    for row, part in held.parts():
        along, truth = _turned(held, part, held.truth, axis)
        units |= set(along)
        sizes.append(row["n_test"] / row["n_train"])
        times = drawn(rng, len(along), draws)
        times = np.vstack([np.ones(len(along)), times])  # the first draw: each unit once
        for name, key in names.items():
            _, prediction = _turned(held, part, held.values[key], axis)
            means[name].append(np.nanmean(_weighted(truth, prediction, times.T), axis=0))
    scores = {name: np.array(of) for name, of in means.items()}  # (folds, 1 + draws)
    rows = []
    for name, of in scores.items():
        gain = of - scores[reference]
        low, high = np.quantile(gain[:, 1:].mean(axis=0), (0.025, 0.975))
        p = corrected_p(pd.Series(gain[:, 0]), np.mean(sizes))
        if name == reference:
            low = high = p = np.nan
        rows.append((name, of[:, 0].mean(), of[:, 0].std(ddof=1), gain[:, 0].mean(), low, high, p))
    table = pd.DataFrame(rows, columns=["model", "mean", "sd", "gain", "low", "high", "p"])
    return table.assign(reference=reference, axis=axis, distinct=len(units))


def passing(P: Predictions, threshold: float = 0.2) -> pd.Series:
    """How many perturbations each model predicts with r, mean over folds, above a threshold."""
    return (per_unit(P) > threshold).sum()


def per_unit(P: Predictions, metric: str = "pearson") -> pd.DataFrame:
    """The score of each perturbation, mean over folds: (perturbations, models)."""
    scores = P.scores(metric).groupby(["model", "unit"], sort=False)["score"].mean()
    return scores.unstack("model").rename_axis("perturbation")


def share_above(
    P: Predictions,
    model: str,
    rivals: Mapping[str, str | float],
    threshold: float = 0.2,
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """The share of perturbations that pass, beyond what explains it without the model.

    A perturbation passes where its Pearson's r over the lines, mean over folds, is above
    `threshold`.  `rivals` lead from a name to a model of P, or to a share that is known, such as
    that of luck.  One row a rival: comparison, gain (a difference of shares), low and high (95 % of
    the draws when perturbations are drawn again), unit and n, and both shares.
    """
    scores = per_unit(P)
    passed = (scores > threshold).to_numpy(float)
    place = {name: number for number, name in enumerate(scores.columns)}
    mine, rows = passed[:, place[model]], []
    for comparison, rival in rivals.items():
        other = passed[:, place[rival]] if isinstance(rival, str) else np.full(len(mine), rival)
        _, low, high = bootstrap(
            lambda units, gain=mine - other: gain[units].mean(), len(mine), draws, seed=seed
        )
        found = {"comparison": comparison, "gain": (mine - other).mean(), "low": low, "high": high}
        rows.append(found | {"share": mine.mean(), "rival": other.mean()})
    return pd.DataFrame(rows).assign(unit="perturbations", n=len(mine))


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
