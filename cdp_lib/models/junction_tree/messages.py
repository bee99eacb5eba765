"""Messages along the edges of trees: each is computed once, as soon as those that it needs are.

Node i tells its neighbour j what it knows from all its *other* neighbours k (Jin et al. 2018):

    s     = sum_k h[k -> i]
    z     = sigmoid(W_z [x_i, s])
    r_k   = sigmoid(W_r x_i + U_r h[k -> i])
    h~    = tanh(W x_i + U sum_k r_k * h[k -> i])
    h[i -> j] = (1 - z) * s + z * h~

A leaf needs nobody, so the messages of all leaves of all trees of a batch come first, in one
product; then those that need only them; and so on.  So a batch takes as many steps as its deepest
tree has levels, and gives what the literal recurrence gives after as many rounds over *all*
messages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Messages:
    """Which messages there are, in the order in which they are computed."""

    source: Tensor  # (messages,): the node that tells
    target: Tensor  # (messages,): the node that is told
    needed: Tensor  # (messages, most): 1 + number of each message needed, 0 for none
    sizes: tuple[int, ...]  # messages of each level
    place: np.ndarray  # where each message that was asked for stands

    @classmethod
    def ordered(
        cls, ends: Sequence[tuple[int, int]], needs: Sequence[Sequence[int]], device="cpu"
    ) -> "Messages":
        """Messages (from, to) and, for each, the numbers of those that it needs."""
        level = levels(needs)
        order = np.argsort(level, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        needed = np.zeros((len(order), max(map(len, needs), default=0)), dtype=np.int64)
        for row, number in enumerate(order):
            for column, other in enumerate(needs[number]):
                needed[row, column] = 1 + place[other]
        pairs = np.asarray(ends, dtype=np.int64).reshape(-1, 2)[order]
        source, target = (torch.as_tensor(side, device=device) for side in pairs.T.copy())
        sizes = tuple(np.bincount(level).tolist()) if len(level) else ()
        return cls(source, target, torch.as_tensor(needed, device=device), sizes, place)


def levels(needs: Sequence[Sequence[int]]) -> np.ndarray:
    """0 for a message that needs none, otherwise one more than the highest that it needs."""
    level = np.full(len(needs), -1)
    for start in range(len(needs)):
        stack = [start]
        while stack:
            number = stack[-1]
            waiting = [other for other in needs[number] if level[other] < 0]
            if waiting:
                stack += waiting
                continue
            level[number] = 1 + max((level[other] for other in needs[number]), default=-1)
            stack.pop()
    return level


def all_messages(trees: Sequence[Sequence[Sequence[int]]]) -> tuple[list, list, np.ndarray]:
    """Both directions of every edge of some trees, given by the neighbours of each node.

    Returns (ends, needs) as `Messages.ordered` takes them, nodes numbered through the batch, and
    the first node of each tree.
    """
    ends, needs, first = [], [], np.cumsum([0, *map(len, trees)])[:-1]
    for start, neighbours in zip(first.tolist(), trees, strict=True):
        number = {}
        for i, near in enumerate(neighbours):
            for j in near:
                number[i, j] = len(ends)
                ends.append((start + i, start + j))
        needs += [[number[k, i] for k in neighbours[i] if k != j] for i, j in number]
    return ends, needs, first


class TreeGRU(nn.Module):
    """The gated sum above, for one width of nodes and messages."""

    def __init__(self, width: int):
        super().__init__()
        self.update = nn.Linear(2 * width, width)  # W_z
        self.reset_node = nn.Linear(width, width)  # W_r
        self.reset_message = nn.Linear(width, width, bias=False)  # U_r
        self.candidate = nn.Linear(2 * width, width)  # W, U

    def step(self, x: Tensor, h: Tensor, present: Tensor) -> Tensor:
        """One message each: x (rows, width) of the sender, h (rows, most, width) that it heard."""
        total = h.sum(dim=1)
        z = torch.sigmoid(self.update(torch.cat([x, total], dim=1)))
        r = torch.sigmoid(self.reset_node(x)[:, None] + self.reset_message(h)) * present
        new = torch.tanh(self.candidate(torch.cat([x, (r * h).sum(dim=1)], dim=1)))
        return (1 - z) * total + z * new

    def forward(self, x: Tensor, messages: Messages) -> Tensor:
        """All messages, in their order: x (nodes, width) -> (messages, width)."""
        h = x.new_zeros(1, x.shape[1])  # row 0: no message
        done = 0
        for size in messages.sizes:
            rows = slice(done, done + size)
            needed = messages.needed[rows]
            told = self.step(x[messages.source[rows]], h[needed], (needed > 0)[..., None])
            h = torch.cat([h, told])
            done += size
        return h[1:]

    def inbox(self, h: Tensor, messages: Messages, nodes: int) -> Tensor:
        """The sum of what each node is told: (nodes, width)."""
        return h.new_zeros(nodes, h.shape[1]).index_add_(0, messages.target, h)
