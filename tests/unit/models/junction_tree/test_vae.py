"""The autoencoder: named terms of the loss, and batches that are their molecules."""

import numpy as np
import pytest
import torch

from cdp_lib.models.junction_tree.assembly import true_way, ways
from cdp_lib.models.junction_tree.batch import Batch, forest
from cdp_lib.models.junction_tree.graphs import means
from cdp_lib.models.junction_tree.prepared import environments, prepare
from cdp_lib.models.junction_tree.trees import tree
from cdp_lib.models.junction_tree.vae import JunctionTreeVAE, log_softmax

MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "CN1CCCC1c1cccnc1",
    "CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1",
    "CO",
    "C",
]


@pytest.fixture(scope="module")
def vocabulary():
    return sorted({word for smiles in MOLECULES for word in tree(smiles).words})


@pytest.fixture(scope="module")
def prepared(vocabulary):
    return prepare(MOLECULES, vocabulary)


@pytest.fixture
def module(vocabulary):
    torch.manual_seed(0)
    return JunctionTreeVAE(vocabulary, width=12, latent=6).double()


def batch(prepared, rows):
    return Batch.of(prepared, np.array(rows))


def test_a_batch_loses_what_its_molecules_lose_one_by_one(module, prepared):
    rows = list(range(len(MOLECULES)))
    whole = module(batch(prepared, rows), beta=0.3, noise=False)
    alone = [module(batch(prepared, [row]), beta=0.3, noise=False) for row in rows]
    for term in ("loss", "words", "topology", "assembly", "kl"):
        expected = torch.stack([terms[term] for terms in alone]).mean()
        torch.testing.assert_close(whole[term], expected)
    weighed = sum(whole[term] for term in ("words", "topology", "assembly")) + 0.3 * whole["kl"]
    torch.testing.assert_close(whole["loss"], weighed)


def test_every_weight_learns(module, prepared):
    module(batch(prepared, range(len(MOLECULES))))["loss"].backward()
    still = [name for name, weight in module.named_parameters() if not weight.grad.abs().sum()]
    assert still == []


def test_the_kl_term_by_hand(module, prepared):
    mean, log_variance = module.encode(batch(prepared, [0, 1]))
    prior = torch.distributions.Normal(torch.zeros_like(mean), 1.0)
    own = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
    expected = torch.distributions.kl_divergence(own, prior).sum(dim=1).mean()
    torch.testing.assert_close(module(batch(prepared, [0, 1]))["kl"], expected)


def test_a_choice_is_scored_node_by_node_as_in_a_batch(module, vocabulary, prepared):
    """What the decoder calls for one node gives the term of the loss."""
    module.float()
    smiles = MOLECULES[3]
    found = Batch.of(prepared, np.array([3]))
    torch.manual_seed(0)
    z = torch.randn(1, 3)
    _, h = module.tree_encoder(found.trees)
    expected = module.scorer.losses(z, h, found.choices)["assembly"]

    known = tree(smiles)
    numbers = [vocabulary.index(word) for word in known.words]
    trees, places = forest([numbers], [known.neighbours()])
    _, h = module.tree_encoder(trees)
    total = 0.0
    for node, (near, name) in enumerate(environments(known.words, known.neighbours())):
        several = ways(*name).found
        if len(several) < 2:
            continue
        (embedded,) = module.scorer.embed([several])
        told = h[[places[0][other, node] for other in near]]
        scores = module.scorer.score(embedded, z[0], told)
        true = [way.look for way in several].index(true_way(known, node, near))
        total = total - torch.log_softmax(scores, dim=0)[true]
    torch.testing.assert_close(expected, total)


def test_twin_neighbours_are_told_apart_by_what_lies_behind_them(module, vocabulary, prepared):
    """Two bonds C-C on a ring look alike; what they lead to does not."""
    several = ways("C1=CC=CC=C1", ["CC", "CC", "CO"]).found
    (embedded,) = module.scorer.float().embed([several])
    torch.manual_seed(1)
    told = torch.randn(3, 12)
    scores = module.scorer.score(embedded, torch.randn(3), told)
    assert len({f"{score:.5f}" for score in scores.tolist()}) == len(several)


def test_log_probabilities_within_groups():
    scores, group = torch.randn(7), torch.tensor([0, 0, 0, 1, 2, 2, 2])
    expected = torch.cat([torch.log_softmax(scores[group == k], dim=0) for k in range(3)])
    torch.testing.assert_close(log_softmax(scores, group, 3), expected)


def test_means_of_groups():
    found = means(torch.tensor([[1.0], [3.0], [5.0]]), torch.tensor([0, 0, 2]), 3)
    assert found[:, 0].tolist() == [2.0, 0.0, 5.0]


def test_molecules_outside_the_vocabulary_are_named(vocabulary):
    found = prepare(["CO", "CCBr", "C1CCCCC1"], vocabulary)
    assert found.smiles == ("CO",)
    assert found.unknown == {"CCBr": ("CBr",), "C1CCCCC1": ("C1CCCCC1",)}


def test_two_processes_prepare_what_one_does(vocabulary, prepared):
    found = prepare(MOLECULES, vocabulary, n_jobs=2)
    for pool in ("molecules", "environments"):
        for name, values in getattr(prepared, pool).values.items():
            assert np.array_equal(values, getattr(found, pool).values[name])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine offers no CUDA")
def test_a_graphics_card_gives_the_same(module, prepared):
    rows = np.arange(len(MOLECULES))
    module.float()
    here = module(Batch.of(prepared, rows), noise=False)
    there = module.cuda()(Batch.of(prepared, rows, "cuda"), noise=False)
    for term, value in here.items():
        torch.testing.assert_close(value, there[term].cpu(), rtol=1e-3, atol=1e-3)


def test_an_encoder_needs_no_choices(module, vocabulary, prepared):
    fast = prepare(MOLECULES, vocabulary, choose=False)
    rows = np.arange(len(MOLECULES))
    for a, b in zip(module.encode(Batch.of(fast, rows)), module.encode(Batch.of(prepared, rows))):
        assert torch.equal(a, b)
    assert fast.names == ()


def test_the_noise_has_the_deviation_of_the_code(module, prepared, monkeypatch):
    found, rows = batch(prepared, range(len(MOLECULES))), []
    module.tree_decoder.register_forward_pre_hook(lambda _, given: rows.append(given[0]))
    monkeypatch.setattr(torch, "randn_like", torch.ones_like)
    module(found)
    mean, log_variance = (part.chunk(2, dim=1)[0] for part in module.encode(found))
    torch.testing.assert_close(rows[0] - mean, torch.exp(log_variance / 2))


def test_the_root_hears_what_it_is_told(module, prepared):
    trees = batch(prepared, range(len(MOLECULES))).trees
    root, h = module.tree_encoder(trees)
    x, ends = module.words(trees.words), trees.messages
    for number, node in enumerate(trees.root.tolist()):
        told = h[ends.target == node].sum(dim=0)
        expected = torch.relu(module.tree_encoder.last(torch.cat([x[node], told])))
        torch.testing.assert_close(root[number], expected)
