"""The id map: names are matched by their normalised form, doubtful ones are listed."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp_lib.data import readers
from cdp_lib.data.ids import (
    TWINS,
    IdMap,
    harmonised_tissue,
    nci60_lines,
    normalised,
    oncotree_lineage,
)
from cdp_lib.errors import InputError

SAMPLES = pd.DataFrame(
    [
        ["ACH-000019", "MCF7", "MCF7_BREAST", "905946", "SIDM00148"],
        ["ACH-000028", "KPL1", "KPL1_BREAST", None, "SIDM00147"],
        ["ACH-000815", "KMH2", "KMH2_HAEMATOPOIETIC_AND_LYMPHOID_TISSUE", "909976", "SIDM01018"],
        ["ACH-001321", "TT", "TT_THYROID", None, "SIDM00484"],
    ],
    columns=["line", "name", "ccle_name", "cosmic", "sanger"],
).set_index("line")
MODELS = pd.DataFrame(
    [
        ["SIDM00322", "TT", "SIDP00970", "ACH-000561", "TT_OESOPHAGUS", None],
        ["SIDM00484", "TT", "SIDP00838", "ACH-001321", "TT_THYROID", None],
        ["SIDM00619", "KMH-2", "SIDP00883", None, None, None],
        ["SIDM00099", "Two-In-One", "SIDP00001", "ACH-000001;ACH-000002", None, "12;34"],
    ],
    columns=["sidm", "name", "patient", "ach", "ccle_name", "cosmic"],
).set_index("sidm")
IDS = IdMap(SAMPLES, models=MODELS)


def test_one_line_in_every_spelling():
    for name, kind in [
        ("mcf-7", "name"),
        ("MCF7_BREAST", "ccle"),
        ("905946", "cosmic"),
        ("905946.0", "cosmic"),
        ("SIDM00148", "sanger"),
        ("BR:MCF7", "nci60"),
    ]:
        match = IDS.to_ach([name], kind)
        assert match.mapping.to_dict() == {name: "ACH-000019"}, (name, kind)
        assert not match.unmatched and not match.ambiguous


def test_colliding_names_are_listed_and_not_guessed():
    match = IDS.to_ach(["TT", "KM-H2", "MCF7", "nobody"])
    assert match.mapping.to_dict() == {"MCF7": "ACH-000019"}
    assert match.unmatched == ["nobody"]
    assert match.ambiguous["TT"] == ["ACH-000561", "ACH-001321"]
    assert match.ambiguous["KM-H2"] == ["ACH-000815", "SIDM00619 (no ACH id)"]
    assert match.note == (
        "1 of 4 lines have a DepMap id, 1 have none (nobody), 2 are ambiguous (TT, KM-H2)"
    )


def test_a_cell_with_a_list_of_ids_is_ambiguous():
    match = IDS.to_ach(["Two-In-One", "12"], "name")
    assert match.ambiguous == {"Two-In-One": ["ACH-000001", "ACH-000002"]}
    assert IDS.to_ach(["12"], "cosmic").ambiguous == {"12": ["ACH-000001", "ACH-000002"]}


def test_two_names_of_one_line_in_one_table_are_ambiguous():
    match = IDS.to_ach(["MCF7", "MCF-7", "KPL1"])
    assert match.mapping.to_dict() == {"KPL1": "ACH-000028"}
    assert set(match.ambiguous) == {"MCF7", "MCF-7"}


def test_rename_keeps_matched_rows_and_says_so():
    table = pd.DataFrame({"x": [1.0, 2.0]}, index=["MCF-7", "nobody"])
    renamed = IDS.to_ach(table.index).rename(table)
    assert renamed.index.tolist() == ["ACH-000019"]
    assert renamed.loc["ACH-000019", "x"] == 1.0
    assert renamed.attrs["notes"] == ["1 of 2 lines have a DepMap id, 1 have none (nobody)"]


def test_an_unknown_kind():
    with pytest.raises(InputError, match="ccle, cosmic"):
        IDS.to_ach(["MCF7"], "drug")


def test_donors_join_patients_and_twins():
    donors = IDS.donors(["ACH-000019", "ACH-000028", "ACH-001321", "ACH-000815"])
    assert donors["ACH-000019"] == donors["ACH-000028"]  # MCF7 and KPL1
    assert donors["ACH-001321"] == "SIDP00838"
    assert donors["ACH-000815"] is None


def test_patients_of_two_sources_are_joined_through_a_shared_line():
    samples = pd.DataFrame(
        {"name": ["A", "B"], "donor": ["PT-1", "PT-1"]}, index=["ACH-000001", "ACH-000002"]
    )
    models = pd.DataFrame(
        {"name": ["B", "C"], "patient": ["SIDP1", "SIDP1"], "ach": ["ACH-000002", "ACH-000003"]},
        index=["SIDM1", "SIDM2"],
    )
    donors = IdMap(samples, models=models).donors(["ACH-000001", "ACH-000002", "ACH-000003"])
    assert donors.nunique() == 1 and donors.notna().all()


def test_known_twins_need_no_passport():
    samples = SAMPLES.loc[["ACH-000019", "ACH-000028", "ACH-000815"]]
    donors = IdMap(samples).donors(samples.index)
    assert donors["ACH-000019"] == donors["ACH-000028"] is not None
    assert donors["ACH-000815"] is None


@pytest.mark.parametrize("chain", ["abcd", "acbd", "dcba", "bdac"])
def test_a_chain_of_shared_lines_is_one_donor(chain):
    ids = [f"ACH-00000{'abcd'.index(letter)}" for letter in chain]
    links = [
        (ids[0], "P1"),
        (ids[1], "P1"),
        (ids[2], "P2"),
        (ids[3], "P2"),
        (ids[1], "P3"),
        (ids[2], "P3"),
    ]
    tables = [
        pd.DataFrame({"name": [ach], "donor": [patient]}, index=[ach]) for ach, patient in links
    ]
    assert IdMap(tables).donors(ids).nunique() == 1


@settings(deadline=None)
@given(st.text(alphabet="abcXYZ019 -_/.()", max_size=12))
def test_a_normalised_name_stays_itself(name):
    once = normalised(name)
    assert normalised(once) == once == normalised(f" {name.lower()}-")


def test_the_nci60_share_donors():
    lines = nci60_lines()
    assert len(lines) == 61  # CellMiner's sixty and MDA-MB-468
    donor = lines["donor"]
    for twins in (("SNB-19", "U251"), ("OVCAR-8", "NCI/ADR-RES"), ("M14", "MDA-MB-435", "MDA-N")):
        assert donor[list(twins)].nunique() == 1
    assert donor.nunique() == 61 - 4
    assert lines["tissue"].nunique() == 9


@pytest.fixture(scope="module")
def real(mirror):
    names = mirror / "cell-line-names"
    return IdMap(
        [
            readers.sample_info(mirror / "depmap-19q4" / "avana_ceres_celllines_2019q4.csv"),
            readers.rds_lines(mirror / "depmap-20q2-pocket" / "20Q2_expression_meta.Rds"),
        ],
        models=readers.cmp_models(names / "ModelList_20191106.csv"),
        annotations=readers.ccle_annotations(names / "Cell_lines_annotations_20181226.txt"),
        details=readers.gdsc_line_details(mirror / "gdsc-pocket" / "Cell_Lines_Details.csv"),
    )


def test_renamed_lines_are_found_under_both_names(real):
    for names, ach in [
        (("KE97_STOMACH", "KE97_HAEMATOPOIETIC_AND_LYMPHOID_TISSUE"), "ACH-000167"),
        (("NCIH684_LARGE_INTESTINE", "NCIH684_LIVER"), "ACH-000089"),
        (("NHAHTDD_PRIMARY", "NHAHTDD_CENTRAL_NERVOUS_SYSTEM"), "ACH-001142"),
    ]:
        for name in names:
            assert real.to_ach([name], "ccle").mapping[name] == ach


def test_real_names_that_collide(real):
    match = real.to_ach(["TT", "KMH-2", "ML-1", "NCI-H322M"])
    assert match.mapping.empty
    assert match.ambiguous["TT"] == ["ACH-000561", "ACH-001321"]
    assert match.ambiguous["KMH-2"] == ["ACH-000815", "ACH-002397"]
    assert match.ambiguous["NCI-H322M"] == ["ACH-000837", "ACH-002172"]  # sources disagree


def test_a_list_in_broad_id(real):
    assert real.to_ach(["SR"]).mapping["SR"] == "ACH-000338"  # the same id twice
    assert len(real.to_ach(["SC-1"]).ambiguous["SC-1"]) == 2


def test_real_tables_join(real, mirror):
    gdsc = mirror / "gdsc-pocket"
    response = readers.gdsc_matrix_cosmic(gdsc / "IC50_v17.csv.gz")
    copies = readers.copy_number_sidm(gdsc / "copynumber_total_new_map.csv.gz")
    expression = readers.ccle_genes_by_lines(
        mirror
        / "ccle-expression-pocket"
        / "CCLE_gene_expression_train(v4+eliminated_for_tsne_30)(1).txt"
    )
    response = real.to_ach(response.index, "cosmic")
    copies = real.to_ach(copies.index, "sanger")
    expression = real.to_ach(expression.index, "ccle")
    counts = [
        (len(m.mapping), len(m.unmatched), len(m.ambiguous)) for m in (response, copies, expression)
    ]
    assert counts == [(983, 0, 5), (470, 0, 0), (807, 0, 0)]
    nci60 = real.to_ach(nci60_lines().index, "nci60")
    assert len(nci60.mapping) == 57
    assert set(nci60.unmatched) == {"MDA-N", "NCI/ADR-RES"}
    assert set(nci60.ambiguous) == {"MDA-MB-435", "NCI-H322M"}


@pytest.mark.parametrize("twins", TWINS, ids=lambda twins: twins[0])
def test_real_twins_share_a_donor(real, twins):
    lines = real.to_ach(twins).mapping
    donors = real.donors(lines)
    assert donors.notna().all() and donors.nunique() == 1


def test_lineages_of_oncotree():
    lines = pd.DataFrame(
        {
            "tissue": ["gastric", "blood", "blood", "blood", "plasma_cell", "soft_tissue"],
            "subtype": ["x", "ALL", "AML", "unspecified", "multiple_myeloma", "x"],
        }
    )
    found = oncotree_lineage(lines).tolist()
    assert found == ["Esophagus/Stomach", "Lymphoid", "Myeloid", "Blood", "Lymphoid", "Soft Tissue"]
    known = ["Bowel", "CNS/Brain", "Bladder/Urinary Tract", "Head and Neck", "Lung"]
    ours = pd.DataFrame({"tissue": [harmonised_tissue(name) for name in known]})
    assert oncotree_lineage(ours).tolist() == known
