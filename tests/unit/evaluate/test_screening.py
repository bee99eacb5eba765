"""Forecasts of untested pairs: intervals that cover held-out pairs, and a list for a line."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cdp_lib import splits
from cdp_lib.errors import InputError
from cdp_lib.evaluate import screening
from cdp_lib.models.drug_effects import DrugEffectsByLine
from cdp_lib.models.layered import Bagged

DRUGS = [f"d{i:02}" for i in range(24)]
ENDS = [(a, b) for a in DRUGS for b in DRUGS if a < b]
LINES = pd.Index([f"L{i:02}" for i in range(20)])


def simulated(noise=1.0, seed=0):
    """Effects of two drugs in a line, and noise; the last five pairs were never measured."""
    rng = np.random.default_rng(seed)
    pairs = pd.DataFrame(ENDS, [f"{a} + {b}" for a, b in ENDS], ["drug_a", "drug_b"])
    effect = pd.DataFrame(rng.normal(size=(20, 24)), LINES, DRUGS)
    Y = effect[pairs["drug_a"]].to_numpy() + effect[pairs["drug_b"]].to_numpy()
    Y = pd.DataFrame(Y + noise * rng.normal(size=Y.shape), LINES, pairs.index)
    Y.iloc[0, :7] = np.nan
    X = pd.DataFrame(1.0, LINES, ["TP53"])
    return SimpleNamespace(
        X=lambda omics: X, Y=Y.iloc[:, :-5], perturbations=pairs.iloc[:-5], lower_is_sensitive=False
    )


@pytest.fixture(scope="module")
def found():
    screen = simulated()
    fold = splits.leave_perturbations_out(screen, 4, tune=0.2).folds[0]
    model = Bagged(DrugEffectsByLine(), 4, over="perturbation")
    every = screening.all_pairs(screen)
    return screen, screening.forecast(model, screen, fold, "expression", every, head=10)


def test_every_pair_is_listed_once(found):
    screen, _ = found
    every = screening.all_pairs(screen)
    assert len(every) == 24 * 23 / 2
    assert every["measured"].sum() == screen.Y.shape[1]
    assert not every.index.duplicated().any()
    assert every.loc["d22 + d23", ["drug_a", "drug_b"]].tolist() == ["d22", "d23"]


def test_intervals_cover_what_they_promise(found):
    _, forecast = found
    everywhere = forecast.coverage.loc["all"]
    assert everywhere["calibrated"] == pytest.approx(0.9, abs=0.03)
    assert everywhere["members"] < 0.7  # the spread of the members knows no noise
    assert forecast.noise == pytest.approx(1, abs=0.2)
    assert ((forecast.high - forecast.low) > 0).all(axis=None)
    assert np.allclose((forecast.high + forecast.low) / 2, forecast.mean)


def test_noise_and_width_are_those_of_the_tune_cells(found):
    screen, forecast = found
    fold = splits.leave_perturbations_out(screen, 4, tune=0.2).folds[0]
    tune = fold.tune & screen.Y.notna().to_numpy()
    mean, sd = (table[screen.Y.columns].to_numpy()[tune] for table in (forecast.mean, forecast.sd))
    off = screen.Y.to_numpy()[tune] - mean
    noise2 = (off**2).mean() - (sd**2).mean()
    assert forecast.noise**2 == pytest.approx(noise2)
    q = np.sort(np.abs(off) / np.sqrt(sd**2 + noise2))[int(np.ceil(0.9 * (len(off) + 1))) - 1]
    width = (forecast.high - forecast.low) / 2
    assert np.allclose(width, q * np.sqrt(forecast.sd**2 + noise2))


def test_the_head_of_each_list_is_counted_apart(found):
    screen, forecast = found
    fold = splits.leave_perturbations_out(screen, 4, tune=0.2).folds[0]
    inside, predicted = [], []
    for line in LINES:
        tested = screen.Y.columns[fold.test[LINES.get_loc(line)] & screen.Y.loc[line].notna()]
        first = forecast.mean.loc[line, tested].nlargest(10).index
        y = screen.Y.loc[line, first]
        inside += y.between(forecast.low.loc[line, first], forecast.high.loc[line, first]).tolist()
        predicted += forecast.mean.loc[line, first].tolist()
    row = forecast.coverage.loc["first 10"]
    assert row["cells"] == 20 * 10
    assert row["calibrated"] == pytest.approx(np.mean(inside))
    assert row["predicted"] == pytest.approx(np.mean(predicted))


def test_test_labels_change_nothing_but_the_count(found):
    screen, before = found
    fold = splits.leave_perturbations_out(screen, 4, tune=0.2).folds[0]
    other = SimpleNamespace(**vars(screen))
    other.Y = screen.Y.mask(fold.test, -5.0).where(screen.Y.notna())
    other.lower_is_sensitive = True  # turns the head of each list, and nothing else
    model = Bagged(DrugEffectsByLine(), 4, over="perturbation")
    after = screening.forecast(
        model, other, fold, "expression", screening.all_pairs(screen), head=10
    )
    pd.testing.assert_frame_equal(before.low, after.low)
    assert after.coverage.loc["all", "calibrated"] < before.coverage.loc["all", "calibrated"]
    assert after.coverage.loc["first 10", "predicted"] < 0
    assert before.coverage.loc["first 10", "predicted"] > 0
    assert not hasattr(model, "parts_")  # a clone was fitted


def test_the_list_of_a_line(found):
    screen, forecast = found
    table = screening.shortlist(forecast, screen, "L00", n=12)
    assert len(table) == 7 + 5  # not measured in this line, and not measured at all
    assert table["expected"].is_monotonic_decreasing
    assert (table["lines tested"] == 0).sum() == 5
    known = table[table["lines tested"] > 0].iloc[0]
    pair = f"{known['drug_a']} + {known['drug_b']}"
    assert known["lines tested"] == 19
    assert known["mean in these"] == pytest.approx(screen.Y[pair].mean())
    assert table.index.tolist() == list(range(1, 13))
    ranked = screening.shortlist(forecast, screen, "L01", n=3, untested=False)
    first = forecast.mean.loc["L01"].idxmax()
    assert f"{ranked['drug_a'][1]} + {ranked['drug_b'][1]}" == first
    others = screen.Y.drop(index="L01")[first]
    assert ranked["mean in these"][1] == pytest.approx(others.mean())
    assert ranked["lines tested"][1] == others.notna().sum()
    screen = SimpleNamespace(**vars(screen) | {"lower_is_sensitive": True})
    turned = screening.shortlist(forecast, screen, "L01", n=3, untested=False)
    assert turned["expected"].iloc[0] == forecast.mean.loc["L01"].min()


def test_the_smallest_ratio_by_hand():
    assert screening._smallest(np.arange(1.0, 10.0), 0.9) == 9  # ceil(10 x .9)
    assert screening._smallest(np.arange(1.0, 20.0), 0.9) == 18
    assert screening._smallest(np.array([3.0]), 0.9) == 3


def test_what_cannot_be_forecast_is_named(found):
    screen, forecast = found
    with pytest.raises(InputError, match="L0'"):
        screening.shortlist(forecast, screen, "L0")
    fold = splits.leave_perturbations_out(screen, 4, tune=0).folds[0]
    with pytest.raises(InputError, match="tune cells"):
        screening.forecast(Bagged(DrugEffectsByLine()), screen, fold)
    with pytest.raises(InputError, match="DrugEffectsByLine is one"):
        screening.forecast(DrugEffectsByLine(), screen, fold)
    with pytest.raises(InputError, match="level is 90"):
        screening.forecast(Bagged(DrugEffectsByLine()), screen, fold, level=90)
