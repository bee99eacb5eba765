"""A molecule as a tree of its rings and bonds (Jin et al. 2018).

A node of the tree is a *clique*: a bond outside rings, a ring, several rings that share more than
two atoms, or one atom where three cliques meet and no tree could join them otherwise.  Two nodes
that are neighbours share atoms.  Every clique is one of a few hundred *words*, the vocabulary, by
which a molecule is read and written.

The bonds are those of one Kekule form, without aromatic flags: a clique that is cut out of an
aromatic ring system is then a molecule of its own.  Stereochemistry and isotopes are left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from rdkit import Chem, rdBase
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from cdp_lib.data.molecules import molecule
from cdp_lib.errors import InputError

Bonds = tuple[tuple[int, int, Chem.BondType], ...]  # (one atom, the other, type)
RING_HUB = 99  # a node of one atom between three rings keeps all its neighbours
BONDS = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC)
MOST_ATOMS = 200  # heavy atoms; a larger molecule is no drug that this tree could describe


@dataclass(frozen=True, eq=False)
class Tree:
    """The nodes of a molecule, their words, and which of them are neighbours."""

    mol: Chem.Mol  # Kekule form, no stereochemistry
    cliques: tuple[tuple[int, ...], ...]  # atoms of each node
    words: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]  # pairs of nodes, one fewer than there are nodes
    bonds: Bonds  # of the molecule

    def neighbours(self) -> list[list[int]]:
        """The neighbours of each node."""
        found = [[] for _ in self.cliques]
        for a, b in self.edges:
            found[a].append(b)
            found[b].append(a)
        return found


def tree(smiles: str) -> Tree:
    """The tree of a molecule; what has none is refused in a sentence."""
    mol = kekule(smiles)
    cliques, edges = decompose(mol)
    bonds = bonds_of(mol)
    return Tree(mol, cliques, tuple(word(mol, atoms, bonds) for atoms in cliques), edges, bonds)


def bonds_of(mol: Chem.Mol) -> Bonds:
    return tuple(
        (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), bond.GetBondType())
        for bond in mol.GetBonds()
    )


def kekule(smiles: str) -> Chem.Mol:
    """The molecule in one Kekule form, without stereochemistry and isotopes."""
    mol = molecule(smiles)
    if "." in smiles and len(Chem.GetMolFrags(mol)) > 1:
        raise InputError(
            f"{smiles!r} is a mixture or a salt, which no one tree can hold: take its largest "
            "fragment (cdp_lib.data.molecules.largest_fragment)."
        )
    if mol.GetNumAtoms() > MOST_ATOMS:
        raise InputError(
            f"A molecule has {mol.GetNumAtoms()} heavy atoms, more than the {MOST_ATOMS} that a "
            f"tree may have: {smiles[:60]!r}..."
        )
    for bond in mol.GetBonds():
        if bond.GetBondType() not in BONDS:
            raise InputError(
                f"{smiles!r} has a bond of the kind {bond.GetBondType()}, as metals have, which no "
                "word can hold: leave it out."
            )
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() == 0:
            raise InputError(f"{smiles!r} has a *, which stands for any atom: name one.")
        atom.SetIsotope(0)
    mol = Chem.RemoveHs(mol)  # such as deuterium, which is written as an atom of its own
    Chem.RemoveStereochemistry(mol)
    return unaromatic(Chem.MolFromSmiles(Chem.MolToSmiles(mol)), smiles)


def unaromatic(mol: Chem.Mol, smiles: str) -> Chem.Mol:
    with rdBase.BlockLogs():
        try:
            Chem.Kekulize(mol, clearAromaticFlags=True)
        except Chem.KekulizeException:
            raise InputError(f"{smiles!r} has no Kekule form: correct it.") from None
    return mol


def decompose(mol: Chem.Mol) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, int], ...]]:
    """(cliques, edges) of a molecule without aromatic flags."""
    atoms = mol.GetNumAtoms()
    if atoms == 1:
        return ((0,),), ()
    cliques = [
        {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()}
        for bond in mol.GetBonds()
        if not bond.IsInRing()
    ]
    cliques += merged([set(ring) for ring in Chem.GetSymmSSSR(mol)])
    cliques, weights = with_hubs(cliques, atoms)
    return tuple(tuple(sorted(clique)) for clique in cliques), spanning(weights, len(cliques))


def merged(rings: list[set[int]]) -> list[set[int]]:
    """Rings that share more than two atoms, such as those of a bridge, as one."""
    whole: list[set[int]] = []
    for ring in rings:
        ring = set(ring)
        while touching := [other for other in whole if len(other & ring) > 2]:
            for other in touching:
                ring |= other
                whole.remove(other)
        whole.append(ring)
    return whole


def with_hubs(
    cliques: list[set[int]], atoms: int
) -> tuple[list[set[int]], dict[tuple[int, int], int]]:
    """The cliques, with a node of one atom where many meet, and how strongly two belong together.

    Three bonds at an atom, or two bonds and a ring, meet in a hub.  So do three rings.  Elsewhere
    two cliques weigh as much as they share atoms.
    """
    cliques, weights = list(cliques), {}
    at = [[] for _ in range(atoms)]  # the cliques of each atom
    for number, clique in enumerate(cliques):
        for atom in clique:
            at[atom].append(number)
    for atom, here in enumerate(at):
        if len(here) < 2:
            continue
        bonds = sum(len(cliques[number]) == 2 for number in here)
        rings = sum(len(cliques[number]) > 4 for number in here)
        if bonds > 2 or (bonds == 2 and len(here) > 2) or rings > 2:
            hub = len(cliques)
            cliques.append({atom})
            strength = RING_HUB if bonds <= 2 and not (bonds == 2 and len(here) > 2) else 1
            weights |= {(number, hub): strength for number in here}
            continue
        for a, b in combinations(here, 2):
            weights[a, b] = len(cliques[a] & cliques[b])
    return cliques, weights


def spanning(weights: dict[tuple[int, int], int], nodes: int) -> tuple[tuple[int, int], ...]:
    """The edges of a tree over all nodes, as strong in sum as can be."""
    if not weights:
        return ()
    (left, right), strength = np.array(list(weights)).T, np.array(list(weights.values()))
    costs = coo_array((RING_HUB + 1 - strength, (left, right)), shape=(nodes, nodes))
    found = minimum_spanning_tree(costs.tocsr()).tocoo()
    return tuple(sorted(zip(found.row.tolist(), found.col.tolist(), strict=True)))


def word(mol: Chem.Mol, atoms: tuple[int, ...], bonds: Bonds) -> str:
    """The word of a clique: what is cut out of the molecule, in RDKit's spelling.

    Hydrogens that the cut makes necessary are implicit: a clique says nothing of what hangs on it.
    """
    place = {atom: number for number, atom in enumerate(atoms)}
    kinds = tuple(
        (atom.GetAtomicNum(), atom.GetFormalCharge()) for atom in map(mol.GetAtomWithIdx, atoms)
    )
    inside = tuple((place[a], place[b], kind) for a, b, kind in bonds if a in place and b in place)
    return spelled(kinds, inside)


@lru_cache(maxsize=100_000)
def spelled(kinds: tuple[tuple[int, int], ...], bonds: Bonds) -> str:
    """The canonical Kekule spelling of atoms (element, charge) and the bonds between them."""
    part = Chem.RWMol()
    for element, charge in kinds:
        atom = Chem.Atom(element)
        atom.SetFormalCharge(charge)
        part.AddAtom(atom)
    for bond in bonds:
        part.AddBond(*bond)
    with rdBase.BlockLogs():
        Chem.SanitizeMol(part)  # sets aromaticity, so that both Kekule forms have one spelling
        part = Chem.MolFromSmiles(Chem.MolToSmiles(part))
        Chem.Kekulize(part, clearAromaticFlags=True)
        return Chem.MolToSmiles(part, kekuleSmiles=True)


def respelled(words: Iterable[str]) -> list[str]:
    """Words that another program, or an older RDKit, wrote, in this spelling; each once."""
    found = []
    for text in words:
        mol = unaromatic(molecule(text), text)
        found.append(word(mol, tuple(range(mol.GetNumAtoms())), bonds_of(mol)))
    return list(dict.fromkeys(found))
