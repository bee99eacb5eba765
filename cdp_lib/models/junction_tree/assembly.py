"""How the neighbours of a node hang on it: the ways that chemistry allows, and no more than `most`.

A neighbour shares one atom with the node (a bond, a lone atom, a spiro ring) or two (a ring on a
ring).  Ways are built neighbour by neighbour; those that look alike are one way, so that symmetry
costs nothing, and what breaks a valence is dropped at once.  A node with many neighbours would
still have thousands of ways: beyond `most` the rest is cut off and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rdkit import Chem, rdBase

from cdp_lib.models.junction_tree.trees import Tree, unaromatic

Pairs = tuple[tuple[int, int], ...]  # (atom of the neighbour, atom of the node) that are one
MOST = 64


@dataclass(frozen=True, eq=False)
class Way:
    """A node with its neighbours on it."""

    mol: Chem.Mol
    atoms: tuple[tuple[int, ...], ...]  # atoms of the node, then of each neighbour
    look: str  # equal for ways that are alike


@dataclass(frozen=True, eq=False)
class Ways:
    found: tuple[Way, ...]
    cut: int  # how often `most` was reached


@lru_cache(maxsize=10_000)
def template(word: str) -> Chem.Mol:
    """The molecule of a word, without aromatic flags; its hydrogens make room for neighbours."""
    mol = Chem.RWMol(unaromatic(Chem.MolFromSmiles(word), word))
    for atom in mol.GetAtoms():
        atom.SetNoImplicit(False)
        atom.SetNumExplicitHs(0)
    return mol.GetMol()


def ways(word: str, neighbours: Sequence[str], most: int = MOST) -> Ways:
    """All ways in which the words `neighbours` hang on the node `word`, in their order."""
    start = template(word)
    states = [Way(start, (tuple(range(start.GetNumAtoms())),), "")]
    cut = 0
    for other in neighbours:
        states = [
            grown
            for state in states
            for pairs in shared(state.mol, state.atoms[0], template(other))
            if (grown := joined(state, template(other), pairs)) is not None
        ]
        states = list({state.look: state for state in states}.values())
        cut += len(states) > most
        states = states[:most]
    return Ways(tuple(states), cut)


def shared(mol: Chem.Mol, node: tuple[int, ...], other: Chem.Mol) -> list[Pairs]:
    """Which atoms of `other` may be which atoms of the node."""
    alike = [
        (b.GetIdx(), a)
        for a in node
        for b in other.GetAtoms()
        if same_atom(mol.GetAtomWithIdx(a), b)
    ]
    found: list[Pairs] = [(pair,) for pair in alike]
    if len(node) > 2 and other.GetNumAtoms() > 2:
        known, place = set(alike), set(node)
        for bond in mol.GetBonds():
            a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            if a not in place or b not in place:
                continue
            for side in other.GetBonds():
                if side.GetBondType() != bond.GetBondType():
                    continue
                u, v = side.GetBeginAtomIdx(), side.GetEndAtomIdx()
                found += [two for two in (((u, a), (v, b)), ((u, b), (v, a))) if set(two) <= known]
    return found


def same_atom(a: Chem.Atom, b: Chem.Atom) -> bool:
    return (a.GetAtomicNum(), a.GetFormalCharge()) == (b.GetAtomicNum(), b.GetFormalCharge())


def joined(state: Way, other: Chem.Mol, pairs: Pairs) -> Way | None:
    """The way with one neighbour more; None where a valence breaks."""
    mol, where = hung(state.mol, other, pairs)
    atoms = (*state.atoms, where)
    seen = look(mol, atoms)
    return None if seen is None else Way(mol, atoms, seen)


def hung(mol: Chem.Mol, other: Chem.Mol, pairs: Pairs) -> tuple[Chem.Mol, tuple[int, ...]]:
    """`mol` with `other` on it, and where the atoms of `other` are."""
    grown, place = Chem.RWMol(mol), dict(pairs)
    for atom in other.GetAtoms():
        if atom.GetIdx() not in place:
            fresh = Chem.Atom(atom.GetAtomicNum())
            fresh.SetFormalCharge(atom.GetFormalCharge())
            place[atom.GetIdx()] = grown.AddAtom(fresh)
    for bond in other.GetBonds():
        a, b = place[bond.GetBeginAtomIdx()], place[bond.GetEndAtomIdx()]
        if grown.GetBondBetweenAtoms(a, b) is None:
            grown.AddBond(a, b, bond.GetBondType())
    return grown.GetMol(), tuple(place[number] for number in range(other.GetNumAtoms()))


def look(mol: Chem.Mol, atoms: Sequence[Sequence[int]]) -> str | None:
    """A spelling that is equal for ways that are alike; None where a valence breaks.

    It knows aromatic rings, so that the two Kekule forms of one ring are alike.
    """
    marked = Chem.Mol(mol)
    with rdBase.BlockLogs():
        if Chem.SanitizeMol(marked, catchErrors=True):
            return None
    of = {}
    for number, part in enumerate(atoms):
        for atom in part:
            of[atom] = of.get(atom, 0) + 2**number
    for atom, mark in of.items():
        marked.GetAtomWithIdx(atom).SetIsotope(mark)
    return Chem.MolToSmiles(marked)


def true_way(tree: Tree, node: int, neighbours: Sequence[int]) -> str:
    """The look of the way in which the neighbours hang on a node of a known molecule."""
    cliques = [tree.cliques[number] for number in (node, *neighbours)]
    place = {atom: row for row, atom in enumerate(sorted(set().union(*cliques)))}
    part = Chem.RWMol()
    for atom in place:
        old = tree.mol.GetAtomWithIdx(atom)
        fresh = Chem.Atom(old.GetAtomicNum())
        fresh.SetFormalCharge(old.GetFormalCharge())
        part.AddAtom(fresh)
    inside = [set(clique) for clique in cliques]
    for a, b, kind in tree.bonds:
        if a in place and b in place and any(a in clique and b in clique for clique in inside):
            part.AddBond(place[a], place[b], kind)
    mol = part.GetMol()
    return look(mol, [[place[atom] for atom in clique] for clique in cliques])
