"""The checks of the chapter on layers pass right answers in any form, and name each mistake."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from cdp_lib.chapter import Chapter
from cdp_lib.errors import InputError
from cdp_lib.exercises import leap as exercises

C = Chapter("07_leap", "quick", "teaching", 0, "cpu")
Z, ALPHA = np.array([0.9, -0.7, 0.45, 0.3, -0.1]), 0.4


def verdict(check, *given):
    """None when an answer passes, else the hint."""
    try:
        check(C, *given, must_pass=True)
    except InputError as error:
        return str(error)
    return None


def test_weights_predicted_by_hand_are_those_of_the_minimum():
    def cost(w, z):
        return (w - z) ** 2 / 2 + ALPHA * abs(w)

    grid = np.linspace(-1, 1, 20001)
    right = [grid[np.argmin(cost(grid, z))] for z in Z]
    for answer in (right, np.array(right), tuple(np.round(right, 2)), pd.Series(right)):
        assert verdict(exercises.check_1, answer, Z, ALPHA) is None


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (Z / 1.4, "This is ridge"),
        ([0.9, -0.7, 0.45, 0, 0], "large ones shrink"),
        (Z - ALPHA, "stays negative"),
        ([0.5, 0.3, 0.05, 0, 0], "stays negative"),
        ([0.5, -0.3, 0.05, 0.1, 0], "exactly 0"),
        ([0.5, -0.3, 0, 0, 0], "stop at 0"),
        ([0.5, -0.3], "5 numbers"),
        (0.5, "5 numbers"),
        ("0.5", "5 numbers"),
    ],
)
def test_each_mistake_about_shrinking_is_named(answer, hint):
    assert hint in verdict(exercises.check_1, answer, Z, ALPHA)


def solves(X, y, w, alpha):
    left = X.T @ (y - X @ w) / len(y)
    used = w != 0
    return np.allclose(left[used], alpha * np.sign(w[used]), atol=1e-6) and bool(
        (np.abs(left[~used]) <= alpha + 1e-6).all()
    )


def solves_by_steps(X, y, w, alpha):
    """No small step in any direction lowers the objective."""

    def cost(w):
        return np.square(y - X @ w).sum() / (2 * len(y)) + alpha * np.abs(w).sum()

    steps = 1e-4 * np.vstack([np.eye(len(w)), -np.eye(len(w))])
    return all(cost(w + step) >= cost(w) - 1e-12 for step in steps)


def solves_by_minimising(X, y, w, alpha):
    """Another algorithm finds nothing better."""
    p = X.shape[1]

    def cost(v):
        return np.square(y - X @ (v[:p] - v[p:])).sum() / (2 * len(y)) + alpha * v.sum()

    def slope(v):
        g = -X.T @ (y - X @ (v[:p] - v[p:])) / len(y)
        return np.concatenate([g, -g]) + alpha

    start = np.concatenate([np.maximum(w, 0), np.maximum(-w, 0)])
    bounds = [(0, None)] * (2 * p)
    best = minimize(cost, start, jac=slope, bounds=bounds, tol=1e-15).fun
    return best > cost(start) - 1e-7


def test_the_conditions_of_a_lasso_pass_in_any_form():
    for right in (solves, solves_by_steps, solves_by_minimising):
        assert verdict(exercises.check_2, right) is None, right.__name__


def without(part):
    """`solves` with one of its parts left out or wrong."""

    def wrong(X, y, w, alpha):
        left = X.T @ (y - X @ w) / (1 if part == "n" else len(y))
        used = w != 0
        zero = part == "zeros" or bool((np.abs(left[~used]) <= alpha + 1e-6).all())
        signs = np.abs(left[used]) if part == "sign" else left[used] * np.sign(w[used])
        if part == "inequality":
            return bool((np.abs(left) <= alpha + 1e-6).all())
        if part == "exact":
            return zero and bool((signs == alpha).all())
        return zero and np.allclose(signs, alpha, atol=1e-6)

    return wrong


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (without("n"), "divided by 2 n"),
        (without("exact"), "divided by 2 n"),
        (without("zeros"), "one feature would gain"),
        (without("inequality"), "exactly, no less"),
        (without("sign"), "wrong sign"),
        (lambda X, y, w, alpha: True, "although one feature"),
        (lambda X, y, w, alpha: False, "refuses a solution"),
        (lambda X, y, w, alpha: w, "True or False"),
        (True, "Write a function"),
    ],
)
def test_each_missing_condition_is_named(answer, hint):
    assert hint in verdict(exercises.check_2, answer)


def test_a_feature_that_was_left_out_is_missed_by_some_and_found_by_others():
    """Only weights of 0 at once are looked at: the other ones pass, although one was left out."""

    def one_look(X, y, w, alpha):
        return solves(X, y, w, alpha) if not w.any() else without("zeros")(X, y, w, alpha)

    assert "A feature is missing" in verdict(exercises.check_2, one_look)


def test_the_error_of_a_mean_is_the_mean_of_all_products():
    for right in (
        lambda C: C.mean(),
        lambda C: np.ones(len(C)) @ C @ np.ones(len(C)) / len(C) ** 2,
        lambda C: sum(C[a, b] for a in range(len(C)) for b in range(len(C))) / len(C) ** 2,
    ):
        assert verdict(exercises.check_3, right) is None


def off(C):
    return C[~np.eye(len(C), dtype=bool)].mean()


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda C: np.diag(C).mean() / len(C), "Five copies"),
        (lambda C: np.diag(C).mean(), "half of the squared"),
        (off, "half of the squared"),
        (lambda C: C.sum() / len(C), "Five copies"),
        (lambda C: np.sqrt(C[0, 0] * C[1, 1]) / 2 + C[0, 1] / 2, "each product"),
        (lambda C: C[:4, :4].sum() / min(len(C), 4) ** 2, "some numbers of models"),
        (lambda C: C, "one number"),
        (0.5, "Write a function"),
    ],
)
def test_each_wrong_mean_is_named(answer, hint):
    assert hint in verdict(exercises.check_3, answer)


def errors(r, k=5, cells=4000):
    """Errors of k models of which any two correlate by r, with a few unknown cells."""
    rng = np.random.default_rng(1)
    e = np.sqrt(r) * rng.normal(size=(cells, 1)) + np.sqrt(1 - r) * rng.normal(size=(cells, k))
    e[:7, 0] = np.nan
    return pd.DataFrame(e)


@pytest.mark.parametrize("r", [0.3, 0.7, 0.9, 0.98])
def test_the_share_that_averaging_removes_follows_from_the_correlation(r):
    e = errors(r)
    pairs = e.corr().to_numpy()[~np.eye(5, dtype=bool)].mean()
    assert verdict(exercises.check_4, 1 - (1 + 4 * pairs) / 5, e) is None
    assert verdict(exercises.check_4, round(0.8 * (1 - r), 2), e) is None
    assert "nothing in common" in verdict(exercises.check_4, 0.8, e)
    assert "what stays" in verdict(exercises.check_4, (1 + 4 * r) / 5, e)
    assert "between 0 and 1" in verdict(exercises.check_4, 20, e)
    if r < 0.95:  # else 1 - r is as near as a correlation can be read
        assert "(k - 1) r" in verdict(exercises.check_4, 1 - r, e)


LAYERED = [f"ridge {k} on mae {k}" for k in range(5)]
FITTED = [
    *LAYERED,
    *(f"ridge {k} on mae 0" for k in range(1, 5)),
    *(f"ridge {k} on mae 3" for k in range(5) if k != 3),
    *(f"ridge {k} on pca" for k in range(5)),
    *(f"ridge {k} on bootstrap pca {k}" for k in range(5)),
    *(f"lasso {k} on mae 0" for k in range(5)),
]


def test_any_one_representation_is_a_control_of_layers():
    for number in (0, 3):
        control = [f"ridge {k} on mae {number}" for k in range(5)]
        assert verdict(exercises.check_5, control, LAYERED, FITTED) is None
        assert verdict(exercises.check_5, tuple(control[::-1]), LAYERED, FITTED) is None


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (LAYERED, "layered as well"),
        ([f"ridge {k} on bootstrap pca {k}" for k in range(5)], "layered as well"),
        (["ridge 0 on mae 0"], "averages 5"),
        (["ridge 0 on mae 0"] * 5, "copies"),
        ([f"lasso {k} on mae 0" for k in range(5)], "same heads"),
        ([f"ridge {k} on pca" for k in range(5)], "Take a representation"),
        (["my model"] * 5, "names of fitted"),
        ("ridge 0 on mae 0", "names of fitted"),
        (5, "names of fitted"),
    ],
)
def test_each_control_that_differs_in_more_is_named(answer, hint):
    assert hint in verdict(exercises.check_5, answer, LAYERED, FITTED)


def test_lassos_are_counted():
    solved = 10 * 5 * 5 * 10 * 1539
    for right in ((solved, 25), [solved, 25.0], np.array([solved, 25])):
        assert verdict(exercises.check_6, right) is None
    for wrong, hint in [
        ((solved // 10, 25), "Too few"),
        ((solved * 2, 25), "five counts"),
        ((solved, 250), "best alpha only"),
        ((solved, 5), "inner folds"),
        ((solved, 2.5), "whole numbers"),
        (solved, "two numbers"),
    ]:
        assert hint in verdict(exercises.check_6, wrong)


def test_the_fewest_tumours_are_accepted_for_each_usual_width():
    def fewest(widened):
        n = 4
        while np.arctanh(0.3) <= 1.96 * np.sqrt(widened / (n - 3)):
            n += 1
        return n

    for widened in (1.0, 1 + 0.3**2 / 2, 1.03**2):  # Pearson; Bonett & Wright; Fieller
        assert verdict(exercises.check_7, fewest(widened)) is None
    assert verdict(exercises.check_7, np.array([45])) is None
    for wrong, hint in [
        (20, "below 0"),
        (43, "below 0"),
        (47, "Fewer are enough"),
        (100, "Fewer are enough"),
        (3, "no interval"),
        (44.5, "whole number"),
    ]:
        assert hint in verdict(exercises.check_7, wrong)


def test_a_stub_is_not_attempted_and_breaks_nothing(capsys):
    exercises.check_1(C, ..., Z, ALPHA)
    exercises.check_5(C, ..., LAYERED, FITTED)
    assert capsys.readouterr().out.count("not attempted") == 2
