"""Whole lines of a screen: which perturbations a line's list names first, and which recur.

A split holds out scattered cells or columns, so a fold tests a part of each line, and the best 100
of a part are not the best 100 of the line.  `pooled` puts the folds of a repeat together first:

    W = pooled(P)
    W.summary(metrics.top_shared(100, lower_is_better=False), axis="line")
    W.against("perturbation mean", "spearman", axis="line")      # the interval is over lines
    line_views(P, "network", k=100, lower_is_better=False)       # a row a line

Predictions of different folds come from different fits, which costs a ranking a little; it never
helps it.  A pooled split has one fold a repeat, so there is no spread over folds to show.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError
from cdp_lib.evaluate.predictions import HeldOut, Predictions
from cdp_lib.metrics import top_shared


def pooled(P: Predictions) -> Predictions:
    """The same predictions with all folds of a repeat as one.

    Where a repeat tests a cell more than once, as leaving one drug of a pair out does, the mean of
    its predictions counts.
    """
    return Predictions(tuple(_pooled(held) for held in P.held), P.failures)


def _pooled(held: HeldOut) -> HeldOut:
    repeat = np.repeat(held.folds["repeat"].to_numpy(), held.folds["n_test"].to_numpy())
    key = pd.DataFrame({"repeat": repeat, "line": held.line, "perturbation": held.perturbation})
    cells = pd.DataFrame({"truth": held.truth} | dict(enumerate(held.values.values())))
    wanted = cells.groupby([key[name] for name in key], sort=True)
    means = wanted.mean()  # a failed fit is NaN
    means[wanted.count() < wanted.size().to_numpy()[:, None]] = np.nan
    names = means.index.to_frame(index=False)
    n_test = names.groupby("repeat").size()
    n_train = held.folds.groupby("repeat")["n_train"].mean().round().astype(int)
    folds = pd.DataFrame({"repeat": n_test.index, "fold": 0}).assign(
        n_train=n_train.loc[n_test.index].to_numpy(), n_test=n_test.to_numpy()
    )
    return replace(
        held,
        folds=folds[held.folds.columns],
        line=names["line"].to_numpy(),
        perturbation=names["perturbation"].to_numpy(),
        truth=means["truth"].to_numpy(),
        values={key: means[number].to_numpy() for number, key in enumerate(held.values)},
    )


def whole(P: Predictions, model: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(truth, prediction) of one model, lines x perturbations, over all folds of one repeat.

    NaN where a cell was not tested.
    """
    if len(P.held) != 1 or P.held[0].folds["repeat"].nunique() != 1:
        raise InputError("Whole lines need predictions of one cohort, one split and one repeat.")
    (held,) = pooled(P).held
    keys = [key for key in held.values if key[0] == model]
    if len(keys) != 1:
        known = ", ".join(sorted({key[0] for key in held.values}))
        raise InputError(f"{len(keys)} rows are called {model!r}: choose one of {known}.")
    everything = slice(None)
    return held.table(everything, held.truth), held.table(everything, held.values[keys[0]])


def line_views(
    P: Predictions, model: str, k: int = 100, lower_is_better: bool = True
) -> pd.DataFrame:
    """One row a line: n, pearson, spearman, and the share of its k best among the k first."""
    metrics = ("pearson", "spearman", top_shared(k, lower_is_better))
    scores = pooled(P.only([model])).scores(metrics, axis="line")
    table = scores.pivot_table(index="unit", columns="metric", values="score", sort=False)
    views = table.assign(n=scores.groupby("unit")["n"].first())
    return views[["n", "pearson", "spearman", f"top {k} shared"]].rename_axis("line", axis=0)


def recurrent(
    Y: pd.DataFrame, k: int = 100, n: int = 10, lower_is_better: bool = True
) -> pd.DataFrame:
    """The n perturbations that are among the k best of most lines: (n, [lines, measured, mean]).

    `lines` counts the lines in whose k best it stands, `measured` those where it is known.  Equal
    counts are ordered by the mean response.
    """
    sign = 1 if lower_is_better else -1
    rank = (sign * Y).rank(axis=1, method="first")  # NaN stays
    table = pd.DataFrame(
        {"lines": (rank <= k).sum(), "measured": Y.notna().sum(), "mean": Y.mean()}
    )
    order = np.lexsort((sign * table["mean"], -table["lines"]))
    return table.iloc[order].head(n).rename_axis("perturbation")
