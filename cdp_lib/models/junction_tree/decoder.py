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

from cdp_lib.models.junction_tree.messages import Messages, TreeGRU


@dataclass(frozen=True, eq=False)
class Walks:
    """The walks through the trees of a batch: messages, decisions and names."""

    messages: Messages
    tree: Tensor  # (decisions,): whose latent vector counts
    node: Tensor  # (decisions,): where the decoder stands
    heard: tuple[Tensor, Tensor]  # (decision, message): which messages the node was told by then
    go: Tensor  # (decisions,): 1 where there is another child
    named: Tensor  # (nodes,): the message by which each node is reached, 1 + number; 0 for a root
    owner: Tensor  # (nodes,): the tree of each node

    @classmethod
    def of(cls, trees: Sequence[Sequence[Sequence[int]]], device="cpu") -> "Walks":
        """Depth-first walks from node 0 of each tree, given by the neighbours of its nodes."""
        ends, needs = [], []
        decisions = []  # (tree, node, messages heard, go)
        named, owner, start = [], [], 0
        for number, neighbours in enumerate(trees):
            told = [[] for _ in neighbours]  # (from, message) in the order of the walk
            reached = [-1] * len(neighbours)
            for here, there in walk(neighbours):
                if there is None:  # the end, at the root
                    decisions.append((number, start + here, [m for _, m in told[here]], 0))
                    continue
                down = reached[there] < 0 and there != 0
                decisions.append((number, start + here, [m for _, m in told[here]], int(down)))
                message = len(ends)
                ends.append((start + here, start + there))
                needs.append([m for k, m in told[here] if k != there])
                told[there].append((here, message))
                if down:
                    reached[there] = message
            named += reached
            owner += [number] * len(neighbours)
            start += len(neighbours)
        messages = Messages.ordered(ends, needs, device)
        at = messages.place.tolist()

        def numbers(values: Sequence[int]) -> Tensor:
            return torch.as_tensor(values, dtype=torch.long, device=device)

        heard = [(row, at[m]) for row, (_, _, told, _) in enumerate(decisions) for m in told]
        rows, columns = zip(*heard, strict=True) if heard else ((), ())
        return cls(
            messages,
            numbers([tree for tree, *_ in decisions]),
            numbers([node for _, node, *_ in decisions]),
            (numbers(rows), numbers(columns)),
            torch.as_tensor([go for *_, go in decisions], dtype=torch.float32, device=device),
            numbers([0 if m < 0 else 1 + at[m] for m in named]),
            numbers(owner),
        )


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
        heard = h.new_zeros(len(walks.node), h.shape[1])
        heard = heard.index_add_(0, walks.heard[0], h[walks.heard[1]])
        go = self.more(torch.cat([x[walks.node], heard, z[walks.tree]], dim=1))[:, 0]
        reached = torch.cat([h.new_zeros(1, h.shape[1]), h])[walks.named]  # (nodes, width)
        scores = self.name(torch.cat([reached, z[walks.owner]], dim=1))  # (nodes, words)
        binary = nn.functional.binary_cross_entropy_with_logits
        return {
            "topology": binary(go, walks.go, reduction="sum") / len(z),
            "words": nn.functional.cross_entropy(scores, names, reduction="sum") / len(z),
            "topology right": ((go > 0) == (walks.go > 0)).float().mean(),
            "words right": (scores.argmax(dim=1) == names).float().mean(),
        }
