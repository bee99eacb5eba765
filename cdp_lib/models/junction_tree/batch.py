"""A batch of molecules as tensors, cut out of what `prepared.prepare` gave."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cdp_lib.models.junction_tree.decoder import Walks
from cdp_lib.models.junction_tree.graphs import Graphs
from cdp_lib.models.junction_tree.messages import Messages, ranges, starts
from cdp_lib.models.junction_tree.prepared import Pool, Prepared, tree_arrays


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees with the messages of all their edges, in both directions."""

    words: Tensor  # (nodes,)
    tree: Tensor  # (nodes,): the tree of each node
    root: Tensor  # (trees,): the first node of each tree
    messages: Messages

    @classmethod
    def of(cls, pool: Pool, rows: np.ndarray, device="cpu") -> "Trees":
        words, tree = pool.take("words", rows)
        node = starts(pool.size("words", rows))  # the first node of each tree
        messages = joined(pool, rows, node, "", device)
        return cls(*tensors(device, words, tree, node), messages)


@dataclass(frozen=True, eq=False)
class WayGraphs:
    """The ways of some environments as graphs.  A *hang* is one neighbour in one way."""

    graphs: Graphs  # beside its kind, an atom is told whether it belongs to the node itself
    atom: Tensor  # (shared,): an atom that a neighbour shares with the node ...
    hang: Tensor  # (shared,): ... in a hang
    hangs: int

    @classmethod
    def of(cls, environments: Pool, kinds: np.ndarray, device="cpu") -> "WayGraphs":
        atoms, _ = environments.take("atoms", kinds)
        bonds, of_bond = environments.take("bonds", kinds)
        way, of_way = environments.take("way", kinds)
        hangs, of_hang = environments.take("hangs", kinds)
        ways, neighbours = environments.take("size", kinds)[0].T
        first_way, first_atom = starts(ways), starts(environments.size("atoms", kinds))
        hang = starts(ways * neighbours)[of_hang] + hangs[:, 0] * neighbours[of_hang] + hangs[:, 1]
        ends = bonds[:, :2] + first_atom[of_bond][:, None]
        way = way + first_way[of_way]
        return cls(
            Graphs.of(atoms, ends, bonds[:, 2:], way, int(ways.sum()), device),
            *tensors(device, hangs[:, 2] + first_atom[of_hang], hang),
            int((ways * neighbours).sum()),
        )


@dataclass(frozen=True, eq=False)
class Choices:
    """Nodes on which their neighbours can hang in several ways; a candidate is one way at one node.

    The ways of equal environments are graphs that stand here once.
    """

    ways: WayGraphs
    molecule: Tensor  # (choices,)
    choice: Tensor  # (candidates,)
    way: Tensor  # (candidates,): its graph
    true: Tensor  # (choices,): the candidate that is true
    candidate: Tensor  # (links,): a candidate ...
    message: Tensor  # (links,): ... what the node was told by one of its neighbours ...
    link: Tensor  # (links,): ... and the hang of that neighbour


@dataclass(frozen=True, eq=False)
class Batch:
    trees: Trees
    walks: Walks
    graphs: Graphs
    choices: Choices

    @property
    def count(self) -> int:
        return self.graphs.count

    @classmethod
    def of(cls, prepared: Prepared, rows: np.ndarray, device="cpu") -> "Batch":
        """The molecules of some rows."""
        pool = prepared.molecules
        trees = Trees.of(pool, rows, device)
        return cls(
            trees,
            walks_of(pool, rows, device),
            graphs_of(pool, rows, device),
            choices_of(pool, prepared.environments, rows, trees.messages.place, device),
        )


def tensors(device, *parts: np.ndarray) -> tuple[Tensor, ...]:
    return tuple(
        torch.as_tensor(np.ascontiguousarray(part, dtype=np.int64), device=device) for part in parts
    )


def joined(pool: Pool, rows: np.ndarray, node: np.ndarray, kind: str, device) -> Messages:
    """The messages of several trees as those of one forest; `node` is the first of each tree."""
    ends, tree = pool.take(f"{kind}ends", rows)
    pairs, of_pair = pool.take(f"{kind}pairs", rows)
    level, _ = pool.take(f"{kind}level", rows)
    first = starts(pool.size(f"{kind}ends", rows))
    return Messages.of(ends + node[tree][:, None], pairs + first[of_pair][:, None], level, device)


def walks_of(pool: Pool, rows: np.ndarray, device="cpu") -> Walks:
    node = starts(pool.size("words", rows))
    messages = joined(pool, rows, node, "walk ", device)
    first = starts(pool.size("walk ends", rows))  # messages
    decisions, tree = pool.take("decisions", rows)
    heard, of_heard = pool.take("heard", rows)
    reached, owner = pool.take("reached", rows)
    place = messages.place
    known = reached >= 0
    by = np.zeros(len(reached), dtype=np.int64)
    by[known] = 1 + place[(reached + first[owner])[known]]
    row = heard[:, 0] + starts(pool.size("decisions", rows))[of_heard]
    told = place[heard[:, 1] + first[of_heard]]
    parts = (tree, decisions[:, 0] + node[tree], row, told, by, owner)
    tree, at, row, told, by, owner = tensors(device, *parts)
    go = torch.as_tensor(decisions[:, 1], dtype=torch.float32, device=device)
    return Walks(messages, tree, at, go, row, told, by, owner)


def graphs_of(pool: Pool, rows: np.ndarray, device="cpu") -> Graphs:
    atoms, molecule = pool.take("atoms", rows)
    bonds, of_bond = pool.take("bonds", rows)
    first = starts(pool.size("atoms", rows))
    ends = bonds[:, :2] + first[of_bond][:, None]
    return Graphs.of(atoms, ends, bonds[:, 2:], molecule, len(rows), device)


def choices_of(
    pool: Pool, environments: Pool, rows: np.ndarray, place: np.ndarray, device="cpu"
) -> Choices:
    """`place`: where each message of the trees stands."""
    chosen, molecule = pool.take("choices", rows)
    chosen, true = chosen.T
    near, of_near = pool.take("near", rows)
    message = place[near[:, 1] + starts(pool.size("ends", rows))[of_near]]  # in order of choices
    kinds, kind = np.unique(chosen, return_inverse=True)  # each environment once

    ways, neighbours = environments.take("size", kinds)[0].T
    first_way, first_hang = starts(ways), starts(ways * neighbours)
    size, degree = ways[kind], neighbours[kind]  # candidates and neighbours of each choice
    choice = np.repeat(np.arange(len(chosen)), size)
    links = degree[choice]  # of each candidate
    which = np.arange(len(choice)) - starts(size)[choice]  # way within the environment
    first_link = first_hang[kind][choice] + which * links
    return Choices(
        WayGraphs.of(environments, kinds, device),
        *tensors(
            device,
            molecule,
            choice,
            first_way[kind][choice] + which,
            starts(size) + true,
            np.repeat(np.arange(len(choice)), links),
            message[ranges(starts(degree)[choice], links)],
            ranges(first_link, links),
        ),
    )


def forest(
    words: Sequence[Sequence[int]], neighbours: Sequence[Sequence[Sequence[int]]], device="cpu"
) -> tuple[Trees, list[dict[tuple[int, int], int]]]:
    """Trees given by the numbers of their words and the neighbours of their nodes.

    Also where the message (from, to) of each tree stands, nodes numbered within the tree.
    """
    things = [
        tree_arrays(near) | {"words": np.array(names)}
        for names, near in zip(words, neighbours, strict=True)
    ]
    pool = Pool(things)
    trees = Trees.of(pool, np.arange(len(things)), device)
    places = iter(trees.messages.place.tolist())
    return trees, [
        {tuple(ends): next(places) for ends in thing["ends"].tolist()} for thing in things
    ]
