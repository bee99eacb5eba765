"""What the exercises of the chapter on layered ensembles demand: rules, and a hint for each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import Lasso

from cdp_lib.exercises.gene_dependency import sealed

PLAIN = 1.96  # standard errors on either side of a 95 % interval


def check_1(c, answer: Any, z: np.ndarray, alpha: float, must_pass: bool = False) -> None:
    """Predict the lasso's weights of uncorrelated features with correlations z."""
    z = np.asarray(z, float)
    size = np.abs(z)
    right = np.sign(z) * np.maximum(size - alpha, 0)

    def same(weights, others) -> bool:
        return np.allclose(np.asarray(weights, float), others, rtol=0, atol=0.006)

    rules = [
        (lambda w: np.shape(np.asarray(w, float)) == z.shape, f"Give {len(z)} numbers in a list."),
        (
            lambda w: not same(w, z / (1 + alpha)),
            "This is ridge: it shrinks all weights by one factor. The penalty on |w| takes the "
            "same amount off each.",
        ),
        (
            lambda w: not same(w, np.where(size > alpha, z, 0)),
            "The small ones are gone, but the large ones shrink, too: the penalty pulls on them "
            "just as hard.",
        ),
        (
            lambda w: not same(w, z - alpha) and not same(w, np.abs(right)),
            "A negative weight moves up, towards 0, and stays negative.",
        ),
        (
            lambda w: not (np.asarray(w, float)[size <= alpha]).any(),
            "Where |z| is at most alpha, a weight costs more than it gains: it is exactly 0.",
        ),
        (lambda w: same(w, right), "Move each z by alpha towards 0, and stop at 0."),
    ]
    c.check("07-1", answer, *rules, must_pass=must_pass)


def check_2(c, answer: Any, must_pass: bool = False) -> None:
    """Do weights solve the lasso? A function of X, y, w and alpha."""
    X, y, alpha, w = lasso_problem()
    used = np.flatnonzero(w)
    strongest = np.abs(X.T @ y).max() / len(y)
    left_out = w.copy()
    left_out[used] = 0
    kept = used[1:]
    left_out[kept] = lasso(X[:, kept], y, alpha)  # solved among the others, as if it did not exist
    first = X[:, :1]
    turned = (first.T @ y + len(y) * alpha) / (first.T @ first)[0]  # as if the penalty paid
    nothing = np.zeros_like(w)
    rules = [
        (callable, "Write a function of X, y, w and alpha."),
        (lambda f: f(X, y, w, alpha) in (True, False), "Return True or False."),
        (
            lambda f: f(X, y, w, alpha) and f(X, y, lasso(X, y, 0.3 * alpha), 0.3 * alpha),
            "It refuses a solution that is exact to nine digits. The loss is divided by 2 n, so "
            "the correlations are X'(y - X w) / n; and compare with a tolerance, such as 1e-6.",
        ),
        (
            lambda f: f(X, y, nothing, 1.01 * strongest),
            "With so strong a penalty all weights are 0, and that is the solution.",
        ),
        (
            lambda f: not f(X, y, nothing, 0.9 * strongest),
            "All weights 0 pass, although one feature would gain more than it costs.",
        ),
        (
            lambda f: not f(X, y, left_out, alpha),
            "A feature is missing that would gain more than alpha: look at the weights of 0, too.",
        ),
        (
            lambda f: not f(X, y, w, 2 * alpha) and not f(X, y, w, 0.5 * alpha),
            "Where a weight is not 0, the correlation left over must be alpha exactly, no less and "
            "no more.",
        ),
        (
            lambda f: not f(first, y, turned, alpha),
            "A weight has the wrong sign: the correlation left over has the sign of its weight.",
        ),
    ]
    c.check("07-2", answer, *rules, must_pass=must_pass)


def check_3(c, answer: Any, must_pass: bool = False) -> None:
    """The squared error of a mean of models, from the products of their errors."""
    rng = np.random.default_rng(7)
    C, right = errors_of(rng, members=4)
    many, of_many = errors_of(rng, members=9)
    alike = np.full((5, 5), 2.0)

    def near(f, table, number) -> bool:
        return abs(float(f(table)) - number) < 1e-6 * max(1, number)

    rules = [
        (callable, "Write a function of C."),
        (lambda f: np.size(f(C)) == 1, "Give one number."),
        (
            lambda f: near(f, alike, 2.0),
            "Five copies of one model err as one of them does: the mean of five times 2 is 2. Do "
            "you use the products of different models?",
        ),
        (
            lambda f: near(f, np.diag([4.0, 4.0]), 2.0),
            "Where the errors of two models have nothing in common, half of the squared error "
            "must be left.",
        ),
        (
            lambda f: near(f, C, right),
            "Write the mean error as (e_1 + ... + e_k) / k, square it, and average: each product "
            "of two errors comes in, those of a model with itself and with each other one.",
        ),
        (lambda f: near(f, many, of_many), "It is right for some numbers of models only."),
    ]
    c.check("07-3", answer, *rules, must_pass=must_pass)


def check_4(c, answer: Any, errors, must_pass: bool = False) -> None:
    """Predict which share of the squared error goes when these models are averaged."""
    e = np.asarray(errors, float)  # (cells, members)
    e = e[~np.isnan(e).any(axis=1)]
    k = e.shape[1]
    right = 1 - np.square(e.mean(axis=1)).mean() / np.square(e).mean()
    rules = [
        (lambda share: np.size(share) == 1, "Give one number."),
        (lambda share: 0 <= one(share) < 1, "A share lies between 0 and 1."),
        (
            lambda share: abs(one(share) - (1 - 1 / k)) > 0.02 or abs(right - (1 - 1 / k)) < 0.02,
            f"So much would go if the errors of the {k} models had nothing in common; they have.",
        ),
        (
            lambda share: abs(one(share) - (1 - right)) > 0.015 or abs(1 - 2 * right) < 0.03,
            "This is what stays; the share that goes is 1 less it.",
        ),
        (
            lambda share: abs(one(share) - right) <= max(0.01, 0.1 * right),
            "With a correlation r between any two, (1 + (k - 1) r) / k of the error stays.",
        ),
    ]
    c.check("07-4", answer, *rules, must_pass=must_pass)


def check_5(
    c, answer: Any, layered: Sequence[str], fitted: Sequence[str], must_pass: bool = False
) -> None:
    """The control that could falsify layering: as many heads, on one representation.

    Names are "head on representation"; `fitted` are those that the page has fitted.
    """
    heads, summaries = (sorted({parts(name)[side] for name in layered}) for side in (0, 1))
    rules = [
        (
            lambda names: not isinstance(names, str) and set(names) <= set(fitted),
            'Give a list of names of fitted models, such as "' + layered[0] + '".',
        ),
        (
            lambda names: len(set(names)) == len(names),
            "A model stands there twice: a mean of copies is the model itself.",
        ),
        (
            lambda names: len(names) == len(layered),
            f"The layered ensemble averages {len(layered)} heads; a mean of more or fewer differs "
            "from it in more than the layering.",
        ),
        (
            lambda names: len({parts(name)[1] for name in names}) == 1,
            "These stand on several representations, so they are layered as well. Which control "
            "has all that the layered ensemble has, but not that?",
        ),
        (
            lambda names: sorted(parts(name)[0] for name in names) == heads,
            "Take the same heads, fitted to the same draws of lines: else the two differ in their "
            "heads, too.",
        ),
        (
            lambda names: parts(names[0])[1] in summaries,
            "Take a representation that the layered ensemble has: on another one a difference may "
            "come from that representation, and not from the number of them.",
        ),
    ]
    c.check("07-5", answer, *rules, must_pass=must_pass)


def check_6(c, answer: Any, must_pass: bool = False) -> None:
    """How many lassos the first task takes, and how many are averaged in one prediction."""
    rules = [
        (lambda pair: len(pair) == 2, "Give two numbers: (solved, averaged)."),
        (
            lambda pair: all(float(number).is_integer() for number in pair),
            "Give whole numbers.",
        ),
        (
            lambda pair: pair[0] > 1e6,
            "Too few are solved: each alpha is solved in each inner fold, for each gene, "
            "representation and split.",
        ),
        (
            lambda pair: sealed(pair[0], "64cb3b4b", 5),
            "The first number is not the product of the five counts.",
        ),
        (
            lambda pair: pair[1] < 100,
            "In one prediction stand the models of the best alpha only, and those of one split.",
        ),
        (
            lambda pair: sealed(pair[1], "b7a56873", 5),
            "For one gene: how many inner folds are averaged, and on how many representations?",
        ),
    ]
    c.check("07-6", answer, *rules, must_pass=must_pass)


def check_7(c, answer: Any, must_pass: bool = False) -> None:
    """How many tumours until a rank correlation of 0.3 can be told from none."""

    def low(n: float, widened: float) -> float:
        """The lower end of the 95 % interval of r = 0.3, in units of Fisher's z."""
        return np.arctanh(0.3) - PLAIN * np.sqrt(widened / (n - 3))

    rules = [
        (lambda n: np.size(n) == 1 and one(n).is_integer(), "Give a whole number of tumours."),
        (
            lambda n: one(n) > 3,
            "With n - 3 at 0 or below there is no interval.",
        ),
        (
            lambda n: low(one(n), 1.0) > 0,
            "With so few the interval still reaches below 0.",
        ),
        (
            lambda n: low(one(n) - 2, 1 + 0.3**2 / 2) <= 0,
            "Fewer are enough: give the smallest number whose interval lies above 0.",
        ),
    ]
    c.check("07-7", answer, *rules, must_pass=must_pass)


def lasso_problem() -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """X and y, centred, an alpha that leaves some weights at 0, and the weights."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(40, 8)) + rng.normal(size=(40, 1))
    y = X @ np.array([2.0, -1.5, 1.0, 0.5, 0, 0, 0, 0]) + 0.5 * rng.normal(size=40)
    X, y = X - X.mean(axis=0), y - y.mean()
    alpha = 0.1 * np.abs(X.T @ y).max() / len(y)
    return X, y, alpha, lasso(X, y, alpha)


def lasso(X: np.ndarray, y: np.ndarray, alpha: float) -> np.ndarray:
    """The minimum of |y - X w|^2 / (2 n) + alpha |w|_1."""
    model = Lasso(alpha=alpha, fit_intercept=False, tol=1e-14, max_iter=1_000_000)
    return model.fit(X, y).coef_


def errors_of(rng: np.random.Generator, members: int) -> tuple[np.ndarray, float]:
    """C[a, b], the mean product of the errors of two models, and the squared error of the mean."""
    shared = rng.normal(size=(2000, 1))
    e = 0.3 + shared + rng.normal(size=(2000, members)) * rng.uniform(0.3, 2, members)
    return e.T @ e / len(e), float(np.square(e.mean(axis=1)).mean())


def parts(name: str) -> tuple[str, str]:
    """Head and representation of "ridge 2 on mae 0"."""
    head, _, representation = name.partition(" on ")
    return head, representation


def one(number: Any) -> float:
    return float(np.ravel(number)[0])
