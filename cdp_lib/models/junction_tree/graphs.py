"""Messages along the bonds of molecules.

A bond u - v has two directions.  What atom u tells atom v is

    h_0[u -> v] = W_i [atom u, bond uv]
    h_t[u -> v] = relu(h_0[u -> v] + W_h sum over w != v of h_{t-1}[w -> u])

and after `depth` rounds each atom sums up what it was told, and a molecule is the mean of its
atoms:

    h_u = relu(W_o [atom u, sum over v of h[v -> u]]),    z = mean_u h_u
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from rdkit import Chem
from torch import Tensor, nn

ELEMENTS = (
    "C N O S F Si P Cl Br Mg Na Ca Fe Al I B K Se Zn H Cu Mn As Pt Hg Li Co Au Ag Sn Ti Ge"
).split()
CHARGES = (0, 1, -1, 2, -2)
DEGREES = (0, 1, 2, 3, 4, 5)
BONDS = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC)
ATOM_WIDTH = len(ELEMENTS) + len(CHARGES) + len(DEGREES) + 3  # and "another" of each
BOND_WIDTH = len(BONDS) + 1  # and whether it is in a ring


@dataclass(frozen=True, eq=False)
class Graphs:
    """Several molecules as one graph that falls into parts."""

    atoms: Tensor  # (atoms, ATOM_WIDTH): element, charge and degree, one-hot
    bonds: Tensor  # (directed bonds, BOND_WIDTH); 2 k and 2 k + 1 are one bond
    source: Tensor  # (directed bonds,)
    target: Tensor  # (directed bonds,)
    molecule: Tensor  # (atoms,): the molecule of each atom
    count: int

    @classmethod
    def of(cls, mols: Sequence[Chem.Mol], device="cpu") -> "Graphs":
        """The molecules of a batch, atoms in their own order."""
        kinds, ends, types, molecule = [], [], [], []
        for number, mol in enumerate(mols):
            start = len(kinds)
            kinds += [atom_kind(atom) for atom in mol.GetAtoms()]
            molecule += [number] * mol.GetNumAtoms()
            for bond in mol.GetBonds():
                u, v = start + bond.GetBeginAtomIdx(), start + bond.GetEndAtomIdx()
                ends += [(u, v), (v, u)]
                types += [bond_kind(bond)] * 2
        source, target = np.asarray(ends, dtype=np.int64).reshape(-1, 2).T.copy()
        whole = (
            one_hot(kinds, (len(ELEMENTS) + 1, len(CHARGES) + 1, len(DEGREES) + 1)),
            one_hot(types, (len(BONDS), 2)),
            source,
            target,
            np.asarray(molecule, dtype=np.int64),
        )
        return cls(*(torch.as_tensor(part, device=device) for part in whole), len(mols))


def atom_kind(atom: Chem.Atom) -> tuple[int, int, int]:
    """Numbers of the element, the charge and the degree; the last of each is "another"."""
    return (
        place(ELEMENTS, atom.GetSymbol()),
        place(CHARGES, atom.GetFormalCharge()),
        place(DEGREES, atom.GetDegree()),
    )


def bond_kind(bond: Chem.Bond) -> tuple[int, int]:
    return BONDS.index(bond.GetBondType()), int(bond.IsInRing())


def place(known: Sequence, value: object) -> int:
    return known.index(value) if value in known else len(known)


def one_hot(kinds: Sequence[Sequence[int]], sizes: Sequence[int]) -> np.ndarray:
    """Several numbers a row as one-hot blocks beside each other; a block of size 2 takes one."""
    widths = [size if size > 2 else 1 for size in sizes]
    hot = np.zeros((len(kinds), sum(widths)), dtype=np.float32)
    starts = np.cumsum([0, *widths])[:-1]
    for column, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        values = np.asarray([kind[column] for kind in kinds], dtype=np.int64)
        rows = np.arange(len(values))
        if size > 2:
            hot[rows, start + values] = 1
        else:
            hot[rows, start] = values
    return hot


class BondMessages(nn.Module):
    """The network above: Graphs -> atoms (atoms, width) and molecules (molecules, width)."""

    def __init__(self, width: int, depth: int = 3):
        super().__init__()
        self.depth = depth
        self.first = nn.Linear(ATOM_WIDTH + BOND_WIDTH, width, bias=False)  # W_i
        self.again = nn.Linear(width, width, bias=False)  # W_h
        self.last = nn.Linear(ATOM_WIDTH + width, width)  # W_o

    def forward(self, graphs: Graphs) -> tuple[Tensor, Tensor]:
        start = self.first(torch.cat([graphs.atoms[graphs.source], graphs.bonds], dim=1))
        h = torch.relu(start)  # (directed bonds, width)
        back = torch.arange(len(h), device=h.device) ^ 1  # the other direction of each
        for _ in range(self.depth - 1):
            told = self._inbox(h, graphs)[graphs.source] - h[back]  # all but what v itself said
            h = torch.relu(start + self.again(told))
        heard = self._inbox(h, graphs)
        atoms = torch.relu(self.last(torch.cat([graphs.atoms, heard], dim=1)))
        return atoms, mean_of(atoms, graphs.molecule, graphs.count)

    @staticmethod
    def _inbox(h: Tensor, graphs: Graphs) -> Tensor:
        return h.new_zeros(len(graphs.atoms), h.shape[1]).index_add_(0, graphs.target, h)


def mean_of(rows: Tensor, group: Tensor, count: int) -> Tensor:
    """The mean of the rows of each group: (count, width)."""
    size = torch.bincount(group, minlength=count).clamp(min=1)
    return rows.new_zeros(count, rows.shape[1]).index_add_(0, group, rows) / size[:, None]
