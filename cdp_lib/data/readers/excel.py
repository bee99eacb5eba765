"""The first sheet of an Excel workbook, new (.xlsx) or old (.xls), read with bounds."""

import contextlib
import io
import re
import zipfile
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import xlrd

from cdp_lib.data.checks import few
from cdp_lib.data.readers.files import AGAIN
from cdp_lib.data.readers.tables import TEXT
from cdp_lib.errors import InputError

MOST_ROWS = 2**20  # of a sheet, by Excel's own rule
ROW = re.compile(rb'<row\b[^>]*?\br="(\d+)"')
UNCALCULATED = re.compile(rb"<f\b[^>]*?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
BLOCK = 2**22  # bytes of a sheet that are searched at once
OVERLAP = 2**12


def workbook(file: BinaryIO, path: str | Path, nothing: tuple[str, ...] = ()) -> pd.DataFrame:
    """The cells of the first sheet as they are: text, numbers, dates, or nothing."""
    name = Path(path).name
    try:
        file.seek(0)
        if file.read(2) == b"PK":
            refuse_odd_sheets(file, name)
            file.seek(0)
            missing = list(nothing) or None
            frame = pd.read_excel(
                file, header=None, dtype=object, nrows=MOST_ROWS, na_values=missing
            )
        else:
            file.seek(0)
            frame = old_sheet(file.read(), nothing)
    except InputError:
        raise
    except Exception as error:  # openpyxl and xlrd meet damage in many ways
        raise InputError(f"{name} is not a whole Excel workbook: {AGAIN}.") from error
    if not len(frame):
        raise InputError(f"{name} holds no rows: {AGAIN}.")
    return frame


def old_sheet(content: bytes, nothing: tuple[str, ...]) -> pd.DataFrame:
    """The first sheet of an .xls file; a date or a truth stays apart from a number."""
    with contextlib.redirect_stdout(io.StringIO()):  # xlrd prints what it thinks of a file
        sheet = xlrd.open_workbook(file_contents=content, logfile=io.StringIO()).sheet_by_index(0)
    kinds = {xlrd.XL_CELL_DATE: pd.Timestamp, xlrd.XL_CELL_BOOLEAN: bool}
    rows = [
        [
            None
            if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK, xlrd.XL_CELL_ERROR)
            or cell.value in ("", *nothing)
            else kinds.get(cell.ctype, lambda value: value)(cell.value)
            for cell in sheet.row(number)
        ]
        for number in range(sheet.nrows)
    ]
    return pd.DataFrame(rows, dtype=object)


def refuse_odd_sheets(file: BinaryIO, name: str) -> None:
    """Refuse rows beyond any sheet, and formulas that nobody has calculated."""
    with zipfile.ZipFile(file) as archive:
        for sheet in archive.namelist():
            if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", sheet):
                continue
            with archive.open(sheet) as part:
                text = b""
                while block := part.read(BLOCK):
                    text = text[-OVERLAP:] + block
                    beyond = next((n for n in ROW.findall(text) if int(n[:9]) > MOST_ROWS), None)
                    if beyond is not None:
                        raise InputError(
                            f"{name} names the row {beyond[:12].decode()}, but a sheet ends at "
                            f"row {MOST_ROWS}: {AGAIN}."
                        )
                    if b"<f" in text and UNCALCULATED.search(text):
                        raise InputError(
                            f"{name} holds formulas without values: open it in Excel, save it, or "
                            f"save its values as CSV."
                        )


def with_header(frame: pd.DataFrame, row: int, path: str | Path) -> pd.DataFrame:
    """The table below this row, whose cells are the names of the columns."""
    head = [" ".join(str(c).split()) if pd.notna(c) else "" for c in frame.iloc[row]]
    table = frame.iloc[row + 1 :].reset_index(drop=True)
    empty = [n for n, c in enumerate(head) if not c]
    nothing = [n for n in empty if table.iloc[:, n].isna().all()]
    if len(nothing) < len([n for n in empty if n]):
        raise InputError(f"{Path(path).name} has a column without a name: name or remove it.")
    table = table.drop(columns=table.columns[nothing])
    names = pd.Index([c for n, c in enumerate(head) if n not in nothing])
    twice = names[names.duplicated()]
    if len(twice):
        raise InputError(
            f"{Path(path).name} names {len(twice)} column(s) twice ({few(twice)}): keep one "
            f"column of each name."
        )
    if not len(table):
        raise InputError(f"{Path(path).name} holds no rows: {AGAIN}.")
    if (table == pd.Series(names, index=table.columns)).all(axis=1).any():
        raise InputError(f"{Path(path).name} repeats its header: {AGAIN}.")
    return table.set_axis(names, axis=1)


def text_cells(cells: pd.Series, path: str | Path) -> pd.Series:
    """A column of texts; a whole number is a text, a date or TRUE is what Excel made of one."""
    other = cells[cells.notna() & ~cells.map(lambda c: isinstance(c, str | int | float))]
    other = pd.concat([other, cells[cells.map(lambda c: isinstance(c, bool))]])
    if len(other):
        raise InputError(
            f"{Path(path).name} has {str(other.iloc[0])[:60]!r} in column {cells.name}, which "
            f"Excel made of a name: correct it and format the column as text."
        )
    return cells.where(cells.isna(), cells.astype(str)).astype(TEXT)
