"""The whole of task 1 of Bodinier et al. (2025), at its size, once, on drawn data.

    OMP_NUM_THREADS=1 nice .venv/bin/python benchmarks/leap_task1.py

1,050 lines x 5,000 genes, of which linear masked autoencoders with five seeds make 256 values
each, pretrained on all lines (transductive, as published).  Ten times a random fifth of the lines
is tested: five lassos for each of 1,538 perturbations, one a representation, 10 alphas x 5 inner
folds each, and the mean of them.  Nothing is extrapolated; every split prints what it took.
"""

import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import ShuffleSplit

from cdp_lib.metrics import spearman
from cdp_lib.models.layered import LayeredEnsemble
from cdp_lib.models.linear import Lasso
from cdp_lib.models.networks.masked import MaskedAutoencoder

LINES, GENES, PERTURBATIONS, VALUES, SEEDS, SPLITS = 1_050, 5_000, 1_538, 256, 5, 10


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Factors of falling size and noise, so that genes are alike as those of real lines are."""
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(LINES, 300)) / np.sqrt(np.arange(1, 301))
    X = factors @ rng.normal(size=(300, GENES)) + 0.7 * rng.normal(size=(LINES, GENES))
    weights = rng.normal(size=(300, PERTURBATIONS)) * (rng.random((300, PERTURBATIONS)) < 0.1)
    Y = factors @ weights
    Y = Y / Y.std(axis=0) + 2 * rng.normal(size=Y.shape)
    return pd.DataFrame(X).add_prefix("gene "), pd.DataFrame(Y).add_prefix("perturbation ")


def timed(what: str, task: Callable[[], object]) -> tuple[object, np.ndarray]:
    start = np.array([time.perf_counter(), time.process_time()])
    result = task()
    spent = np.array([time.perf_counter(), time.process_time()]) - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # GiB, on Linux
    print(f"{what}: {spent[0]:.0f} s, processor {spent[1]:.0f} s, peak {peak:.2f} GiB", flush=True)
    return result, spent


def main() -> None:
    X, Y = tables()
    total, frozen, scores, gaps = np.zeros(2), [], [], []
    for seed in range(SEEDS):
        model = MaskedAutoencoder(VALUES).set_params(training__seed=seed)
        model, spent = timed(f"representation {seed}", lambda model=model: model.fit(X))
        frozen.append(FrozenEstimator(model))
        total += spent
    splits = ShuffleSplit(SPLITS, test_size=0.2, random_state=0)
    for number, (train, test) in enumerate(splits.split(X)):
        leap = LayeredEnsemble(frozen, Lasso(n_jobs=2))
        _, spent = timed(f"split {number}", lambda m=leap, t=train: m.fit(X.iloc[t], Y.iloc[t]))
        total += spent
        scores.append(np.nan_to_num(spearman(Y.iloc[test], leap.predict(X.iloc[test]))).mean())
        gaps.append(max(head.gap_.max() for head in leap.parts_))
    print(
        f"task 1, {SPLITS} splits x {SEEDS} representations: {total[0] / 60:.1f} min, processor "
        f"{total[1] / 60:.1f} min; largest relative gap {max(gaps):.1e}; Spearman "
        f"{np.mean(scores):.3f} ± {np.std(scores, ddof=1):.3f} over splits (drawn data)"
    )


if __name__ == "__main__":
    main()
