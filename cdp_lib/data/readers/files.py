"""Opening an upstream file: plain, gzipped or zipped, with one clear sentence when it is broken."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from cdp_lib.data.checks import few
from cdp_lib.errors import DataUnavailable, InputError

AGAIN = "delete it and fetch it again with `cdp data fetch`"


@contextmanager
def opened(path: str | Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked when it is a gzip or a zip of one table."""
    path = Path(path)
    if not path.is_file():
        raise DataUnavailable(f"There is no file {path}: fetch it with `cdp data fetch`.")
    if not path.stat().st_size:
        raise InputError(f"{path.name} is empty: {AGAIN}.")
    try:
        with open(path, "rb") as plain:
            start = plain.read(4)
        if start[:2] == b"\x1f\x8b":
            with gzip.open(path) as file:
                yield file
        elif start == b"PK\x03\x04" and path.suffix.lower() != ".xlsx":
            with zipfile.ZipFile(path) as archive, archive.open(only_table(archive)) as file:
                yield file
        else:
            with open(path, "rb") as file:
                yield file
    except PermissionError as error:
        raise InputError(f"{path} may not be read by you: change its permissions.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path.name} ends too early or is damaged: {AGAIN}.") from error
    except zipfile.BadZipFile as error:
        raise InputError(f"{path.name} is not a whole zip file: {AGAIN}.") from error


def only_table(archive: zipfile.ZipFile) -> str:
    """The one table in a zip file; web pages and folders beside it do not count."""
    names = [
        n
        for n in archive.namelist()
        if not n.endswith(("/", ".html", ".pdf")) and not n.startswith("__MACOSX")
    ]
    if len(names) != 1:
        raise InputError(
            f"{Path(archive.filename).name} holds {len(names)} files ({few(names)}) where one "
            f"table was expected: {AGAIN}."
        )
    return names[0]


def refuse_html(path: str | Path) -> None:
    """Downloads that went wrong are often a web page under the name of a table."""
    with opened(path) as file:
        start = file.read(1024).lstrip(b"\xef\xbb\xbf \r\n\t\0").lower()
    if not start:
        raise InputError(f"{Path(path).name} is empty: {AGAIN}.")
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise InputError(f"{Path(path).name} is a web page, not a table: {AGAIN}.")


def read_table(path: str | Path, *, need: tuple[str, ...] = (), **options) -> pd.DataFrame:
    """A delimited table; `need` names the columns without which it is the wrong table."""
    refuse_html(path)
    name = Path(path).name
    try:
        with opened(path) as file:
            frame = pd.read_csv(file, engine="c", low_memory=False, **options)
    except InputError:  # of `opened`, in our words
        raise
    except ValueError as error:
        reason = " ".join(str(error).removeprefix("Error tokenizing data. C error: ").split())
        raise InputError(f"{name} is not a readable table ({reason}): {AGAIN}.") from error
    require(frame, need, path)
    return some_rows(frame, path)


def workbook(file: str | Path | BinaryIO, path: str | Path, **options) -> pd.DataFrame:
    """The first sheet of an Excel workbook."""
    try:
        return some_rows(pd.read_excel(file, **options), path)
    except InputError:
        raise
    except ImportError as error:  # the old format needs a package that few people need
        raise InputError(
            f"{Path(path).name} is an old Excel file, which needs the package xlrd: run "
            f"`pip install xlrd`."
        ) from error
    except (zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise InputError(f"{Path(path).name} is not a whole Excel workbook: {AGAIN}.") from error


def some_rows(frame: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """The table, unless nothing is in it."""
    if len(frame.columns) and not len(frame):
        raise InputError(f"{Path(path).name} holds no rows: {AGAIN}.")
    return frame


def text_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """(number, text) of each line of a file that is no table."""
    refuse_html(path)
    number = 0
    try:
        with opened(path) as file:
            for number, line in enumerate(file, start=1):
                yield number, line.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{Path(path).name}, line {number}, is no UTF-8 text: check its name, or {AGAIN}."
        ) from error


def require(frame: pd.DataFrame, need: tuple[str, ...], path: str | Path) -> None:
    """Refuse a table that has not the columns of its format."""
    missing = [column for column in need if column not in frame.columns]
    if missing:
        raise InputError(
            f"{Path(path).name} has no column {', '.join(missing)} (it has "
            f"{few(frame.columns, 4)}): it is not the file that this reader reads, check its name."
        )


def text_column(frame: pd.DataFrame, column: str, path: str | Path) -> pd.Series:
    """A column of texts; one of numbers, or of nothing, belongs to another table."""
    if pd.api.types.is_numeric_dtype(frame[column]):
        raise InputError(
            f"{Path(path).name} has no text in its column {column}: it is not the file that this "
            f"reader reads, check its name."
        )
    return frame[column]


def lines_table(frame: pd.DataFrame, key: str, path: str | Path) -> pd.DataFrame:
    """The table indexed by its column of names, each there once, named 'line'."""
    require(frame, (key,), path)
    refuse_nameless(frame[key], key, path)
    names = pd.Index(frame[key].astype(str).str.strip(), name="line")
    refuse_duplicates(names, key, path)
    return frame.drop(columns=key).set_axis(names)


def refuse_nameless(names: pd.Series, key: str, path: str | Path) -> None:
    if names.isna().any():
        raise InputError(
            f"{Path(path).name} has {int(names.isna().sum())} row(s) without {key}, the first "
            f"after row {int(names.isna().to_numpy().argmax())}: {AGAIN}."
        )


def refuse_duplicates(names: pd.Index, key: str, path: str | Path) -> None:
    twice = names[names.duplicated()].unique()
    if len(twice):
        raise InputError(
            f"{Path(path).name} has {len(twice)} {key} more than once ({few(twice)}): "
            f"keep one row of each, a name must mean one thing."
        )


def numbers(frame: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """The table as float32; a cell that is no finite number is named."""
    name = Path(path).name
    if not frame.size:
        raise InputError(
            f"{name} holds {frame.shape[0]} rows x {frame.shape[1]} columns of numbers: check its "
            f"name and what its columns are separated by."
        )
    for column in [
        c for c, kind in enumerate(frame.dtypes) if not pd.api.types.is_numeric_dtype(kind)
    ]:
        cells = frame.iloc[:, column]
        wrong = pd.to_numeric(cells, errors="coerce").isna() & cells.notna()
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise InputError(
                f"{name} has the text {cells.iloc[row]!r} where a number belongs, at "
                f"{frame.index[row]}, column {frame.columns[column]}: correct this cell or leave "
                f"it empty."
            )
    values = frame.apply(pd.to_numeric) if any(kind == "object" for kind in frame.dtypes) else frame
    with np.errstate(invalid="ignore", over="ignore"):  # R's NA complains; too large is infinite
        values = values.to_numpy(dtype=np.float32, na_value=np.nan)
    if np.isinf(values).any():
        row, column = (int(i) for i in np.argwhere(np.isinf(values))[0])
        raise InputError(
            f"{name} has {int(np.isinf(values).sum())} infinite cell(s), the first at "
            f"{frame.index[row]}, column {frame.columns[column]}: correct or empty them."
        )
    return pd.DataFrame(values, index=frame.index, columns=frame.columns, copy=False)


def whole_number_text(numbers: pd.Series) -> pd.Series:
    """905933.0 as "905933"; nothing stays nothing."""
    return numbers.astype(str).str.removesuffix(".0").where(numbers.notna(), None)


def whole_numbers(cells: pd.Series, path: str | Path) -> pd.Series:
    """Ids as text, 905933.0 as "905933"; one that is no whole number is named."""
    known = pd.Series(cells.dropna().unique())
    text = whole_number_text(known)
    wrong = ~text.astype(str).str.fullmatch(r"\d+")
    if wrong.any():
        raise InputError(
            f"{Path(path).name} has {known[wrong].iloc[0]!r} where a whole number belongs, in "
            f"column {cells.name}: correct or drop this row."
        )
    return cells.map(dict(zip(known, text, strict=True)))


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
