"""The checks of chapter 06 let right answers pass in any spelling, and name each likely mistake."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from cdp_lib.chapter import Chapter
from cdp_lib.errors import InputError
from cdp_lib.exercises import drug_pairs as exercises

C = Chapter("06", "quick", "teaching", 0, "cpu")


def verdict(check, *given):
    """None when an answer passes, else the hint."""
    try:
        check(C, *given, must_pass=True)
    except InputError as error:
        return str(error)
    return None


def expected(a, b):
    return min(a, b) if a <= 0 or b <= 0 else min(a, 1) * min(b, 1)


def expected_otherwise(a, b):
    return min(a, b) if min(a, b) <= 0 else np.clip(a, None, 1) * np.clip(b, None, 1)


@pytest.mark.parametrize("z", [expected, expected_otherwise])
def test_the_score_by_hand_passes_in_any_spelling(z):
    assert verdict(exercises.check_1, lambda ab, a, b: (ab - z(a, b)) * 100) is None


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda ab, a, b: 100 * (ab - a * b), "counts as 1"),
        (lambda ab, a, b: 100 * (ab - min(a, 1) * min(b, 1)), "a product makes no"),
        (lambda ab, a, b: 100 * (expected(a, b) - ab), "sign"),
        (lambda ab, a, b: ab - expected(a, b), "times 100"),
        (lambda ab, a, b: 100 * (ab - min(a, b)), "their product"),
        (lambda ab, a, b: 100 * (ab - (a if a <= 0 else min(a, 1) * min(b, 1))), "whichever"),
        (
            lambda ab, a, b: 100 * (ab - (min(a, b) if a * b < 0 else min(a, 1) * min(b, 1))),
            "below 0 twice",
        ),
        (lambda ab, a: 0.0, "missing|takes"),
        (-10.0, "function"),
    ],
)
def test_a_wrong_score_is_told_what_is_wrong(wrong, hint):
    with pytest.raises(InputError, match=hint):
        exercises.check_1(C, wrong, must_pass=True)


def mean_of_orders(f):
    return lambda x, a, b: (f(x, a, b) + f(x, b, a)) / 2


def in_one_order(f):
    return lambda x, a, b: f(x, *sorted((a, b), key=lambda drug: tuple(drug)))


@pytest.mark.parametrize("right", [mean_of_orders, in_one_order])
def test_symmetry_passes_in_any_way(right):
    assert verdict(exercises.check_2, right) is None


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda f: f, "Swapping"),
        (lambda f: lambda x, a, b: f(x, a + b, a + b), "stay as it is"),
        (lambda f: lambda x, a, b: 0.0, "stay as it is"),
        (lambda f: lambda x, a, b: f(x, a, b) + f(x, b, a), "stay as it is"),
        (lambda f: 0.0, "not a number"),
        ("the mean", "takes a model"),
        (
            lambda f: lambda x, a, b: f(x, a, b) + 3 * abs(f(x, a, b) - f(x, b, a)),
            "Swapping",
        ),
        (
            lambda f: lambda x, a, b: max(f(x, a, b), f(x, b, a)) + abs(f(x, a, b) - f(x, b, a)),
            "between",
        ),
    ],
)
def test_what_is_not_symmetric_or_another_model_is_told(wrong, hint):
    assert hint in verdict(exercises.check_2, wrong)


RIGHT = {"a": "new lines", "b": "new pairs", "c": "a new drug", "d": "random rows"}


def test_the_split_of_each_question():
    check = exercises.check_3
    assert verdict(check, RIGHT) is None
    assert verdict(check, {letter: f" {w.title()}" for letter, w in RIGHT.items()}) is None
    for letter in RIGHT:
        for wrong in set(exercises.SPLITS) - {RIGHT[letter]}:
            assert f"Question {letter}" in verdict(check, RIGHT | {letter: wrong})
    assert "Choose" in verdict(check, RIGHT | {"a": "leave one out"})
    assert "Fill" in verdict(check, dict.fromkeys("abcd", "..."))
    assert "Fill" in verdict(check, "new lines")
    assert "each once" in verdict(check, {"a": "new lines"})


@pytest.mark.parametrize("seed", range(5))
def test_only_chemistry_predicts_new_drugs_and_all_predict_known_ones(seed):
    tables, effects = exercises.three_tables(seed)
    new, known = {}, {}
    for letter, Z in tables.items():
        p = np.zeros(60)
        for fold in range(5):
            test = np.arange(60) % 5 == fold
            p[test] = Ridge(10.0).fit(Z[~test], effects[~test].mean(axis=1)).predict(Z[test])
        new[letter] = np.corrcoef(p, effects.mean(axis=1))[0, 1]
        fit = Ridge(1.0).fit(Z, effects.iloc[:, :10].mean(axis=1)).predict(Z)
        known[letter] = np.corrcoef(fit, effects.iloc[:, 10:].mean(axis=1))[0, 1]
    best = max(new, key=new.get)
    assert verdict(exercises.check_4, best, seed) is None
    assert verdict(exercises.check_4, f" {best.lower()} ", seed) is None
    for other in set("ABC") - {best}:
        assert "name tag" in verdict(exercises.check_4, other, seed)
        assert new[other] < new[best] - 0.2
    assert min(known.values()) > 0.8
    assert "A, B or C" in verdict(exercises.check_4, "D", seed)
    assert len({exercises._world(n)[2] for n in range(9)}) == 3  # the letter hangs on the seed


def nothing():
    """The same by another way: the distribution of a minimum."""
    draw = np.random.default_rng(1)
    pair = 1 - 0.1 * draw.normal(size=(9, 4000)).max(axis=0)
    old = 1 - 0.1 * draw.normal(size=(2, 100, 4000)).max(axis=1)
    new = (1 + 0.1 * draw.normal(size=(2, 5, 20, 4000))).mean(axis=2).min(axis=1)
    return [100 * (pair - np.prod(np.minimum(one, 1), axis=0)).mean() for one in (old, new)]


def test_drugs_that_do_nothing_have_two_scores():
    check = exercises.check_5
    old, new = nothing()
    assert old > 20 and new < -5  # one definition finds antagonism, the other synergy
    assert verdict(check, (old, new)) is None
    assert verdict(check, np.array([old, new])) is None
    assert "other order" in verdict(check, (new, old))
    assert "near 0" in verdict(check, (0.0, 0.0))
    assert "which of them" in verdict(check, (-old, new))
    assert "lowest of 9" in verdict(check, (old + 5, new))
    assert "0.1 / sqrt(20)" in verdict(check, (old, new - 5))
    assert "two numbers" in verdict(check, old)


@pytest.mark.parametrize(
    "check", [exercises.check_1, exercises.check_2, exercises.check_4, exercises.check_5]
)
def test_an_empty_stub_is_no_attempt(check, capsys):
    check(C, ...)
    assert "not" in capsys.readouterr().out
