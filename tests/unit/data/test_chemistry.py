"""Numbers of drugs: a molecule's own, counted where they go, kept, and a sentence where none is."""

import sys

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import chemistry, drug_features, load
from cdp_lib.errors import InputError

SMILES = {
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "aspirin sodium": "CC(=O)Oc1ccccc1C(=O)[O-].[Na+]",
    "paracetamol": "CC(=O)Nc1ccc(O)cc1",
    "phenacetin": "CCOc1ccc(NC(C)=O)cc1",
    "cisplatin": "[NH2-].[NH2-].Cl[Pt]Cl",
}
DRUGS = pd.DataFrame({"smiles": SMILES})


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CDP_CACHE", str(tmp_path))


@pytest.mark.parametrize("kind", ["rdkit", "fingerprints", "mordred"])
def test_every_drug_has_numbers_and_every_column_tells_drugs_apart(kind):
    if kind == "mordred":
        pytest.importorskip("mordred")
    table = drug_features(DRUGS, kind)
    assert table.index.tolist() == list(SMILES)
    assert np.isfinite(table.to_numpy()).all()
    assert (table.nunique() > 1).all()
    kept, undefined, alike = table.attrs["notes"][:3]
    assert kept.startswith(f"{table.shape[1]:,} of ")
    assert all(int(words.split()[0].replace(",", "")) >= 0 for words in (undefined, alike))


def test_a_number_is_known_by_hand():
    table = drug_features(DRUGS)
    assert table.loc["paracetamol", "MolWt"] == pytest.approx(151.16, abs=0.01)
    assert table.loc[["aspirin", "phenacetin"], "RingCount"].tolist() == [1, 1]


def test_what_is_not_defined_or_alike_is_counted():
    whole = chemistry._computed(["CCO", "c1ccccc1", "CCN"], "rdkit", 8)
    whole = whole.assign(broken=[1.0, np.nan, 2.0], endless=[1.0, np.inf, 2.0], vast=[1, 1e24, 2])
    usable = chemistry._usable(whole)
    assert not {"broken", "endless", "vast"} & set(usable)
    assert usable.attrs["notes"][1].startswith("3 ")
    alike = int((whole.nunique(dropna=False) == 1).sum())
    assert usable.attrs["notes"][2].startswith(f"{alike} ")


def test_a_number_does_not_hang_on_the_other_drugs():
    few, all_of_them = drug_features(DRUGS.iloc[[3, 2]]), drug_features(DRUGS)
    shared = few.columns.intersection(all_of_them.columns)
    assert len(shared) > 20
    pd.testing.assert_frame_equal(few[shared], all_of_them.loc[few.index, shared])


def test_drugs_of_one_structure_are_named():
    twins = DRUGS.loc[["paracetamol", "phenacetin"]]
    twins.loc["acetaminophen"] = SMILES["paracetamol"] + ".Cl"
    assert "paracetamol" in drug_features(twins).attrs["notes"][3]
    assert len(drug_features(DRUGS).attrs["notes"]) == 3  # an ion is another molecule


def test_a_drug_whose_largest_fragment_lacks_its_metal_is_named():
    carboplatin = "C1CC(C1)(C(=O)O)C(=O)O.[NH2-].[NH2-].[Pt+2]"
    drugs = pd.concat([DRUGS["smiles"], pd.Series({"carboplatin": carboplatin})])
    said = drug_features(drugs, "fingerprints").attrs["notes"][-1]
    assert "platinum" in said and "(carboplatin)" in said


def test_the_second_time_nothing_is_computed(monkeypatch):
    first = drug_features(DRUGS)
    monkeypatch.setattr(chemistry, "_in_two", None)  # would fail
    again = drug_features(DRUGS["smiles"].iloc[::-1])  # the same molecules in another order
    pd.testing.assert_frame_equal(first.iloc[::-1], again)
    with pytest.raises(TypeError):
        drug_features(DRUGS.head(3))  # other molecules are another table


def test_another_version_is_computed_anew(monkeypatch):
    drug_features(DRUGS)
    monkeypatch.setattr(chemistry.rdkit, "__version__", "1900.01.1")
    monkeypatch.setattr(chemistry, "_in_two", None)
    with pytest.raises(TypeError):
        drug_features(DRUGS)


def test_two_processes_compute_what_one_does(monkeypatch):
    one = chemistry._in_two(sorted(SMILES.values()), "rdkit", 8)
    monkeypatch.setattr(chemistry, "WORTH_TWO", 1)
    pd.testing.assert_frame_equal(one, chemistry._in_two(sorted(SMILES.values()), "rdkit", 8))


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "mordred", None)  # as if it were not installed
    with pytest.raises(InputError, match="pip install mordred"):
        drug_features(DRUGS, "mordred")


@pytest.mark.parametrize(
    ("drugs", "fact"),
    [
        (DRUGS.assign(smiles=None), "5 drug"),
        (DRUGS.replace(SMILES["phenacetin"], "C1CC"), "phenacetin"),
        (DRUGS.rename(columns={"smiles": "structure"}), "smiles"),
        (pd.concat([DRUGS, DRUGS.tail(1)]), "cisplatin"),
        (DRUGS.loc[["aspirin"]], "1 drug"),
    ],
)
def test_what_cannot_be_described_is_named(drugs, fact):
    with pytest.raises(InputError, match=fact):
        drug_features(drugs)


def test_an_unknown_kind_is_named():
    with pytest.raises(InputError, match="dragon"):
        drug_features(DRUGS, "dragon")


def test_a_screen_of_known_structures_has_features():
    screen = load("drug-pairs", structures=True)
    table = drug_features(screen.drugs, "fingerprints", bits=64)
    assert table.index.equals(screen.drugs.index)
