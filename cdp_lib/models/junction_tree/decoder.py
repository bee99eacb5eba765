"""A tree from its latent vector, node after node, depth first.

The decoder stands at a node and asks whether the node has another child; if so it goes there and
names it, if not it goes back.  What it remembers are the messages of `messages.TreeGRU` along the
edges that it has walked so far (Jin et al. 2018):

    go at node i    sigmoid(u . relu(W_1 [x_i, sum of what i was told so far, z]))
    name of node j  softmax(U relu(W_2 [z, h[i -> j]])),   the root from z alone

In training every step of a known tree is taken at once, because the walk is known: a message of
the walk is computed as soon as those that it needs are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cdp_lib.models.junction_tree.messages import Messages, TreeGRU, sums


@dataclass(frozen=True, eq=False)
class Walk:
    """The decoder's walk through one tree."""

    ends: list[tuple[int, int]]  # its messages, in the order of the walk
    needs: list[list[int]]  # the messages that each of them needs
    decisions: list[tuple[int, int]]  # (where the decoder stands, 1 if there is another child)
    heard: list[tuple[int, int]]  # (decision, a message that was heard there by then)
    reached: list[int]  # the message by which each node is reached; -1 for the root


@dataclass(frozen=True, eq=False)
class Walks:
    """The walks through the trees of a batch."""

    messages: Messages
    tree: Tensor  # (decisions,): whose latent vector counts
    node: Tensor  # (decisions,): where the decoder stands
    go: Tensor  # (decisions,): 1 where there is another child
    row: Tensor  # (heard,): a decision ...
    heard: Tensor  # (heard,): ... and a message that the node was told by then
    reached: Tensor  # (nodes,): 1 + the message by which each node is reached; 0 for a root
    owner: Tensor  # (nodes,): the tree of each node


def walked(neighbours: Sequence[Sequence[int]]) -> Walk:
    """The walk, depth first from node 0, through a tree given by the neighbours of its nodes."""
    ends, needs, decisions, heard = [], [], [], []
    told = [[] for _ in neighbours]  # (from, message) in the order of the walk
    reached = [-1] * len(neighbours)
    for here, there in walk(neighbours):
        down = there is not None and there != 0 and reached[there] < 0
        heard += [(len(decisions), message) for _, message in told[here]]
        decisions.append((here, int(down)))
        if there is None:  # the end, at the root
            break
        if down:
            reached[there] = len(ends)
        needs.append([message for other, message in told[here] if other != there])
        told[there].append((here, len(ends)))
        ends.append((here, there))
    return Walk(ends, needs, decisions, heard, reached)


def walk(neighbours: Sequence[Sequence[int]]) -> list[tuple[int, int | None]]:
    """Each edge down and up again, depth first from node 0; at the end (0, None)."""
    steps, path, left = [], [0], [list(reversed(near)) for near in neighbours]
    while path:
        here = path[-1]
        if left[here]:
            there = left[here].pop()
            if len(path) > 1 and there == path[-2]:
                continue
            steps.append((here, there))
            path.append(there)
        else:
            path.pop()
            steps.append((here, path[-1] if path else None))
    return steps


class TreeDecoder(nn.Module):
    """The two questions above; `forward` gives their losses over known trees."""

    def __init__(self, words: nn.Embedding, width: int, latent: int):
        super().__init__()
        self.words = words  # shared with the encoder
        self.gru = TreeGRU(width)
        self.more = nn.Sequential(
            nn.Linear(2 * width + latent, width), nn.ReLU(), nn.Linear(width, 1)
        )
        self.name = nn.Sequential(
            nn.Linear(width + latent, width), nn.ReLU(), nn.Linear(width, words.num_embeddings)
        )

    def forward(self, z: Tensor, names: Tensor, walks: Walks) -> dict[str, Tensor]:
        """Named losses, the sum over a tree and the mean over trees, and shares that are right.

        z: (trees, latent); names: (nodes,), the number of each node's word.
        """
        x = self.words(names)  # (nodes, width)
        h = self.gru(x, walks.messages)  # (messages, width)
        heard = sums(h[walks.heard], walks.row, len(walks.node))  # (decisions, width)
        go = self.more(torch.cat([x[walks.node], heard, z[walks.tree]], dim=1))[:, 0]
        reached = torch.cat([h.new_zeros(1, h.shape[1]), h])[walks.reached]  # (nodes, width)
        scores = self.name(torch.cat([reached, z[walks.owner]], dim=1))  # (nodes, words)
        binary = nn.functional.binary_cross_entropy_with_logits
        return {
            "topology": binary(go, walks.go.to(go.dtype), reduction="sum") / len(z),
            "words": nn.functional.cross_entropy(scores, names, reduction="sum") / len(z),
            "topology right": ((go > 0) == (walks.go > 0)).float().mean(),
            "words right": (scores.argmax(dim=1) == names).float().mean(),
        }
