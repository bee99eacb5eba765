"""Molecules: canonical forms, salts, groups, numbers, and a clear word on what is no SMILES."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp_lib.data import molecules as chem
from cdp_lib.data import readers
from cdp_lib.errors import InputError

IMATINIB = "CC1=C(C=C(C=C1)NC(=O)C2=CC=C(C=C2)CN3CCN(CC3)C)NC4=NC=CC(=N4)C5=CN=CC=C5"
MESYLATE = IMATINIB + ".CS(=O)(=O)O"


def test_two_spellings_are_one_molecule():
    assert chem.canonical("OCC") == chem.canonical("C(C)O") == "CCO"


def test_a_salt_is_its_largest_fragment():
    assert chem.largest_fragment(MESYLATE) == chem.canonical(IMATINIB)
    assert chem.inchikey(MESYLATE) == chem.inchikey(IMATINIB) == "KTUFNOKKBVMGRW-UHFFFAOYSA-N"
    assert chem.largest_fragment("[Na+].CC(=O)[O-]") == "CC(=O)[O-]"


def test_stereoisomers_share_the_first_block():
    left, right = chem.inchikey("C[C@H](N)C(=O)O"), chem.inchikey("C[C@@H](N)C(=O)O")
    assert left != right
    assert left[:14] == right[:14] == chem.inchikey("CC(N)C(=O)O")[:14]


def test_scaffolds():
    assert chem.scaffold("Cc1ccccc1") == chem.scaffold("CCc1ccccc1.Cl") == "c1ccccc1"
    assert chem.scaffold("NC(=O)NO") == "NC(=O)NO"  # no ring: its own scaffold


@pytest.mark.parametrize("smiles", ["C1CC", "c1ccc", "C(C)(C)(C)(C)C", "hello", "", None, 3.0])
def test_what_is_no_smiles_is_named(smiles):
    with pytest.raises(InputError) as error:
        chem.canonical(smiles)
    assert repr(smiles) in str(error.value) and str(error.value).endswith(".")


@settings(deadline=None)
@given(st.text(alphabet="CNOcn1()=[]+-@H.", max_size=12))
def test_any_text_is_a_molecule_or_a_sentence(text):
    try:
        once = chem.canonical(text)
    except InputError as error:
        assert "is not a valid SMILES" in str(error)
    else:
        assert chem.canonical(once) == once


@pytest.mark.parametrize("function", [chem.fingerprints, chem.descriptors])
def test_the_row_of_an_invalid_smiles_is_named(function):
    with pytest.raises(InputError, match=r"'C1CC' \(row 2\)"):
        function(["CCO", "C1CC"])
    with pytest.raises(InputError, match=r"'C1CC' \(row drug-b\)"):
        function(pd.Series({"drug-a": "CCO", "drug-b": "C1CC"}))


def test_fingerprints():
    bits = chem.fingerprints(["CCO", "OCC", IMATINIB], bits=512)
    assert bits.shape == (3, 512) and bits.dtype == np.float32
    assert set(np.unique(bits)) == {0, 1}
    assert (bits[0] == bits[1]).all() and (bits[0] != bits[2]).any()
    assert chem.fingerprints([], bits=64).shape == (0, 64)


def test_descriptors():
    table = chem.descriptors(pd.Series({"ethanol": "CCO", "imatinib": IMATINIB}))
    assert table.loc["ethanol", "MolWt"] == pytest.approx(46.07, abs=0.01)
    assert table.index.tolist() == ["ethanol", "imatinib"]
    assert not np.isinf(table.to_numpy()).any()


def test_a_table_of_drugs_gets_its_keys():
    drugs = pd.DataFrame({"smiles": [IMATINIB, MESYLATE, None]}, index=["a", "b", "c"])
    table = chem.describe_drugs(drugs)
    assert table.loc["a", "group"] == table.loc["b", "group"] == "KTUFNOKKBVMGRW"
    assert table.loc["c", ["inchikey", "group", "scaffold"]].isna().all()
    pd.testing.assert_frame_equal(chem.describe_drugs(table), table)
    with pytest.raises(InputError, match="row d"):
        chem.describe_drugs(pd.DataFrame({"smiles": ["C1CC"]}, index=["d"]))
    with pytest.raises(InputError, match="no column 'smiles'"):
        chem.describe_drugs(pd.DataFrame(index=["d"]))


def test_real_salts_and_flat_smiles(mirror):
    smiles = readers.smiles_by_cid(mirror / "gdsc-pocket" / "223drugs_pubchem_smiles.txt")
    table = chem.describe_drugs(smiles)
    assert table["inchikey"].notna().all()
    salts = smiles["smiles"].str.contains(".", regex=False)
    assert salts.sum() == 7
    assert (
        not smiles.loc[salts, "smiles"]
        .map(chem.largest_fragment)
        .str.contains(".", regex=False)
        .any()
    )
    drugs = readers.almanac_drugs(mirror / "nci-almanac-pocket" / "nsc_cid_smiles_class_name.csv")
    groups = chem.describe_drugs(drugs.loc[["123127", "256942"]])["group"]
    assert groups.nunique() == 1, drugs.loc[["123127", "256942"], "name"].tolist()
