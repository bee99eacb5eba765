"""The junction-tree autoencoder: its encoder, its preparation and its training.

    CDP_MIRROR=... .venv/bin/python -m pytest benchmarks/test_junction_tree.py --benchmark-enable -s

The peer of the tree encoder is the published form: all messages of all trees, in each of 20 rounds.
Both have the same weights and must give the same messages, up and down; it ends in failure, exit
status 1, where ours is less than `FLOOR` times faster.  The molecules are the first of the 86,334
drug-like ones of ZINC in the pocket data; without these data the benchmarks are skipped.
"""

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cdp_lib.models.base.training import seeded, train
from cdp_lib.models.junction_tree.batch import Batch
from cdp_lib.models.junction_tree.fitting import ONCE_THROUGH, annealed
from cdp_lib.models.junction_tree.prepared import in_parts, prepare
from cdp_lib.models.junction_tree.trees import tree
from cdp_lib.models.junction_tree.vae import JunctionTreeVAE

FLOOR = 10
ROUNDS = 20
BATCH = 64


def molecules(count):
    file = Path(os.environ.get("CDP_MIRROR", "none")) / "zinc-86k" / "qed_mols.txt"
    if not file.is_file():
        pytest.skip("CDP_MIRROR names no folder with zinc-86k")
    lines = file.read_text().split()
    return [lines[row] for row in np.random.default_rng(0).permutation(len(lines))[:count]]


def tables():
    return (molecules(1_000),)


def here(smiles):
    """(module, prepared, seconds): molecules as numbers, and a network for their words."""
    words = sorted({word for text in smiles for word in tree(text).words})
    with seeded(0):
        module = JunctionTreeVAE(words)
    start = time.perf_counter()
    prepared = prepare(smiles, words)
    spent = time.perf_counter() - start
    module(Batch.of(prepared, np.arange(BATCH)))["loss"].backward()
    return module, prepared, spent


@pytest.fixture(scope="module")
def some():
    return here(*tables())


def literal(gru, x, messages):
    """The equations of messages.py for all messages at once, again and again."""
    count, width = len(messages.source), x.shape[1]
    most = int(torch.bincount(messages.row, minlength=1).max())
    needed = torch.zeros(count, most, dtype=torch.long)  # 1 + message; 0: none
    column = torch.zeros(count, dtype=torch.long)
    for row, other in zip(messages.row.tolist(), messages.needed.tolist()):
        needed[row, column[row]] = 1 + other
        column[row] += 1
    source, mask = x[messages.source], (needed > 0)[..., None]
    h = x.new_zeros(count, width)

    def rounds(h):
        for _ in range(ROUNDS):
            told = torch.cat([h.new_zeros(1, width), h])[needed]  # (messages, most, width)
            in_z, in_r, in_h = gru.node(source).chunk(3, dim=1)
            total = told.sum(dim=1)
            z = torch.sigmoid(in_z + gru.update(total))
            r = torch.sigmoid(in_r[:, None] + gru.reset(told)) * mask
            new = torch.tanh(in_h + gru.candidate((r * told).sum(dim=1)))
            h = (1 - z) * total + z * new
        return h

    return lambda: rounds(h)


def seconds(work, rounds):
    times = []
    for _ in range(rounds + 1):  # the first one warms up
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return float(np.median(times[1:]))


def test_the_tree_encoder_beside_the_recurrence_over_all_messages(some, capsys):
    module, prepared, _ = some
    gru = module.tree_encoder.gru
    batch = Batch.of(prepared, np.arange(BATCH)).trees
    x = module.words(batch.words).detach()
    peer = literal(gru, x, batch.messages)
    with torch.no_grad():
        torch.testing.assert_close(gru(x, batch.messages), peer(), rtol=0, atol=1e-5)
        here, there = seconds(lambda: gru(x, batch.messages), 11), seconds(peer, 3)
    ratio = there / here
    with capsys.disabled():
        print(
            f"\n{len(batch.messages.source):,} messages of {BATCH} trees, "
            f"{len(batch.messages.sizes)} levels: {1e3 * here:.0f} ms, all messages in {ROUNDS} "
            f"rounds {1e3 * there:.0f} ms: {ratio:.0f} times faster; "
            f"{BATCH / here:,.0f} molecules a second"
        )
    assert ratio > FLOOR


def test_decomposition_of_10000_molecules(capsys):
    smiles = molecules(10_000)
    in_parts(words_of, smiles[:400], 2)  # the processes start
    start = time.perf_counter()
    trees = in_parts(words_of, smiles, 2)
    spent = time.perf_counter() - start
    assert len(trees) == len(smiles) and all(trees)
    with capsys.disabled():
        print(
            f"\ntrees of {len(smiles):,} molecules, two processes: {spent:.0f} s, "
            f"{len(smiles) / spent:,.0f} molecules a second"
        )


def words_of(text):
    return tree(text).words


def test_training(some, capsys):
    module, prepared, preparing = some
    rows = torch.arange(len(prepared.smiles))
    how = replace(ONCE_THROUGH, epochs=2, batch_size=BATCH, device="cpu")
    start = time.process_time()
    history = train(module, annealed(prepared, (0.001, 0.1), 40), (rows,), training=how)
    spent = time.process_time() - start
    assert history.train["words"][1] < history.train["words"][0]
    with capsys.disabled():
        print(
            f"\nprepared with all their environments: {len(rows) / preparing:,.0f} molecules a "
            f"second; trained: {2 * len(rows) / spent:,.0f} a second of processor time"
        )


def test_peak_memory(peak, capsys):
    with capsys.disabled():
        print(f"\n1,000 molecules prepared and one step: peak memory {peak:.2f} GB, torch included")
    assert peak < 3
