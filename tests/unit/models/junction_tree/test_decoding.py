"""Decoding is the inverse of what training forces, whatever the batch, and it always ends."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from rdkit import Chem

from cdp_lib.models.junction_tree.decoding import LIMITS, decode
from cdp_lib.models.junction_tree.latents import reconstruct
from cdp_lib.models.junction_tree.walking import Limits


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def far(rows, scale=7.0, seed=0):
    return scale * np.random.default_rng(seed).normal(size=(rows, 12))


def test_what_is_known_by_heart_is_reconstructed(by_heart, known):
    found = reconstruct(by_heart, known)
    assert found.exact.all(), found[~found.exact]


def test_molecules_are_valid_canonical_and_within_the_limits(untrained):
    limits = Limits(nodes=12, atoms=40, neighbours=4, tries=3, candidates=20)
    found = decode(untrained, far(100), limits)
    for smiles in found.smiles:
        mol = Chem.MolFromSmiles(smiles)
        assert mol is not None and mol.GetNumAtoms() <= 40
        assert Chem.CanonSmiles(smiles) == smiles and "." not in smiles
    assert (found.molecules["nodes"] <= 12).all() and (found.molecules["atoms"] <= 40).all()
    assert found.molecules["nodes"].max() == 12
    sizes = [Chem.MolFromSmiles(smiles).GetNumAtoms() for smiles in found.smiles]
    assert list(found.molecules["atoms"]) == sizes
    assert (found.hit[["nodes", "atoms", "tries", "candidates"]] > 0).all()


@pytest.mark.parametrize("scale", [1.0, 7.0, 1e6])
def test_far_latents_end_within_a_counted_number_of_steps(untrained, scale):
    """N(0, 49) is what dong2020 draws from; a decoder without limits may hang there."""
    found = decode(untrained, far(40, scale))
    cost = found.molecules
    assert len(found.smiles) == 40 and None not in found.smiles
    assert (cost["steps"] <= LIMITS.steps).all()
    assert (cost["steps"] >= 2 * cost["nodes"] - 1).all()  # into each node and out again
    assert (cost["candidates"] <= LIMITS.candidates * cost["nodes"]).all()
    assert (cost["left off"] < cost["nodes"]).all()


def test_a_batch_gives_what_each_molecule_gives_alone(untrained):
    z = far(24, 3.0)
    for seed in (None, 5):
        together = decode(untrained, z, seed=seed)
        alone = decode(untrained, z, batch=1, seed=seed)
        assert together.smiles == alone.smiles
        assert together.molecules.equals(alone.molecules)
        assert together.limits.equals(alone.limits)


def test_the_seed_decides(untrained):
    z = far(20, 1.0)
    first, again, other = (decode(untrained, z, seed=seed).smiles for seed in (1, 1, 2))
    assert first == again != other
    assert decode(untrained, z).smiles == decode(untrained, z).smiles


def test_the_words_that_are_drawn_follow_their_probabilities(by_heart, known):
    """Of many draws from the code of a molecule known by heart most are this molecule."""
    z = by_heart.transform(known[:1]).to_numpy().repeat(60, axis=0)
    drawn = decode(by_heart.module_, z, seed=0).smiles
    assert 30 < drawn.count(known[0]) <= 60


def test_the_module_is_left_as_it_was(untrained):
    untrained.train()
    decode(untrained, far(2))
    assert untrained.training
    untrained.eval()


def test_vectors_that_are_being_optimised_are_decoded_as_they_are(untrained):
    z = torch.as_tensor(far(3)).requires_grad_()
    assert decode(untrained, z).smiles == decode(untrained, far(3)).smiles


def test_no_rows_no_molecules(untrained):
    found = decode(untrained, np.zeros((0, 12)))
    assert found.smiles == () and len(found.molecules) == 0 and found.hit.sum() == 0


def test_one_node_is_a_molecule(untrained):
    found = decode(untrained, far(20), replace(LIMITS, nodes=1))
    assert (found.molecules["steps"] == 1).all() and (found.molecules["nodes"] == 1).all()
    assert all(Chem.MolFromSmiles(smiles).GetNumAtoms() for smiles in found.smiles)


MEMORY = """
import resource, sys
import numpy as np, torch
torch.set_num_threads(1)
from cdp_lib.models.junction_tree.decoding import decode
from cdp_lib.models.junction_tree.trees import tree
from cdp_lib.models.junction_tree.vae import JunctionTreeVAE

words = sorted({word for text in sys.argv[1:] for word in tree(text).words})
torch.manual_seed(0)
module = JunctionTreeVAE(words, width=200, latent=56)
z = 7 * np.random.default_rng(0).normal(size=(500, 56))
decode(module, z[:2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = decode(module, z)
added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
print(len(found.smiles), found.molecules["steps"].max(), found.molecules["atoms"].max(), added)
"""


def test_500_far_latents_end_within_bounds_of_steps_and_memory(known):
    """Width 200 and N(0, 49) in a process of its own: what decoding adds to it, in MB."""
    command = [sys.executable, "-c", MEMORY, *known]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    molecules, steps, atoms, added = map(float, done.stdout.split())
    assert molecules == 500 and steps <= LIMITS.steps and atoms <= LIMITS.atoms
    assert added < 400
