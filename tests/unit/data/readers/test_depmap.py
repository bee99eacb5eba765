"""DepMap and PRISM: official formats on hand-written files, pocket formats on the real ones."""

from pathlib import Path

import numpy as np
import pytest

from cdp_lib.data import readers
from cdp_lib.data.ids import harmonised_tissue
from cdp_lib.errors import InputError

UPSTREAM = Path(__file__).parents[3] / "data" / "upstream"


def test_wide_tables_of_19q4_and_23q4():
    table = readers.depmap_wide(UPSTREAM / "Achilles_gene_dependency.csv")
    assert list(table.columns) == ["A1BG", "KRAS", "SOX10"]
    assert table.index.tolist() == ["ACH-000004", "ACH-000005", "ACH-000007"]
    assert table.index.name == "line"
    assert (table.dtypes == np.float32).all()
    assert table.loc["ACH-000004", "KRAS"] == np.float32(0.991)
    assert np.isnan(table.loc["ACH-000005", "KRAS"])
    assert table.attrs["notes"] == [
        "1 repeated column(s) dropped, the first of each name kept: KRAS",
        "1 of 9 cells are empty",
    ]
    assert readers.depmap_wide(UPSTREAM / "CRISPRGeneEffect.csv").shape == (2, 2)


def test_a_gene_that_is_written_again_with_a_number_is_noted(tmp_path):
    (tmp_path / "x.csv").write_text(",KRAS (3845),KRAS (3845).1,NKX2.1 (7080)\nACH-000001,1,2,3\n")
    table = readers.depmap_wide(tmp_path / "x.csv")
    assert table.to_dict("list") == {"KRAS": [1], "NKX2.1": [3]}
    assert table.attrs["notes"] == [
        "1 repeated column(s) dropped, the first of each name kept: KRAS"
    ]


def test_lines_of_23q4():
    table = readers.sample_info(UPSTREAM / "Model.csv")
    assert table.loc["ACH-000001", "tissue"] == "ovary"
    assert table.loc["ACH-000469", "tissue"] == "central_nervous_system"
    assert table.loc["ACH-000019", "cosmic"] == "905946"
    assert table.loc["ACH-000019", "donor"] == table.loc["ACH-000028", "donor"]


@pytest.mark.parametrize(
    ("which", "ones"),
    [
        (
            "any",
            {
                ("ACH-000004", "TP53"),
                ("ACH-000005", "KRAS"),
                ("ACH-000005", "APC"),
                ("ACH-000007", "TTN"),
            },
        ),
        ("damaging", {("ACH-000004", "TP53"), ("ACH-000005", "APC")}),
        ("hotspot", {("ACH-000004", "TP53"), ("ACH-000005", "KRAS")}),
        (
            "damaging or hotspot",
            {("ACH-000004", "TP53"), ("ACH-000005", "KRAS"), ("ACH-000005", "APC")},
        ),
    ],
)
def test_mutations_of_a_kind(which, ones):
    table = readers.ccle_mutations(UPSTREAM / "CCLE_mutations.csv", which=which)
    assert table.shape == (3, 4)
    assert set(table.stack()[lambda x: x == 1].index) == ones


def test_mutations_without_a_line_are_counted(tmp_path):
    text = (UPSTREAM / "CCLE_mutations.csv").read_text()
    (tmp_path / "CCLE_mutations.csv").write_text(text.replace("99,ACH-000005", "99,"))
    table = readers.ccle_mutations(tmp_path / "CCLE_mutations.csv")
    assert table.index.tolist() == ["ACH-000004", "ACH-000005", "ACH-000007"]
    assert table.attrs["notes"][1] == "1 mutation(s) without a line dropped"


def test_a_line_is_known_by_its_depmap_id(tmp_path):
    text = (UPSTREAM / "Model.csv").read_text().replace("ACH-000001", "foo")
    (tmp_path / "Model.csv").write_text(text)
    with pytest.raises(InputError, match="'foo' in row 1"):
        readers.sample_info(tmp_path / "Model.csv")


def treatment(tmp_path, smiles):
    header = "column_name,broad_id,name,dose,screen_id,moa,target,smiles,phase\n"
    name = "BRD-A00055058-001-01-0::2.5::HTS"
    (tmp_path / "t.csv").write_text(f"{header}{name},BRD-A1,x,2.5,HTS,m,t,{smiles},p\n")
    return readers.prism_treatments(tmp_path / "t.csv")


@pytest.mark.parametrize(("smiles", "fact"), [("", "column smiles"), ("12", "'12' in row 1")])
def test_treatments_need_structures(tmp_path, smiles, fact):
    with pytest.raises(InputError, match=fact):
        treatment(tmp_path, smiles)


@pytest.mark.parametrize("smiles", ["NCC=C, ClCC1CO1", ", NCC=C", "NCC=C"])
def test_the_first_smiles_of_several_is_kept_also_where_the_list_begins_empty(tmp_path, smiles):
    table = treatment(tmp_path, f'"{smiles}"')
    assert table["smiles"].tolist() == ["NCC=C"]
    assert len(table.attrs["notes"]) == (", " in smiles)


def test_mutations_of_no_kind():
    with pytest.raises(InputError, match="damaging"):
        readers.ccle_mutations(UPSTREAM / "CCLE_mutations.csv", which="bad")


def test_prism_drops_lines_that_failed():
    table = readers.prism_logfold(
        UPSTREAM / "primary-screen-replicate-collapsed-logfold-change.csv"
    )
    assert table.shape == (2, 2)
    assert table.columns.name == "perturbation"
    assert table.attrs["notes"] == ["1 line(s) that failed STR typing dropped"]


def test_real_shapes(mirror):
    folder = mirror / "depmap-20q2-pocket"
    effect = readers.rds_dependency(folder / "20Q2_achilles.Rds")
    expression = readers.rds_dependency(folder / "20Q2_expression.Rds")
    assert effect.shape == (769, 462)
    assert expression.shape == (1304, 462)
    assert set(effect.columns) == set(expression.columns)
    assert len(effect.index.intersection(expression.index)) == 763
    assert int((np.nanstd(effect, axis=0) > 0.2).sum()) == 43
    mutations = readers.damaging_matrix(
        mirror
        / "depmap-19q2-mutations-pocket"
        / "depmap_19q2_mutation_calls.damage.hotspot_matrix.zip"
    )
    assert mutations.shape == (1630, 18164)


def test_real_treatments(mirror):
    table = readers.prism_treatments(
        mirror / "prism-19q4" / "PRISM_primary_replicate_collapsed_treatment_info.csv"
    )
    assert len(table) == 4686
    assert not table["smiles"].str.contains(",", na=False).any()
    assert table.set_index("name").loc["sevelamer", "smiles"] == "NCC=C.ClCC1CO1"
    assert table.attrs["notes"] == ["2344 treatment(s) list several SMILES, the first is kept"]
    auc = readers.prism_auc(mirror / "prism-pocket" / "rep-gdsc-ctd2-mean-log.csv")
    assert len(auc) == 16588
    assert (auc["drug"].nunique(), auc["line"].nunique()) == (84, 318)


def test_tissues_of_19q4_and_20q2_get_one_spelling(mirror):
    old = readers.sample_info(mirror / "depmap-19q4" / "avana_ceres_celllines_2019q4.csv")
    new = readers.rds_lines(mirror / "depmap-20q2-pocket" / "20Q2_expression_meta.Rds")
    assert set(new["tissue"]) - set(old["tissue"]) == {"engineered_blood"}
    assert set(old["tissue"]) <= set(new["tissue"])
    shared = old.index.intersection(new.index)
    assert len(shared) == 1755
    assert (old.loc[shared, "tissue"] == new.loc[shared, "tissue"]).all()


@pytest.mark.parametrize(
    ("written", "one"),
    [
        ("Central Nervous System", "central_nervous_system"),
        ("central_nervous_system", "central_nervous_system"),
        ("CNS/Brain", "central_nervous_system"),
        ("Ovary/Fallopian Tube", "ovary"),
        ("Pleura", "pleura"),
        ("", "unknown"),
        (None, "unknown"),
        (float("nan"), "unknown"),
    ],
)
def test_a_tissue(written, one):
    assert harmonised_tissue(written) == one


def test_19q4_lacks_some_lines_of_the_other_files(mirror):
    samples = readers.sample_info(mirror / "depmap-19q4" / "avana_ceres_celllines_2019q4.csv")
    folder = mirror / "depmap-20q2-pocket"
    effect = readers.rds_dependency(folder / "20Q2_achilles.Rds")
    expression = readers.rds_dependency(folder / "20Q2_expression.Rds")
    response = readers.gdsc_matrix_ach(mirror / "gdsc-pocket" / "GDSC_IC50.csv")
    lacking = [
        len(table.index.difference(samples.index)) for table in (effect, expression, response)
    ]
    assert lacking == [2, 18, 5]


def test_a_mutation_matrix_of_other_numbers():
    with pytest.raises(InputError, match="other than 0 and 1"):
        readers.damaging_matrix(UPSTREAM / "CRISPRGeneEffect.csv")


def test_a_prism_table_without_treatments():
    with pytest.raises(InputError, match="A1BG .*treatment"):
        readers.prism_logfold(UPSTREAM / "CRISPRGeneEffect.csv")


def matrices(tmp_path, damaging, hotspot):
    name = "OmicsSomaticMutationsMatrix"
    paths = [tmp_path / f"{name}{kind}.csv" for kind in ("Damaging", "Hotspot")]
    for path, text in zip(paths, (damaging, hotspot), strict=True):
        path.write_text(text)
    return paths


def test_two_mutation_matrices_are_one_table_of_all_their_genes(tmp_path):
    paths = matrices(
        tmp_path,
        ",TP53 (7157),KRAS (3845)\nACH-000001,2,0\nACH-000002,0,0\nACH-000003,1,1\n",
        ",KRAS (3845),BRAF (673)\nACH-000002,1,0\nACH-000001,0,1\nACH-000004,1,1\n",
    )
    table = readers.mutation_matrices(*paths)
    assert list(table.index) == ["ACH-000001", "ACH-000002"]  # the lines of both
    assert table.to_dict("list") == {"BRAF": [1, 0], "KRAS": [0, 1], "TP53": [1, 0]}
    assert table.dtypes.eq(np.float32).all()
    assert table.attrs["notes"] == ["2 line(s) in only one of the two tables dropped"]


def test_a_matrix_of_counts_with_other_numbers_is_named(tmp_path):
    good = ",TP53 (7157)\nACH-000001,2\n"
    for paths in (("3", "1"), ("1", "")):  # too high; missing
        files = matrices(tmp_path, *(good.replace("2", value) for value in paths))
        bad = "Damaging" if paths[0] == "3" else "Hotspot"
        with pytest.raises(InputError, match=f"{bad}.csv has 1"):
            readers.mutation_matrices(*files)
