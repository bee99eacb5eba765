"""The graph layer that stores only interactions, beside a dense masked layer.

    .venv/bin/python -m pytest benchmarks/test_graph_layer.py --benchmark-enable -s

Forward and backward of one batch, and what training keeps: both sides in one run at 5,000 genes,
where the dense layer still fits; the graph layer alone at 17,000 genes with 62,345 interactions
(the paper's size), where the dense layer's 5,512 MB are computed.  All other memory is measured:
the bytes of every tensor that lives after a step of Adam (weights, gradients, moments, buffers).
The ratios are printed, not judged; that both layers give the same numbers is.
"""

import time

import numpy as np
import pytest
import torch
from torch import nn

from cdp_lib.models.base.training import Training, masked_mse, seeded, train
from cdp_lib.models.fusion.graph import GraphLayer, random_edges

ROWS = 64
MEGABYTE = 2**20


class Masked(nn.Module):
    """x (W o A) + b with all n x n weights and the mask."""

    def __init__(self, layer: GraphLayer):
        super().__init__()
        dense = layer.matrix().to_dense().detach()
        self.weight = nn.Parameter(dense)
        self.bias = nn.Parameter(layer.bias.detach().clone())
        self.register_buffer("mask", (dense != 0).float())

    def forward(self, x):
        return x @ (self.weight * self.mask) + self.bias


def step(layer, x):
    layer.zero_grad()
    layer(x).square().sum().backward()


def layer_and_batch(genes, interactions):
    with seeded(0):
        return GraphLayer(random_edges(genes, interactions), genes), torch.randn(ROWS, genes)


def megabytes(layer, x):
    """What training keeps from one batch to the next, measured after a step of Adam."""
    adam = torch.optim.Adam(layer.parameters())
    step(layer, x)
    adam.step()
    kept = [*layer.parameters(), *layer.buffers(), *(p.grad for p in layer.parameters())]
    kept += [t for state in adam.state.values() for t in state.values() if torch.is_tensor(t)]
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in kept}
    return sum(storages.values()) / MEGABYTE


def median_seconds(layer, x, rounds):
    times = []
    for _ in range(rounds + 1):  # the first one warms up
        start = time.perf_counter()
        step(layer, x)
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


@pytest.mark.benchmark(group="graph layer, 5,000 genes")
def test_graph_layer_here(benchmark):
    benchmark(step, *layer_and_batch(5_000, 18_000))


def test_ratio_at_5000_genes(capsys):
    sparse, x = layer_and_batch(5_000, 18_000)
    dense = Masked(sparse)
    torch.testing.assert_close(sparse(x), dense(x), rtol=1e-3, atol=1e-4)
    here, peer, again = (
        median_seconds(*side) for side in ((sparse, x, 11), (dense, x, 3), (sparse, x, 11))
    )
    here = float(np.mean([here, again]))
    step(sparse, x), step(dense, x)
    torch.testing.assert_close(
        sparse.weight.grad, dense.weight.grad[sparse.source, sparse.target], rtol=1e-3, atol=1e-2
    )
    small, large = megabytes(sparse, x), megabytes(dense, x)
    with capsys.disabled():
        print(
            f"\n5,000 genes, 18,000 interactions, batch of {ROWS}, forward + backward: "
            f"graph layer {1e3 * here:.1f} ms, dense masked layer {1e3 * peer:.0f} ms: "
            f"{peer / here:.0f} times faster; training keeps {small:.1f} MB against "
            f"{large:.0f} MB: {large / small:.0f} times less"
        )


@pytest.mark.benchmark(group="graph layer, 17,000 genes")
def test_alone_at_17000_genes(benchmark, capsys):
    layer, x = layer_and_batch(17_000, 62_345)
    benchmark(step, layer, x)
    network = nn.Sequential(layer, nn.ReLU(), nn.Linear(17_000, 64), nn.ReLU(), nn.Linear(64, 22))
    data = torch.randn(320, 17_000), torch.randn(320, 22)
    history = train(
        network,
        lambda module, x, y: masked_mse(module(x), y),
        data,
        training=Training(epochs=2, batch_size=ROWS, device="cpu"),
    )
    assert history.train["loss"][1] < history.train["loss"][0]
    with capsys.disabled():
        print(
            f"\n17,000 genes, 62,345 interactions: forward + backward "
            f"{1e3 * median_seconds(layer, x, 11):.0f} ms a batch of {ROWS}; a whole network "
            f"{history.seconds / 2:.2f} s an epoch of 320 lines; training keeps "
            f"{megabytes(layer, x):.1f} MB for the layer (a dense one, computed: "
            f"{17_000**2 * 4 * 5 / MEGABYTE:,.0f} MB)"
        )
