"""The model that comes with the library."""

import numpy as np
import pytest

from cdp_lib.data.molecules import largest_fragment
from cdp_lib.models.junction_tree import load
from cdp_lib.models.junction_tree.checkpoint import TRAINED
from cdp_lib.models.junction_tree.trees import tree

HELD_OUT = [  # ZINC test, none of which the model was trained on
    "CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1",
    "C[C@@H]1CC(Nc2cncc(-c3nncn3C)c2)C[C@@H](C)C1",
    "N#Cc1ccc(-c2ccc(O[C@@H](C(=O)N3CCCC3)c3ccccc3)cc2)cc1",
]


@pytest.fixture(scope="module")
def model():
    return load()


def test_it_is_small_and_tells_how_it_was_trained(model):
    assert TRAINED.stat().st_size < 5_000_000
    record = model.record_
    assert record["molecules seen"] > 600_000 and record["steps"] > 6_000
    first, last = record["progress"][0]["held out"], record["progress"][-1]["held out"]
    assert last["words"] < 0.6 * first["words"]
    assert {"rdkit", "cdp-lib"} == set(record["versions"])


def test_it_knows_molecules_that_it_was_not_trained_on(model):
    terms = model.losses(HELD_OUT)
    assert terms["words right"] > 0.7 and terms["topology right"] > 0.9
    assert terms["assembly right"] > 0.7


def test_drugs_have_latent_vectors_near_the_prior(model):
    drugs = ["CC(=O)Nc1ccc(O)cc1", "CN1CCCC1c1cccnc1", "CC(=O)Oc1ccccc1C(=O)O"]
    latent = model.transform(drugs)
    assert latent.shape == (3, 56)
    assert list(model.inverse_transform(latent)) == drugs
    assert 0.2 < np.sqrt((latent**2).to_numpy().mean()) < 3


def test_it_reads_every_drug_and_molecules_of_the_paper(model, mirror):
    drugs = (mirror / "gdsc-pocket" / "223drugs_pubchem_smiles.txt").read_text().splitlines()
    drugs = [largest_fragment(line.split("\t")[-1].strip()) for line in drugs]
    lines = (mirror / "zinc-pocket" / "substances.csv").read_text().splitlines()[1:300:3]
    known = set(model.module_.vocabulary)
    for smiles in [*drugs, *(line.split(",")[1] for line in lines)]:
        assert known.issuperset(tree(smiles).words), smiles
