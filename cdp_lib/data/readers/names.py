"""What may be a name, an id, a SMILES or a number in an upstream table, and what may not."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib.data.checks import few
from cdp_lib.data.readers.files import AGAIN
from cdp_lib.data.readers.tables import TEXT, require
from cdp_lib.errors import InputError

ACH = r"ACH-\d{6}"
SIDM = r"SIDM\d{5}"
CCLE = r"[A-Z0-9]+_[A-Z0-9_]+"
NUMBER = r"\d{1,15}"
GENE = r"(?=.*[A-Za-z])[A-Za-z0-9][^\s<>,;=\"]*"  # HLA-A, C1orf220, OK/SW-CL.58, ENSG00000000003.10
EXAMPLES = {ACH: "ACH-000001", SIDM: "SIDM00001", CCLE: "MCF7_BREAST", NUMBER: "683667"}
NO_NAME = {"", "-", "--", "?", ".", "na", "n/a", "nan", "<na>", "none", "null", "#n/a", "#na"}
FROM_EXCEL = re.compile(r"\d+\.\d+|\d{4}-\d\d-\d\d.*")  # what it makes of a name
LONGEST = 200  # letters of a name; SWATH has peptides of 95
ATOMS = re.compile(
    r"(?:\[[^\[\]\s]+\]|Br|Cl|[BCNOPSFI]|[bcnops]|[-=#$:/\\.+~*@()]|%\d\d|\d)+"  # of a SMILES
)


def refuse_odd_names(
    names: Iterable[str], what: str, path: str | Path, like: str | None = None
) -> None:
    """Refuse names that are none, and those that the format cannot hold (`like`)."""
    name = Path(path).name
    for row, text in enumerate(names, start=1):
        if odd(text) or (like is not None and not re.fullmatch(like, text)):
            example = f" such as {EXAMPLES[like]}" if like in EXAMPLES else ""
            raise InputError(
                f"{name} has {text[:60]!r} in row {row}, where a {what}{example} belongs: correct "
                f"or drop it, or check the name of the file."
            )


def odd(text: str) -> bool:
    """Whether this cannot be a name: nothing, a formula, a web page, or what nobody sees."""
    return (
        text.strip().lower() in NO_NAME
        or len(text) > LONGEST
        or not text.isprintable()
        or text.startswith(("=", "<"))
        or FROM_EXCEL.fullmatch(text) is not None
    )


def lines_table(
    frame: pd.DataFrame, key: str, path: str | Path, like: str | None = None
) -> pd.DataFrame:
    """The table indexed by its column of names, each there once, named 'line'."""
    require(frame.columns, (key,), path)
    names = known_names(frame[key], key, path, like)
    return frame.drop(columns=key).set_axis(pd.Index(names, name="line"))


def known_names(cells: pd.Series, key: str, path: str | Path, like: str | None = None) -> pd.Series:
    """A column of names: none is missing, none is odd, none stands there twice."""
    refuse_nameless(cells, key, path)
    names = cells.astype(str).str.strip()
    refuse_odd_names(names, key or "name", path, like)
    refuse_duplicates(pd.Index(names), key, path)
    return names


def refuse_nameless(names: pd.Series, key: str, path: str | Path) -> None:
    if names.isna().any():
        raise InputError(
            f"{Path(path).name} has {int(names.isna().sum())} row(s) without {key}, the first "
            f"after row {int(names.isna().to_numpy().argmax())}: {AGAIN}."
        )


def refuse_duplicates(names: pd.Index, key: str, path: str | Path, case: bool = True) -> None:
    """Refuse names that stand there twice, and those that differ by nothing but their case."""
    twice = names[names.duplicated()].unique()
    if not len(twice) and case:
        twice = names[names.str.casefold().duplicated(keep=False)].unique()
    if len(twice):
        raise InputError(
            f"{Path(path).name} has {len(twice)} {key} more than once ({few(twice)}): "
            f"keep one row of each, a name must mean one thing."
        )


def refuse_lower_case(columns: pd.Index, path: str | Path) -> None:
    """Names of genes and proteins hold capitals; without any they match no other table."""
    if not any(re.search("[A-Z]", column) for column in columns):
        raise InputError(
            f"{Path(path).name} writes its header in lower case ({columns[0]}): write the names "
            f"as upstream does."
        )


def numbers(frame: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """The table as float32; a cell that is no finite number is named."""
    name = Path(path).name
    if not frame.size:
        raise InputError(
            f"{name} holds {frame.shape[0]} rows x {frame.shape[1]} columns of numbers: check its "
            f"name and what its columns are separated by."
        )
    plain = [
        pd.api.types.is_float_dtype(k) or pd.api.types.is_integer_dtype(k) for k in frame.dtypes
    ]
    for column in np.flatnonzero(~np.array(plain)):
        cells = frame.iloc[:, column]
        words = cells.map(lambda cell: isinstance(cell, bool | np.bool_))
        wrong = (
            pd.to_numeric(cells.astype(object), errors="coerce").isna() & cells.notna()
        ) | words
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise InputError(
                f"{name} has the text {str(cells.iloc[row])[:60]!r} where a number belongs, at "
                f"{frame.index[row]}, column {frame.columns[column]}: correct this cell or leave "
                f"it empty."
            )
    values = frame if all(plain) else frame.apply(lambda c: pd.to_numeric(c.astype(object)))
    with np.errstate(invalid="ignore", over="ignore"):  # R's NA complains; too large is infinite
        try:
            values = values.to_numpy(dtype=np.float32, na_value=np.nan)
        except OverflowError:  # a whole number of hundreds of digits
            values = values.astype(str).astype(float).to_numpy(dtype=np.float32)
    if np.isinf(values).any():
        row, column = (int(i) for i in np.argwhere(np.isinf(values))[0])
        raise InputError(
            f"{name} has {int(np.isinf(values).sum())} infinite cell(s), the first at "
            f"{frame.index[row]}, column {frame.columns[column]}: correct or empty them."
        )
    return pd.DataFrame(values, index=frame.index, columns=frame.columns, copy=False)


def whole_number_text(numbers: pd.Series) -> pd.Series:
    """905933.0 as "905933"; nothing stays nothing."""
    return numbers.astype(str).str.strip().str.removesuffix(".0").where(numbers.notna(), None)


def whole_numbers(cells: pd.Series, path: str | Path) -> pd.Series:
    """Ids as text, 905933.0 as "905933"; one that is no whole number is named."""
    known = pd.Series(cells.dropna().unique())
    text = whole_number_text(known)
    wrong = ~text.astype(str).str.fullmatch(NUMBER)
    if wrong.any():
        raise InputError(
            f"{Path(path).name} has {str(known[wrong].iloc[0])[:60]!r} where a whole number "
            f"belongs, in column {cells.name}: correct or drop this row."
        )
    return cells.map(dict(zip(known, text, strict=True))).astype(TEXT)


def refuse_odd_smiles(smiles: pd.Series, path: str | Path) -> None:
    """Refuse a text that cannot be a SMILES: other letters, or a bracket or a ring left open."""
    for row, text in enumerate(smiles, start=1):
        if isinstance(text, str) and not is_smiles(text):
            raise InputError(
                f"{Path(path).name} has {text[:60]!r} in row {row}, where a SMILES belongs: "
                f"correct or drop it, or check the name of the file."
            )


def is_smiles(text: str) -> bool:
    """Atoms and bonds only, brackets closed, and each ring number there in pairs."""
    if text[:1] in "-=#.)" or not ATOMS.fullmatch(text):
        return False
    bare = re.sub(r"\[[^\]]*\]", "", text)
    rings = re.findall(r"%\d\d|\d", bare)
    return bare.count("(") == bare.count(")") and all(
        rings.count(number) % 2 == 0 for number in set(rings)
    )


def with_notes(frame: pd.DataFrame, *notes: str) -> pd.DataFrame:
    """The table with what was dropped or renamed on the way, in `attrs["notes"]`."""
    frame.attrs["notes"] = [note for note in notes if note]
    return frame


def counted(n: int, text: str) -> str:
    """A note with a count, or none where there is nothing to tell."""
    return f"{n} {text}" if n else ""


def drop_repeated_columns(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The first column of each name, and a note on the others."""
    twice = frame.columns.duplicated()
    if not twice.any():
        return frame, ""
    names = frame.columns[twice]
    return frame.loc[:, ~twice], (
        f"{len(names)} repeated column(s) dropped, the first of each name kept: {few(names)}"
    )


def drop_empty_columns(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The columns with at least one number, and a note on the others."""
    empty = frame.isna().all(axis=0)
    names = frame.columns[empty]
    if not len(names):
        return frame, ""
    return frame.loc[:, ~empty], f"{len(names)} empty column(s) dropped: {few(names)}"


def drop_empty_rows(frame: pd.DataFrame, what: str = "row") -> tuple[pd.DataFrame, str]:
    """The rows with at least one number, and a note on the others."""
    empty = frame.isna().all(axis=1)
    names = frame.index[empty]
    if not len(names):
        return frame, ""
    return frame.loc[~empty], f"{len(names)} empty {what}(s) dropped: {few(names)}"
