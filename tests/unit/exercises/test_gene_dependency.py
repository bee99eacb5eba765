"""The checks of chapter 03 let right answers pass in any spelling, and name each likely mistake."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.decomposition import PCA

from cdp_lib import audit
from cdp_lib.chapter import Chapter
from cdp_lib.errors import InputError
from cdp_lib.exercises import gene_dependency as exercises
from cdp_lib.models.linear import Ridge
from cdp_lib.splits import published

C = Chapter("03", "quick", "teaching", 0, "cpu")


def verdict(check, *given):
    """None when an answer passes, else the hint."""
    try:
        check(C, *given, must_pass=True)
    except InputError as error:
        return str(error)
    return None


@pytest.fixture(scope="module")
def cohort():
    rng = np.random.default_rng(5)
    lines, genes = [f"line {i}" for i in range(24)], [f"gene {i}" for i in range(40)]
    X = pd.DataFrame(rng.normal(4, 1, (24, 40)), lines, genes)
    Y = pd.DataFrame(rng.normal(0, 0.3, X.shape), lines, genes)
    Y.iloc[:, :10] += X.iloc[:, :10] - 4
    return SimpleNamespace(X=lambda omics: X, Y=Y + 0.5 * X.mean())


def dual(X, Y, alpha):
    return X.T @ np.linalg.solve(X @ X.T + alpha * np.eye(len(X)), Y)


def dual_by_svd(X, Y, alpha):
    U, d, Vt = np.linalg.svd(X, full_matrices=False)
    return Vt.T @ ((d / (d**2 + alpha))[:, None] * (U.T @ Y))


def primal(X, Y, alpha):
    return np.linalg.solve(X.T @ X + alpha * np.eye(X.shape[1]), X.T @ Y)


def test_the_dual_form_passes_in_any_spelling_and_nothing_else():
    check = exercises.check_1
    assert verdict(check, dual) is None and verdict(check, dual_by_svd) is None
    assert "primal" in verdict(check, primal)
    assert "alpha = 7 only" in verdict(check, lambda X, Y, alpha: dual(X, Y, 7.0))
    assert "do not minimise" in verdict(check, lambda X, Y, alpha: dual(X, Y, alpha) / 2)


def test_the_score_of_nothing_is_along_genes_and_linear():
    check = exercises.check_2

    def along(X, Y, corr=lambda a, b: np.corrcoef(a, b)[0, 1]):
        return np.mean([corr(X.mean(), row) for row in Y.to_numpy()])

    assert verdict(check, along) is None
    assert verdict(check, lambda X, Y: Y.corrwith(X.mean(), axis=1).mean()) is None

    def of_ranks(X, Y):
        return along(X, Y, lambda a, b: stats.spearmanr(a, b).statistic)

    assert "not that of ranks" in verdict(check, of_ranks)
    for wrong in (lambda X, Y: X.corrwith(Y, axis=1).mean(), lambda X, Y: X.corrwith(Y).mean()):
        assert "1/3" in verdict(check, wrong)


def test_the_rows_that_halve_a_noise_correlation_are_simulated():
    check = exercises.check_3
    assert verdict(check, 193) is None and verdict(check, 188) is None
    assert "Too many" in verdict(check, 224) and "Too few" in verdict(check, 175)


def chain_in_small(X, Y, fold, scale=True, summary=5, features=None):
    """The script of exercise 03-4; `features` are the lines that its scales come from."""
    learn = fold.fit.any(axis=1)
    known = X[learn if features is None else features]
    Z = (X - known.mean()) / (known.std() if scale else 1.0)
    found = PCA(summary, svd_solver="full").fit(Y[learn])
    latent = pd.DataFrame(found.transform(Y[learn]), Y.index[learn])
    model = Ridge((10.0,), standardize=scale).fit(Z[learn], latent)
    return pd.DataFrame(found.inverse_transform(np.asarray(model.predict(Z))), Y.index, Y.columns)


def test_the_honest_script_keeps_the_steps_and_loses_the_leaks(cohort):
    fold = published.file_order(cohort.Y, 4).folds[0]

    def hint(answer):
        return verdict(exercises.check_4, answer, chain_in_small, cohort, fold)

    assert hint(chain_in_small) is None
    assert hint(lambda *of: chain_in_small(*of).to_numpy()) is None
    for words, wrong in {
        "test lines": lambda *of: chain_in_small(*of, features=slice(None)),
        "5 numbers": lambda *of: chain_in_small(*of, summary=9),
        "unit": lambda *of: chain_in_small(*of, scale=False),
        "every line": lambda X, Y, fold: chain_in_small(X, Y, fold)[fold.test.any(axis=1)],
        "test labels": lambda X, Y, fold: Y,
    }.items():
        assert words in hint(wrong)


def test_luck_and_price_are_known_by_their_seals():
    luck, share = audit.null_fraction(0.2, 126, folds=5) * 4902, 1639 / 4902
    check = exercises.check_5
    assert verdict(check, (luck, share)) is None and verdict(check, [0.00143, 0.334]) is None
    assert "five folds" in verdict(check, (audit.null_fraction(0.2, 126) * 4902, share))
    assert "not of those that go in" in verdict(check, (luck, 1639 / 17040))
    draws = np.random.default_rng(0).normal(size=(3000, 150)).max(axis=1)
    check = exercises.check_6
    assert verdict(check, draws.mean()) is None
    assert verdict(check, np.median(draws) - 0.1) and verdict(check, np.sqrt(2 * np.log(150)))
