"""The ridge path is checked against scikit-learn, refitted at each alpha in each fold."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LinearRegression as PlainLeastSquares
from sklearn.linear_model import Ridge as Reference
from sklearn.model_selection import KFold

from cdp_lib.errors import InputError
from cdp_lib.metrics import pearson
from cdp_lib.models.linear.paths import ridge_path, ridge_scores

ALPHAS = (0.0, 0.1, 10.0, 1000.0)  # 0: least squares
SHAPES = [(60, 20), (30, 80)]  # from X'X, and from X X'


def problem(lines, features, targets=6, missing=0.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(50.0, 2.0, size=(lines, features))  # far from zero: centring matters
    Y = 7 + X @ rng.normal(size=(features, targets)) + rng.normal(size=(lines, targets))
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


def reference(X, Y, train, test, alpha):
    """One column after the other, each on its known training rows."""
    P = np.full((len(test), Y.shape[1]), np.nanmean(Y[train]))
    for j, y in enumerate(Y.T):
        rows = train[~np.isnan(y[train])]
        if len(rows):
            model = Reference(alpha=alpha, solver="svd") if alpha else PlainLeastSquares()
            P[:, j] = model.fit(X[rows], y[rows]).predict(X[test])
    return P


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_fold_and_alpha_equals_scikit_learn(shape, missing):
    X, Y = problem(*shape, missing=missing)
    folds = list(KFold(5, shuffle=True, random_state=0).split(X))
    for (train, test), P in zip(folds, ridge_path(X, Y, ALPHAS, folds), strict=True):
        assert P.shape == (len(ALPHAS), len(test), Y.shape[1]) and P.dtype == np.float64
        for alpha, found in zip(ALPHAS, P, strict=True):
            np.testing.assert_allclose(found, reference(X, Y, train, test, alpha), rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_folds_may_be_small_overlap_and_be_masks(shape):
    X, Y = problem(*shape)
    train, test = np.arange(8), np.arange(5, 9)  # fewer training rows than left out
    masks = tuple(np.isin(np.arange(len(X)), part) for part in (train, test))
    (by_number,) = ridge_path(X, Y, (1.0,), [(train, test)])
    (by_mask,) = ridge_path(X, Y, (1.0,), [masks])
    np.testing.assert_allclose(by_number[0], reference(X, Y, train, test, 1.0), rtol=1e-6)
    np.testing.assert_array_equal(by_number, by_mask)


@pytest.mark.parametrize("shape", SHAPES)
def test_labels_outside_the_training_rows_do_not_matter(shape):
    X, Y = problem(*shape, missing=0.2)
    folds = list(KFold(3).split(X))
    for number, P in enumerate(ridge_path(X, Y, ALPHAS, folds)):
        changed = Y.copy()
        changed[folds[number][1]] = 1e6
        again = list(ridge_path(X, changed, ALPHAS, folds))[number]
        np.testing.assert_allclose(P, again, rtol=1e-9)


def test_a_column_without_training_labels_is_given_the_mean():
    X, Y = problem(30, 5)
    Y[:20, 2] = np.nan
    train, test = np.arange(20), np.arange(20, 30)
    (P,) = ridge_path(X, Y, (1.0, 2.0), [(train, test)])
    np.testing.assert_allclose(P[:, :, 2], np.nanmean(Y[:20]))


def test_scores_are_those_of_the_predictions():
    X, Y = problem(40, 10, missing=0.1)
    X, Y = pd.DataFrame(X).add_prefix("gene "), pd.DataFrame(Y).add_prefix("drug ")
    folds = list(KFold(4).split(X))
    scores = ridge_scores(X, Y, ALPHAS, folds)
    assert scores.shape == (len(ALPHAS), len(folds), Y.shape[1])
    P = list(ridge_path(X, Y, ALPHAS, folds))[2]
    np.testing.assert_array_equal(scores[1, 2], pearson(Y.iloc[folds[2][1]], P[1]))


@pytest.mark.parametrize(
    ("alphas", "folds", "message"),
    [
        ((-1.0,), [([0, 1], [2])], "positive"),
        ((np.inf,), [([0, 1], [2])], "positive"),
        ((1.0,), [([0, 99], [2])], "numbers below 30"),
        ((1.0,), [([0.5, 1.0], [2])], "masks of the 30 lines"),
        ((1.0,), [(np.zeros(30, dtype=bool), [2])], "0 known labels to learn from"),
        ((1.0,), [([0, 1], np.zeros(30, dtype=bool))], "0 test lines"),
    ],
)
def test_bad_input_is_one_sentence(alphas, folds, message):
    X, Y = problem(30, 5)
    with pytest.raises(InputError, match=message):
        list(ridge_path(X, Y, alphas, folds))


def test_other_bad_input_is_one_sentence(monkeypatch):
    X, Y = problem(30, 5)
    with pytest.raises(InputError, match="Unknown metric 'r'"):
        ridge_scores(X, Y, (1.0,), [], metric="r")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="no CUDA"):
        list(ridge_path(X, Y, (1.0,), [([0, 1], [2])], device="cuda"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine offers no CUDA")
@pytest.mark.parametrize("shape", SHAPES)
def test_the_graphics_card_gives_the_same_numbers(shape):
    X, Y = problem(*shape, missing=0.2)
    folds = list(KFold(3).split(X))
    for cpu, gpu in zip(
        *(ridge_path(X, Y, ALPHAS, folds, device) for device in ("cpu", "cuda")), strict=True
    ):
        np.testing.assert_allclose(cpu, gpu, rtol=1e-8)
