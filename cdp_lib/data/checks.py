"""Checks that every table passes before it becomes part of a cohort."""

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
            f"keep one of each."
        )
    return names


def check_numbers(table: str, frame: pd.DataFrame, missing_allowed: bool = False) -> pd.DataFrame:
    """The table as float32, if its names are unique and its cells are finite numbers."""
    as_index(table, as_table(table, frame).index, "row")
    as_index(table, frame.columns, "column")
    other = [c for c, kind in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if other:
        raise InputError(
            f"{table} has {len(other)} column(s) that hold no numbers ({few(other)}): "
            f"drop or convert them."
        )
    values = frame.to_numpy(dtype=np.float32, na_value=np.nan)  # (lines, features)
    bad = np.isinf(values) if missing_allowed else ~np.isfinite(values)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        kind = "infinite" if np.isinf(values[row, column]) else "missing"
        raise InputError(
            f"{table} has {int(bad.sum())} cell(s) that are not finite, the first one {kind}, "
            f"at line {frame.index[row]}, column {frame.columns[column]}: fill or drop them."
        )
    return pd.DataFrame(values, index=frame.index, columns=frame.columns, copy=False)


def join_lines(tables: Mapping[str, pd.DataFrame]) -> tuple[pd.Index, str]:
    """Lines known to every table, in the order of the first; and a note with the counts."""
    (first, reference), *others = tables.items()
    kept = reference.index
    counts = []
    for name, table in others:
        as_index(name, table.index, "row")
        shared = kept[kept.isin(table.index)]
        if not len(shared):
            raise InputError(
                f"No line is left when {name} is joined ({first} has lines such as "
                f"{few(kept)}; {name} such as {few(table.index)}): bring both to the same ids."
            )
        counts.append((name, len(table), len(kept) - len(shared)))
        kept = shared
    lost = [f"{n} not in {name}" for name, _, n in counts if n]
    return kept, f"of {len(reference)} lines in {first}" + (": " + ", ".join(lost) if lost else "")


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
