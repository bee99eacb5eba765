"""What the exercises of chapter 06 demand."""

from typing import Any

import numpy as np
import pandas as pd

from cdp_lib.data import screens
from cdp_lib.exercises.quickstart import sealed

SPLITS = ("random rows", "new pairs", "a new drug", "two new drugs", "new lines")
SEALS = {
    "a": "82b9aa91576c5e4d",
    "b": "17c2e9cb668bcdd8",
    "c": "a6690fd0eaf14f0c",
    "d": "789c7d55dfc611dc",
}
ASKS = {
    "a": "what is new here, the drugs or the tumour?",
    "b": "were the two drugs ever given, and were they given together?",
    "c": "how many of the two drugs stand in the screen?",
    "d": "is anything new here, or was only this one cell left empty?",
}
WELLS, DOSES, REPEATS, NOISE = 9, 5, 20, 0.1  # of exercise 06-5


def check_1(c, answer: Any, must_pass: bool = False) -> None:
    """BestComboScore of three growths, and of arrays of them."""

    def right(f, *growths) -> bool:
        return np.allclose(f(*growths), screens.best_combo_scores(*growths), atol=1e-6)

    many = np.random.default_rng(61).uniform(-1, 1.6, (3, 200))
    rules = [
        (callable, "Write a function of y_ab, y_a and y_b."),
        (
            lambda f: not np.isclose(abs(f(0.1, 0.5, 0.4)), 0.1),
            "Give the score times 100.",
        ),
        (
            lambda f: not np.isclose(f(0.1, 0.5, 0.4), 10),
            "The sign is turned: xia2018 takes the growth of the pair minus that expected of both.",
        ),
        (
            lambda f: right(f, 0.1, 0.5, 0.4),
            "With growths of 0.5 and 0.4 alone one expects their product, 0.2; a pair that leaves "
            "0.1 then has -10.",
        ),
        (
            lambda f: right(f, 0.2, 1.4, 0.3),
            "A growth above 1 counts as 1 in the product: nothing can be expected to help a cell.",
        ),
        (
            lambda f: right(f, -0.5, -0.2, 0.9) and right(f, -0.5, 0.9, -0.2),
            "Where a drug alone kills cells, its growth is 0 or below, and a product makes no "
            "sense: expect the lower of the two growths, whichever drug it belongs to.",
        ),
        (
            lambda f: right(f, -0.5, -0.2, -0.4) and right(f, 0.3, 0.0, 0.8),
            "Growths of exactly 0, or below 0 twice, belong to the first case, too.",
        ),
        (
            lambda f: np.allclose([f(*one) for one in many.T], screens.best_combo_scores(*many)),
            "It is right by hand and wrong for some growth from -1 to 1.6: look at the borders.",
        ),
    ]
    c.check("06-1", answer, *rules, must_pass=must_pass)


def check_2(c, answer: Any, must_pass: bool = False) -> None:
    """From any model of a line and two drugs, one that knows no order of the drugs."""
    draw = np.random.default_rng(62)
    u, v, w = draw.normal(size=(3, 4))
    drugs = draw.normal(size=(12, 4))
    lines = draw.normal(size=(3, 4))

    def ordered(x, a, b):
        return float(np.tanh(x @ w + a @ u - 2 * (b @ v)) + 0.3 * (a @ b))

    def unordered(x, a, b):
        return float(np.sin(x @ w + a @ b) + (a @ u) * (b @ u))

    each = [(x, a, b) for x in lines for a in drugs[:6] for b in drugs[6:]]

    def between(g) -> bool:
        """Within what the model says of either order."""
        ends = np.array([(ordered(x, a, b), ordered(x, b, a)) for x, a, b in each])
        values = np.array([g(x, a, b) for x, a, b in each])
        low, high = ends.min(axis=1) - 1e-9, ends.max(axis=1) + 1e-9
        return bool(((low <= values) & (values <= high)).all())

    rules = [
        (callable, "Write a function that takes a model and returns a model."),
        (
            lambda make: callable(make(ordered)),
            "It must return a function of (line, drug_a, drug_b), not a number.",
        ),
        (
            lambda make: all(
                np.isclose(make(ordered)(x, a, b), make(ordered)(x, b, a)) for x, a, b in each
            ),
            "Swapping the drugs still changes the prediction: write g(x, a, b) and g(x, b, a) out "
            "side by side.",
        ),
        (
            lambda make: all(
                np.isclose(make(unordered)(x, a, b), unordered(x, a, b)) for x, a, b in each
            ),
            "A model that has no order already must stay as it is: do not change what it is given.",
        ),
        (
            lambda make: between(make(ordered)),
            "The prediction must lie between those of the two orders, such as their mean.",
        ),
    ]
    c.check("06-2", answer, *rules, must_pass=must_pass)


def check_3(c, answer: Any, must_pass: bool = False) -> None:
    """Which split answers which question."""

    def filled(answers) -> bool:
        return isinstance(answers, dict) and not any(
            value in (None, ...) or str(value).strip(". ") == "" for value in answers.values()
        )

    rules: list = [
        (filled, "Fill in a split for each of the letters a to d."),
        (lambda answers: set(answers) == set(SEALS), "Answer for the letters a to d, each once."),
        (
            lambda answers: set(map(word, answers.values())) <= set(SPLITS),
            f"Choose each answer from {', '.join(SPLITS)}.",
        ),
    ]
    for letter, seal in SEALS.items():
        rules.append(
            (
                lambda answers, letter=letter, seal=seal: (
                    sealed(f"06-3{letter}", word(answers[letter])) == seal
                ),
                f"Question {letter}: {ASKS[letter]}",
            )
        )
    c.check("06-3", answer, *rules, must_pass=must_pass)


def word(answer: Any) -> str:
    return " ".join(str(answer).lower().split())


def three_tables(seed: int = 0) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Simulated: three tables "A", "B" and "C", 60 drugs x 60 numbers, and an effect by line.

    One table is chemistry, from which the effects were made; one is a name, turned so that nobody
    can see it; one is noise.  The effects are drugs x lines, each measured with noise.
    """
    tables, effects, _ = _world(seed)
    return tables, effects


def _world(seed: int) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, str]:
    draw = np.random.default_rng([64, seed])
    drugs = [f"drug {n:02}" for n in range(60)]
    chemistry = draw.normal(size=(60, 8)) @ draw.normal(size=(8, 60)) / np.sqrt(8)
    turn, _ = np.linalg.qr(draw.normal(size=(60, 60)))
    kinds = [chemistry, np.sqrt(60) * turn, draw.normal(size=(60, 60))]
    order = draw.permutation(3)
    tables = {
        letter: pd.DataFrame(kinds[kind], drugs) for letter, kind in zip("ABC", order, strict=True)
    }
    effect = chemistry @ draw.normal(size=60) / np.sqrt(60)
    lines = effect[:, None] / effect.std() + 0.7 * draw.normal(size=(60, 20))
    return tables, pd.DataFrame(lines, drugs), "ABC"[int(np.flatnonzero(order == 0)[0])]


def check_4(c, answer: Any, seed: int = 0, must_pass: bool = False) -> None:
    """The one table of three that is no name tag."""
    given = str("..." if answer in (None, ...) else answer).strip(" ().").upper()
    rules = [
        (lambda letter: letter in ("A", "B", "C"), "Answer with A, B or C."),
        (
            lambda letter: letter == _world(seed)[2],
            "This table is a name tag. Left-out lines cannot tell, because every drug is known "
            "there: leave drugs out, and compare the three tables on drugs that are new.",
        ),
    ]
    c.check("06-4", given or None, *rules, must_pass=must_pass)


def check_5(c, answer: Any, must_pass: bool = False) -> None:
    """What BestComboScore two drugs have that do nothing, by two definitions of the response."""
    of_replicates, of_means = scores_of_nothing()

    def near(number, truth) -> bool:
        return abs(float(number) - truth) < 1.5

    rules = [
        (lambda pair: np.size(pair) == 2, "Give two numbers: min of replicates, min of means."),
        (
            lambda pair: not (near(pair[0], of_means) and near(pair[1], of_replicates)),
            "The two numbers are in the other order: first the lowest of all replicates.",
        ),
        (
            lambda pair: abs(pair[0]) > 1.5 and abs(pair[1]) > 1.5,
            "Neither is near 0: a lowest value lies below the truth, the farther the more values "
            "it is the lowest of.",
        ),
        (
            lambda pair: pair[0] > 0,
            "Of replicates: a drug alone has 100 wells and the pair 9, so which of them falls "
            "lower, and what is then expected of the pair?",
        ),
        (
            lambda pair: near(pair[0], of_replicates),
            "Of replicates: take the lowest of 9 wells for the pair and of 100 for each drug, and "
            "the growth of either drug as 1 where it is above 1.",
        ),
        (
            lambda pair: near(pair[1], of_means),
            "Of means: a mean of 20 wells has a noise of 0.1 / sqrt(20); take the lowest of 5 such "
            "means for each drug, while the pair keeps its 9 single wells.",
        ),
    ]
    c.check("06-5", answer, *rules, must_pass=must_pass)


def scores_of_nothing(draws: int = 20_000, seed: int = 65) -> tuple[float, float]:
    """Simulated: the mean score of two drugs that do nothing, min of replicates, min of means."""
    draw = np.random.default_rng(seed)
    both = 1 + NOISE * draw.normal(size=(draws, WELLS)).min(axis=1)
    lowest = 1 + NOISE * draw.normal(size=(2, draws, DOSES * REPEATS)).min(axis=2)
    means = 1 + NOISE / REPEATS**0.5 * draw.normal(size=(2, draws, DOSES)).min(axis=2)
    scores = (screens.best_combo_scores(both, *alone).mean() for alone in (lowest, means))
    return tuple(map(float, scores))
