"""The walk goes down and up every edge; in training it is taken in one go."""

import numpy as np
import torch
from torch import nn

from cdp_lib.models.junction_tree.batch import walks_of
from cdp_lib.models.junction_tree.decoder import TreeDecoder, walk, walked
from cdp_lib.models.junction_tree.prepared import Pool, tree_arrays

FORK = [[1, 3], [0, 2], [1], [0]]  # 0 - 1 - 2 and 0 - 3


def test_the_walk_by_hand():
    assert walk(FORK) == [(0, 1), (1, 2), (2, 1), (1, 0), (0, 3), (3, 0), (0, None)]


def test_what_is_decided_and_heard_by_hand():
    found = walked(FORK)
    assert found.ends == [(0, 1), (1, 2), (2, 1), (1, 0), (0, 3), (3, 0)]
    assert found.needs == [[], [0], [], [2], [3], []]
    assert found.decisions == [(0, 1), (1, 1), (2, 0), (1, 0), (0, 1), (3, 0), (0, 0)]
    assert found.heard == [(1, 0), (2, 1), (3, 0), (3, 2), (4, 3), (5, 4), (6, 3), (6, 5)]
    assert found.reached == [-1, 0, 1, 4]


def test_a_lone_node_is_left_at_once():
    found = walked([[]])
    assert (found.ends, found.decisions, found.reached) == ([], [(0, 0)], [-1])


def test_the_losses_are_those_of_a_walk_step_by_step():
    torch.manual_seed(0)
    width, latent = 6, 4
    decoder = TreeDecoder(nn.Embedding(5, width), width, latent).double()
    trees, names = [FORK, [[]], [[1], [0]]], [3, 1, 1, 0, 2, 4, 4]
    pool = Pool([tree_arrays(t) | {"words": np.zeros(len(t), dtype=int)} for t in trees])
    z = torch.randn(3, latent, dtype=torch.float64)
    found = decoder(z, torch.tensor(names), walks_of(pool, np.arange(3)))

    topology = words = 0.0
    first = 0
    for number, near in enumerate(trees):
        x = decoder.words(torch.tensor(names[first : first + len(near)]))
        told = [{} for _ in near]  # told[i][k] = h[k -> i], so far

        def name(h, node, number=number, first=first):
            scores = decoder.name(torch.cat([h, z[number]]))
            return nn.functional.cross_entropy(scores, torch.tensor(names[first + node]))

        words = words + name(torch.zeros(width, dtype=torch.float64), 0)
        seen = {0}
        for here, there in walk(near):
            heard = sum(told[here].values(), torch.zeros(width, dtype=torch.float64))
            go = decoder.more(torch.cat([x[here], heard, z[number]]))[0]
            down = there is not None and there not in seen
            topology = topology - nn.functional.logsigmoid(go if down else -go)
            if there is None:
                continue
            needed = [h for k, h in told[here].items() if k != there]
            h = torch.stack(needed) if needed else x.new_zeros(0, width)
            message = decoder.gru.step(x[[here]], h, torch.zeros(len(h), dtype=torch.long))[0]
            if down:
                words = words + name(message, there)
                seen.add(there)
            told[there][here] = message
        first += len(near)
    torch.testing.assert_close(found["topology"], topology / 3)
    torch.testing.assert_close(found["words"], words / 3)
