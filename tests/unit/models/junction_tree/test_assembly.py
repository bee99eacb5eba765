"""Neighbours hang on a node in all ways that chemistry allows, each once."""

import pytest

from cdp_lib.models.junction_tree.assembly import true_way, ways
from cdp_lib.models.junction_tree.prepared import environments
from cdp_lib.models.junction_tree.trees import tree

BENZENE = "C1=CC=CC=C1"


@pytest.mark.parametrize(
    ("word", "neighbours", "number"),
    [
        (BENZENE, [], 1),
        (BENZENE, ["CC"], 1),
        (BENZENE, ["CC", "CO"], 3),  # ortho, meta, para; two on one atom break its valence
        (BENZENE, [BENZENE], 1),  # naphthalene; an aromatic atom has no room for a spiro ring
        ("CC", ["CO", "CN"], 2),  # on one carbon, or on both
        ("C", ["CC", "CC", "CO"], 1),
        ("C=O", ["CC"], 1),  # the oxygen is full
        ("CF", ["CC", "CC", "CC", "CC"], 0),  # more than a carbon can bear
    ],
)
def test_ways_by_hand(word, neighbours, number):
    found = ways(word, neighbours)
    assert len(found.found) == len({way.look for way in found.found}) == number
    assert found.cut == 0


def test_what_is_cut_off_is_counted():
    several = ways("C1CCCCC1", ["CC", "CO", "CN"], most=5)
    assert len(several.found) == 5 and several.cut > 0


@pytest.mark.parametrize(
    "smiles",
    [
        "CC(=O)Oc1ccccc1C(=O)O",
        "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
        "CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1",
        "C1CCC2(CC1)OCCO2",
        "O=S(=O)(c1ccccc1)N1CC[NH+](C)CC1",
    ],
)
def test_the_true_way_is_one_of_them(smiles):
    known = tree(smiles)
    for node, (near, (word, words)) in enumerate(environments(known.words, known.neighbours())):
        looks = [way.look for way in ways(word, words).found]
        assert true_way(known, node, near) in looks
