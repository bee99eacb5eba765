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

from cdp_lib.models.junction_tree.messages import sums

ELEMENTS = (
    "C N O S F Si P Cl Br Mg Na Ca Fe Al I B K Se Zn H Cu Mn As Pt Hg Li Co Au Ag Sn Ti Ge"
).split()
CHARGES = (0, 1, -1, 2, -2)
DEGREES = (0, 1, 2, 3, 4, 5)
BONDS = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC)
ATOM_SIZES = (len(ELEMENTS) + 1, len(CHARGES) + 1, len(DEGREES) + 1)  # and "another" of each
BOND_SIZES = (len(BONDS), 2)  # and whether it is in a ring
ATOM_WIDTH = sum(ATOM_SIZES)
BOND_WIDTH = len(BONDS) + 1


@dataclass(frozen=True, eq=False)
class Graphs:
    """Several molecules as one graph that falls into parts."""

    atoms: Tensor  # (atoms, ATOM_WIDTH): element, charge and degree, one-hot
    bonds: Tensor  # (directed bonds, BOND_WIDTH); 2 k and 2 k + 1 are one bond
    source: Tensor  # (directed bonds,)
    target: Tensor  # (directed bonds,)
    molecule: Tensor  # (atoms,): the molecule of each atom
    count: int


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


def one_hot(kinds: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Several numbers a row as one-hot blocks beside each other; a block of size 2 takes one."""
    widths = [size if size > 2 else 1 for size in sizes]
    hot = np.zeros((len(kinds), sum(widths)), dtype=np.float32)
    rows, start = np.arange(len(kinds)), 0
    for values, size, width in zip(kinds.T, sizes, widths, strict=True):
        if size > 2:
            hot[rows, start + values] = 1
        else:
            hot[:, start] = values
        start += width
    return hot


class BondMessages(nn.Module):
    """The network above; `more` numbers an atom may be told beside its kind."""

    def __init__(self, width: int, depth: int = 3, more: int = 0):
        super().__init__()
        self.depth = depth
        self.first = nn.Linear(ATOM_WIDTH + more + BOND_WIDTH, width, bias=False)  # W_i
        self.again = nn.Linear(width, width, bias=False)  # W_h
        self.last = nn.Linear(ATOM_WIDTH + more + width, width)  # W_o

    def forward(self, graphs: Graphs, more: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Graphs -> h_u (atoms, width) and z (molecules, width)."""
        kinds = graphs.atoms if more is None else torch.cat([graphs.atoms, more], dim=1)
        start = self.first(torch.cat([kinds[graphs.source], graphs.bonds], dim=1))
        h = torch.relu(start)  # (directed bonds, width)
        back = torch.arange(len(h), device=h.device) ^ 1  # the other direction of each
        for _ in range(self.depth - 1):
            told = sums(h, graphs.target, len(kinds))[graphs.source] - h[back]
            h = torch.relu(start + self.again(told))  # all but what v itself said
        heard = sums(h, graphs.target, len(kinds))
        atoms = torch.relu(self.last(torch.cat([kinds, heard], dim=1)))
        return atoms, means(atoms, graphs.molecule, graphs.count)


def means(rows: Tensor, group: Tensor, count: int) -> Tensor:
    """The mean of the rows of each group: (count, width)."""
    size = torch.bincount(group, minlength=count).clamp(min=1)
    return sums(rows, group, count) / size[:, None]
