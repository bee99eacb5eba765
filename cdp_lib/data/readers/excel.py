"""The first sheet of an Excel workbook, new (.xlsx) or old (.xls), read with bounds."""

import contextlib
import io
import re
import zipfile
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import xlrd
from python_calamine import load_workbook

from cdp_lib.data.checks import few
from cdp_lib.data.readers.files import AGAIN
from cdp_lib.data.readers.tables import NO_NUMBER, TEXT
from cdp_lib.errors import InputError

MOST_ROWS = 2**20  # of a sheet, by Excel's own rule
MOST_CELLS = 2**26  # of a sheet from its first to its last: each costs memory, also an empty one
FAR = re.compile(rb'\br="(?:[A-Z]?(\d{6,})|([A-Z]{2,})(\d+))"')  # row 100000 or column AA on
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
            sheet = load_workbook(file).get_sheet_by_index(0)
            rows = [[whole(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
        else:
            file.seek(0)
            rows = old_sheet(file.read())
    except (InputError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # what Rust raises where it panics at damage is no Exception
        raise InputError(f"{name} is not a whole Excel workbook: {AGAIN}.") from error
    if not rows:
        raise InputError(f"{name} holds no rows: {AGAIN}.")
    frame = pd.DataFrame(rows, dtype=object)
    return frame.mask(frame.isin([*NO_NUMBER, *nothing]), None)


def whole(cell: object) -> object:
    """A workbook holds every number as a float: whole ones are ids."""
    if type(cell) is float and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    return cell


def old_sheet(content: bytes) -> list[list[object]]:
    """The first sheet of an .xls file; a date or a truth stays apart from a number.

    xlrd is slow, but of a damaged file it makes an error: calamine asks for so much memory that the
    process ends.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # xlrd prints what it thinks of a file
        sheet = xlrd.open_workbook(file_contents=content, logfile=io.StringIO()).sheet_by_index(0)
    kinds = {xlrd.XL_CELL_DATE: pd.Timestamp, xlrd.XL_CELL_BOOLEAN: bool}
    nothing = (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK, xlrd.XL_CELL_ERROR)
    return [
        [
            None if cell.ctype in nothing else kinds.get(cell.ctype, whole)(cell.value)
            for cell in sheet.row(number)
        ]
        for number in range(sheet.nrows)
    ]


def refuse_odd_sheets(file: BinaryIO, name: str) -> None:
    """Refuse cells so far away that they fill the memory, and formulas without their values."""
    with zipfile.ZipFile(file) as archive:
        for sheet in archive.namelist():
            if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", sheet):
                continue
            with archive.open(sheet) as part:
                text, rows, columns = b"", 1, 1
                while block := part.read(BLOCK):
                    text = text[-OVERLAP:] + block
                    for row, letters, number in set(FAR.findall(text)):
                        rows = max(rows, int((row or number)[:12]))
                        columns = max(columns, column_number(letters))
                    if rows > MOST_ROWS or rows * columns > MOST_CELLS:
                        raise InputError(
                            f"{name} names the row {rows} and the column {columns}, which is more "
                            f"than a table of measurements has: {AGAIN}."
                        )
                    if b"<f" in text and UNCALCULATED.search(text):
                        raise InputError(
                            f"{name} holds formulas without values: open it in Excel, save it, or "
                            f"save its values as CSV."
                        )


def column_number(letters: bytes) -> int:
    """A is 1, Z is 26, AA is 27."""
    number = 0
    for letter in letters[:4]:
        number = 26 * number + letter - ord("A") + 1
    return number


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
