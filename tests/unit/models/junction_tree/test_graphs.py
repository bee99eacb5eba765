"""Equal messages are found and computed once, which changes nothing."""

import numpy as np
import pytest
import torch
from rdkit import Chem

from cdp_lib.models.junction_tree.graphs import (
    ATOM_SIZES,
    BOND_SIZES,
    DEPTH,
    BondMessages,
    Graphs,
    one_hot,
)
from cdp_lib.models.junction_tree.prepared import graph_arrays

MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1",
    "C1CCCCC1",
    "C",
    "CC(C)(C)C(C)(C)C",
    "[NH3+]CC(=O)[O-]",
]


def literal(module, mol):
    """The equations, one message after the other."""
    arrays = graph_arrays(mol)
    kinds = torch.tensor(one_hot(arrays["atoms"], ATOM_SIZES)).double()
    bond = {}
    hot = torch.tensor(one_hot(arrays["bonds"][:, 2:], BOND_SIZES)).double()
    for (u, v, *_), numbers in zip(arrays["bonds"].tolist(), hot):
        bond[u, v] = bond[v, u] = numbers
    zero = torch.zeros(module.again.out_features).double()
    start = {(u, v): module.first(torch.cat([kinds[u], bond[u, v]])) for u, v in bond}
    h = {ends: torch.relu(value) for ends, value in start.items()}
    for _ in range(DEPTH - 1):
        h = {
            (u, v): torch.relu(
                start[u, v] + module.again(sum((h[w, x] for w, x in h if x == u and w != v), zero))
            )
            for u, v in h
        }
    return torch.stack(
        [
            torch.relu(
                module.last(torch.cat([kinds[u], sum((h[w, x] for w, x in h if x == u), zero)]))
            )
            for u in range(len(kinds))
        ]
    )


def as_one(mols):
    arrays = [graph_arrays(mol) for mol in mols]
    first = np.cumsum([0, *[len(part["atoms"]) for part in arrays]])
    ends = [part["bonds"][:, :2] + start for part, start in zip(arrays, first)]
    molecule = np.repeat(np.arange(len(mols)), np.diff(first))
    whole = (np.concatenate([part[name] for part in arrays]) for name in ("atoms", "bonds"))
    atoms, bonds = whole
    return Graphs.of(atoms, np.concatenate(ends), bonds[:, 2:], molecule, len(mols))


@pytest.fixture
def module():
    torch.manual_seed(0)
    return BondMessages(10).double()


def test_messages_computed_once_are_those_of_the_equations(module):
    mols = [Chem.MolFromSmiles(smiles) for smiles in MOLECULES]
    atoms, wholes = module(as_one(mols))
    expected = [literal(module, mol) for mol in mols]
    torch.testing.assert_close(atoms, torch.cat(expected), rtol=0, atol=1e-12)
    torch.testing.assert_close(wholes, torch.stack([part.mean(dim=0) for part in expected]))


def test_what_looks_alike_is_computed_once():
    ring = as_one([Chem.MolFromSmiles("C1CCCCC1"), Chem.MolFromSmiles("C1CCCCC1")])
    assert len(ring.first) == len(ring.kinds) == 1 and len(ring.atom) == 12
    assert [len(part.base) for part in ring.rounds] == [1] * (DEPTH - 1)


def test_atoms_that_differ_within_reach_are_told_apart():
    chain = as_one([Chem.MolFromSmiles("CCCCCCCO")])
    _, counts = np.unique(chain.atom.numpy(), return_counts=True)
    assert len(chain.atom) == 8 and counts.max() <= 2
    assert len(as_one([Chem.MolFromSmiles("CCO"), Chem.MolFromSmiles("CCN")]).kinds) == 6


def test_a_lone_atom_hears_nothing(module):
    atoms, _ = module(as_one([Chem.MolFromSmiles("C")]))
    assert atoms.shape == (1, 10)


def test_two_nitrogens_of_a_ring_are_told_apart():
    imidazole = as_one([Chem.MolFromSmiles("c1c[nH]cn1")])
    assert len(imidazole.kinds) == 5
