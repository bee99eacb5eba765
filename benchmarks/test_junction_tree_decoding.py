"""Decoding 512 latent vectors with the trained junction tree in batches, beside one by one.

    .venv/bin/python -m pytest benchmarks/test_junction_tree_decoding.py --benchmark-enable -s

Both sides must give the same molecules.  Processor time of one thread.  It ends in failure, exit
status 1, where batches decode fewer than `FLOOR` molecules a second, from the prior or from
N(0, 49), or add more than `MEGABYTES` to the process.  Local environments are kept between calls,
so the first call of a process is slower than the next; each side starts with none.
"""

import resource
import time

import pytest
import torch

from cdp_lib.models.junction_tree import choosing, load, parts, placing
from cdp_lib.models.junction_tree.decoding import decode
from cdp_lib.models.junction_tree.latents import sample

MOLECULES, FLOOR, MEGABYTES = 512, 20, 400


def forget() -> None:
    """Drop the local environments that were kept."""
    for module in (choosing, parts, placing):
        for each in vars(module).values():
            if hasattr(each, "cache_clear"):
                each.cache_clear()


def timed(work):
    forget()
    start = time.process_time()
    found = work()
    return found, time.process_time() - start


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("scale", [1.0, 7.0])
def test_molecules_a_second(scale, capsys):
    torch.set_num_threads(1)
    model = load()
    sample(model, 2)
    before = peak()
    together, ours = timed(lambda: sample(model, MOLECULES, scale))
    added = peak() - before
    again = time.process_time()
    sample(model, MOLECULES, scale, seed=1)
    again = time.process_time() - again
    few = together.latents[:64]
    alone, theirs = timed(lambda: decode(model.module_, few, batch=1))
    batch, same = timed(lambda: decode(model.module_, few))
    with capsys.disabled():
        print(
            f"\nN(0, {scale:.0f}^2): {MOLECULES / ours:.0f} molecules/s, then "
            f"{MOLECULES / again:.0f}; one by one {64 / theirs:.0f}, those 64 in a batch "
            f"{64 / same:.0f}; + {added:.0f} MB; limits hit: {together.hit.to_dict()}"
        )
    assert alone.smiles == batch.smiles == together.smiles[:64]
    assert MOLECULES / ours > FLOOR
    assert added < MEGABYTES
