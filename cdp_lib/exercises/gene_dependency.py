"""What the exercises of chapter 03 demand; a number that is asked for is known by its seal only."""

import hashlib
import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd

from cdp_lib import audit, metrics
from cdp_lib.models.linear.cca import noise_correlation


def check_1(c, answer, must_pass: bool = False) -> None:
    """The dual form: weights (features, targets) of ridge from an n x n system only."""
    draw = np.random.default_rng(3)
    X, Y = draw.normal(size=(30, 400)), draw.normal(size=(30, 2))
    very_wide = np.random.default_rng(4).normal(size=(8, 1500))

    def left_over(f, alpha):
        """How far the weights are from a minimum: the slope of loss and penalty, which is 0."""
        W = np.asarray(f(X, Y, alpha))
        return np.abs(X.T @ (X @ W - Y) + alpha * W).max()

    rules = [
        (callable, "Write a function of X, Y and alpha."),
        (
            lambda f: np.shape(f(X, Y, 7.0)) == (400, 2),
            "Give weights: p rows, a column a target; do not forget the X' in front.",
        ),
        (
            lambda f: left_over(f, 7.0) < 1e-6,
            "These weights do not minimise the loss and the penalty: multiply the equation by both "
            "inverses, one from the left and one from the right.",
        ),
        (
            lambda f: left_over(f, 0.5) < 1e-6 and left_over(f, 200.0) < 1e-6,
            "It is right for alpha = 7 only: use the alpha that is given.",
        ),
        (
            lambda f: largest_memory(lambda: f(very_wide, very_wide[:, :1], 1.0)) < 1500**2 * 8,
            "The weights are right, but a p x p matrix was made on the way: this is the primal "
            "form.",
        ),
    ]
    c.check("03-1", answer, *rules, must_pass=must_pass)


def check_2(c, answer, must_pass: bool = False) -> None:
    """The score along genes of a prediction that fits nothing: the mean expressions."""
    X = pd.DataFrame(np.random.default_rng(8).normal(4, 2, (6, 50)))
    signs = np.array([1, 1, 1, 1, -1, -1])[:, None]  # the mean gene is right in four lines of six
    Y = pd.DataFrame(signs * X.mean().to_numpy() * [[1], [5], [2], [1], [9], [3]] + 7)
    rules = [
        (callable, "Write a function of X and Y."),
        (lambda f: np.ndim(f(X, Y)) == 0 and -1 <= f(X, Y) <= 1, "Give one number from -1 to 1."),
        (
            lambda f: abs(f(X, Y) - 1 / 3) < 1e-6,
            "With four lines that follow the mean expression exactly and two that do the opposite, "
            "whatever their scale, it must be 1/3: correlate along the genes of each line, then "
            "average over the lines.",
        ),
        (
            lambda f: f(X, np.exp(Y.iloc[[0, 0, 0]])) < 0.999,
            "A bent relation is no perfect one: take Pearson's correlation, not that of ranks.",
        ),
    ]
    c.check("03-2", answer, *rules, must_pass=must_pass)


def check_3(c, answer, must_pass: bool = False) -> None:
    """How many rows of noise, 15 columns on either side, bring the first correlation to a half."""

    def from_half(rows):
        """How far the mean of many draws with so many rows lies from one half."""
        draw = np.random.default_rng(33)
        return np.mean([noise_correlation(15 / rows, 15, draw) for _ in range(300)]) - 0.5

    rules = [
        (lambda n: n >= 30, "With fewer rows than both tables have columns together, it is 1."),
        (lambda n: from_half(n) < 0.013, "Too few rows: the correlation is still above one half."),
        (
            lambda n: from_half(n) > -0.013,
            "Too many rows: it is below one half already. Did you simulate 15 columns, or take the "
            "theory of many?",
        ),
    ]
    c.check("03-3", answer, *rules, must_pass=must_pass)


def check_4(c, answer, script: Callable, cohort, fold, must_pass: bool = False) -> None:
    """The script of the page with its steps and without its two leaks."""
    X, Y = cohort.X("expression").astype(float), cohort.Y.astype(float)
    truth = Y.where(fold.test)
    units = np.random.default_rng(4).uniform(0.1, 10, X.shape[1])  # a gene in other units

    def score(f):
        return np.nanmean(metrics.pearson(truth, f(X, Y, fold)))

    rules = [
        (callable, "Write a function of X, Y and a fold."),
        (
            lambda f: np.shape(f(X, Y, fold)) == Y.shape,
            "Predict for every line, training lines too, as the script does: the audit reads them.",
        ),
        (
            lambda f: not audit.sees_test_labels(f, X, Y, fold),
            "It still sees test labels: which step reads all of Y?",
        ),
        (
            lambda f: not audit.sees_test_features(f, X, Y, fold),
            "It still learns from the features of test lines: which step reads all of X?",
        ),
        (
            lambda f: numbers_behind(f(X, Y, fold)) <= 5,
            "The script predicts a summary of 5 numbers and expands it: keep this step.",
        ),
        (
            lambda f: np.allclose(f(X * units, Y, fold), f(X, Y, fold), atol=1e-4),
            "The script scales each gene, so its unit does not matter: keep this step.",
        ),
        (
            lambda f: score(f) > score(script) / 2,
            "It no longer predicts what the script does: keep its steps, change only what they "
            "read.",
        ),
    ]
    c.check("03-4", answer, *rules, must_pass=must_pass)


def check_5(c, answer, must_pass: bool = False) -> None:
    """How many of the paper's genes pass r > 0.2 by luck, and which share passes."""
    rules = [
        (lambda pair: len(pair) == 2, "Give two numbers: a count and a share."),
        (
            lambda pair: sealed(pair[0], "9fca5198", 1),
            "The count is wrong: mind that a gene's r is a mean over five folds, and how many "
            "genes are predicted.",
        ),
        (lambda pair: 0 <= pair[1] <= 1, "Give the share as a number from 0 to 1."),
        (
            lambda pair: sealed(pair[1], "5547bf1b", 2),
            "The share is of the genes that are predicted, not of those that go in.",
        ),
    ]
    c.check("03-5", answer, *rules, must_pass=must_pass)


def check_6(c, answer, must_pass: bool = False) -> None:
    """By how many sd the best of 150 noisy epochs lies above their mean."""
    rules = [
        (lambda s: np.ndim(s) == 0, "Give one number."),
        (
            lambda s: s > 2,
            "Too low: take the *largest* of 150 draws, and average that over many runs.",
        ),
        (
            lambda s: s < 3,
            "Too high: it is a mean over runs, neither a bound nor the largest of all.",
        ),
        (
            lambda s: sealed(s, "af3266e6", 2, slack=0.01),
            "Near, but not right: repeat the draw of 150 at least a thousand times, and take the "
            "mean of the largest.",
        ),
    ]
    c.check("03-6", answer, *rules, must_pass=must_pass)


def largest_memory(call: Callable) -> int:
    """The most bytes that a call holds at once."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def numbers_behind(P) -> int:
    """How many numbers a line differ in the prediction: the rank of the centred table."""
    P = np.asarray(P, float)
    return np.linalg.matrix_rank(P - P.mean(axis=0), tol=1e-6 * np.abs(P).max() * np.sqrt(P.size))


def sealed(number: float, seal: str, digits: int, slack: float = 0.0) -> bool:
    """Is this, to so many digits, the number behind a seal? So no check shows its answer."""
    near = {f"{number * by:.{digits}g}" for by in (1 - slack, 1, 1 + slack)}
    return any(hashlib.sha256(text.encode()).hexdigest()[:8] == seal for text in near)
