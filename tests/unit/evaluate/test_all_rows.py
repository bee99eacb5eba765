"""Lines, perturbations or drugs are drawn again for a score over all rows."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from cdp_lib import evaluate, metrics
from cdp_lib.errors import InputError
from cdp_lib.evaluate.all_rows import by_draw, drawn_units
from cdp_lib.splits import leave_pairs_out

RNG = np.random.default_rng(2)
DRUGS = [f"d{i}" for i in range(9)]
PAIRS = list(combinations(DRUGS, 2))


class Screen:
    perturbations = pd.DataFrame(
        PAIRS, [f"{a} + {b}" for a, b in PAIRS], columns=["drug_a", "drug_b"]
    )
    lines = pd.Index([f"line {i}" for i in range(12)])
    Y = pd.DataFrame(
        RNG.normal(size=(1, 36)) + RNG.normal(size=(12, 36)), lines, perturbations.index
    )


@pytest.fixture(scope="module")
def P():
    return evaluate.cross_predict({}, Screen(), leave_pairs_out(Screen.Y, 4, tune=0), omics=None)


ENDS = Screen.perturbations[["drug_a", "drug_b"]]


@pytest.mark.parametrize("over", ["line", "perturbation", ENDS])
def test_the_gain_is_that_of_the_summary_and_lies_in_its_interval(P, over):
    found = evaluate.all_rows(P, "line mean", over, draws=300).set_index("model")
    known = P.summary("r2", axis="global", reference="line mean").set_index("model")
    assert np.allclose(found["gain"], known["gain"])
    row = found.loc["perturbation mean"]
    assert row["low"] < row["gain"] < row["high"]
    assert found.loc["line mean", ["low", "high"]].isna().all()


def test_a_smaller_error_is_a_gain(P):
    row = evaluate.all_rows(P, "line mean", ENDS, "mse").set_index("model").loc["perturbation mean"]
    assert row["gain"] > 0 and row["low"] < row["gain"] < row["high"]


@pytest.mark.parametrize("metric", ["r2", "mse", "pearson"])
def test_a_draw_repeats_the_rows_of_the_drawn_lines(P, metric):
    (held,) = P.held
    key = ("perturbation mean", "none")
    unit, weights, distinct = drawn_units(held, "line", 5, 0)
    mine = by_draw(held, key, unit, weights, metric)[:, 3]
    scores = []
    for _, part in held.parts():
        times = weights[unit[part], 3].astype(int)
        y, p = (np.repeat(of[part], times) for of in (held.truth, held.values[key]))
        scores.append(getattr(metrics, metric)(y[:, None], p[:, None], axis="global"))
    assert distinct == 12
    assert mine == pytest.approx(scores, abs=1e-6)


def test_a_pair_counts_as_often_as_both_of_its_drugs(P):
    (held,) = P.held
    _, weights, distinct = drawn_units(held, ENDS, 1, 7)
    times = np.random.default_rng(7).multinomial(9, np.full(9, 1 / 9))
    drawn = dict(zip(DRUGS, times))
    wanted = [drawn[a] * drawn[b] for a, b in PAIRS]
    assert weights[:, 0].tolist() == wanted and distinct == 9


def test_a_fold_whose_fit_failed_counts_on_neither_side(P):
    (held,) = P.held
    key, values = ("perturbation mean", "none"), dict(held.values)
    _, lost = list(held.parts())[1]
    values[key] = values[key].copy()
    values[key][lost] = np.nan
    part = evaluate.Predictions((replace(held, values=values),))
    some = evaluate.all_rows(part, "line mean", "line", draws=300).set_index("model")
    row = some.loc["perturbation mean"]
    assert row["low"] < row["gain"] < row["high"]
    unit, weights, _ = drawn_units(held, "line", 300, 0)
    gain = by_draw(held, key, unit, weights, "r2") - by_draw(
        held, ("line mean", "none"), unit, weights, "r2"
    )
    kept = np.delete(gain, 1, axis=0).mean(axis=0)
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(kept, (0.025, 0.975)))


def test_shared_units_make_a_wider_interval_than_rows(P):
    drugs = evaluate.all_rows(P, "line mean", ENDS).set_index("model").loc["perturbation mean"]
    pairs = evaluate.all_rows(P, "line mean", "perturbation").set_index("model")
    pairs = pairs.loc["perturbation mean"]
    assert drugs["high"] - drugs["low"] > pairs["high"] - pairs["low"]


@pytest.mark.parametrize(
    ("more", "fact"),
    [({"metric": "rmse"}, "rmse"), ({"over": "tissue"}, "tissue"), ({"over": ENDS[1:]}, "lacks")],
)
def test_what_cannot_be_drawn_is_refused(P, more, fact):
    with pytest.raises(InputError, match=fact):
        evaluate.all_rows(P, "line mean", **more)
