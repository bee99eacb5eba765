"""Messages along the bonds of molecules.

A bond u - v has two directions.  What atom u tells atom v is

    h_0[u -> v] = relu(W_i [atom u, bond uv])
    h_t[u -> v] = relu(W_i [atom u, bond uv] + W_h sum over w != v of h_{t-1}[w -> u])

and after `DEPTH` rounds each atom sums up what it was told, and a molecule is the mean of its
atoms:

    h_u = relu(W_o [atom u, sum over v of h[v -> u]]),    z = mean_u h_u

What u tells v depends on no more than the atoms within reach of so many bonds.  Molecules share
such surroundings, and the ways in which neighbours hang on a node share nearly all of them.  So a
batch is first searched for messages that are equal, and each is computed once.  They are found by
a number that is drawn up as the message is, a sum over what is heard, with a mixing of 64 bits in
the place of each layer: equal messages have equal numbers, and different ones have not, but for
one chance in about 10^9 for a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from rdkit import Chem
from torch import Tensor, nn

from cdp_lib.models.junction_tree.messages import ranges, starts, sums

ELEMENTS = (
    "C N O S F Si P Cl Br Mg Na Ca Fe Al I B K Se Zn H Cu Mn As Pt Hg Li Co Au Ag Sn Ti Ge"
).split()
CHARGES = (0, 1, -1, 2, -2)
DEGREES = (0, 1, 2, 3, 4, 5)
HYDROGENS = (0, 1, 2, 3)  # without them, N and NH of an aromatic ring would look alike
BONDS = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC)
ATOM_SIZES = tuple(len(known) + 1 for known in (ELEMENTS, CHARGES, DEGREES, HYDROGENS))
# ... and "another" of each
BOND_SIZES = (len(BONDS), 2)  # and whether it is in a ring
ATOM_WIDTH = sum(ATOM_SIZES)
BOND_WIDTH = len(BONDS) + 1
DEPTH = 3
ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Graphs:
    """Several molecules: their different messages and atoms, and whose they are."""

    first: Tensor  # (messages of round 0, atom and bond numbers): what W_i is given
    rounds: tuple["Round", ...]
    kinds: Tensor  # (different atoms, atom numbers)
    row: Tensor  # (pairs,): a different atom ...
    heard: Tensor  # (pairs,): ... and a message of the last round that it hears
    atom: Tensor  # (atoms,): which of the different atoms each is
    molecule: Tensor  # (atoms,)
    count: int

    @classmethod
    def of(
        cls,
        atoms: np.ndarray,  # (atoms, numbers): what `atom_kind` gives, and what else is known
        ends: np.ndarray,  # (bonds, 2)
        types: np.ndarray,  # (bonds, 2): type, and whether it is in a ring
        molecule: np.ndarray,  # (atoms,)
        count: int,
        device="cpu",
    ) -> "Graphs":
        source, target = np.stack([ends, ends[:, ::-1]], axis=1).reshape(-1, 2).T
        types = np.repeat(types, 2, axis=0)  # bond k is 2 k one way and 2 k + 1 the other way
        order, degree = np.argsort(target, kind="stable"), np.bincount(target, minlength=len(atoms))
        begin = starts(degree)

        def heard_by(some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            """(row, bond): the bonds that end at some atoms."""
            bond = order[ranges(begin[some], degree[some])]
            return np.repeat(np.arange(len(some)), degree[some]), bond

        keys, atom_keys = keys_of(atoms, types, source, target)
        _, first, zeroth = np.unique(keys[0], return_index=True, return_inverse=True)
        _, kinds, atom = np.unique(atom_keys, return_index=True, return_inverse=True)
        row, bond = heard_by(kinds)
        pairs, bases = [], []  # from the atoms back to round 0
        for key in reversed(keys[1:]):
            _, some, heard = np.unique(key[bond], return_index=True, return_inverse=True)
            some = bond[some]
            pairs.append((row, heard))
            bases.append(zeroth[some])
            row, bond = heard_by(source[some])
            row, bond = row[bond != some[row] ^ 1], bond[bond != some[row] ^ 1]
        pairs.append((row, zeroth[bond]))

        def numbers(*parts: np.ndarray) -> tuple[Tensor, ...]:
            return tuple(torch.as_tensor(part, device=device).long() for part in parts)

        sizes = (*ATOM_SIZES, *[2] * (atoms.shape[1] - len(ATOM_SIZES)))
        given = np.hstack([one_hot(atoms[source[first]], sizes), one_hot(types[first], BOND_SIZES)])
        return cls(
            torch.as_tensor(given, device=device),
            tuple(
                Round(*numbers(base, *pair))
                for base, pair in zip(reversed(bases), reversed(pairs[1:]), strict=True)
            ),
            torch.as_tensor(one_hot(atoms[kinds], sizes), device=device),
            *numbers(*pairs[0], atom, molecule),
            count,
        )


@dataclass(frozen=True, eq=False)
class Round:
    base: Tensor  # (messages,): the message of round 0 along the same bond
    row: Tensor  # (pairs,): a message of this round ...
    heard: Tensor  # (pairs,): ... and one of the round before that is heard for it


def keys_of(
    atoms: np.ndarray, types: np.ndarray, source: np.ndarray, target: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """A number for the message along each directed bond, for each round, and one for each atom."""
    own, bond = mixed(flat(atoms)), mixed(flat(types) + ODD)
    base = mixed(own[source] + bond)
    keys, back = [base], np.arange(len(source)) ^ 1
    for _ in range(DEPTH):
        sent = mixed(keys[-1])
        inbox = np.zeros(len(atoms), dtype=np.uint64)
        np.add.at(inbox, target, sent)
        keys.append(mixed(base * ODD + inbox[source] - sent[back]))  # all but what comes back
    return keys[:DEPTH], mixed(own * ODD + inbox)


def flat(rows: np.ndarray) -> np.ndarray:
    """A few small numbers a row as one."""
    return rows.astype(np.uint64) @ (np.uint64(64) ** np.arange(rows.shape[1], dtype=np.uint64))


def mixed(keys: np.ndarray) -> np.ndarray:
    """64 bits in, 64 bits out, one to one, and each bit depends on all (splitmix64)."""
    keys = keys + ODD
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def atom_kind(atom: Chem.Atom) -> tuple[int, ...]:
    """Numbers of the element, the charge, the bonds and the hydrogens; the last is "another"."""
    return (
        place(ELEMENTS, atom.GetSymbol()),
        place(CHARGES, atom.GetFormalCharge()),
        place(DEGREES, atom.GetDegree()),
        place(HYDROGENS, atom.GetTotalNumHs()),
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

    def __init__(self, width: int, more: int = 0):
        super().__init__()
        self.first = nn.Linear(ATOM_WIDTH + more + BOND_WIDTH, width, bias=False)  # W_i
        self.again = nn.Linear(width, width, bias=False)  # W_h
        self.last = nn.Linear(ATOM_WIDTH + more + width, width)  # W_o

    def forward(self, graphs: Graphs) -> tuple[Tensor, Tensor]:
        """Graphs -> h_u (atoms, width) and z (molecules, width)."""
        kind = self.first.weight.dtype
        start = self.first(graphs.first.to(kind))  # (messages of round 0, width)
        h = torch.relu(start)
        for part in graphs.rounds:
            told = sums(h[part.heard], part.row, len(part.base))
            h = torch.relu(start[part.base] + self.again(told))
        told = sums(h[graphs.heard], graphs.row, len(graphs.kinds))
        atoms = torch.relu(self.last(torch.cat([graphs.kinds.to(kind), told], dim=1)))
        atoms = atoms[graphs.atom]
        return atoms, means(atoms, graphs.molecule, graphs.count)


def means(rows: Tensor, group: Tensor, count: int) -> Tensor:
    """The mean of the rows of each group: (count, width)."""
    size = torch.bincount(group, minlength=count).clamp(min=1)
    return sums(rows, group, count) / size[:, None]
