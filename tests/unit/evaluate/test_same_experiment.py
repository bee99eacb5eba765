"""Rows of one experiment share what went wrong in it."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.errors import InputError
from cdp_lib.evaluate.same_experiment import ANOTHER, REPEAT, SAME, other_lines, same_experiment


def measured(shared: float, lines: int = 30, pairs: int = 40, seed: int = 0):
    """Two measurements of a truth that differs by pair; noise of an experiment, and of a row."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(1, pairs))
    both = [
        truth + shared * rng.normal(size=(1, pairs)) + rng.normal(size=(lines, pairs))
        for _ in range(2)
    ]
    names = [f"line {i}" for i in range(lines)], [f"pair {i}" for i in range(pairs)]
    return [pd.DataFrame(table, *names) for table in both]


def test_noise_of_an_experiment_is_predicted_by_its_other_lines_only():
    table = same_experiment(*measured(shared=1.5), draws=50)
    assert table.loc[SAME, "r2"] > 0.6 > 0.2 > table.loc[ANOTHER, "r2"]
    assert table.loc[SAME, "r2"] > table.loc[REPEAT, "pearson"]  # above its ceiling
    fair = same_experiment(*measured(shared=0.0), draws=50)
    assert fair.loc[SAME, "r2"] == pytest.approx(fair.loc[ANOTHER, "r2"], abs=0.05)
    assert (table["pearson low"] < table["pearson"]).all()


def test_the_cell_itself_is_left_out():
    found = other_lines(np.array([[1.0, 5.0], [3.0, np.nan], [8.0, 7.0]]))
    assert found[:, 0].tolist() == [5.5, 4.5, 2.0]
    assert found[0, 1] == 7.0 and np.isnan(found[1, 1])


def test_only_rows_of_both_count():
    first, second = measured(shared=1.0)
    gaps = first.copy()
    gaps.iloc[:10, :5] = np.nan
    bad = second.copy()
    bad.iloc[:10, :5] = 1e6  # unknown in the first, so without any weight
    assert same_experiment(gaps, bad, draws=5).equals(same_experiment(gaps, second, draws=5))


def test_tables_that_do_not_match_are_refused():
    first, second = measured(shared=1.0)
    with pytest.raises(InputError, match="same lines"):
        same_experiment(first, second.iloc[::-1])
    second.iloc[:, 1:] = np.nan
    with pytest.raises(InputError, match="measured twice"):
        same_experiment(first, second)
