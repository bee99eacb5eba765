"""The equations of screens against worked numbers, independent formulas and a known truth."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import PairScreen, load, screens
from cdp_lib.errors import InputError


def test_growth_is_a_fraction_of_the_untreated_and_negative_where_cells_died():
    growth = screens.growth_fraction(100, 500, np.array([500, 300, 100, 50, 0, 600]))
    np.testing.assert_allclose(growth, [1, 0.5, 0, -0.5, -1, 1.25])


@pytest.mark.parametrize("wells", [(0, 5, 1), (5, 5, 1), (5, 4, 1), (5, 9, -1)])
def test_wells_without_growth_are_refused(wells):
    with pytest.raises(InputError, match="0 < before < untreated"):
        screens.growth_fraction(*wells)


def test_expected_growth_case_by_case():
    cases = [  # A, B, expected
        (0.8, 0.5, 0.4),  # the product
        (1.2, 0.5, 0.5),  # growth above 1 counts as 1
        (1.2, 1.3, 1.0),
        (-0.3, 0.5, -0.3),  # one kills: the lower of both
        (-0.3, -0.6, -0.6),  # not 0.18
        (0.0, 0.7, 0.0),
        (1.4, -0.2, -0.2),
    ]
    first, second, expected = np.array(cases).T
    np.testing.assert_allclose(screens.expected_growth(first, second), expected)
    np.testing.assert_allclose(screens.expected_growth(second, first), expected)
    assert np.isnan(screens.expected_growth(np.nan, -0.5))


def test_expected_growth_pair_by_pair():
    a, b = np.random.default_rng(0).uniform(-1, 1.3, (2, 500))
    by_hand = [
        min(x, y) if min(x, y) <= 0 else min(x, 1) * min(y, 1) for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_allclose(screens.expected_growth(a, b), by_hand)


def test_combo_scores_of_a_table_worked_by_hand():
    first, second = [1.0, 0.5], [0.8, -0.2]
    # expected: 0.8  -0.2
    #           0.4  -0.2
    both = [[0.7, -0.3], [0.5, -0.5]]
    assert screens.combo_score(both, first, second) == pytest.approx(10 + 10 - 10 + 30)
    # lowest growths: pair -0.5; A 0.5, B -0.2: expected -0.2
    assert screens.best_combo_score(both, first, second) == pytest.approx(-30)


def test_drugs_that_do_not_interact_score_nothing():
    first, second = np.array([1.0, 0.9, 0.4]), np.array([0.8, 0.6])
    both = first[:, None] * second
    assert screens.combo_score(both, first, second) == pytest.approx(0)
    assert screens.best_combo_score(both, first, second) == pytest.approx(0)


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="doses of A x doses of B"):
        screens.combo_score(np.ones((2, 3)), np.ones(3), np.ones(2))
    with pytest.raises(InputError, match="not measured"):
        screens.best_combo_score([[np.nan]], [1.0], [1.0])


def test_classes_follow_mean_and_spread():
    Y = pd.DataFrame(
        {
            "never": [0.0, 0.05, 0.1, np.nan],
            "always": [0.95, 1, 0.9, 1],
            "some": [0, 1, 0, 1],
            "edge": [0.4, 0.6, 0.4, 0.6],
        }
    )
    found = screens.dependency_classes(Y)
    assert found.to_dict() == {
        "never": "never",
        "always": "always",
        "some": "selective",
        "edge": "selective",
    }
    assert screens.dependency_classes(Y, spread=0.2)["edge"] == "never"


def test_classes_of_gene_effects_turn_round():
    Y = pd.DataFrame({"kills": [-1.0, -1.1], "nothing": [0.0, 0.1], "some": [-1.0, 0.0]})
    found = screens.dependency_classes(Y, spread=0.2, level=-0.5, lower_is_needed=True)
    assert list(found) == ["always", "never", "selective"]


def test_the_spread_divides_by_one_less_than_n():
    Y = pd.DataFrame({"gene": [0.0, 0.13]})  # sd 0.092 with n - 1, 0.065 with n
    assert screens.dependency_classes(Y, spread=0.08)["gene"] == "selective"


def test_a_gene_without_spread_is_refused():
    with pytest.raises(InputError, match="first: b"):
        screens.dependency_classes(pd.DataFrame({"a": [0.0, 1.0], "b": [np.nan, 1.0]}))


def test_the_ceiling_is_what_the_truth_itself_reaches():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(40_000, 3))
    sd = np.array([0.5, 1.0, 2.0])
    first, second = (pd.DataFrame(truth + sd * rng.normal(size=truth.shape)) for _ in range(2))
    found = screens.agreement(first, second)
    np.testing.assert_allclose(found["ceiling"], 1 / np.sqrt(1 + sd**2), atol=0.03)
    reached = first.corrwith(pd.DataFrame(truth))
    np.testing.assert_allclose(found["ceiling"], reached, atol=0.03)


def test_agreement_counts_lines_in_both_and_needs_enough():
    a = pd.DataFrame({"x": np.arange(30.0), "y": np.arange(30.0)})
    b = a.copy()
    b.loc[:14, "y"] = np.nan
    b["x"] = -b["x"]
    found = screens.agreement(a, b)
    assert list(found["n"]) == [30, 15]
    assert found.at["x", "r"] == pytest.approx(-1) and found.at["x", "ceiling"] == 0
    assert np.isnan(found.at["y", "r"])
    with pytest.raises(InputError, match="lines or columns"):
        screens.agreement(a, b.iloc[::-1])


def test_another_measurement_tells_classes_apart_on_what_both_know():
    needed = pd.DataFrame({"A": [0, 1, 1, 0.0], "B": [1, 1, 1, 1.0]}, index=list("wxyz"))
    other = pd.DataFrame({"C": [1.0] * 3, "A": [5.0, 2.0, np.nan], "B": [0.0] * 3}, list("xwy"))
    found = screens.class_agreement(needed, other)
    assert found.to_dict() == {"A": 1.0}  # w and x: 2 and 5; y is unknown, B has one class


def test_best_combo_scores_of_many_pairs_by_hand():
    both = [0.10, 0.10, -0.50, 0.60, np.nan]
    first = [0.50, 1.40, -0.20, 0.00, 0.50]
    second = [0.40, 0.30, 0.90, 0.80, 0.50]
    # expected: .5 x .4; 1 x .3, as growth above 1 counts as 1; the lower, as one is <= 0, twice
    expected = [0.20, 0.30, -0.20, 0.00, 0.25]
    assert np.allclose(screens.expected_growth(first, second), expected)
    scores = screens.best_combo_scores(both, first, second)
    assert np.allclose(scores, [-10, -20, -30, 60, np.nan], equal_nan=True)
    assert np.allclose(scores, screens.best_combo_scores(both, second, first), equal_nan=True)


def test_growths_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"\(2,\)"):
        screens.best_combo_scores([0.1, 0.2], [0.5], [0.4])


def small_screen(rows):
    drugs = sorted({row[1] for row in rows} | {row[2] for row in rows})
    pairs = pd.DataFrame(rows, columns=["line", "drug_a", "drug_b", "value"])
    names = pd.unique(pairs["line"])
    omics = {"expression": pd.DataFrame(1.0, names, ["TP53"])}
    return PairScreen.from_tables(
        pairs, omics, pd.DataFrame({"tissue": "lung"}, names), pd.DataFrame(index=drugs), name="toy"
    )


GROWTH = [
    ("L1", "A", "A", 0.5), ("L1", "B", "B", 0.4), ("L1", "B", "A", 0.1),
    ("L2", "A", "A", -0.2), ("L2", "B", "B", 0.9), ("L2", "A", "B", -0.5),
    ("L3", "A", "A", 0.7), ("L3", "A", "B", 0.3),
]  # fmt: skip


def test_a_screen_with_single_drugs_gives_best_combo_scores():
    screen = small_screen(GROWTH)
    scores = screen.best_combo_scores()
    assert scores.columns.tolist() == ["A + B"]
    assert np.allclose(scores["A + B"], [-10, -30, np.nan], equal_nan=True)  # L3 lacks B alone
    halved = screen.best_combo_scores(screen.Y / 2)  # such as predictions: .05 against .25 x .2
    assert halved.loc["L1", "A + B"] == pytest.approx(100 * (0.05 - 0.05))


def test_a_screen_without_single_drugs_has_none():
    pairs = [row for row in GROWTH if row[1] != row[2]]
    with pytest.raises(InputError, match="2 drug"):
        small_screen(pairs).best_combo_scores()
    screen = small_screen(GROWTH)
    with pytest.raises(InputError, match="lacks 1 pert"):
        screen.best_combo_scores(screen.Y.drop(columns="A + A"))


def test_the_teaching_screen_has_best_combo_scores_for_all_its_pairs():
    screen = load("drug-pairs", singles=True, omics=("expression",))
    scores = screen.best_combo_scores()
    single = screen.perturbations["kind"] == "single drug"
    assert scores.columns.equals(screen.Y.columns[~single])
    pair = scores.columns[0]
    line = scores[pair].first_valid_index()
    a, b = screen.perturbations.loc[pair, ["drug_a", "drug_b"]]
    y = screen.Y.loc[line]
    wanted = screens.best_combo_scores(y[pair], y[f"{a} + {a}"], y[f"{b} + {b}"])
    assert scores.loc[line, pair] == pytest.approx(float(wanted))


def test_responses_of_a_tumour_worked_by_hand():
    volumes = pd.DataFrame(
        {
            "model": ["a"] * 5 + ["b"] * 2 + ["c"] * 6,
            "day": [0, 5, 10, 14, 20] + [0, 12] + [0, 0, 10, 10, 14, 14],
            "volume": [100, 150, 50, 80, 200] + [100, 50] + [90, 110, 50, 70, 200, 220],
        }
    )
    found = screens.tumour_responses(volumes.sample(frac=1, random_state=0))
    # changes of a: 0, 50, -50, -20, 100; their means: 0, 25, 0, -5, 16
    assert found.loc["a"].to_dict() == {"best": -50, "best_average": -5}
    assert found.loc["b"].isna().all()  # one volume from day 10 on
    assert found.loc["c"].to_dict() == {"best": -40, "best_average": -20}  # means of two mice
    with pytest.raises(InputError, match="tumour a"):
        screens.tumour_responses(
            volumes.assign(volume=volumes["volume"].where(volumes.index > 0, 0))
        )
