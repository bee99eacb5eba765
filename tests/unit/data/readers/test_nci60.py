"""NCI-ALMANAC and CellMiner: official formats and the traps of the real pocket files."""

import contextlib
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import readers
from cdp_lib.data.ids import nci60_lines, nci60_name
from cdp_lib.errors import InputError

UPSTREAM = Path(__file__).parents[3] / "data" / "upstream"
SCORES = "DTB_NCI60_cell_lines_Almanac_paired_drug_combo_scores.txt"


def test_growth_keeps_valid_rows_in_one_spelling(tmp_path):
    path = UPSTREAM / "ComboDrugGrowth_Nov2017.csv"
    table = readers.almanac_growth(path)
    assert len(table) == 3
    assert table["line"].tolist() == ["A549", "A549", "HL-60(TB)"]
    assert table.loc[0, ["nsc_a", "nsc_b"]].tolist() == ["740", "752"]
    assert pd.isna(table.loc[2, "nsc_b"])
    assert table.attrs["notes"] == ["1 of 4 row(s) are not valid, dropped"]
    with zipfile.ZipFile(tmp_path / "growth.zip", "w") as archive:
        archive.write(path, "ComboDrugGrowth_Nov2017.csv")
    pd.testing.assert_frame_equal(readers.almanac_growth(tmp_path / "growth.zip"), table)


def test_growth_of_an_unknown_line(tmp_path):
    text = (UPSTREAM / "ComboDrugGrowth_Nov2017.csv").read_text().replace("A549/ATCC", "HELA")
    (tmp_path / "growth.csv").write_text(text)
    with pytest.raises(InputError, match="HELA"):
        readers.almanac_growth(tmp_path / "growth.csv")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("S,740,9", "S,abc,9", "'abc' where a whole number belongs, in column nsc_a"),
        ("S,740,9", "S,,9", "row.s. without NSC1"),
        ("Cancer,A549/ATCC", "Cancer,", "row.s. without CELLNAME"),
    ],
)
def test_a_well_names_its_line_and_its_drugs(tmp_path, old, new, words):
    text = (UPSTREAM / "ComboDrugGrowth_Nov2017.csv").read_text().replace(old, new)
    (tmp_path / "growth.csv").write_text(text)
    with pytest.raises(InputError, match=f"growth.csv has .*{words}"):
        readers.almanac_growth(tmp_path / "growth.csv")


def test_mirrored_pairs_are_merged_by_their_mean():
    table = readers.almanac_scores(UPSTREAM / "almanac_combo_scores.txt")
    cell = table.set_index(["line", "nsc_a", "nsc_b"])["score"]
    assert cell["MCF7", "740", "752"] == -15
    assert cell["A549", "740", "752"] == 4
    assert len(cell) == 4
    assert table.attrs["notes"] == [
        "1 pair(s) stood in both orders, merged by their mean",
        "1 line(s) without any score: MDA-N",
    ]


def test_real_scores(mirror):
    path = mirror / "nci-almanac-pocket" / SCORES
    table = readers.almanac_scores(path)
    assert table.attrs["notes"] == [
        "113 pair(s) stood in both orders, merged by their mean",
        "1 line(s) without any score: MDA-N",
    ]
    pairs = table[["nsc_a", "nsc_b"]].drop_duplicates()
    drugs = set(pairs.to_numpy().ravel())
    assert (pairs["nsc_a"] < pairs["nsc_b"]).all()
    assert (len(drugs), len(pairs), table["line"].nunique()) == (105, 5242, 59)
    assert len(drugs) * (len(drugs) - 1) // 2 - len(pairs) == 218
    raw = pd.read_csv(path, sep="\t", index_col=0).to_numpy().ravel()
    assert np.isnan(raw).mean() == pytest.approx(0.046, abs=0.001)
    raw = raw[~np.isnan(raw)]
    assert len(raw) == 306_365
    assert (raw == np.round(raw)).all()  # halves come only from merging
    assert np.mean(table["score"] != table["score"].round()) == pytest.approx(0.0105, abs=1e-4)
    known = readers.almanac_drugs(mirror / "nci-almanac-pocket" / "nsc_cid_smiles_class_name.csv")
    assert len(drugs - set(known.index)) == 20


def test_names_and_structures_of_the_compounds():
    names = readers.combo_compound_names(UPSTREAM / "ComboCompoundNames_small.txt")
    assert names.loc["740", "name"] == "Methotrexate"
    table = readers.combo_compound_set(UPSTREAM / "ComboCompoundSet.sdf")
    assert table.loc["32065", "smiles"] == "NC(=O)NO"
    assert pd.isna(table.loc["119875", "smiles"])
    assert table.attrs["notes"] == ["1 molecule(s) that RDKit refuses have no SMILES: 119875"]


def test_real_isomeric_smiles(mirror):
    table = readers.drug_smiles(mirror / "nci-almanac-pocket" / "drug_smiles.csv")
    assert len(table) == 87
    assert table.loc["Busulfan", "cid"] == "2478"


def test_an_empty_trailer_row_and_an_empty_line():
    table = readers.cellminer(UPSTREAM / "SWATH.txt")
    assert table.index.tolist() == ["MCF7", "SF-539"]
    assert table.attrs["notes"] == [
        "1 empty row(s) of the file dropped",
        "1 empty line(s) dropped: MDA-N",
    ]


def test_a_cellminer_workbook_with_text_above_the_table(tmp_path):
    nothing = [None] * 3
    rows = [
        ["CellMiner", *nothing],
        [None, *nothing],
        ["Gene name d", "Chromosome f", "BR:MCF7", "LE:HL-60(TB)"],
        ["A1BG", "19", 1.5, "na"],
        ["KRAS", "12", 2.5, 0.5],
    ]
    pd.DataFrame(rows).to_excel(tmp_path / "rna.xlsx", index=False, header=False)
    with zipfile.ZipFile(tmp_path / "rna.zip", "w") as archive:
        archive.write(tmp_path / "rna.xlsx", "output/rna.xlsx")
        archive.writestr("output/html/rna.html", "<html></html>")
    for name in ("rna.xlsx", "rna.zip"):
        table = readers.cellminer(tmp_path / name)
        assert table.index.tolist() == ["MCF7", "HL-60(TB)"]
        assert table.loc["MCF7", "KRAS"] == 2.5
        assert np.isnan(table.loc["HL-60(TB)", "A1BG"])


def test_an_old_workbook(tmp_path):
    path = UPSTREAM / "tiny.xls"
    table = readers.cellminer(path)
    assert table.index.tolist() == ["MCF7", "HL-60(TB)"]
    assert table.loc["MCF7"].to_dict() == {"A1BG": 1.5, "KRAS": 2.5}
    assert np.isnan(table.loc["HL-60(TB)", "A1BG"])
    with zipfile.ZipFile(tmp_path / "rna.zip", "w") as archive:
        archive.write(path, "output/RNA.xls")
    assert readers.cellminer(tmp_path / "rna.zip").equals(table)
    rng = np.random.default_rng(0)
    for _ in range(40):
        body = bytearray(path.read_bytes())
        body[int(rng.integers(4, len(body)))] ^= 1 << int(rng.integers(8))
        (tmp_path / "rna.xls").write_bytes(body)
        try:
            readers.cellminer(tmp_path / "rna.xls")
        except InputError as error:
            assert "rna.xls" in str(error)


def test_an_old_workbook_whose_damage_asks_for_endless_memory(tmp_path):
    rng = np.random.default_rng(324)
    body = bytearray((UPSTREAM / "tiny.xls").read_bytes())
    for _ in range(rng.integers(1, 4)):
        body[int(rng.integers(4, len(body)))] = int(rng.integers(256))
    (tmp_path / "rna.xls").write_bytes(body)
    with contextlib.suppress(InputError):  # the process must not end
        readers.cellminer(tmp_path / "rna.xls")


@pytest.mark.parametrize(
    ("name", "shape", "notes"),
    [
        (
            "Protein_SWATH_int2.4.2_05192020.txt",
            (59, 3171),
            ["1 empty row(s) of the file dropped", "1 empty line(s) dropped: MDA-N"],
        ),
        ("Protein__Lysate_Array_log2.txt", (60, 162), []),
        ("RNA__Agilent_Human_microRNA_(V2)_GeneSpringGX.txt", (60, 417), []),
    ],
)
def test_real_cellminer_tables(mirror, name, shape, notes):
    table = readers.cellminer(mirror / "nci60-omics" / name)
    assert table.shape == shape
    assert table.attrs["notes"] == notes


def test_real_expression_lacks_one_line(mirror):
    folder = mirror / "nci60-omics"
    table = readers.nci60_expression(
        folder / "gene_exp_part1.csv.gz", folder / "gene_exp_part2.csv.gz"
    )
    assert table.shape == (59, 23059)
    assert table.attrs["notes"] == ["1 empty line(s) dropped: SF-539"]
    assert set(table.index) | {"SF-539", "MDA-MB-468"} == set(nci60_lines().index)


def test_parts_of_different_tables(tmp_path):
    (tmp_path / "a.csv").write_text("Gene,MCF7\nA1BG,1\n")
    (tmp_path / "b.csv").write_text("Gene,PC_3\nKRAS,1\n")
    with pytest.raises(InputError, match="a.csv, b.csv"):
        readers.nci60_expression(tmp_path / "a.csv", tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("written", "one"),
    [
        ("BR:MDA-MB-231", "MDA-MB-231"),
        ("MDA-MB-231/ATCC", "MDA-MB-231"),
        ("MDA_MB_231", "MDA-MB-231"),
        ("LE:HL-60(TB)", "HL-60(TB)"),
        ("HL_60", "HL-60(TB)"),
        ("786_0", "786-0"),
        ("OV:NCI/ADR-RES", "NCI/ADR-RES"),
        ("A549/ATCC", "A549"),
        ("HELA", None),
    ],
)
def test_spellings_of_the_nci60(written, one):
    assert nci60_name(written) == one
