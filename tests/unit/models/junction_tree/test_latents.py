"""Sampling, interpolation, climbing and reconstruction with the trained model of the library."""

import numpy as np
import pytest
import torch
from rdkit import Chem

from cdp_lib.errors import InputError
from cdp_lib.models.base.tables import NotFitted
from cdp_lib.models.junction_tree import JunctionTree, load
from cdp_lib.models.junction_tree.latents import (
    flat,
    interpolate,
    optimise,
    reconstruct,
    sample,
)

ASPIRIN, PARACETAMOL = "CC(=O)Oc1ccccc1C(=O)O", "CC(=O)Nc1ccc(O)cc1"


@pytest.fixture(scope="module")
def trained():
    return load()


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_samples_are_valid_and_the_seed_decides(trained):
    found, again, other = (sample(trained, 20, seed=seed) for seed in (3, 3, 4))
    assert found.smiles == again.smiles != other.smiles
    assert all(Chem.MolFromSmiles(smiles) is not None for smiles in found.smiles)
    assert len(set(found.smiles)) > 15
    np.testing.assert_allclose(found.latents, again.latents)
    far = sample(trained, 20, scale=7.0, seed=3)
    np.testing.assert_allclose(far.latents, 7 * found.latents, rtol=1e-5)
    assert far.molecules["nodes"].mean() > found.molecules["nodes"].mean()


def test_a_line_between_two_molecules_begins_and_ends_at_their_own_decodings(trained):
    line = interpolate(trained, ASPIRIN, PARACETAMOL, steps=4)
    ends = reconstruct(trained, [ASPIRIN, PARACETAMOL])["decoded"]
    assert list(line.index) == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert [line.iloc[0], line.iloc[-1]] == list(ends)


def test_climbing_raises_the_score_and_counts_the_way(trained):
    target = torch.ones(56)

    def near_to_ones(z):
        return -((z - target) ** 2).sum(dim=1)

    path = optimise(trained, ASPIRIN, near_to_ones, steps=3, rate=0.25)
    assert path["score"].is_monotonic_increasing and path["distance"].iloc[0] == 0
    first = torch.tensor(trained.transform([ASPIRIN]).to_numpy())
    # each step of rate 1/4 halves the way that is left
    whole = float(torch.linalg.vector_norm(target - first))
    assert list(path["distance"]) == pytest.approx(
        [0, whole / 2, whole * 3 / 4, whole * 7 / 8], rel=1e-4
    )
    assert path["smiles"].iloc[0] == reconstruct(trained, [ASPIRIN])["decoded"].iloc[0]


def test_stereochemistry_is_left_out_of_the_comparison(trained):
    two = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"]
    assert flat(two[0]) == flat(two[1]) == "CC(N)C(=O)O"
    found = reconstruct(trained, two)
    assert found["decoded"].nunique() == 1 and found["exact"].nunique() == 1


@pytest.mark.parametrize(
    ("ask", "fact"),
    [
        (lambda model: sample(model, -1), "-1 molecules"),
        (lambda model: sample(model, 1, scale=float("nan")), "nan"),
        (lambda model: interpolate(model, ASPIRIN, PARACETAMOL, steps=1), "not 1"),
        (lambda model: optimise(model, ASPIRIN, lambda z: z), "(1, 56)"),
        (lambda model: optimise(model, ASPIRIN, lambda z: torch.zeros(1)), "no gradient"),
        (lambda model: optimise(model, ASPIRIN, lambda z: 3.0), "no tensor"),
        (lambda model: optimise(model, ASPIRIN, lambda z: z.sum(dim=1), steps=-1), "steps is -1"),
        (lambda model: sample(model, 2.5), "2.5 molecules"),
        (lambda model: sample(model, "3"), "'3' molecules"),
        (lambda model: interpolate(model, ASPIRIN, PARACETAMOL, steps=2.5), "not 2.5"),
        (lambda model: reconstruct(model, "CCO"), "CCO"),
    ],
)
def test_bad_questions_get_one_sentence(trained, ask, fact):
    with pytest.raises(InputError) as refused:
        ask(trained)
    assert fact in str(refused.value)


def test_a_model_that_is_not_fitted_says_so():
    with pytest.raises(NotFitted):
        sample(JunctionTree(), 1)
