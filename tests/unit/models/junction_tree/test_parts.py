"""A word in plain integers: its Kekule forms, its symmetries, its free valences, its options."""

import pytest

from cdp_lib.models.junction_tree.parts import most_valence, options, part


@pytest.mark.parametrize(
    ("word", "forms", "turns"),
    [
        ("C1=CC=CC=C1", 2, 12),
        ("C1=CC=NC=C1", 2, 2),  # pyridine
        ("C1=CN=NC=C1", 2, 2),  # pyridazine: N=N or N-N, which no symmetry turns into each other
        ("C1=CNN=C1", 1, 1),  # pyrazole: NH and N are not alike
        ("C1CCCCC1", 1, 12),
        ("C1=CCCC=C1", 1, 2),  # not aromatic, so its double bonds stay where they are
        ("CC", 1, 2),
        ("C#N", 1, 1),
        ("C", 1, 1),
    ],
)
def test_forms_and_symmetries(word, forms, turns):
    here = part(word)
    assert (len(here.forms), len(here.turns)) == (forms, turns)


def test_every_form_leaves_the_same_room():
    here = part("C1=CN=NC=C1")
    assert here.room == tuple(1 if kind == (6, 0) else 0 for kind in here.kinds)
    for form in here.forms:
        bound = [0] * len(here.kinds)
        for (a, b), order in zip(here.bonds, form, strict=True):
            bound[a] += order
            bound[b] += order
        assert tuple(bound) == here.bound


@pytest.mark.parametrize(
    ("kind", "most"),
    [((6, 0), 4), ((7, 0), 3), ((7, 1), 4), ((8, -1), 1), ((16, 0), 6), ((9, 0), 1)],
)
def test_valences_are_those_of_rdkit(kind, most):
    assert most_valence(kind) == most


def test_options_count_each_symmetric_place_of_the_neighbour_once():
    bonds = options("C1=CC=CC=C1", 0, "CC")
    assert len(bonds) == 6  # six atoms of the ring, one end of the bond
    rings = options("C1=CC=CC=C1", 0, "C1=CC=CC=C1")
    assert len(rings) == 3  # a double bond on a double bond; two single bonds break a valence
    assert {cost for option in rings for _, cost in option.costs} == {1}


def test_a_lone_atom_hangs_on_no_lone_atom():
    assert options("C", 0, "C") == ()
    assert all(option.hub for option in options("CC", 0, "C"))


def test_an_option_without_room_is_none():
    assert options("C=O", 0, "C#N") == options("C=O", 0, "N#N") == ()
    (only,) = options("CF", 0, "CF")  # carbon on carbon; fluorine has no room
    assert part("CF").kinds[only.pairs[0][1]] == (6, 0)
