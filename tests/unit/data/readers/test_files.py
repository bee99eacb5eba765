"""Broken files: each ends in one sentence that names the file and says what to do."""

import gzip
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp_lib.data import readers
from cdp_lib.errors import DataUnavailable, InputError

UPSTREAM = Path(__file__).parents[3] / "data" / "upstream"
TABLE = (UPSTREAM / "Achilles_gene_dependency.csv").read_text()


def write(folder: Path, text: str, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def one_sentence(error: pytest.ExceptionInfo, *words: str) -> None:
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text
    for word in words:
        assert word in text, text


def test_a_missing_file_is_unavailable(tmp_path):
    with pytest.raises(DataUnavailable) as error:
        readers.depmap_wide(tmp_path / "nowhere.csv")
    one_sentence(error, "nowhere.csv", "cdp data fetch")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("cdp_lib.data.readers.files.open", refused, raising=False)
    with pytest.raises(InputError) as error:
        readers.depmap_wide(write(tmp_path, TABLE))
    one_sentence(error, "table.csv may not be read by you")


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.95])
def test_a_truncated_gzip(keep, tmp_path):
    whole = gzip.compress((TABLE * 50).encode())
    path = tmp_path / "table.csv.gz"
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(InputError) as error:
        readers.depmap_wide(path)
    one_sentence(error, "table.csv.gz", "cdp data fetch")


@settings(deadline=None, max_examples=40)
@given(cut=st.integers(min_value=4, max_value=140))
def test_a_gzip_cut_anywhere_is_one_sentence(cut, tmp_path_factory):
    whole = gzip.compress(TABLE.encode())
    path = tmp_path_factory.mktemp("cut") / "table.csv.gz"
    path.write_bytes(whole[:cut])
    if cut >= len(whole):
        readers.depmap_wide(path)
        return
    with pytest.raises(InputError) as error:
        readers.depmap_wide(path)
    one_sentence(error, "table.csv.gz")


@settings(deadline=None, max_examples=40)
@given(cut=st.integers(min_value=4, max_value=250))
def test_a_zip_cut_anywhere_is_one_sentence(cut, tmp_path_factory):
    path = tmp_path_factory.mktemp("cut") / "table.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", TABLE)
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    if cut >= len(whole):
        return
    with pytest.raises(InputError) as error:
        readers.depmap_wide(path)
    one_sentence(error, "table.zip", "cdp data fetch")


def test_a_damaged_zip_is_one_sentence(tmp_path):
    path = tmp_path / "table.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("table.csv", TABLE)
    path.write_bytes(path.read_bytes().replace(b"0.913", b"9.913"))
    with pytest.raises(InputError) as error:
        readers.depmap_wide(path)
    one_sentence(error, "table.zip")


def test_a_zip_of_several_tables(tmp_path):
    path = tmp_path / "table.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", TABLE)
        archive.writestr("b.csv", TABLE)
    with pytest.raises(InputError) as error:
        readers.depmap_wide(path)
    one_sentence(error, "table.zip", "2 files", "a.csv, b.csv")


def test_gzip_and_zip_hold_the_same_table(tmp_path):
    plain = readers.depmap_wide(UPSTREAM / "Achilles_gene_dependency.csv")
    packed = tmp_path / "table.csv.gz"
    packed.write_bytes(gzip.compress(TABLE.encode()))
    with zipfile.ZipFile(tmp_path / "table.zip", "w") as archive:
        archive.writestr("table.csv", TABLE)
        archive.writestr("__MACOSX/table.csv", "noise")
    assert plain.equals(readers.depmap_wide(packed))
    assert plain.equals(readers.depmap_wide(tmp_path / "table.zip"))


def test_a_row_of_another_length(tmp_path):
    with pytest.raises(InputError) as error:
        readers.depmap_wide(write(tmp_path, TABLE + "ACH-000009,1,2,3,4,5,6\n"))
    one_sentence(error, "table.csv", "line 5", "7 cell(s)", "has 5")


def test_a_header_of_many_lines_is_told_in_one(tmp_path):
    with pytest.raises(InputError) as error:
        readers.cmp_models(write(tmp_path, '"a\n' + "long " * 500 + '"\n1\n'))
    one_sentence(error, "no column model_id")
    assert len(str(error.value)) < 250


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"DepMap_ID,A (1)\nACH-000001,\xff\xfe\n")
    with pytest.raises(InputError) as error:
        readers.depmap_wide(path)
    one_sentence(error, "table.csv")


def test_a_missing_id_column(tmp_path):
    text = "\n".join(line.split(",", 1)[1] for line in TABLE.splitlines()) + "\n"
    with pytest.raises(InputError) as error:
        readers.depmap_wide(write(tmp_path, text))
    one_sentence(error, "table.csv", "0.012", "ACH-000001")
    text = (UPSTREAM / "Model.csv").read_text().replace("ModelID", "Number")
    with pytest.raises(InputError) as error:
        readers.sample_info(write(tmp_path, text))
    one_sentence(error, "table.csv", "no column DepMap_ID")


def test_a_duplicated_id(tmp_path):
    with pytest.raises(InputError) as error:
        readers.depmap_wide(write(tmp_path, TABLE.replace("ACH-000005", "ACH-000004")))
    one_sentence(error, "table.csv", "more than once", "ACH-000004")


def test_an_id_left_empty(tmp_path):
    with pytest.raises(InputError) as error:
        readers.depmap_wide(write(tmp_path, TABLE.replace("ACH-000005", "")))
    one_sentence(error, "table.csv", "1 row(s) without DepMap_ID")


@settings(deadline=None, max_examples=40)
@given(word=st.sampled_from(["high", "1,5".replace(",", "."), "0..5", "?", "#REF!", "<0.1", "--"]))
def test_a_cell_that_is_no_number_is_named(word, tmp_path_factory):
    path = write(tmp_path_factory.mktemp("cell"), TABLE.replace("0.913", word))
    if word == "1.5":
        assert readers.depmap_wide(path).loc["ACH-000005", "SOX10"] == 1.5
        return
    with pytest.raises(InputError) as error:
        readers.depmap_wide(path)
    one_sentence(error, "table.csv", repr(word), "ACH-000005", "SOX10")


@pytest.mark.parametrize("word", ["inf", "-inf", "Infinity", "1e300"])
def test_an_infinite_cell_is_named(word, tmp_path):
    with pytest.raises(InputError) as error:
        readers.depmap_wide(write(tmp_path, TABLE.replace("0.913", word)))
    one_sentence(error, "table.csv", "infinite", "ACH-000005", "SOX10")


def test_an_excel_file_that_is_cut(tmp_path):
    path = tmp_path / "GDSC2.xlsx"
    path.write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(InputError) as error:
        readers.gdsc_fitted(path)
    one_sentence(error, "GDSC2.xlsx", "workbook")
