"""GDSC: official formats on hand-written files, the traps of the pocket files on the real ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import readers
from cdp_lib.data.ids import IdMap
from cdp_lib.errors import InputError

UPSTREAM = Path(__file__).parents[3] / "data" / "upstream"
FITTED = UPSTREAM / "GDSC2_fitted_dose_response.csv"
COMPOUNDS = UPSTREAM / "screened_compounds_rel_8.5.csv"


def test_fitted_curves_from_csv_and_excel(tmp_path):
    table = readers.gdsc_fitted(FITTED)
    assert list(table.columns) == [
        "line_name",
        "cosmic",
        "sanger",
        "drug_id",
        "drug",
        "target",
        "ln_ic50",
        "auc",
        "rmse",
    ]
    assert table.loc[0, ["line_name", "cosmic", "drug_id"]].tolist() == ["PFSK-1", "683667", "1003"]
    assert table.loc[0, "ln_ic50"] == pytest.approx(-1.463887)
    pd.read_csv(FITTED).to_excel(tmp_path / "GDSC2.xlsx", index=False)
    pd.testing.assert_frame_equal(readers.gdsc_fitted(tmp_path / "GDSC2.xlsx"), table)


def test_a_curve_fitted_twice_is_noted(tmp_path):
    text = FITTED.read_text()
    again = text.splitlines()[1]
    (tmp_path / "two.csv").write_text(text + again.replace("15946310", "15946311") + "\n")
    notes = readers.gdsc_fitted(tmp_path / "two.csv").attrs["notes"]
    assert notes == ["1 curve(s) repeat a (line, drug) of this file"]
    (tmp_path / "two.csv").write_text(text + again + "\n")
    with pytest.raises(InputError, match="row 4"):
        readers.gdsc_fitted(tmp_path / "two.csv")


def test_a_compound_under_two_ids():
    table = readers.gdsc_drugs(COMPOUNDS)
    assert table.loc["1371", "same_as"] == "1036"
    assert table["same_as"].notna().sum() == 1


def test_real_compounds_under_two_ids(mirror):
    folder = mirror / "gdsc-pocket"
    drugs = readers.gdsc_drugs(folder / "1.Drug_listMon Jun 24 09_00_55 2019.csv")
    assert len(drugs) == 266
    twice = drugs[drugs["same_as"].notna()]
    by_cid = twice["cid"] == drugs.loc[twice["same_as"], "cid"].to_numpy()
    assert (len(twice), int(by_cid.sum())) == (16, 15)  # one has no PubChem id, only one name
    assert drugs.loc["1371", "same_as"] == "1036"
    assert drugs.attrs["notes"] == ["16 compound(s) stand under two ids"]
    smiles = readers.smiles_by_cid(folder / "223drugs_pubchem_smiles.txt")
    assert drugs["cid"].isin(smiles.index).sum() == 238


def test_the_smiles_list_has_no_header(mirror):
    path = mirror / "gdsc-pocket" / "223drugs_pubchem_smiles.txt"
    table = readers.smiles_by_cid(path)
    assert len(table) == 223
    assert table.index[0] == "25102847"
    assert table["smiles"].str.contains(".", regex=False).sum() == 7  # salts
    few = readers.smiles_by_cid(path, cids=["148124", "1"])
    assert few.index.tolist() == ["148124"]


def test_a_smiles_list_of_another_format(tmp_path):
    (tmp_path / "smiles.txt").write_text("1\tCCO\ncid\tsmiles\n")
    with pytest.raises(InputError, match="line 2"):
        readers.smiles_by_cid(tmp_path / "smiles.txt")


def test_two_tables_called_v17_are_different_fits(mirror):
    folder = mirror / "gdsc-pocket"
    first = readers.gdsc_matrix_cosmic(folder / "IC50_v17.csv.gz")
    second = readers.gdsc_matrix_ach(folder / "GDSC_IC50.csv")
    assert (first.shape, second.shape) == ((988, 265), (969, 266))
    samples = readers.sample_info(mirror / "depmap-19q4" / "avana_ceres_celllines_2019q4.csv")
    renamed = IdMap(samples).to_ach(first.index, "cosmic").rename(first)
    lines = renamed.index.intersection(second.index)
    drugs = first.columns.intersection(second.columns)
    a = renamed.loc[lines, drugs].to_numpy()
    b = second.loc[lines, drugs].to_numpy()
    gap = np.abs(a - b)[~np.isnan(a) & ~np.isnan(b)]
    assert np.mean(gap > 0.01) == pytest.approx(0.47, abs=0.01)
    assert gap.max() == pytest.approx(3.3, abs=0.05)
    assert renamed.attrs["fit"] == first.attrs["fit"]
    with pytest.raises(InputError, match="different curve fits"):
        readers.same_fit(renamed, second)
    readers.same_fit(first, first)


def test_empty_copy_number_columns_are_dropped_and_noted(mirror):
    table = readers.copy_number_sidm(mirror / "gdsc-pocket" / "copynumber_total_new_map.csv.gz")
    assert table.shape == (470, 24502)
    assert table.attrs["notes"][0].startswith("14 empty column(s) dropped: SIDM")


def test_an_empty_copy_number_column(tmp_path):
    path = tmp_path / "cn.csv"
    path.write_text(",SIDM00001,SIDM00002\nA1BG,2.0,\nKRAS,4.0,\n")
    table = readers.copy_number_sidm(path)
    assert table.index.tolist() == ["SIDM00001"]
    assert table.attrs["notes"] == ["1 empty column(s) dropped: SIDM00002"]


def test_the_row_of_totals_is_no_line(mirror):
    table = readers.gdsc_line_details(mirror / "gdsc-pocket" / "Cell_Lines_Details.csv")
    assert len(table) == 1001
    assert table.loc["906794", "name"] == "A253"
    assert table.attrs["notes"] == ["the row of totals dropped"]


@pytest.mark.parametrize("reader", ["gdsc_matrix_cosmic", "gdsc_matrix_ach", "copy_number_sidm"])
def test_the_wrong_matrix(reader):
    with pytest.raises(InputError, match="COSMIC|ACH-0000|A1BG"):
        getattr(readers, reader)(UPSTREAM / "CRISPRGeneEffect.csv")
