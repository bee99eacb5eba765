"""Which untested pairs should be tested in a line, and how sure is that?

The members of an ensemble disagree by sd[c] in cell c, a line and a pair.  With y the measured and
p the mean predicted response, over the n tune cells of a fold, which no member has seen,

    noise^2   = max(mean (y - p)^2 - mean sd^2, 0)          what the members do not disagree about
    width[c]  = sqrt(sd[c]^2 + noise^2)
    q         = the ceil((n + 1) level)-th smallest of |y - p| / width
    interval  = p[c] - q width[c]  to  p[c] + q width[c]

which is split conformal prediction: over pairs drawn as the tune pairs were, about a share of
`level` of the intervals holds the measurement.  The cells of a pair err together, so what counts is
the number of tune pairs rather than n.  The share is that of all pairs, not of those at the head of
a list: some stand there because they were overestimated, and strong responses vary more.  It is not
promised for a pair of a drug, or in a line, that is new.  So `coverage` counts on the test cells,
for all and for the head.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import clone

from cdp_lib.errors import InputError, nearest
from cdp_lib.evaluate.fitting import Omics, inputs, labelled, perturbation_tables, taken
from cdp_lib.models.base.drugs import ENDS
from cdp_lib.models.base.parts import MeanOfParts
from cdp_lib.splits import Fold


@dataclass(frozen=True, eq=False)
class Forecast:
    """What an ensemble expects of every pair in every line, (lines, pairs) each."""

    mean: pd.DataFrame = field(repr=False)
    sd: pd.DataFrame = field(repr=False)
    low: pd.DataFrame = field(repr=False)
    high: pd.DataFrame = field(repr=False)
    noise: float
    level: float
    coverage: pd.DataFrame  # of the test cells: see `forecast`


def all_pairs(screen) -> pd.DataFrame:
    """One row for each unordered pair of the screen's drugs: those measured, then all others."""
    known = screen.perturbations[ENDS]
    drugs = sorted(map(str, pd.unique(known.to_numpy().ravel())))
    every = pd.DataFrame(
        [(a, b) for number, a in enumerate(drugs) for b in drugs[number + 1 :]], columns=ENDS
    )
    every = every.set_axis(every["drug_a"] + " + " + every["drug_b"])
    rows = pd.concat([known, every[~every.index.isin(known.index)]])
    return rows.rename_axis("perturbation").assign(measured=rows.index.isin(known.index))


def forecast(
    ensemble: MeanOfParts,
    screen,
    fold: Fold,
    omics: Omics = "expression",
    pairs: pd.DataFrame | None = None,
    level: float = 0.9,
    head: int = 100,
) -> Forecast:
    """Fit on the train cells of `fold`, widen by its tune cells, count on its test cells.

    `ensemble` is a mean of fits, such as Bagged(model, 5, over="perturbation").
    `pairs` are rows of drug_a and drug_b, such as `all_pairs(screen)`; by default those of the
    screen.  `coverage` has a row for all tested cells and one for the `head` first of each line,
    and the columns cells, expected (the level), members (an interval from the spread of the members
    alone), calibrated (the interval of this forecast), predicted and measured (their means).
    """
    if not isinstance(ensemble, MeanOfParts):
        raise InputError(
            f"A forecast needs several fits, and {type(ensemble).__name__} is one: give "
            "Bagged(model, 5, over='perturbation')."
        )
    if not 0 < level < 1:
        raise InputError(f"level is {level!r}: give a share between 0 and 1, such as 0.9.")
    tables = perturbation_tables(screen)
    X, Y = inputs(screen, omics), screen.Y
    fold.match(Y)
    for name, cells in (("tune", fold.tune), ("test", fold.test)):
        if not (cells & Y.notna().to_numpy()).any():
            raise InputError(f"A forecast needs {name} cells with labels: make a split with some.")
    asked = tables
    if pairs is not None:
        asked = tables | {"perturbations": _with_those_of(screen, pairs)}
    ensemble = clone(ensemble)
    ensemble.fit(*labelled(X, Y, fold.train), **taken(ensemble.fit, tables))
    mean, sd = ensemble.predict(X, **asked), ensemble.spread(X, **asked)
    if absent := len(Y.columns.difference(mean.columns)):
        raise InputError(f"The ensemble predicts {absent} pairs of the screen not at all.")
    y = Y.to_numpy(float)
    p, spread = (table[Y.columns].to_numpy() for table in (mean, sd))
    tune = fold.tune & ~np.isnan(y)
    noise2 = max(np.square(y - p)[tune].mean() - np.square(spread)[tune].mean(), 0.0)
    q = _smallest(np.abs(y - p)[tune] / np.sqrt(spread[tune] ** 2 + noise2), level)
    width = q * np.sqrt(sd**2 + noise2)
    lower = getattr(screen, "lower_is_sensitive", True)
    z = stats.norm.ppf((1 + level) / 2)
    miss = np.abs(y - p)
    rows = []
    tested = fold.test & ~np.isnan(y)
    for name, cells in (("all", tested), (f"first {head}", _head(p, tested, head, lower))):
        held = {"members": miss <= z * spread, "calibrated": miss <= width[Y.columns].to_numpy()}
        rows.append(
            {"pairs of a line": name, "cells": int(cells.sum()), "expected": level}
            | {what: float(inside[cells].mean()) for what, inside in held.items()}
            | {"predicted": p[cells].mean(), "measured": y[cells].mean()}
        )
    coverage = pd.DataFrame(rows).set_index("pairs of a line")
    return Forecast(mean, sd, mean - width, mean + width, float(noise2**0.5), level, coverage)


def shortlist(
    found: Forecast, screen, line: str, n: int = 10, untested: bool = True
) -> pd.DataFrame:
    """The n pairs that `found` names first for a line, of those that nobody tested in it.

    Columns: drug_a, drug_b, expected, low, high, `lines tested` (other lines in which the pair was
    measured) and their mean; where all pairs are ranked, measured, too.
    """
    if line not in found.mean.index:
        raise InputError(f"There is no line {line!r} here; {nearest(line, found.mean.index)}")
    ends = _with_those_of(screen, all_pairs(screen)).loc[found.mean.columns, ENDS]
    Y = screen.Y.reindex(columns=found.mean.columns)
    table = ends.assign(
        expected=found.mean.loc[line],
        low=found.low.loc[line],
        high=found.high.loc[line],
        measured=Y.loc[line],
    )
    others = Y.drop(index=line)
    table["lines tested"] = others.notna().sum()
    table["mean in these"] = others.mean()
    if untested:
        table = table[table["measured"].isna()].drop(columns="measured")
    table = table[table["drug_a"] != table["drug_b"]]
    lower = getattr(screen, "lower_is_sensitive", True)
    table = table.sort_values("expected", ascending=lower, kind="stable").head(n)
    return table.set_axis(pd.RangeIndex(1, len(table) + 1, name="rank"))


def _with_those_of(screen, pairs: pd.DataFrame) -> pd.DataFrame:
    """The rows of `pairs`, and those of the screen that are not among them."""
    more = screen.perturbations.index.difference(pairs.index, sort=False)
    return pd.concat([screen.perturbations.loc[more, ENDS], pairs[ENDS]]) if len(more) else pairs


def _smallest(ratio: np.ndarray, level: float) -> float:
    """The ceil((n + 1) level)-th smallest; the largest where there are too few."""
    place = min(int(np.ceil((len(ratio) + 1) * level)), len(ratio))
    return float(np.sort(ratio)[place - 1])


def _head(p: np.ndarray, tested: np.ndarray, head: int, lower: bool) -> np.ndarray:
    """The `head` tested cells of each line with the best predictions."""
    order = np.where(tested, p if lower else -p, np.inf)
    rank = order.argsort(axis=1, kind="stable").argsort(axis=1)
    return tested & (rank < head)
