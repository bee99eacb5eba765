"""A layer in which a gene listens to its neighbours only.

    z = x (W o A) + b        o: elementwise product, A: adjacency of an interaction graph, A_ii = 1

(Wang et al. 2022, "graph embedding").  A dense W has a weight for each pair of genes: 17,000 genes
make 289 million.  The adjacency keeps a few in ten thousand of them, so only these are stored:
one weight for each direction of an interaction and one for each gene itself.  z_j is then a
weighted sum over a bag of neighbours, which is what `embedding_bag` computes, gradient included.

Does it matter *which* genes are neighbours?  `rewired` keeps each gene's number of neighbours
and draws new ones; `random_edges` keeps only the number of interactions.
"""

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import check_number


class GraphLayer(nn.Module):
    """x (rows, n) -> x (W o A) + b (rows, n); `edges` (interactions, 2) are unordered positions.

    Time and memory grow with interactions + n, never with n squared.  An interaction named twice
    counts once.
    """

    def __init__(self, edges: np.ndarray, n: int):
        super().__init__()
        edges = _unordered(edges, n)  # (interactions, 2)
        loops = np.arange(n)
        source = np.concatenate([edges[:, 0], edges[:, 1], loops])
        target = np.concatenate([edges[:, 1], edges[:, 0], loops])
        order = np.lexsort([source, target])  # bags of sources, one a target
        sizes = np.bincount(target, minlength=n)  # neighbours of each target, itself included
        self.out_features = n
        self.register_buffer("source", torch.tensor(source[order]))  # (weights,)
        self.register_buffer("target", torch.tensor(target[order]))  # (weights,)
        self.register_buffer("start", torch.tensor(np.cumsum(sizes) - sizes))  # (n,) of each bag
        bound = torch.tensor(sizes[target[order]] ** -0.5, dtype=torch.float32)
        self.weight = nn.Parameter((2 * torch.rand(len(source)) - 1) * bound)
        self.bias = nn.Parameter(torch.zeros(n))

    def forward(self, x: Tensor) -> Tensor:
        rows, _ = x.shape
        table = x.T.contiguous().view(self.out_features, rows)  # (n, rows)
        sums = embedding_bag(
            self.source, table, self.start, mode="sum", per_sample_weights=self.weight
        )  # (n, rows)
        return sums.T + self.bias

    def matrix(self) -> Tensor:
        """W o A as a sparse tensor (n, n): row = source gene, column = target gene."""
        cells = torch.stack([self.source, self.target])
        n = self.out_features
        return torch.sparse_coo_tensor(cells, self.weight, (n, n), check_invariants=True)


def edges_among(graph: pd.DataFrame, genes: pd.Index) -> np.ndarray:
    """The interactions of `graph` (columns gene_a, gene_b) between two of `genes`, as positions.

    `genes` are the columns of an omics table; interactions with a gene outside it have no place
    in the layer, and a gene without interactions keeps its weight to itself.

    >>> graph = pd.DataFrame({"gene_a": ["A", "C"], "gene_b": ["C", "X"]})
    >>> edges_among(graph, pd.Index(["A", "B", "C"])).tolist()
    [[0, 2]]
    """
    if not isinstance(graph, pd.DataFrame) or not {"gene_a", "gene_b"} <= set(graph.columns):
        columns = ", ".join(map(str, getattr(graph, "columns", ())))
        raise InputError(
            f"The interaction graph is a {type(graph).__name__} of columns "
            f"[{columns}]: give a DataFrame with the columns gene_a and gene_b, one "
            "row an interaction."
        )
    genes = pd.Index(genes)
    if not genes.is_unique:
        raise InputError(
            "The omics table names a gene twice, such as "
            f"{genes[genes.duplicated()][0]!r}: keep one column of each."
        )
    ends = np.stack([genes.get_indexer(graph["gene_a"]), genes.get_indexer(graph["gene_b"])], 1)
    edges = ends[(ends >= 0).all(axis=1)]
    if len(edges) == 0:
        raise InputError(
            f"None of the {len(graph)} interactions joins two of the {len(genes)} "
            f"columns, such as {genes[0]!r}: name both by gene symbol, or embed "
            "this omics densely."
        )
    return _unordered(edges, len(genes))


def rewired(edges: np.ndarray, n: int, seed: int = 0, rounds: int = 20) -> np.ndarray:
    """Other interactions in which each gene has as many neighbours as before.

    Maslov & Sneppen (2002): two interactions a-b, c-d become a-d, c-b unless one exists already.
    In each round all interactions are paired at random and every pair tries to swap.
    """
    edges = _unordered(edges, n)
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        edges = rng.permuted(rng.permutation(edges), axis=1)  # in random order, either end first
        half = len(edges) // 2
        new = edges[: 2 * half].copy()
        new[:, 1] = np.roll(new[:, 1], half)  # (2 half, 2): partners trade their second ends
        codes = _codes(new, n)
        _, place, count = np.unique(codes, return_inverse=True, return_counts=True)
        fine = (new[:, 0] != new[:, 1]) & (count[place] == 1) & ~np.isin(codes, _codes(edges, n))
        swap = np.tile(fine[:half] & fine[half:], 2)
        edges[: 2 * half][swap] = new[swap]
    return _unordered(edges, n)


def random_edges(n: int, count: int, seed: int = 0) -> np.ndarray:
    """`count` different interactions between n genes, drawn at random."""
    check_number("n", n, least=1, whole=True)
    possible = n * (n - 1) // 2
    if not 0 < count <= possible:
        raise InputError(
            f"Between {n} genes there can be 1 to {possible} interactions, not {count}."
        )
    code = np.random.default_rng(seed).choice(possible, count, replace=False)
    above = ((1 + np.sqrt(1 + 8 * code)) // 2).astype(np.int64)  # pair (i, j), i < j = above
    return _unordered(np.stack([code - above * (above - 1) // 2, above], axis=1), n)


def _unordered(edges: np.ndarray, n: int) -> np.ndarray:
    """Each interaction once, the smaller position first, in order; loops left out."""
    check_number("n", n, least=1, whole=True)
    edges = np.asarray(edges)
    if edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype.kind not in "iu":
        raise InputError(
            "Interactions are a table of two whole-number positions a row, not "
            f"shape {edges.shape} of {edges.dtype}: make them with edges_among."
        )
    if len(edges) and (edges.min() < 0 or edges.max() >= n):
        raise InputError(
            f"Interactions point to genes 0 to {n - 1}, but one points to "
            f"{edges.min() if edges.min() < 0 else edges.max()}."
        )
    code = np.unique(_codes(edges, n))
    edges = np.stack(np.divmod(code, n), axis=1)
    return edges[edges[:, 0] != edges[:, 1]]


def _codes(edges: np.ndarray, n: int) -> np.ndarray:
    """One whole number for each unordered pair."""
    return edges.min(axis=1).astype(np.int64) * n + edges.max(axis=1)
