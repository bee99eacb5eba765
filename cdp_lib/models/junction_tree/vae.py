"""The junction-tree variational autoencoder (Jin, Barzilay & Jaakkola 2018).

A molecule becomes 56 numbers: 28 from its tree, which say what it is made of, and 28 from its
graph, which say how that hangs together.

    q(z | molecule) = N(mean, sigmoid(v)),   mean, v = W_t h_root, then W_g h_graph
    h_root  = relu(W_o [x_root, sum of what the root is told])      messages.py
    h_graph = sum over atoms of what they are told                  graphs.py

Two decoders read z: one walks a tree and names its nodes (decoder.py), one says how the
neighbours of each node hang on it (assembly.py).  A way c, in which the neighbours k hang on a
node i, has the score

    score(c) = (g(z_graph) . h_c + sum over k of f(z_graph, h[k -> i]) . h_(c, k)) / root of width

where messages along the bonds of c give h_c, the mean over its atoms, and h_(c, k), the mean over
the atoms that k shares with i; h[k -> i] is what the tree encoder says of all that lies behind k.
Jin et al. let h[k -> i] run along the bonds of c instead.  Here a way knows nothing of the
molecule, so that equal environments of a batch, or of all molecules that are decoded, are worked
out once.

    loss = words + topology + assembly + beta KL(q(z | molecule) || N(0, 1))

where the first three are the negative log-likelihoods of the names, of the steps of the walk and of
the true ways, each summed over a molecule.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from cdp_lib.models.junction_tree.assembly import Way
from cdp_lib.models.junction_tree.batch import Batch, Choices, Trees, WayGraphs
from cdp_lib.models.junction_tree.decoder import TreeDecoder
from cdp_lib.models.junction_tree.graphs import BondMessages, means
from cdp_lib.models.junction_tree.messages import TreeGRU, sums
from cdp_lib.models.junction_tree.prepared import Pool, environment_arrays

START = -6.0  # log variances start low, so that z says something from the first step


class JunctionTreeVAE(nn.Module):
    """All of it; `forward` gives the terms of the loss for a batch."""

    def __init__(self, vocabulary: Sequence[str], width: int = 200, latent: int = 56):
        super().__init__()
        self.vocabulary = tuple(vocabulary)
        self.settings = {"width": width, "latent": latent}
        half = latent // 2
        self.words = nn.Embedding(len(self.vocabulary), width)  # one table for both
        self.tree_encoder = TreeEncoder(self.words, width)
        self.graph_encoder = BondMessages(width)
        self.tree_latent = nn.Linear(width, 2 * half)  # mean, log variance
        self.graph_latent = nn.Linear(width, 2 * half)
        self.tree_decoder = TreeDecoder(self.words, width, half)
        self.scorer = Scorer(width, half)

    @property
    def latent(self) -> int:
        return self.settings["latent"]

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean and log variance, (molecules, latent) each: the tree's half, then the graph's."""
        return self._encode(batch)[:2]

    def _encode(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        root, h = self.tree_encoder(batch.trees)
        atoms, _ = self.graph_encoder(batch.graphs)
        graph = sums(atoms, batch.graphs.molecule, batch.graphs.count)  # a mean hides where
        tree = self.tree_latent(root).chunk(2, dim=1)
        graph = self.graph_latent(graph).chunk(2, dim=1)
        mean, spread = (torch.cat(halves, dim=1) for halves in zip(tree, graph, strict=True))
        return mean, nn.functional.logsigmoid(spread + START), h  # a variance of at most 1

    def forward(self, batch: Batch, beta: float = 1.0, noise: bool = True) -> dict[str, Tensor]:
        """Named terms of the loss, each a mean over molecules, and shares of right answers.

        Without noise z is the mean.
        """
        mean, log_variance, h = self._encode(batch)
        z = mean + torch.randn_like(mean) * torch.exp(log_variance / 2) if noise else mean
        z_tree, z_graph = z.chunk(2, dim=1)
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
        terms = self.tree_decoder(z_tree, batch.trees.words, batch.walks)
        terms |= self.scorer.losses(z_graph, h, batch.choices) | {"kl": kl}
        fit = terms["words"] + terms["topology"] + terms["assembly"]
        return {"loss": fit + beta * kl} | terms


class TreeEncoder(nn.Module):
    """Trees -> h_root (trees, width) and all messages (messages, width)."""

    def __init__(self, words: nn.Embedding, width: int):
        super().__init__()
        self.words = words
        self.gru = TreeGRU(width)
        self.last = nn.Linear(2 * width, width)  # W_o

    def forward(self, trees: Trees) -> tuple[Tensor, Tensor]:
        x = self.words(trees.words)  # (nodes, width)
        h = self.gru(x, trees.messages)
        told = sums(h, trees.messages.target, len(x))[trees.root]
        return torch.relu(self.last(torch.cat([x[trees.root], told], dim=1))), h


class Scorer(nn.Module):
    """How well each way fits z_graph: the equation above."""

    def __init__(self, width: int, latent: int):
        super().__init__()
        side = width // 2  # ways are small
        self.scale = side**-0.5
        self.messages = BondMessages(side, more=1)
        self.whole = nn.Linear(latent, side)  # g
        self.told = nn.Linear(width, side)  # f = W relu(told + asked)
        self.asked = nn.Linear(latent, side, bias=False)
        self.place = nn.Linear(side, side)

    def forward(self, z: Tensor, h: Tensor, choices: Choices) -> Tensor:
        """z (molecules, latent), h (messages, width) of the trees -> scores (candidates,)."""
        ways, hung = self.read(choices.ways)
        whole = self.whole(z)[choices.molecule][choices.choice] * ways[choices.way]
        molecule = choices.molecule[choices.choice][choices.candidate]
        asked = torch.relu(self.told(h)[choices.message] + self.asked(z)[molecule])
        links = (self.place(asked) * hung[choices.link]).sum(dim=1)
        return whole.sum(dim=1).index_add(0, choices.candidate, links) * self.scale

    def read(self, ways: WayGraphs) -> tuple[Tensor, Tensor]:
        """h_c (ways, side) and h_(c, k) (hangs, side)."""
        atoms, whole = self.messages(ways.graphs)
        return whole, means(atoms[ways.atom], ways.hang, ways.hangs)

    def embed(self, nodes: Sequence[Sequence[Way]]) -> list[tuple[Tensor, Tensor]]:
        """For the ways of each node: h_c (ways, side) and h_(c, k) (ways, neighbours, side)."""
        device = self.place.weight.device
        pool = Pool([environment_arrays(ways) for ways in nodes])
        whole, hung = self.read(WayGraphs.of(pool, np.arange(len(nodes)), device))
        shapes = [(len(ways), len(ways[0].atoms) - 1) for ways in nodes]
        return [
            (whole, hung.reshape(*shape, -1))
            for whole, hung, shape in zip(
                whole.split([ways for ways, _ in shapes]),
                hung.split([ways * neighbours for ways, neighbours in shapes]),
                shapes,
                strict=True,
            )
        ]

    def score(self, embedded: tuple[Tensor, Tensor], z: Tensor, told: Tensor) -> Tensor:
        """Scores (ways,) of one node: z (latent,), told (neighbours, width) what each told it."""
        whole, hung = embedded
        asked = self.place(torch.relu(self.told(told) + self.asked(z)))  # (neighbours, side)
        return (whole @ self.whole(z) + (hung * asked).sum(dim=(1, 2))) * self.scale

    def losses(self, z: Tensor, h: Tensor, choices: Choices) -> dict[str, Tensor]:
        scores = self(z, h, choices)
        log_p = log_softmax(scores, choices.choice, len(choices.true))
        best = highest(log_p.detach(), choices.choice, len(choices.true))
        return {
            "assembly": -log_p[choices.true].sum() / len(z),
            "assembly right": (log_p[choices.true] >= best).float().sum() / max(len(best), 1),
        }


def log_softmax(scores: Tensor, group: Tensor, count: int) -> Tensor:
    """Log probabilities of scores within each group."""
    shifted = scores - highest(scores.detach(), group, count)[group]
    return shifted - scores.new_zeros(count).index_add(0, group, shifted.exp()).log()[group]


def highest(scores: Tensor, group: Tensor, count: int) -> Tensor:
    """The highest score of each group: (count,)."""
    return scores.new_full((count,), -torch.inf).scatter_reduce(0, group, scores, "amax")
