"""An epoch of the network for drug pairs: lines and drugs encoded once, beside a row at a time.

    .venv/bin/python -m pytest benchmarks/test_drug_pair.py --benchmark-enable -s

68,000 rows of 58 lines and 54 drugs, as four of five folds of Xia et al. (2018) hold, with 23,000 +
400 + 3,000 features of a line and 1,000 of a drug.  The peer is the published form: the features of
a row's line and of its two drugs go through the whole network.  Both begin from the same weights
and take the same batches, of 4,096 rows, and their losses must agree.  Ours is an epoch at width
64; the peer's first batches, and those of both at the paper's width 1,000, are extrapolated.
It ends in failure, exit status 1, where ours is less than `FLOOR` times faster.
"""

import time

import numpy as np
import pytest
import torch

from cdp_lib.models.base.training import Training, masked_mse, seeded, train
from cdp_lib.models.drug_pair import PairModule

ROWS, BATCH, LINES, DRUGS = 68_000, 4_096, 58, 54
FEATURES, DESCRIPTORS = (23_000, 400, 3_000), 1_000
FLOOR = 10
MEGABYTE = 2**20
on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")


def data(device="cpu"):
    make = torch.Generator().manual_seed(0)
    lines = [torch.randn(LINES, width, generator=make).to(device) for width in FEATURES]
    drugs = torch.randn(DRUGS, DESCRIPTORS, generator=make).to(device)
    numbers = [torch.randint(0, n, (ROWS,), generator=make) for n in (LINES, DRUGS, DRUGS)]
    return lines, drugs, (*numbers, torch.randn(ROWS, generator=make))


def network(width):
    with seeded(0):
        return PairModule(FEATURES, DESCRIPTORS, (width,) * 3, (width,) * 3)


def row_by_row(module, lines, drugs, line, a, b):
    parts = [encode(table[line]) for encode, table in zip(module.lines, lines, strict=True)]
    parts += [module.drug(drugs[a]), module.drug(drugs[b])]
    return module.out(module.rest(module.activate(module.first(torch.cat(parts, 1))))).squeeze(-1)


def epoch(form, width, batches, device="cpu"):
    """Seconds of so many batches, and the loss over them."""
    lines, drugs, rows = data(device)
    rows = [one[: batches * BATCH] for one in rows]

    def loss(module, line, a, b, y):
        return masked_mse(form(module, lines, drugs, line, a, b), y)

    how = Training(epochs=1, batch_size=BATCH, device=device)
    history = train(network(width), loss, rows, training=how)
    return history.seconds, history.train["loss"][0]


def live_megabytes(form, width):
    """Tensors that live between forward and backward of one batch, weights aside."""
    lines, drugs, rows = data()
    module, kept = network(width), {}
    weights = {parameter.data_ptr() for parameter in module.parameters()}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        form(module, lines, drugs, *(one[:BATCH] for one in rows[:3])).sum()
    return sum(kept.values()) / MEGABYTE


@pytest.mark.parametrize("width, ours_of, peer_of", [(64, 17, 2), (1000, 1, 1)])
def test_ratio(width, ours_of, peer_of, capsys):
    """So many batches of ours and of the peer's, of 17 an epoch."""
    whole = ROWS / BATCH
    _, loss = epoch(PairModule.forward, width, peer_of)
    seconds, same = epoch(row_by_row, width, peer_of)
    peer = seconds * whole / peer_of
    ours = epoch(PairModule.forward, width, ours_of)[0] * whole / min(ours_of, whole)
    small, large = (live_megabytes(form, width) for form in (PairModule.forward, row_by_row))
    with capsys.disabled():
        print(
            f"\nwidth {width:,}, {ROWS:,} rows, batches of {BATCH:,}: encoded once {ours:.1f} s an "
            f"epoch, a row at a time {peer:.0f} s: {peer / ours:.0f} times faster; a batch keeps "
            f"{small:.0f} MB for its gradient, against {large:,.0f} MB"
        )
    assert loss == pytest.approx(same, rel=1e-5)
    assert peer / ours >= FLOOR


@on_cuda
def test_on_cuda_at_the_paper_s_width(capsys):
    torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    seconds, _ = epoch(PairModule.forward, 1000, int(np.ceil(ROWS / BATCH)), "cuda")
    peak = torch.cuda.max_memory_allocated() / MEGABYTE
    with capsys.disabled():
        print(f"\nCUDA, width 1,000: {seconds:.1f} s an epoch, peak {peak:,.0f} MB, "
              f"{time.perf_counter() - start:.1f} s with set-up")  # fmt: skip
