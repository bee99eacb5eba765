"""A molecule is a tree of its rings and bonds, and each node is a word."""

import pytest
from rdkit import Chem

from cdp_lib.errors import InputError
from cdp_lib.models.junction_tree.trees import respelled, tree

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
MOLECULES = [
    ASPIRIN,
    "CC(=O)Nc1ccc(O)cc1",  # paracetamol
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",  # caffeine
    "CN1CCC[C@H]1c1cccnc1",  # nicotine
    "CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1",
    "C1CC2CCC1C2",  # a bridge
    "C1CCC2(CC1)OCCO2",  # two rings at one atom
    "C1CC2(C1)CCC21CC1",  # rings that meet three by three
    "c1cc2ccc3cccc4ccc(c1)c2c34",  # pyrene: rings around two atoms
    "O=S(=O)(c1ccccc1)N1CC[NH+](C)CC1",
    "C",
    "CO",
    "FC(F)(F)F",
]


@pytest.mark.parametrize("smiles", MOLECULES)
def test_a_tree_holds_every_atom_and_every_bond(smiles):
    found = tree(smiles)
    assert len(found.edges) == len(found.cliques) - 1
    reached, waiting, near = {0}, [0], found.neighbours()
    while waiting:
        new = set(near[waiting.pop()]) - reached
        reached |= new
        waiting += new
    assert len(reached) == len(found.cliques)
    assert set().union(*found.cliques) == set(range(found.mol.GetNumAtoms()))
    for a, b, _ in found.bonds:
        assert any({a, b} <= set(clique) for clique in found.cliques)
    for a, b in found.edges:
        assert set(found.cliques[a]) & set(found.cliques[b])


def test_the_tree_of_aspirin_by_hand():
    words = sorted(tree(ASPIRIN).words)
    # the ring, two C=O, the bonds C-C and C-O, and a hub on each carbon of a C=O
    assert words == sorted(["C1=CC=CC=C1", "C", "C", "C=O", "C=O", "CC", "CC", "CO", "CO", "CO"])


HEXAGON = "C1CCCCC1"


@pytest.mark.parametrize(
    ("smiles", "words"),
    [
        ("C1CC2CCC1C2", ["C1CC2CCC1C2"]),  # a bridge: the rings share three atoms and are one
        ("C1CCC2CCCCC2C1", [HEXAGON, HEXAGON]),  # two atoms: two nodes
        ("C1CCC2(CC1)CCCCC2", [HEXAGON, HEXAGON]),  # one atom, and no node for it
        ("C1CC2CCCC3CCCC(C1)C23", [HEXAGON] * 3 + ["C"]),  # three rings at one atom: a node for it
        ("CC1(C)CCCCC1", [HEXAGON, "C", "CC", "CC"]),  # two bonds and a ring
        ("CC1CCCCC1", [HEXAGON, "CC"]),
    ],
)
def test_rings_that_meet_by_hand(smiles, words):
    assert sorted(tree(smiles).words) == sorted(words)


def test_all_that_meet_at_a_hub_are_its_neighbours():
    found = tree("C1CC2CCCC3CCCC(C1)C23")
    assert len(found.neighbours()[found.words.index("C")]) == 3


def test_mirror_images_and_isotopes_are_one_tree():
    for one, other in [("C[C@H](N)O", "C[C@@H](N)O"), ("[2H]C([2H])([2H])O[13CH3]", "COC")]:
        assert tree(one).words == tree(other).words
        first, second = (Chem.MolToSmiles(tree(smiles).mol) for smiles in (one, other))
        assert first == second


@pytest.mark.parametrize("smiles", MOLECULES)
def test_a_word_is_spelled_in_one_way(smiles):
    words = tree(smiles).words
    assert respelled(words) == list(dict.fromkeys(words))


def test_how_a_molecule_is_written_changes_nothing():
    def words(smiles):
        return sorted(tree(smiles).words)

    for smiles in MOLECULES:
        mol = Chem.MolFromSmiles(smiles)
        for seed in range(5):
            assert words(Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed + 1)[0]) == words(
                smiles
            )


def test_older_spellings_are_brought_up_to_date():
    assert respelled(["C1=C[NH]N=C1", "C1=CNN=C1"]) == ["C1=CNN=C1"]


@pytest.mark.parametrize(
    ("smiles", "fact"),
    [
        ("CC.Cl", "a mixture"),
        ("C" * 201, "201 heavy atoms"),
        ("", "not a valid SMILES"),
        ("[NH3][Pt](Cl)(Cl)[NH3]", "kind DATIVE"),
        ("*CC", "any atom"),
    ],
)
def test_what_has_no_tree_is_refused(smiles, fact):
    with pytest.raises(InputError, match=fact):
        tree(smiles)


def test_molecules_of_zinc_decompose_into_known_words(mirror):
    lines = (mirror / "zinc-pocket" / "vocab.txt").read_text().split()
    known = set(respelled(lines))
    assert len(known) == 779
    test = (mirror / "zinc-pocket" / "test.txt").read_text().split()[:300]
    unknown = [smiles for smiles in test if not known.issuperset(tree(smiles).words)]
    assert unknown == []
