"""Computed once, level by level, messages are what the recurrence over all of them gives."""

import numpy as np
import pytest
import torch

from cdp_lib.models.junction_tree.batch import Trees
from cdp_lib.models.junction_tree.messages import Messages, TreeGRU, all_messages, levels, sums
from cdp_lib.models.junction_tree.prepared import Pool, tree_arrays

LINE = [[1], [0, 2], [1]]
STAR = [[1, 2, 3, 4], [0], [0], [0], [0]]
ALONE = [[]]


def random_tree(nodes, seed):
    rng = np.random.default_rng(seed)
    near = [[] for _ in range(nodes)]
    for node in range(1, nodes):
        other = int(rng.integers(node))
        near[node].append(other)
        near[other].append(node)
    return near


TREES = [LINE, ALONE, STAR, random_tree(20, 0), random_tree(7, 1)]


def literal(gru, x, near, rounds):
    """The equations of Jin et al., all messages in every round, one after the other."""
    w_z, w_r, w = gru.node.weight.chunk(3)
    b_z, b_r, b = gru.node.bias.chunk(3)
    zero = torch.zeros(x.shape[1], dtype=x.dtype)
    h = {(i, j): zero for i, others in enumerate(near) for j in others}
    for _ in range(rounds):
        new = {}
        for i, j in h:
            told = [h[k, i] for k in near[i] if k != j]
            s = sum(told, zero)
            z = torch.sigmoid(w_z @ x[i] + b_z + gru.update.weight @ s)
            kept = zero
            for message in told:
                r = torch.sigmoid(w_r @ x[i] + b_r + gru.reset.weight @ message)
                kept = kept + r * message
            candidate = torch.tanh(w @ x[i] + b + gru.candidate.weight @ kept)
            new[i, j] = (1 - z) * s + z * candidate
        h = new
    return h


def batch(trees):
    things = [tree_arrays(near) | {"words": np.arange(len(near))} for near in trees]
    return things, Trees.of(Pool(things), np.arange(len(things)))


def test_levels_give_what_all_messages_in_every_round_give():
    torch.manual_seed(0)
    gru = TreeGRU(12).double()
    things, trees = batch(TREES)
    x = torch.randn(len(trees.words), 12, dtype=torch.float64)
    h = gru(x, trees.messages)
    place, start, first = trees.messages.place, 0, 0
    for near, thing in zip(TREES, things):
        expected = literal(gru, x[first:], near, rounds=len(near))
        for number, ends in enumerate(thing["ends"].tolist()):  # both sweeps: up and down
            torch.testing.assert_close(
                h[place[start + number]], expected[tuple(ends)], rtol=0, atol=1e-6
            )
        start, first = start + len(thing["ends"]), first + len(near)
    assert start == len(h)


def test_fewer_rounds_than_levels_would_not_be_enough():
    gru = TreeGRU(4).double()
    near = random_tree(9, 2)
    x = torch.randn(9, 4, dtype=torch.float64)
    ends, needs = all_messages(near)
    depth = levels(needs).max()
    enough, short = (literal(gru, x, near, rounds) for rounds in (depth + 1, depth))
    more = literal(gru, x, near, depth + 5)
    assert all(torch.equal(enough[pair], more[pair]) for pair in more)
    assert not all(torch.equal(short[pair], more[pair]) for pair in more)


def test_each_message_waits_for_those_that_it_needs():
    ends, needs = all_messages(random_tree(30, 3))
    level = levels(needs)
    assert all(level[number] > level[other] for number, row in enumerate(needs) for other in row)
    found = Messages.ordered(ends, needs)
    assert sum(found.sizes) == len(ends) and sum(found.pairs) == sum(map(len, needs))
    assert (found.row > found.needed).all()


def test_one_step_is_one_message():
    torch.manual_seed(1)
    gru = TreeGRU(6)
    ends, needs = all_messages(STAR)
    messages = Messages.ordered(ends, needs)
    x = torch.randn(5, 6)
    h = gru(x, messages)
    for number, (i, j) in enumerate(ends):
        told = h[messages.place[needs[number]]] if needs[number] else x.new_zeros(0, 6)
        step = gru.step(x[[i]], told, torch.zeros(len(told), dtype=torch.long))
        torch.testing.assert_close(step[0], h[messages.place[number]])


def test_a_batch_is_its_trees_one_by_one():
    torch.manual_seed(2)
    gru = TreeGRU(5)
    things, trees = batch(TREES)
    x = torch.randn(len(trees.words), 5)
    inbox = sums(gru(x, trees.messages), trees.messages.target, len(x))
    first = 0
    for near in TREES:
        alone = Trees.of(Pool([tree_arrays(near) | {"words": np.arange(len(near))}]), np.arange(1))
        own = x[first : first + len(near)]
        expected = sums(gru(own, alone.messages), alone.messages.target, len(near))
        torch.testing.assert_close(inbox[first : first + len(near)], expected)
        first += len(near)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine offers no CUDA")
def test_a_graphics_card_gives_the_same():
    things, _ = batch(TREES)
    gru, x = TreeGRU(8), torch.randn(sum(map(len, TREES)), 8)
    rows = np.arange(len(things))
    here, there = (
        gru.to(device)(x.to(device), Trees.of(Pool(things), rows, device).messages)
        for device in ("cpu", "cuda")
    )
    torch.testing.assert_close(here, there.cpu(), rtol=1e-4, atol=1e-5)
