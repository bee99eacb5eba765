"""Molecules as data: each once, in one spelling, and every one that is left out is counted."""

import pandas as pd
import pytest
from rdkit import Chem

from cdp_lib.data.studies.molecules import (
    PUBLISHED,
    cliques,
    molecules,
    once_each,
    published_samples,
)
from cdp_lib.data.teaching.molecules import SIZES, halves, joined, recombined
from cdp_lib.data.teaching.omics import drug_facts
from cdp_lib.errors import InputError


@pytest.fixture
def pocket(mirror, monkeypatch):
    monkeypatch.setenv("CDP_MIRROR", str(mirror))


def test_teaching_molecules_are_read_like_real_ones():
    found = molecules("teaching")
    assert len(found) == 600 and found.is_unique
    assert found.attrs["notes"][0] == "600 molecules read"
    mols = [Chem.MolFromSmiles(text) for text in found]
    assert [Chem.MolToSmiles(mol) for mol in mols] == found.tolist()
    assert {mol.GetNumHeavyAtoms() for mol in mols} <= set(SIZES)
    drugs = {Chem.MolToSmiles(Chem.MolFromSmiles(text)) for text in drug_facts()["smiles"]}
    assert not drugs & set(found)


def test_recombined_molecules_hang_on_the_seed_alone():
    first = recombined(0)
    recombined.cache_clear()
    assert recombined(0).equals(first)
    assert not recombined(1)["smiles"].equals(first["smiles"])


def test_a_drug_is_cut_at_a_bond_and_joined_again():
    lapatinib = Chem.MolFromSmiles(drug_facts().loc["lapatinib", "smiles"])
    parts = halves(lapatinib)
    assert len(parts) % 2 == 0 and len(parts) > 6
    for (a, b, one), (c, d, other) in zip(parts[::2], parts[1::2]):
        assert (a, b) == (d, c)
        again = joined(Chem.MolToSmiles(one), Chem.MolToSmiles(other))
        assert Chem.MolToSmiles(again) == Chem.MolToSmiles(lapatinib)
    sulfonyl = halves(Chem.MolFromSmiles("CCS(=O)(=O)Nc1ccccc1"))
    kinds = {Chem.MolToSmiles(part): kind for kind, _, part in sulfonyl}
    assert kinds["*S(=O)(=O)CC"] == "12" and kinds["*Nc1ccccc1"] == "5"  # S and N of BRICS


def test_what_is_left_out_is_counted():
    written = ["OCC", "CCO", "C1CC", "c1ccccc1", "CN(C)(C)(C)C", "C1=CC=CC=C1"]
    found = once_each(pd.DataFrame({"smiles": written}))
    assert found.tolist() == ["CCO", "c1ccccc1"] and found.index.tolist() == [1, 4]
    assert found.attrs["notes"] == [
        "6 molecules read",
        "2 cannot be read (C1CC, CN(C)(C)(C)C), left out",
        "2 are there a second time, left out",
        "1 spelled anew by RDKit",
    ]


def test_a_draw_hangs_on_its_seed_and_keeps_the_order():
    some = molecules(at_most=50)
    assert len(some) == 50 and some.index.is_monotonic_increasing
    assert some.attrs["notes"][-1] == "50 of them drawn (seed 0)"
    assert some.equals(molecules(at_most=50)) and not some.equals(molecules(at_most=50, draw=1))
    assert some.equals(molecules()[some.index])


@pytest.mark.parametrize(
    "ask, fact",
    [
        (lambda: molecules("teaching", "zinc 86k"), "recombined"),
        (lambda: molecules("pocket", "dong2002"), "zinc 86k"),
        (lambda: molecules(at_most=0), "at_most is 0"),
        (lambda: molecules(at_most=2.5), "at_most is 2.5"),
        (lambda: molecules(at_most=5, draw=-1), "draw is -1"),
        (lambda: molecules("pockets"), "no edition 'pockets'"),
        (lambda: published_samples(data="teaching"), "another edition"),
        (lambda: published_samples("slower"), "faster, first"),
        (lambda: cliques("teaching"), "no table 'cliques'"),
    ],
)
def test_what_cannot_be_had_is_one_sentence(ask, fact):
    with pytest.raises(InputError, match=fact):
        ask()


@pytest.mark.parametrize(
    "which, n, anew", [("dong2020", 11_903, 396), ("zinc test", 5_000, 88), (None, 11_903, 396)]
)
def test_pocket_molecules_are_whole(pocket, which, n, anew):
    found = molecules("pocket", which)
    assert len(found) == n and found.is_unique
    assert found.attrs["notes"] == [
        f"{n:,} molecules read",
        f"{anew} spelled anew by RDKit",
    ]


def test_pocket_samples_come_as_they_were_written(pocket):
    faster, first = published_samples(), published_samples("first")
    assert len(faster) == len(first) == 30_000
    assert faster.notna().all() and first.isna().sum() == 27
    assert faster.nunique() == 29_942 and PUBLISHED["valid"] == 1
    assert len(cliques()) == 780
