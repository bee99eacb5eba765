r"""What a screen measures, in equations: growth, drug pairs, gene classes, agreement of repeats.

Growth of a treated well is a fraction of the untreated one, and negative where cells died
(NCI-60; before, treated, untreated are amounts of living cells):

    y = (treated - before) / (untreated - before)   where treated >= before
        (treated - before) / before                 otherwise

Two drugs that do not interact are expected to leave (NCI-ALMANAC; xia2018, Methods)

    z = min(y_A, y_B)                   where y_A <= 0 or y_B <= 0
        min(y_A, 1) min(y_B, 1)         otherwise

which is Bliss' product with its ends mended. ComboScore adds 100 (z - y_AB) over all pairs of
doses: positive means fewer cells than expected. xia2018's BestComboScore is 100 (y_AB - z) of the
lowest growths over doses: there, negative means fewer cells than expected.

A tumour in a mouse has the volume V(t) on day t. With its change since the first day, in %, and the
mean of the changes up to a day,

    change(t)  = 100 (V(t) - V(first)) / V(first)
    average(t) = mean of change(s) over s <= t

the best response is the least change(t), and the best average response the least average(t), from
day 10 on (Gao et al. 2015). The average counts a fast and lasting shrinkage for more than a short
one. A mouse with fewer than two measurements from day 10 on has neither.
"""

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError
from cdp_lib.metrics import auroc

FIRST_DAY, LEAST = 10, 2  # of a tumour's response, and measurements from then on


def growth_fraction(before: np.ndarray, untreated: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """1: grew as untreated; 0: did not grow; -1: nothing is alive."""
    before, untreated, treated = (np.asarray(x, float) for x in (before, untreated, treated))
    if (before <= 0).any() or (untreated <= before).any() or (treated < 0).any():
        raise InputError(
            "growth_fraction needs 0 < before < untreated and 0 <= treated: leave out wells whose "
            "untreated neighbours did not grow."
        )
    change = treated - before
    return np.where(change >= 0, change / (untreated - before), change / before)


def bliss(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Expected surviving fraction of two drugs that act independently: the product."""
    return np.asarray(first, float) * np.asarray(second, float)


def expected_growth(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Expected growth fraction of two drugs that do not interact (the equation above)."""
    first, second = np.asarray(first, float), np.asarray(second, float)
    deadly = (first <= 0) | (second <= 0)
    capped = bliss(np.minimum(first, 1), np.minimum(second, 1))
    expected = np.where(deadly, np.minimum(first, second), capped)
    return np.where(np.isnan(first) | np.isnan(second), np.nan, expected)


def combo_score(both: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """NCI's ComboScore: 100 x the sum over doses of expected minus measured growth.

    `both` is growth at (doses of A, doses of B), `first` and `second` that of each drug alone.
    """
    both, expected = on_one_grid(both, first, second)
    return float(100 * (expected - both).sum())


def best_combo_score(both: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """xia2018's score: 100 x (lowest growth of the pair - that expected of the two lowest)."""
    both, _ = on_one_grid(both, first, second)
    return float(best_combo_scores(both.min(), np.min(first), np.min(second)))


def best_combo_scores(both: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """xia2018's score of many pairs at once, from growths that are the lowest over doses already.

    >>> best_combo_scores([0.1, -0.5], [0.5, -0.2], [0.4, 0.9])
    array([-10., -30.])
    """
    both = np.asarray(both, float)
    expected = expected_growth(first, second)
    if both.shape != expected.shape:
        raise InputError(
            f"The growth of pairs has the shape {both.shape}, that expected of their drugs "
            f"{expected.shape}: give one growth of each drug for each pair."
        )
    return 100 * (both - expected)


def on_one_grid(both, first, second) -> tuple[np.ndarray, np.ndarray]:
    """The measured table, and the expected growth at the same doses."""
    both, first, second = (np.asarray(x, float) for x in (both, first, second))
    if first.ndim != 1 or second.ndim != 1 or both.shape != (len(first), len(second)):
        raise InputError(
            f"The pair's growth has the shape {both.shape}, drug A alone {first.shape} and drug B "
            f"alone {second.shape}: give a table of doses of A x doses of B, and one growth a dose."
        )
    if any(np.isnan(x).any() for x in (both, first, second)):
        raise InputError("A dose of this drug pair was not measured (NaN): leave that dose out.")
    return both, expected_growth(first[:, None], second[None, :])


def dependency_classes(
    Y: pd.DataFrame, spread: float = 0.1, level: float = 0.5, lower_is_needed: bool = False
) -> pd.Series:
    """ "selective" where a gene's sd over lines exceeds `spread`; else "always" or "never" needed.

    itzhacky2021's rule, made for probabilities. For gene effects give a `level` such as -0.5 and
    `lower_is_needed=True`.
    """
    few = Y.notna().sum() < 2
    if few.any():
        raise InputError(
            f"{int(few.sum())} gene(s) were measured in fewer than two lines (first: "
            f"{few.idxmax()}) and have no sd: drop them."
        )
    mean = Y.mean()
    needed = mean < level if lower_is_needed else mean > level
    rest = np.where(needed, "always", "never")
    return pd.Series(np.where(Y.std() > spread, "selective", rest), Y.columns, name="class")


def class_agreement(needed: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """How far another measurement tells apart the lines that need a gene: AUROC, a gene at a time.

    `needed` is 0 or 1, lines x genes; `other` is higher where a line needs the gene.  Genes and
    lines of both tables count; a gene without both classes there is left out.
    """
    lines, genes = (
        needed.index.intersection(other.index),
        needed.columns.intersection(other.columns),
    )
    other = other.loc[lines, genes]
    truth = needed.loc[lines, genes].where(other.notna())
    return pd.Series(auroc(truth, other.fillna(0)), genes).dropna()


def agreement(first: pd.DataFrame, second: pd.DataFrame, least: int = 20) -> pd.DataFrame:
    """How far a measurement and its repeat agree over lines: r, n and the ceiling sqrt(r).

    With measured = truth + independent noise, twice alike, r = var(truth) / var(measured); and the
    truth itself, the best of all predictions, correlates with the measured by sqrt(r). One row a
    column of the tables; those with fewer than `least` lines in both have NaN.
    """
    if not (first.index.equals(second.index) and first.columns.equals(second.columns)):
        raise InputError(
            "The two tables of repeats differ in their lines or columns: bring them to one order "
            "with .loc first."
        )
    n = (first.notna() & second.notna()).sum()
    r = first.corrwith(second).where(n >= least)
    return pd.DataFrame({"r": r, "n": n, "ceiling": np.sqrt(r.clip(lower=0))})


def tumour_responses(volumes: pd.DataFrame) -> pd.DataFrame:
    """best and best_average by model, in %, from long volumes: model, day, volume.

    Volumes of a model on one day, of several mice, are averaged first.
    """
    daily = volumes.groupby(["model", "day"], as_index=False)["volume"].mean()  # sorted by day
    of_model = daily.groupby("model", sort=False)
    first = of_model["volume"].transform("first")
    if (first <= 0).any():
        model = daily.loc[first <= 0, "model"].iloc[0]
        raise InputError(f"The tumour {model} begins without a volume: drop this model.")
    change = 100 * (daily["volume"] - first) / first
    days = of_model.cumcount() + 1
    average = change.groupby(daily["model"], sort=False).cumsum() / days
    late = daily["day"] >= FIRST_DAY
    table = pd.DataFrame({"best": change, "best_average": average})[late]
    table = table.groupby(daily["model"][late]).agg(["min", "size"])
    enough = table["best", "size"] >= LEAST
    best = table.xs("min", axis=1, level=1).where(enough)
    return best.reindex(of_model.size().index)
