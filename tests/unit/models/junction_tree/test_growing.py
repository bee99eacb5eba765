"""A molecule grows out of its tree: the true answers give back exactly the molecule."""

import copy

import numpy as np
import pytest
from rdkit import Chem

from cdp_lib.models.junction_tree.decoder import walk
from cdp_lib.models.junction_tree.growing import Growth
from cdp_lib.models.junction_tree.trees import tree

MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "CN1CCCC1c1cccnc1",
    "CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1",
    "CCCS(=O)(=O)Nc1ccc(F)c(C(=O)c2c[nH]c3ncc(Cl)cc23)c1F",  # PLX-4720
    "C1CC2CCC1C2",  # a bridge
    "C1CCC2(CC1)OCCO2",  # two rings at one atom
    "O=S(=O)(c1ccccc1)N1CC[NH+](C)CC1",
    "c1ccc2nnccc2c1",  # cinnoline: N=N or N-N, one of them only
    "Cc1ccc2ccc3cc4ccccc4cc3c2c1",
    "O=C1CCCCCCCCCCCN1",  # a macrocycle
    "C",
    "CO",
    "FC(F)(F)F",
]


def flat(smiles):
    mol = Chem.MolFromSmiles(smiles)
    Chem.RemoveStereochemistry(mol)
    return Chem.CanonSmiles(Chem.MolToSmiles(mol))


def growth_of(smiles, most=64):
    """The words of a molecule in the order in which the decoder names them, and their parents."""
    known = tree(smiles)
    order, parents, place = [0], [-1], {0: 0}
    for here, there in walk(known.neighbours()):
        if there is not None and there not in place:
            place[there] = len(order)
            order.append(there)
            parents.append(place[here])
    return Growth([known.words[node] for node in order], parents, most)


def grown(smiles, tries=3_000):
    """The growth that ends in the molecule, if any answers lead there.

    What is no part of the molecule any more is given up, whatever the bonds' Kekule form.
    """
    true = flat(smiles)
    whole, loose = Chem.MolFromSmiles(true), Chem.AdjustQueryParameters.NoAdjustments()
    loose.makeBondsGeneric = True
    waiting = [growth_of(smiles)]
    while waiting and (tries := tries - 1):
        growth = waiting.pop()
        question = growth.question()
        if question is None:
            if growth.smiles() == true:
                return growth
            continue
        for way in reversed(question.ways):
            more = copy.deepcopy(growth)
            more.answer(question.node, way)
            if whole.HasSubstructMatch(Chem.AdjustQueryProperties(more.molecule(), loose)):
                waiting.append(more)
    return None


@pytest.mark.parametrize("smiles", MOLECULES)
def test_the_true_answers_give_the_molecule(smiles):
    found = grown(smiles)
    assert found is not None and found.left_off == found.cut == 0


def test_the_true_answers_give_molecules_of_zinc(mirror):
    lines = (mirror / "zinc-pocket" / "test.txt").read_text().split()
    lost = [smiles for smiles in lines[:150] if grown(smiles) is None]
    assert lost == []


def test_whatever_is_answered_the_molecule_is_valid():
    rng = np.random.default_rng(0)
    for smiles in MOLECULES:
        growth = growth_of(smiles)
        while question := growth.question():
            growth.answer(question.node, question.ways[rng.integers(len(question.ways))])
        assert growth.smiles() is not None
        words = sum(Chem.MolFromSmiles(word).GetNumAtoms() for word in growth.words)
        assert len(growth.kinds) <= words


def test_a_branch_without_room_is_left_off_and_counted():
    growth = Growth(["CF", "CF", "CCl", "CBr", "CO", "CO"], [-1, 0, 1, 1, 1, 4], 64)
    while question := growth.question():
        growth.answer(question.node, question.ways[0])
    assert growth.left_off == 1 and growth.smiles() is not None
    assert "Cl" in growth.smiles() and "Br" in growth.smiles()


def test_a_choice_leaves_room_for_the_next_nodes():
    """C-N hangs on the ring by its N, because the next ring has nothing but carbon to share."""
    growth = Growth(["C1=CNC=C1", "CN", "C1CC1"], [-1, 0, 1], 64)
    question = growth.question()
    assert question is None and growth.left_off == 0
    assert growth.smiles() == "c1ccn(C2CC2)c1"


def growth_with(growth, question, way):
    more = copy.deepcopy(growth)
    more.answer(question.node, way)
    while question := more.question():
        more.answer(question.node, question.ways[0])
    return more


def test_two_bonds_of_one_kind_are_two_different_children():
    """The way in which a short and a long branch hang is another than the reverse."""
    growth = Growth(["C1=CNC=C1", "CC", "CC", "CO"], [-1, 0, 0, 2], 64)
    question = growth.question()
    spelled = [growth_with(growth, question, way).smiles() for way in question.ways]
    assert len(set(spelled)) == len(spelled) > 1
