"""How the children of a node hang on it: complete, each way once, and never without end."""

from itertools import product

import pytest
from rdkit import Chem

from cdp_lib.models.junction_tree.assembly import ways
from cdp_lib.models.junction_tree.choosing import local_ways
from cdp_lib.models.junction_tree.parts import part
from cdp_lib.models.junction_tree.placing import fits, has_room, placements

RINGS = ["C1=CC=CC=C1", "C1CCNCC1", "C1=CNC=C1", "C1CC1"]
NEAR = ["CC", "CN", "C=O", "C", "C1=CC=CC=C1"]


@pytest.mark.parametrize("word", ["CC", "CN", "C", *RINGS])
def test_the_ways_of_a_root_are_those_that_training_knows(word):
    """`assembly.ways` finds them with RDKit alone; here symmetries and valences are integers."""
    for near in product(NEAR, repeat=2):
        if near.count("C") > 1 or ("C" in near and word == "C"):
            continue  # training never sees two lone atoms on one, decoding does not allow it
        found = placements(word, (), (), 0, near, 1_000).found
        here = local_ways((word, None, (), near), found)
        looks = {look_of(way) for way in here}
        assert len(looks) == len(found), (word, near)
        assert looks == {way.look for way in ways(word, near, most=1_000).found}, (word, near)
        assert fits(word, near) == bool(found)


def look_of(way):
    from cdp_lib.models.junction_tree.assembly import look

    return look(way.mol, way.atoms)


def test_what_the_parent_holds_is_not_symmetric_any_more():
    """A methyl on a free benzene has one place; held at an atom it has ortho, meta, para."""
    free = placements("C1=CC=CC=C1", (), (), 0, ("CC",), 64).found
    held = placements("C1=CC=CC=C1", ((0, 0),), (), 0, ("CC",), 64).found
    assert (len(free), len(held)) == (1, 3)
    fused = placements("C1=CC=CC=C1", ((0, 0), (1, 0)), ((0, 2),), 0, ("CC",), 64).found
    assert len(fused) == 4  # the far side of the bond is another side than the near one


def test_a_bond_that_the_parent_holds_decides_the_kekule_form():
    """Phthalazine: where a ring is on the far bond of pyridazine, N-N must be single."""
    word = "C1=CN=NC=C1"
    found = placements(word, (), (), 0, ("C1=CC=CC=C1",), 64).found
    spelled = {
        Chem.CanonSmiles(Chem.MolToSmiles(way.mol))
        for way in local_ways((word, None, (), ("C1=CC=CC=C1",)), found)
    }
    assert spelled == {"c1ccc2cnncc2c1", "c1ccc2nnccc2c1"}


def test_a_ring_hangs_on_the_double_bonds_that_the_held_bond_leaves():
    """The bond of atoms 0 and 1 is held: where it is double, so are 2-3 and 4-5, else 3-4."""
    ring = "C1=CC=CC=C1"
    hold, row = ((0, 0), (1, 0)), part(ring).row(0, 1)
    for order, sides in ((2, {(2, 3), (4, 5)}), (1, {(3, 4)})):
        found = placements(ring, hold, ((row, order),), 0, (ring,), 64).found
        on = {tuple(sorted(a for _, a in way.options[0].pairs)) for way in found}
        assert {side for side in on if len(side) == 2} == sides


def test_what_the_molecule_has_taken_counts():
    assert has_room("CC", ((0, 1),), (), 0, ("CC",))
    assert not has_room("CF", ((0, 0),), (), 0, ("CC",))
    assert placements("CF", ((0, 0),), (), 0, ("CC",), 64).found == ()


def test_one_lone_atom_on_an_atom():
    assert fits("CN", ("C",)) and not fits("CN", ("C", "C"))
    assert not has_room("CN", ((0, 3),), (), 1, ("C",))  # its parent is one already


def test_more_than_the_limit_is_cut_and_counted():
    near = ("CC",) * 4
    every = placements("C1CCNCC1", ((1, 1),), (), 0, near, 100_000)
    some = placements("C1CCNCC1", ((1, 1),), (), 0, near, 10)
    assert every.cut == 0 and len(every.found) > 100
    assert some.cut > 0 and len(some.found) == 10


def test_too_many_neighbours_are_refused_at_once():
    """Whether forty bonds fit on a ring of twelve free valences is no search of 6 ** 40 ways."""
    assert not fits("C1CCCCC1", ("CC",) * 40)
    assert fits("C1CCCCC1", ("CC",) * 12)
