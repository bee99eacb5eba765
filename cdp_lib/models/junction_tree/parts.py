"""A word as atoms and bonds with room for others, and how one word hangs on another.

Decoding asks the same few questions over and over: which atoms of a ring have a free valence, which
of them are alike, where may its neighbour hang?  Here they are answered once a word, or once a pair
of words, with plain integers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rdkit import Chem, rdBase

from cdp_lib.models.junction_tree.assembly import template

Kind = tuple[int, int]  # element, formal charge
MOST_TURNS = 1_000  # symmetries of one word; cubane has 48


@dataclass(frozen=True, eq=False)
class Part:
    """One word."""

    kinds: tuple[Kind, ...]
    bonds: tuple[tuple[int, int], ...]
    forms: tuple[tuple[int, ...], ...]  # orders of the bonds in each Kekule form
    bound: tuple[int, ...]  # valence that each atom uses, the same in every form
    room: tuple[int, ...]  # valence that each atom has left
    turns: tuple[tuple[int, ...], ...]  # where each atom goes in each symmetry of the word

    def row(self, a: int, b: int) -> int:
        """The number of the bond between two atoms."""
        return self.bonds.index((a, b) if (a, b) in self.bonds else (b, a))


@lru_cache(maxsize=10_000)
def part(word: str) -> Part:
    mol = template(word)
    kinds = tuple((atom.GetAtomicNum(), atom.GetFormalCharge()) for atom in mol.GetAtoms())
    bonds = tuple((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds())
    orders = tuple(int(bond.GetBondTypeAsDouble()) for bond in mol.GetBonds())
    same = Chem.MolFromSmiles(word)  # with aromatic flags, atoms in the same order
    aromatic = [bond.GetIsAromatic() for bond in same.GetBonds()]
    bound = [0] * len(kinds)
    for ends, order in zip(bonds, orders, strict=True):
        for atom in ends:
            bound[atom] += order
    room = tuple(most_valence(kind) - used for kind, used in zip(kinds, bound, strict=True))
    turns = tuple(
        turn  # N and NH of one aromatic ring match each other, but are not alike
        for turn in same.GetSubstructMatches(same, uniquify=False, maxMatches=MOST_TURNS)
        if all(room[there] == room[here] for here, there in enumerate(turn))
    )
    return Part(kinds, bonds, kekule_forms(bonds, orders, aromatic), tuple(bound), room, turns)


@lru_cache(maxsize=1_000)
def most_valence(kind: Kind) -> int:
    """The highest valence that RDKit allows an atom of this kind."""
    for valence in range(8, 0, -1):
        mol = Chem.RWMol()
        atom = Chem.Atom(kind[0])
        atom.SetFormalCharge(kind[1])
        mol.AddAtom(atom)
        for other in range(1, valence + 1):
            mol.AddAtom(Chem.Atom(9))
            mol.AddBond(0, other, Chem.BondType.SINGLE)
        with rdBase.BlockLogs():
            if not Chem.SanitizeMol(mol, catchErrors=True):
                return valence
    return 0


def kekule_forms(
    bonds: tuple[tuple[int, int], ...], orders: tuple[int, ...], aromatic: list[bool]
) -> tuple[tuple[int, ...], ...]:
    """All ways to deal the double bonds of aromatic rings to them; the word's own form first."""
    loose = [row for row, flag in enumerate(aromatic) if flag]
    partnered = {atom for row in loose if orders[row] == 2 for atom in bonds[row]}
    forms = {orders: None}

    def deal(left: frozenset[int], chosen: tuple[int, ...]) -> None:
        if not left:
            form = [1 if row in loose else order for row, order in enumerate(orders)]
            for row in chosen:
                form[row] = 2
            forms[tuple(form)] = None
            return
        atom = min(left)
        for row in loose:
            if atom in bonds[row] and left >= set(bonds[row]):
                deal(left - set(bonds[row]), (*chosen, row))

    if partnered:
        deal(frozenset(partnered), ())
    return tuple(forms)


@dataclass(frozen=True)
class Option:
    """One way in which a word hangs on a node."""

    pairs: tuple[tuple[int, int], ...]  # (atom of the word, atom of the node) that are one
    costs: tuple[tuple[int, int], ...]  # (atom of the node, valence that it gives away)
    hub: bool  # the word is one atom, which gathers what hangs there
    alike: tuple[tuple[int, ...], ...]  # the word's atoms up to its symmetry, forwards, backwards


@lru_cache(maxsize=100_000)
def options(node: str, form: int, other: str) -> tuple[Option, ...]:
    """All ways in which one word hangs on a node in one Kekule form, each up to its symmetry.

    Two words share one atom, or two rings a bond.
    """
    here, there = part(node), part(other)
    hub = len(there.kinds) == 1
    if hub and len(here.kinds) == 1:
        return ()
    found = []
    for place in representatives([(b,) for b in range(len(there.kinds))], there.turns):
        (b,) = place
        for a, kind in enumerate(here.kinds):
            if kind == there.kinds[b]:
                found.append(Option(((b, a),), ((a, there.bound[b]),), hub, (place, place)))
    if len(here.kinds) > 2 and len(there.kinds) > 2:
        found += fused(here, form, there)
    return tuple(each for each in found if all(cost <= here.room[a] for a, cost in each.costs))


def fused(here: Part, form: int, there: Part) -> Iterator[Option]:
    """The options of two rings that share a bond of one order."""
    sides = [side for u, v in there.bonds for side in ((u, v), (v, u))]
    for u, v in representatives(sides, there.turns):
        row = there.row(u, v)
        orders = {shape[row] for shape in there.forms}
        alike = (lowest((u, v), there.turns), lowest((v, u), there.turns))
        for (a, b), order in zip(here.bonds, here.forms[form], strict=True):
            kinds = (here.kinds[a], here.kinds[b]) == (there.kinds[u], there.kinds[v])
            if kinds and order in orders:
                costs = (a, there.bound[u] - order), (b, there.bound[v] - order)
                yield Option(((u, a), (v, b)), costs, False, alike)


def representatives(
    places: Sequence[tuple[int, ...]], turns: Sequence[Sequence[int]]
) -> list[tuple[int, ...]]:
    """One of each set of places that a symmetry turns into each other."""
    return sorted({lowest(place, turns) for place in places})


def lowest(place: tuple[int, ...], turns: Sequence[Sequence[int]]) -> tuple[int, ...]:
    return min(tuple(turn[atom] for atom in place) for turn in turns)
