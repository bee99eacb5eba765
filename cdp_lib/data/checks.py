"""Checks that every table passes before it becomes part of a cohort."""

import warnings
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError


def few(names: Iterable, n: int = 3) -> str:
    """The first names, for a message: 'a, b, c, ...'."""
    names = list(names)
    short = [" ".join(str(name).split())[:60] for name in names[:n]]
    return ", ".join(short) + (", ..." if len(names) > n else "")


def as_table(name: str, frame: object) -> pd.DataFrame:
    if not isinstance(frame, pd.DataFrame):
        raise InputError(
            f"{name} is of the type {type(frame).__name__}: give a pandas DataFrame whose index "
            f"names its rows."
        )
    return frame


def as_index(table: str, names: pd.Index, what: str) -> pd.Index:
    """The names, if each stands there once."""
    if names.hasnans:
        raise InputError(
            f"{table} has {int(names.isna().sum())} {what} without a name: name it or drop it."
        )
    twice = names[names.duplicated()].unique()
    if len(twice):
        raise InputError(
            f"{table} holds {len(twice)} {what} name(s) more than once ({few(twice)}): "
            "keep one of each, or take their mean with cdp_lib.data.mean_of_repeats(table)."
        )
    return names


def check_numbers(table: str, frame: pd.DataFrame, missing_allowed: bool = False) -> pd.DataFrame:
    """The table as float32, if its names are unique and its cells are finite numbers."""
    as_index(table, as_table(table, frame).index, "row")
    as_index(table, frame.columns, "column")
    values = _numbers(table, frame)  # (lines, features)
    bad = np.isinf(values) if missing_allowed else ~np.isfinite(values)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        kind = "infinite" if np.isinf(values[row, column]) else "missing"
        raise InputError(
            f"{table} has {int(bad.sum())} cell(s) that are not finite, the first one {kind}, "
            f"at line {frame.index[row]}, column {frame.columns[column]}: fill or drop them."
        )
    return pd.DataFrame(values, index=frame.index, columns=frame.columns, copy=False)


def _numbers(table: str, frame: pd.DataFrame) -> np.ndarray:
    """The cells as float32; the first that is no number is named."""
    plain = all(
        pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind)
        for kind in frame.dtypes
    )
    if plain:
        return frame.to_numpy(dtype=np.float32, na_value=np.nan)
    columns = []
    for name, column in frame.items():
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "mMc":
            wrong = column.notna()
        else:
            column, given = pd.to_numeric(column.astype(object), errors="coerce"), column
            wrong = column.isna() & given.notna()
        if wrong.any():
            line = wrong.idxmax()
            raise InputError(
                f"{table} holds {frame.at[line, name]!r}, which is no number, at line {line}, "
                f"column {name} ({int(wrong.sum())} such cell(s) in this column): put numbers or "
                "NaN there, or drop the column."
            )
        columns.append(column.to_numpy(dtype=np.float32, na_value=np.nan))
    return np.column_stack(columns)


def mean_of_repeats(table: pd.DataFrame) -> pd.DataFrame:
    """One row a name: the mean of the known values of all rows that carry it."""
    return as_table("The table", table).groupby(level=0, sort=False).mean()


def join_lines(tables: Mapping[str, pd.DataFrame]) -> tuple[pd.Index, str]:
    """Lines known to every table, in the order of the first; and a note with the counts.

    Where more than half of the lines are lost a warning says to which table.
    """
    (first, reference), *others = tables.items()
    for name, table in tables.items():
        if isinstance(table.index, pd.RangeIndex):
            raise InputError(
                f"The rows of {name} are only numbered, 0 to {len(table) - 1}, so its lines have "
                "no names to be joined by: name them with .set_index(...)."
            )
    kept = reference.index
    counts = []
    for name, table in others:
        as_index(name, table.index, "row")
        shared = kept[kept.isin(table.index)]
        if not len(shared):
            raise InputError(
                f"No line is left when {name} is joined, because {first} has lines such as "
                f"{_shown(kept)} and {name} such as {_shown(table.index)}: "
                f"{_remedy(kept, table.index)}."
            )
        counts.append((name, len(table), len(kept) - len(shared)))
        kept = shared
    lost = [f"{n} not in {name}" for name, _, n in counts if n]
    note = f"of {len(reference)} lines in {first}" + (": " + ", ".join(lost) if lost else "")
    if 2 * len(kept) < len(reference):
        warnings.warn(
            f"Only {len(kept)} lines are left {note}: look whether the tables spell their lines "
            "alike.",
            stacklevel=3,
        )
    return kept, note


def _shown(names: pd.Index) -> str:
    """The first names as Python writes them, so that numbers, text and blanks can be told."""
    return few([repr(name) for name in names.tolist()[:3]]) + (", ..." if len(names) > 3 else "")


def _remedy(one: pd.Index, other: pd.Index) -> str:
    """What would make two sets of names meet."""

    def plain(names: pd.Index) -> pd.Index:
        return names.astype(str).str.strip()

    if plain(one).isin(plain(other)).any():
        return "make both text without blanks, with .index.astype(str).str.strip()"
    return "bring both to the same ids, for example with cdp_lib.data.line_names()"


def frozen(frame: pd.DataFrame) -> pd.DataFrame:
    """The table as read-only float32; copied only where somebody else could still write."""
    values = frame.to_numpy(dtype=np.float32)
    owner = values
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    if owner.flags.writeable:
        values = values.copy()
        values.flags.writeable = False
    return pd.DataFrame(values, index=frame.index, columns=frame.columns, copy=False)


def pick(names: pd.Index, wanted: Iterable | None, what: str) -> pd.Index:
    """Names from names or from a mask; an unknown name is an error."""
    if wanted is None:
        return names
    wanted = np.atleast_1d(np.asarray(wanted))  # one name is a list of one
    if wanted.dtype == bool:
        if len(wanted) != len(names):
            raise InputError(
                f"The mask has {len(wanted)} entries but there are {len(names)} {what}s: "
                f"give one entry for each."
            )
        return names[wanted]
    wanted = as_index("subset", pd.Index(wanted, name=names.name), what)
    unknown = wanted.difference(names)
    if len(unknown):
        raise InputError(
            f"{len(unknown)} of the {len(wanted)} {what}s asked for are not in this cohort "
            f"({few(unknown)}): choose from its .Y."
        )
    return wanted
