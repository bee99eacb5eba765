"""The naive baselines of a wide screen, 77 lines x 15,697 perturbations, against plain pandas.

    .venv/bin/python -m pytest benchmarks/test_baselines.py --benchmark-enable -s

The peer fills the gaps of the tissue means as one writes it in pandas, `means.fillna(series)`, a
loop over the columns.  It ends in failure, exit status 1, where ours is less than `FLOOR` times
faster.
"""

import time

import numpy as np
import pandas as pd
import pytest

from cdp_lib.models.baselines import LineMean, PerturbationMean, TissueMean

LINES, PERTURBATIONS, TISSUES = 77, 15_697, 12
FLOOR = 20


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(0)
    lines = pd.Index([f"line {i}" for i in range(LINES)])
    values = rng.normal(size=(LINES, PERTURBATIONS)).astype("float32")
    values[rng.random(values.shape) < 0.1] = np.nan
    Y = pd.DataFrame(values, lines).add_prefix("gene ")
    return Y, pd.Series(rng.integers(0, TISSUES, LINES), lines)


def here(Y: pd.DataFrame, tissue: pd.Series) -> list[np.ndarray]:
    X = pd.DataFrame(index=Y.index)
    models = (PerturbationMean(), LineMean(), TissueMean(tissue))
    return [model.fit(X, Y).predict(X).to_numpy() for model in models]


def with_pandas(Y: pd.DataFrame, tissue: pd.Series) -> list[np.ndarray]:
    Y = Y.astype(float)
    overall = np.nanmean(Y.to_numpy())
    perturbation = Y.mean().fillna(overall)
    by_tissue = Y.groupby(tissue).mean().fillna(perturbation)
    line = Y.mean(axis=1).fillna(overall)
    return [
        np.tile(perturbation, (LINES, 1)),
        np.tile(line.to_numpy()[:, None], (1, PERTURBATIONS)),
        by_tissue.reindex(tissue).fillna(perturbation).to_numpy(),
    ]


def seconds(function, *tables) -> float:
    start = time.process_time()
    function(*tables)
    return time.process_time() - start


@pytest.mark.benchmark(group=f"baselines {LINES} x {PERTURBATIONS:,}")
def test_baselines(benchmark, tables):
    for ours, theirs in zip(benchmark(here, *tables), with_pandas(*tables), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_ratio(tables, capsys):
    """Both sides in one run, in processor time: the median of five here, one pass of the peer."""
    ours = np.median([seconds(here, *tables) for _ in range(5)])
    peer = seconds(with_pandas, *tables)
    with capsys.disabled():
        print(
            f"\nbaselines, {LINES} x {PERTURBATIONS:,}: here {ours:.3f} s, "
            f"pandas {peer:.2f} s: {peer / ours:.0f} times faster"
        )
    assert peer / ours >= FLOOR
