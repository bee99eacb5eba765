"""What the exercises of chapter 01 demand: a screen, a curve, two drugs, names and repeats."""

import numpy as np
import pandas as pd

from cdp_lib.data import screens
from cdp_lib.data.ids import normalised


def check_1(c, answer, must_pass: bool = False) -> None:
    """The log fold change of one guide."""
    right = np.log2((150 / 3e6) / (480 / 1.2e6))
    rules = [
        (lambda x: x < 0, "The guide became rarer: the log fold change is negative."),
        (
            lambda x: abs(x - np.log2(150 / 480)) > 0.01,
            "Divide each count by all reads of its sample.",
        ),
        (lambda x: abs(x - right) < 0.01, "Take log2 of (share after / share before)."),
    ]
    c.check("01-1", answer, *rules, must_pass=must_pass)


def check_2(c, answer, probability: np.ndarray, must_pass: bool = False) -> None:
    """How many genes of the simulated screen (lines, genes) are of each kind."""
    table = pd.DataFrame(probability)
    right = screens.dependency_classes(table).value_counts().to_dict()
    spread, average = table.std(), table.mean()
    mean_first = {  # what the rules give in the wrong order
        "always": (average > 0.5).sum(),
        "selective": ((average <= 0.5) & (spread > 0.1)).sum(),
    }
    rules = [
        (
            lambda d: set(dict(d)) == {"never", "always", "selective"},
            "Give a number for each of never, always and selective.",
        ),
        (
            lambda d: sum(dict(d).values()) == table.shape[1],
            "Each gene belongs to exactly one class.",
        ),
        (
            lambda d: any(dict(d)[group] != n for group, n in mean_first.items()),
            "Ask for the sd first: a gene that varies is selective, also if its mean exceeds 0.5.",
        ),
        (
            lambda d: dict(d)["selective"] == right["selective"],
            "Selective: the sd over lines > 0.1.",
        ),
        (lambda d: dict(d) == right, "The others: always if their mean > 0.5, never if not."),
    ]
    c.check("01-2", answer, *rules, must_pass=must_pass)


def check_3(c, answer, viabilities: np.ndarray, must_pass: bool = False) -> None:
    """The area above nine points at equal steps, by the trapezoid rule."""
    heights = 1 - np.asarray(viabilities, float)
    right = np.mean((heights[1:] + heights[:-1]) / 2)  # the steps have one width
    rules = [
        (lambda a: 0 <= a <= 1, "Divide by the width of the range: AAC lies between 0 and 1."),
        (lambda a: abs(a - (1 - right)) > 0.006, "This is the AUC; the AAC is the area above."),
        (
            lambda a: abs(a - heights.mean()) > 0.006,
            "A plain mean counts the two outer points in full; the trapezoid rule counts them "
            "half.",
        ),
        (lambda a: abs(a - right) < 0.006, "np.trapezoid(height, doses) / (last - first dose)."),
    ]
    c.check("01-3", answer, *rules, must_pass=must_pass)


def check_4(c, answer, both: np.ndarray, must_pass: bool = False) -> None:
    """ComboScore and BestComboScore of a table of two doses by two."""
    right = [score(both, [1.1, 0.6], [0.5, -0.1]) for score in SCORES]
    rules = [
        (lambda s: len(pair_of(s)) == 2, "Give two numbers: (ComboScore, BestComboScore)."),
        (lambda s: max(map(abs, pair_of(s))) > 1, "Both scores are times 100."),
        (
            lambda s: abs(pair_of(s)[0] + right[0]) > 0.01,
            "ComboScore is expected minus measured: turn its sign.",
        ),
        (
            lambda s: abs(pair_of(s)[0] - right[0]) < 0.01,
            "Growth above 1 counts as 1, and where a drug alone kills, expect the lower of both.",
        ),
        (
            lambda s: abs(pair_of(s)[1] + right[1]) > 0.01,
            "BestComboScore is measured minus expected: turn its sign.",
        ),
        (
            lambda s: abs(pair_of(s)[1] - right[1]) < 0.01,
            "100 x (lowest growth together - what the two lowest growths alone let expect).",
        ),
    ]
    c.check("01-4", answer, *rules, must_pass=must_pass)


SCORES = (screens.combo_score, screens.best_combo_score)


def pair_of(answer: object) -> list[float]:
    """The two numbers of a tuple, list, array, Series or dictionary."""
    return [float(x) for x in (answer.values() if isinstance(answer, dict) else answer)]


def check_5(
    c, answer, screen_names: pd.Series, ccle_names: pd.Series, must_pass: bool = False
) -> None:
    """The names of the screen that find no partner once capitals and punctuation are ignored."""
    plain = set(ccle_names.map(normalised))
    right = [name for name in screen_names if normalised(name) not in plain]
    rules = [
        (
            lambda found: not isinstance(found, str) and set(found) <= set(screen_names),
            "Give a list of names as the drug screen writes them.",
        ),
        (
            lambda found: set(right) <= set(found),
            "A name is missing that has no partner: 0 is not O, and no part of a name may be cut "
            "off.",
        ),
        (
            lambda found: "Hep 3B2_1-7" not in set(found) or len(set(found)) > len(right) + 1,
            r"The underscore is punctuation too, and \W does not find it: use [^A-Z0-9].",
        ),
        (
            lambda found: set(found) == set(right),
            'Too many are left: on both sides, upper case, then .str.replace("[^A-Z0-9]", "", '
            "regex=True).",
        ),
        (lambda found: len(found) == len(right), "Give each name once."),
    ]
    c.check("01-5", answer, *rules, must_pass=must_pass)


def check_6(c, answer, must_pass: bool = False) -> None:
    """The noise ceiling of the mean of k measurements, a function of r and k."""
    rules = [
        (lambda f: abs(f(0.25, 1) - 0.5) < 1e-6, "With one measurement the ceiling is sqrt(r)."),
        (lambda f: f(0.5, 4) > f(0.5, 1), "More repeats raise the ceiling."),
        (
            lambda f: all(
                abs(f(r, k) - simulated_ceiling(r, k)) < 0.01
                for r in (0.2, 0.5, 0.8)
                for k in (2, 5)
            ),
            "The mean of k measurements has var(t) + var(e) / k: put that into the formula for r.",
        ),
    ]
    c.check("01-6", answer, *rules, must_pass=must_pass)


def simulated_ceiling(r: float, k: int, n: int = 200_000) -> float:
    """Draw truth and noise, average k measurements, correlate with the truth."""
    rng = np.random.default_rng(0)
    truth = rng.normal(0, np.sqrt(r), n)
    mean = truth + rng.normal(0, np.sqrt((1 - r) / k), n)
    return float(np.corrcoef(truth, mean)[0, 1])


def check_7(c, answer, r: float, must_pass: bool = False) -> None:
    """The fewest measurements of every well whose mean has a ceiling of 0.95."""

    def r_of_mean(k: int) -> float:
        return r / (r + (1 - r) / k)

    right = fewest(lambda k: np.sqrt(r_of_mean(k)) >= 0.95)
    no_root = fewest(lambda k: r_of_mean(k) >= 0.95)
    rules = [
        (
            lambda k: float(np.squeeze(k)) == round(float(np.squeeze(k))),
            "A number of measurements is whole: round up.",
        ),
        (
            lambda k: np.squeeze(k) != no_root,
            "With so many the correlation of two such means is 0.95; the ceiling is its square "
            "root.",
        ),
        (lambda k: np.squeeze(k) >= right, "With so few the ceiling stays below 0.95."),
        (lambda k: np.squeeze(k) == right, "Fewer are enough: give the smallest number."),
    ]
    c.check("01-7", answer, *rules, must_pass=must_pass)


def fewest(reached, k: int = 1) -> int:
    """The first k for which `reached(k)` is true."""
    while not reached(k):
        k += 1
    return k
