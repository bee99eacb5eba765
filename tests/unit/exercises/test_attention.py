"""What the exercises of the chapter on attention accept, and the hint for each mistake."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.audit import mse_lower_bound
from cdp_lib.chapter import Chapter
from cdp_lib.errors import InputError
from cdp_lib.exercises import attention as exercises
from cdp_lib.models.linear import Ridge
from cdp_lib.splits import leave_lines_out

C = Chapter("04_multi_omics_attention", "quick", "teaching", 0, "cpu")
rng = np.random.default_rng(0)
LINES = [f"line {i}" for i in range(45)]
X = pd.DataFrame(rng.normal(size=(45, 60)), LINES).add_prefix("gene ")
Y = X.to_numpy()[:, :5] @ rng.normal(size=(5, 4)) + rng.normal(size=(45, 4))
Y = pd.DataFrame(Y, LINES).add_prefix("drug ")
FOLD = leave_lines_out(Y, 3, tune=0).folds[0]


def told(check, answer, *given, capsys):
    check(C, answer, *given)
    return capsys.readouterr().out


def bound(mse_1, mse_2, w):
    return (w * np.sqrt(mse_1) - (1 - w) * np.sqrt(mse_2)) ** 2


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (bound, "correct"),
        (..., "not attempted"),
        (lambda a, b, w: w * a - (1 - w) * b, "Take roots"),
        (lambda a, b, w: max(w * a**0.5 - (1 - w) * b**0.5, 0) ** 2, "larger"),
    ],
)
def test_the_bound(answer, hint, capsys):
    assert hint in told(exercises.check_1, answer, capsys=capsys)


@pytest.mark.parametrize(
    ("answer", "hint"), [(0.94, "correct"), (3.3, "better than"), (0.5, "must come out")]
)
def test_the_bound_turned_round(answer, hint, capsys):
    given = 3.25, 11.77, 0.9, 0.28
    assert hint in told(exercises.check_2, answer, *given, capsys=capsys)
    assert mse_lower_bound(0.94, 11.77, 0.9) == pytest.approx(0.28, abs=0.01)


def leaky(X, Y, fold):
    return Ridge(alphas=(1.0,)).fit(X, Y).predict(X)


def repaired(X, Y, fold):
    rows = fold.fit.any(axis=1)
    return Ridge(alphas=(1.0,)).fit(X[rows], Y.where(fold.fit)[rows]).predict(X)


def handed_out(X, Y, fold):
    return Y


def means(X, Y, fold):
    return pd.DataFrame(0.0, Y.index, Y.columns) + Y.where(fold.fit).mean()


LEAKS = [(leaky, "correct"), (repaired, "too low"), (handed_out, "depend on X")]
REPAIRS = [(repaired, "correct"), (leaky, "test labels"), (means, "depend on X")]


@pytest.mark.parametrize(("answer", "hint"), LEAKS)
def test_the_leak(answer, hint, capsys):
    assert hint in told(exercises.check_3, answer, X, Y, FOLD, capsys=capsys)


@pytest.mark.parametrize(("answer", "hint"), REPAIRS)
def test_the_repair(answer, hint, capsys):
    assert hint in told(exercises.check_4, answer, X, Y, FOLD, capsys=capsys)


def test_a_scale_learned_from_test_lines_is_a_leak_of_features(capsys):
    def on_all(X, Y, fold):
        rows = fold.fit.any(axis=1)
        scaled = X / X.std()
        return Ridge(alphas=(1.0,)).fit(scaled[rows], Y[rows]).predict(scaled) + X.mean().sum()

    assert "features" in told(exercises.check_4, on_all, X, Y, FOLD, capsys=capsys)


def test_random_numbers_win_the_attention_where_networks_saw_all_lines(capsys):
    two = pd.concat({"expression": X}, axis=1)
    dice = np.random.default_rng(1)
    many = pd.DataFrame(dice.normal(size=(45, 180)), LINES)
    few = pd.DataFrame(dice.normal(size=(45, 1)), LINES)
    copied = pd.concat([X, many], axis=1)
    given = two, Y, FOLD
    assert "correct" in told(exercises.check_5, many, *given, capsys=capsys)
    assert "How many columns" in told(exercises.check_5, few, *given, capsys=capsys)
    assert "at random" in told(exercises.check_5, copied, *given, capsys=capsys)
    assert "lines of Y" in told(exercises.check_5, many[:9], *given, capsys=capsys)


def test_a_wrong_solution_stops_the_chapter():
    with pytest.raises(InputError, match="04-1"):
        exercises.check_1(C, lambda a, b, w: 0.0, must_pass=True)
