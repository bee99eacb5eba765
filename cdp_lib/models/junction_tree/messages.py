"""Messages along the edges of trees: each is computed once, as soon as those that it needs are.

Node i tells its neighbour j what it knows from all its *other* neighbours k (Jin et al. 2018):

    s     = sum_k h[k -> i]
    z     = sigmoid(W_z x_i + U_z s)
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
    row: Tensor  # (pairs,): a message ...
    needed: Tensor  # (pairs,): ... and one that it needs
    sizes: tuple[int, ...]  # messages of each level
    pairs: tuple[int, ...]  # pairs of each level
    place: np.ndarray  # where each message that was asked for stands

    @classmethod
    def of(cls, ends: np.ndarray, pairs: np.ndarray, level: np.ndarray, device="cpu") -> "Messages":
        """Messages (from, to), pairs (message, one that it needs), and each message's level."""
        order = np.argsort(level, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        row, needed = place[pairs[:, 0]], place[pairs[:, 1]]
        by_row = np.argsort(row, kind="stable")
        row, needed = row[by_row], needed[by_row]
        sizes = np.bincount(level)
        cuts = np.searchsorted(row, np.cumsum([0, *sizes]))
        whole = (*ends[order].T, row, needed)
        return cls(
            *(torch.as_tensor(np.ascontiguousarray(part), device=device).long() for part in whole),
            tuple(sizes.tolist()),
            tuple(np.diff(cuts).tolist()),
            place,
        )

    @classmethod
    def ordered(
        cls, ends: Sequence[tuple[int, int]], needs: Sequence[Sequence[int]], device="cpu"
    ) -> "Messages":
        """Messages (from, to) and, for each, the numbers of those that it needs."""
        return cls.of(pairs_of(ends), pairs_of(needed_by(needs)), levels(needs), device)


def needed_by(needs: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Pairs (message, one that it needs)."""
    return [(number, other) for number, others in enumerate(needs) for other in others]


def pairs_of(values: Sequence[tuple[int, int]]) -> np.ndarray:
    return np.asarray(values, dtype=np.int64).reshape(-1, 2)


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


def all_messages(neighbours: Sequence[Sequence[int]]) -> tuple[list, list]:
    """Both directions of every edge of a tree, given by the neighbours of each node.

    Returns (ends, needs) as `Messages.ordered` takes them.
    """
    number = {}
    for i, near in enumerate(neighbours):
        for j in near:
            number[i, j] = len(number)
    needs = [[number[k, i] for k in neighbours[i] if k != j] for i, j in number]
    return list(number), needs


class TreeGRU(nn.Module):
    """The gated sum above, for one width of nodes and messages."""

    def __init__(self, width: int):
        super().__init__()
        self.node = nn.Linear(width, 3 * width)  # W_z, W_r, W
        self.update = nn.Linear(width, width, bias=False)  # U_z
        self.reset = nn.Linear(width, width, bias=False)  # U_r
        self.candidate = nn.Linear(width, width, bias=False)  # U

    def step(self, x: Tensor, h: Tensor, row: Tensor) -> Tensor:
        """One message each: x (rows, width) of the sender; h (pairs, width), of which each was
        heard by the sender of the message row[pair]."""
        return self._gated(self.node(x), h, self.reset(h), row)

    def _gated(self, node: Tensor, h: Tensor, reset: Tensor, row: Tensor) -> Tensor:
        in_z, in_r, in_h = node.chunk(3, dim=1)
        total = sums(h, row, len(node))
        z = torch.sigmoid(in_z + self.update(total))
        kept = torch.sigmoid(in_r[row] + reset) * h
        new = torch.tanh(in_h + self.candidate(sums(kept, row, len(node))))
        return total + z * (new - total)

    def forward(self, x: Tensor, messages: Messages) -> Tensor:
        """All messages, in their order: x (nodes, width) -> (messages, width)."""
        node = self.node(x)  # (nodes, 3 width)
        h = reset = x.new_zeros(0, x.shape[1])
        done = pairs = 0
        for size, more in zip(messages.sizes, messages.pairs, strict=True):
            rows, told = slice(done, done + size), slice(pairs, pairs + more)
            needed = messages.needed[told]
            fresh = self._gated(
                node[messages.source[rows]], h[needed], reset[needed], messages.row[told] - done
            )
            h, reset = torch.cat([h, fresh]), torch.cat([reset, self.reset(fresh)])
            done, pairs = done + size, pairs + more
        return h


def sums(rows: Tensor, group: Tensor, count: int) -> Tensor:
    """The sum of the rows of each group: (count, width)."""
    return rows.new_zeros(count, rows.shape[1]).index_add_(0, group, rows)


def ranges(first: np.ndarray, size: np.ndarray) -> np.ndarray:
    """first[0], first[0] + 1, ... (size[0] of them), first[1], ..."""
    return np.repeat(first - starts(size), size) + np.arange(size.sum())


def starts(size: np.ndarray) -> np.ndarray:
    """Where each of some parts begins that stand end to end."""
    return np.cumsum(size) - size
