"""Workbooks: what is damaged, unbounded, not calculated, or made into a date by Excel itself."""

import datetime
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import readers
from cdp_lib.errors import InputError

UPSTREAM = Path(__file__).parents[3] / "data" / "upstream"
FITTED = pd.read_csv(UPSTREAM / "GDSC2_fitted_dose_response.csv")


def save(folder: Path, frame: pd.DataFrame) -> Path:
    frame.to_excel(folder / "GDSC2.xlsx", index=False)
    return folder / "GDSC2.xlsx"


def edited(path: Path, old: bytes, new: bytes) -> Path:
    """The workbook with other text in its first sheet."""
    content = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(content) as before, zipfile.ZipFile(path, "w") as after:
        for name in before.namelist():
            part = before.read(name)
            if name == "xl/worksheets/sheet1.xml":
                assert old in part
                part = part.replace(old, new, 1)
            after.writestr(name, part)
    return path


def refused(path: Path, fact: str) -> None:
    with pytest.raises(InputError, match=fact) as error:
        readers.gdsc_fitted(path)
    assert path.name in str(error.value)


@pytest.mark.parametrize(
    ("column", "value", "fact"),
    [
        ("COSMIC_ID", 9900001.5, "9900001.5"),
        ("COSMIC_ID", datetime.datetime(2020, 1, 1), "2020-01-01"),
        ("CELL_LINE_NAME", datetime.datetime(2020, 1, 1), "2020-01-01"),
        ("DRUG_NAME", True, "True"),
        ("CELL_LINE_NAME", None, "line_name"),
        ("LN_IC50", None, "ln_ic50"),
        ("LN_IC50", "high", "'high'"),
        ("AUC", True, "'True'"),
        ("RMSE", "inf", "infinite"),
        ("DRUG_ID", "9" * 400, "999"),
        ("SANGER_MODEL_ID", "SIDM", "SIDM"),
    ],
)
def test_an_odd_cell_is_named(tmp_path, column, value, fact):
    frame = FITTED.astype(object)
    frame.loc[1, column] = value
    refused(save(tmp_path, frame), fact)


def test_a_header_of_a_workbook(tmp_path):
    refused(save(tmp_path, FITTED.rename(columns={"AUC": "auc"})), "no column AUC")
    refused(save(tmp_path, FITTED.rename(columns={"Z_SCORE": "AUC"})), "1 column.s. twice .AUC")
    refused(save(tmp_path, FITTED.rename(columns={"Z_SCORE": " "})), "column without a name")
    twice = pd.concat([FITTED, FITTED.columns.to_frame().T], ignore_index=True)
    refused(save(tmp_path, twice), "repeats its header")
    refused(save(tmp_path, FITTED.iloc[:0]), "no rows")


def test_formulas_that_nobody_has_calculated(tmp_path):
    number = b"<v>0.93022</v>"
    path = edited(save(tmp_path, FITTED), number, b"<f>1-A1</f><v></v>")
    refused(path, "formulas without values")
    whole = readers.gdsc_fitted(save(tmp_path, FITTED))
    calculated = edited(path, number, b"<f>1-A1</f>" + number)
    pd.testing.assert_frame_equal(readers.gdsc_fitted(calculated), whole)


def test_a_row_beyond_the_end_of_every_sheet(tmp_path):
    path = edited(save(tmp_path, FITTED), b'<row r="3"', b'<row r="1000000000"')
    refused(path, "row 1000000000")


def test_a_cell_so_far_away_that_an_array_would_fill_the_memory(tmp_path):
    path = edited(save(tmp_path, FITTED), b'<c r="B3"', b'<c r="XFD900000"')
    refused(path, "row 900000 and the column 16384")


def test_words_for_nothing_and_errors_of_a_sheet_are_empty(tmp_path):
    frame = FITTED.astype(object)
    frame.loc[1, "CELL_LINE_NAME"] = "#N/A"
    refused(save(tmp_path, frame), "line_name")
    sheet = edited(save(tmp_path, FITTED), b"<v>0.93022</v>", b"<v>1e400</v>")
    refused(sheet, "GDSC2.xlsx")


def test_a_panic_of_the_rust_reader_is_one_sentence(tmp_path, monkeypatch):
    class Panic(BaseException):
        """What a panic in Rust becomes."""

    def panics(file):
        raise Panic

    monkeypatch.setattr("cdp_lib.data.readers.excel.load_workbook", panics)
    refused(save(tmp_path, FITTED), "not a whole Excel")


def test_a_damaged_workbook_is_one_sentence_or_the_same_table(tmp_path):
    path = save(tmp_path, FITTED)
    packed, whole = path.read_bytes(), readers.gdsc_fitted(path)
    rng = np.random.default_rng(0)
    for _ in range(40):
        body = bytearray(packed)
        body[int(rng.integers(4, len(body)))] ^= 1 << int(rng.integers(8))
        path.write_bytes(body)
        try:
            pd.testing.assert_frame_equal(readers.gdsc_fitted(path), whole)
        except InputError as error:
            assert path.name in str(error)


def test_a_cellminer_workbook_lies_beside_its_documentation(tmp_path):
    rows = [
        ["CellMiner", None, None],
        ["Gene name d", "Chromosome f", "BR:MCF7"],
        ["A1BG", "19", 1.5],
    ]
    sheet = io.BytesIO()
    pd.DataFrame(rows).to_excel(sheet, index=False, header=False)
    with zipfile.ZipFile(tmp_path / "rna.zip", "w") as archive:
        archive.writestr("output/RNA.xlsx", sheet.getvalue())
        archive.writestr("output/documentation/NCI60_CELL_LINE_METADATA.xls", b"lines")
    assert readers.cellminer(tmp_path / "rna.zip").to_dict() == {"A1BG": {"MCF7": 1.5}}
