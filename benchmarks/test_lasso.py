"""Lasso of 1,538 perturbations on 840 lines x 256 values, 10 alphas, 5 folds, beside skglm.

    .venv/bin/python -m pytest benchmarks/test_lasso.py --benchmark-enable -s

The peer is skglm's ElasticNet (tol 1e-4, its default) called anew for each perturbation, fold and
alpha, as Bodinier et al. (2025) call it.  It is measured on a sample of perturbations after a
first call, which compiles it, and multiplied.  Both sides use one thread and processor time,
because neighbours on the machine make wall time unfair.  It ends in failure, exit status 1, where
ours is less than `FLOOR` times faster, takes `SECONDS` of processor time or 3 GB, or has a
relative duality gap above `GAP` in any fold, at any alpha, of any perturbation.
"""

import time
import warnings

import numpy as np
import pytest
from sklearn.linear_model import lasso_path as scikit_learn_path

from cdp_lib.metrics import spearman
from cdp_lib.models.linear import Lasso
from cdp_lib.models.linear.lasso_path import Gram, lasso_path, relative_gaps

LINES, VALUES, PERTURBATIONS, SAMPLE = 840, 256, 1_538, 8
FLOOR, SECONDS, GAP = 25, 60, 1e-5
SIZES = f"{LINES} x {VALUES} to {PERTURBATIONS:,}, 10 alphas, 5 folds"


def tables(noise=5.0, perturbations=PERTURBATIONS):
    """Twenty hidden factors, and noise in each value; the more noise, the less alike they are."""
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(LINES, 20))
    X = factors @ rng.normal(size=(20, VALUES)) + noise * rng.normal(size=(LINES, VALUES))
    Y = factors @ rng.normal(size=(20, perturbations))
    return X, Y + 4 * rng.normal(size=Y.shape)


def here(X, Y):
    return Lasso().fit(X, Y)


def folds():
    order = np.random.default_rng(0).permutation(LINES)  # as Lasso(seed=0) deals the lines
    return [order[k::5] for k in range(5)]


def peer(x, y, alphas):
    """One perturbation: the fits of all folds and alphas, and the best mean score."""
    from skglm import ElasticNet

    fits, scores = [], np.zeros((5, len(alphas)))
    for k, out in enumerate(folds()):
        rows = np.setdiff1d(np.arange(LINES), out)
        for a, alpha in enumerate(alphas):
            fits.append((rows, alpha, ElasticNet(alpha=alpha, l1_ratio=1.0).fit(x[rows], y[rows])))
            scores[k, a] = spearman(y[out], fits[-1][-1].predict(x[out]))[0]
    return fits, np.nan_to_num(scores).mean(axis=0).max()


def gap_and_objective(x, y, w, alpha) -> tuple[float, float]:
    """The relative duality gap of weights w, and their objective as a share of that of 0."""
    x, y, w = x - x.mean(axis=0), (y - y.mean())[:, None], w[:, None]
    l1, squares = np.array([len(x) * alpha]), (y**2).sum(axis=0)
    gap = relative_gaps(Gram(x), x.T @ y, squares, w, l1, np.zeros(1))
    objective = ((y - x @ w) ** 2).sum(axis=0) + 2 * l1 * np.abs(w).sum()
    return gap[0], (objective / squares)[0]


def test_ratio_gaps_and_time(capsys):
    pytest.importorskip("skglm", reason="skglm is missing: pip install 'cdp[benchmarks]'")
    X, Y = tables()
    start = time.process_time()
    model = here(X, Y)
    ours = time.process_time() - start

    x = (X - X.mean(axis=0)) / X.std(axis=0)
    alphas = model._grid(x, Y[:, :SAMPLE])  # (alphas, perturbations)
    gaps, seconds = [], 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits that have not converged: their gaps tell
        peer(x, Y[:, 0], alphas[:, 0])  # compiles
        for j in range(SAMPLE):
            start = time.process_time()
            fits, best = peer(x, Y[:, j], alphas[:, j])
            seconds += time.process_time() - start
            own = [model._path(x[rows], Y[rows, j : j + 1], np.array([[a]])) for rows, a, _ in fits]
            for (rows, alpha, fit), path in zip(fits, own, strict=True):
                gap, value = gap_and_objective(x[rows], Y[rows, j], fit.coef_, alpha)
                w = path.weights[0, :, 0]
                assert gap_and_objective(x[rows], Y[rows, j], w, alpha)[1] <= value + GAP
                gaps.append(gap)
            assert abs(best - model.scores_[:, j].max()) < 0.01
    theirs = seconds / SAMPLE * PERTURBATIONS
    with capsys.disabled():
        print(
            f"\nlasso, {SIZES}: here {ours:.1f} s of processor time, largest relative gap "
            f"{model.gap_.max():.1e}; skglm {seconds / SAMPLE:.2f} s a perturbation (of {SAMPLE}) "
            f"x {PERTURBATIONS:,} = {theirs:.0f} s, largest gap {max(gaps):.1e}: "
            f"{theirs / ours:.0f} times faster"
        )
    assert model.gap_.max() <= GAP and ours < SECONDS and theirs / ours >= FLOOR


@pytest.mark.parametrize("noise", [5.0, 1.0])
def test_coordinate_descent_on_one_gram_matrix(noise, capsys):
    """scikit-learn's path from the same Gram matrix, to the same gap: what our own solver saves."""
    X, Y = tables(noise, 128)
    x, y = (X - X.mean(axis=0)) / X.std(axis=0), Y - Y.mean(axis=0)
    gram, q, squares = Gram(x), x.T @ y, (y**2).sum(axis=0)
    alphas = np.abs(q).max(axis=0) / LINES * np.geomspace(1, 1e-3, 10)[:, None]
    start = time.process_time()
    _, gaps = lasso_path(gram, q, squares, LINES * alphas, 0 * alphas, GAP)
    ours = (time.process_time() - start) / 128
    start, x = time.process_time(), np.asfortranarray(x)
    for j in range(SAMPLE):  # its tolerance is a share of |y|^2, ours of |y|^2 / 2
        scikit_learn_path(
            x, y[:, j].copy(), alphas=alphas[:, j], precompute=gram.gram, Xy=q[:, j].copy(),
            tol=GAP / 2, max_iter=100_000, check_input=False, random_state=0,
        )  # fmt: skip
    theirs = (time.process_time() - start) / SAMPLE
    with capsys.disabled():
        print(
            f"\nlasso path of 10 alphas, {LINES} x {VALUES}, noise {noise:g}, gap {GAP:g}: here "
            f"{1e3 * ours:.1f} ms, scikit-learn from the same Gram matrix {1e3 * theirs:.1f} ms: "
            f"{theirs / ours:.1f} times"
        )
    assert gaps.max() <= GAP


def test_peak_memory(peak, capsys):
    """A fresh process that makes the tables and fits them stays under 3 GB."""
    with capsys.disabled():
        print(f"\nlasso, {SIZES}: peak memory {peak:.2f} GB, tables and interpreter included")
    assert peak < 3
