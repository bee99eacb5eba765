"""Are the chosen features the true ones, and are they the same ones on other lines?

    precision   |chosen and true| / |chosen|        recall    |chosen and true| / |true|
    Jaccard index of two choices A and B            |A and B| / |A or B|

Features drawn at random, as many as were chosen, have the precision |true| / p; two random choices
of a and b of p features share a b / p of them, which gives the Jaccard index that luck allows.
Where nothing is chosen, precision and agreement are undefined: NaN.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import check_number
from cdp_lib.models.base.tables import check_same_lines

Select = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]


def members(sets: Mapping[str, Iterable[str]], features: pd.Index, of: pd.Series) -> pd.DataFrame:
    """True where a feature is in the set that `of` names for a perturbation.

    (features, perturbations); `of` is a Series perturbation -> name of a set.
    """
    unknown = sorted(set(of) - set(sets), key=str)
    if unknown:
        raise InputError(f"There is no set {unknown[0]!r}: `of` names one for each perturbation.")
    columns = {perturbation: features.isin(list(sets[name])) for perturbation, name in of.items()}
    return pd.DataFrame(columns, features)


def strongest(weights: pd.DataFrame, number: int) -> pd.DataFrame:
    """True for the `number` largest |weights| of each perturbation that are not 0.

    `weights` is (features, perturbations), such as pd.DataFrame(model.coef_.T, genes, drugs).
    """
    check_number("number", number, 1, whole=True)
    size = weights.abs()
    return (size.rank(ascending=False, method="first") <= number) & (size > 0)


def recovery(chosen: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Precision and recall of the chosen features, one row a perturbation.

    Both tables are True or False, (features, perturbations).  Columns: `chosen`, `true` and
    `shared` count features; `precision`, `recall`; `chance`, the precision of a random choice.
    """
    _check_alike("chosen", chosen, "truth", truth)
    counts = {"chosen": chosen.sum(), "true": truth.sum(), "shared": (chosen & truth).sum()}
    table = pd.DataFrame(counts)
    table["precision"] = table["shared"] / table["chosen"].where(table["chosen"] > 0)
    table["recall"] = table["shared"] / table["true"].where(table["true"] > 0)
    table["chance"] = table["true"] / len(truth)
    return table


def agreement_of_halves(
    select: Select, X: pd.DataFrame, Y: pd.DataFrame, repeats: int = 5, seed: int = 0
) -> pd.DataFrame:
    """Does `select(X, Y)` choose the same features on two halves of the lines?

    `select` gives True or False, (features, perturbations).  One row a perturbation, the mean over
    `repeats` random divisions: `chosen`, the number of features a half chooses; `jaccard`;
    `chance`, the Jaccard index of two random choices as large; `undefined`, the share of the
    divisions in which neither half chooses any, which take no part in the two.
    """
    check_number("repeats", repeats, 1, whole=True)
    check_same_lines(X, Y)
    rng = np.random.default_rng(seed)
    tables = []
    for _ in range(repeats):
        halves = np.array_split(rng.permutation(len(X)), 2)
        a, b = (select(X.iloc[half], Y.iloc[half]).astype(bool) for half in map(np.sort, halves))
        tables.append(jaccard(a, b).assign(chosen=(a.sum() + b.sum()) / 2))
    together = pd.concat(tables).groupby(level=0, sort=False)
    result = together[["chosen", "jaccard", "chance"]].mean()
    return result.assign(undefined=together["jaccard"].agg(lambda each: each.isna().mean()))


def jaccard(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """The Jaccard index of two choices and the one that luck allows, one row a perturbation."""
    _check_alike("One choice", a, "the other", b)
    both, either = (a & b).sum(), (a | b).sum()
    luck = a.sum() * b.sum() / len(a)  # shared by two random choices
    defined = either > 0
    return pd.DataFrame(
        {
            "jaccard": both / either.where(defined),
            "chance": luck / (a.sum() + b.sum() - luck).where(defined),
        }
    )


def _check_alike(what: str, a: pd.DataFrame, other: str, b: pd.DataFrame) -> None:
    if not (a.index.equals(b.index) and a.columns.equals(b.columns)):
        raise InputError(
            f"{what} is of the shape {a.shape} and {other} of {b.shape}, or they name other "
            "features or perturbations: give both the same names in the same order."
        )
