"""The graph layer equals a dense masked layer; its controls keep what they promise."""

import numpy as np
import pandas as pd
import pytest
import torch

from cdp_lib.errors import InputError
from cdp_lib.models.base.training import seeded
from cdp_lib.models.fusion.graph import GraphLayer, edges_among, random_edges, rewired

GENES = 40


def layer(n=GENES, count=100, seed=0):
    with seeded(seed):
        return GraphLayer(random_edges(n, count, seed), n)


def degrees(edges, n):
    return np.bincount(edges.ravel(), minlength=n)


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_forward_and_gradients_equal_a_dense_masked_layer(rows):
    sparse = layer()
    torch.nn.init.normal_(sparse.bias)
    mask = torch.eye(GENES)
    for a, b in random_edges(GENES, 100, 0):
        mask[a, b] = mask[b, a] = 1
    weight = sparse.matrix().to_dense().detach().requires_grad_()
    bias = sparse.bias.detach().clone().requires_grad_()
    x = torch.randn(rows, GENES, generator=torch.Generator().manual_seed(1))
    x_sparse, x_dense = x.clone().requires_grad_(), x.clone().requires_grad_()

    z, wanted = sparse(x_sparse), x_dense @ (weight * mask) + bias
    assert z.dtype == torch.float32
    torch.testing.assert_close(z, wanted)
    z.sin().sum().backward()
    wanted.sin().sum().backward()
    torch.testing.assert_close(sparse.weight.grad, weight.grad[sparse.source, sparse.target])
    torch.testing.assert_close(sparse.bias.grad, bias.grad)
    torch.testing.assert_close(x_sparse.grad, x_dense.grad)


def test_it_stores_only_the_interactions():
    parts = list(layer(2000, 500).state_dict().values())
    assert sum(part.numel() for part in parts) == 3 * (2 * 500 + 2000) + 2 * 2000
    assert (layer().matrix().to_dense() != 0).sum() == 2 * 100 + GENES


def test_a_gene_without_neighbours_keeps_its_weight_to_itself():
    one = GraphLayer(np.array([[0, 1]]), 3)
    x = torch.tensor([[5.0, 7.0, 2.0]])
    assert one(x)[0, 2] == 2.0 * one.weight[-1]


def test_repeats_mirrors_and_loops_change_nothing():
    with seeded(0):
        one = GraphLayer(np.array([[0, 1], [1, 2]]), 4)
    with seeded(0):
        two = GraphLayer(np.array([[2, 1], [1, 0], [0, 1], [3, 3]]), 4)
    x = torch.randn(5, 4)
    torch.testing.assert_close(one(x), two(x))


def test_edges_are_matched_by_name():
    graph = pd.DataFrame({"gene_a": ["B", "A", "C", "C", "X"], "gene_b": ["A", "B", "C", "D", "A"]})
    assert edges_among(graph, pd.Index(["D", "A", "B", "C"])).tolist() == [[0, 3], [1, 2]]


@pytest.mark.parametrize("n, count", [(60, 300), (500, 1500), (5, 3)])
def test_rewiring_keeps_every_degree(n, count):
    edges = random_edges(n, count, seed=3)
    edges[: count // 4, 0] = 0  # a hub
    edges = np.unique(np.sort(edges[edges[:, 0] != edges[:, 1]], axis=1), axis=0)
    other = rewired(edges, n, seed=1)
    assert len(np.unique(np.sort(other, axis=1), axis=0)) == len(edges)
    assert (other[:, 0] != other[:, 1]).all()
    np.testing.assert_array_equal(degrees(other, n), degrees(edges, n))


def test_rewiring_mixes_and_repeats_itself():
    edges = random_edges(500, 1500)
    first, second, third = (rewired(edges, 500, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    shared = {tuple(e) for e in edges} & {tuple(e) for e in first}
    assert len(shared) < 0.1 * len(edges)
    assert not np.array_equal(first, third)


def test_random_edges_are_as_many_and_simple():
    edges = random_edges(50, 200, seed=5)
    assert len(np.unique(edges, axis=0)) == 200 and (edges[:, 0] < edges[:, 1]).all()
    assert edges.max() < 50
    assert len(random_edges(7, 21)) == 21  # every pair once
    np.testing.assert_array_equal(edges, random_edges(50, 200, seed=5))


@pytest.mark.parametrize("shape", [(2, 3), (2, 41), (40,), (2, 2, 40)])
def test_an_input_of_another_shape_never_passes(shape):
    with pytest.raises((RuntimeError, ValueError)):
        layer()(torch.zeros(shape))


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: GraphLayer(np.array([[0, 9]]), 3), "0 to 2, .* 9"),
        (lambda: GraphLayer(np.array([[0.0, 1.0]]), 3), "edges_among"),
        (lambda: GraphLayer(np.array([[0, 1]]), -3), "n is -3"),
        (lambda: random_edges(-3, 2), "n is -3"),
        (lambda: edges_among([("A", "B")], pd.Index(["A"])), "graph is a list"),
        (lambda: random_edges(3, 4), "1 to 3 .* 4"),
        (lambda: edges_among(pd.DataFrame({"a": [1]}), pd.Index(["A"])), "gene_a and gene_b"),
        (
            lambda: edges_among(
                pd.DataFrame({"gene_a": ["A"], "gene_b": ["B"]}), pd.Index(["14-3-3"])
            ),
            "None of the 1 interactions",
        ),
        (
            lambda: edges_among(
                pd.DataFrame({"gene_a": ["A"], "gene_b": ["B"]}), pd.Index(["A", "A"])
            ),
            "'A': keep one",
        ),
    ],
)
def test_bad_input_is_one_sentence(call, words):
    with pytest.raises(InputError, match=words):
        call()
