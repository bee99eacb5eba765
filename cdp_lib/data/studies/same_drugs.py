"""Drugs of a screen by the names that a paper uses, and drugs that a screen measured twice."""

import re
from collections.abc import Iterable

import pandas as pd

from cdp_lib.data.cohort import Cohort
from cdp_lib.data.screens import agreement


def plain(name: object) -> str:
    """Letters and digits only, without what stands in brackets at the end.

    >>> plain("Nutlin-3a (-)")
    'nutlin3a'
    """
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\s*\(.*\)$", "", str(name)).lower())


def columns_of(names: Iterable[str], Y: pd.DataFrame) -> dict[str, str]:
    """The column of each drug that the screen has: the most tested one, where there are several."""
    columns = _most_tested_first(Y)
    found = {}
    for name in names:
        same = [column for column in columns if plain(column) == plain(name)]
        found |= {name: same[0]} if same else {}
    return found


def most_tested(Y: pd.DataFrame, count: int, first: Iterable[str] = ()) -> list[str]:
    """`count` columns: those of `first`, filled up with those tested in most lines."""
    first = list(first)
    others = [column for column in _most_tested_first(Y) if column not in first]
    return [*first, *others][:count]


def measured_twice(cohort: Cohort, least: int = 20) -> pd.DataFrame:
    """Compounds with two columns in one screen: first, second, r and n over the lines of both.

    Columns of one `group` in `cohort.perturbations` are one compound; compounds with fewer than
    `least` common lines are left out.
    """
    columns = ["first", "second", "r", "n"]
    if "group" not in cohort.perturbations:
        return pd.DataFrame(columns=columns)
    names = pd.Series(cohort.Y.columns, cohort.perturbations["group"].reindex(cohort.Y.columns))
    pairs = names.groupby(level=0).agg(["first", "last", "size"])
    pairs = pairs[pairs["size"] > 1]
    if pairs.empty:
        return pd.DataFrame(columns=columns)
    one, other = (cohort.Y[pairs[i]].set_axis(pairs.index, axis=1) for i in ("first", "last"))
    found = agreement(one, other, least)[["r", "n"]]
    table = pairs[["first", "last"]].rename(columns={"last": "second"}).join(found)
    return table[table["r"].notna()]


def _most_tested_first(Y: pd.DataFrame) -> list[str]:
    return list(Y.notna().sum().sort_values(ascending=False, kind="stable").index)
