"""Scores over the rows of a file beside those over cells."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cdp_lib import evaluate
from cdp_lib.errors import InputError
from cdp_lib.splits import leave_pairs_out

rng = np.random.default_rng(0)
Y = pd.DataFrame(rng.normal(size=(6, 10)), list("abcdef"), [f"p{i}" for i in range(10)])
ROWS = Y.rename_axis("line").rename_axis("perturbation", axis=1).stack().rename("value")
ROWS = ROWS.reset_index()


@pytest.fixture(scope="module")
def P():
    split = leave_pairs_out(Y, 3, tune=0)
    return evaluate.cross_predict({}, SimpleNamespace(Y=Y), split, omics=None)


def test_one_row_a_cell_is_the_usual_summary(P):
    usual = P.summary(("mse", "pearson"), axis="global").set_index(["metric", "model"])
    found = evaluate.on_rows(P, ROWS).set_index(["metric", "model"])
    for column in ("mean", "sd", "gain"):
        assert np.allclose(found[column], usual.loc[found.index, column], equal_nan=True)


def test_a_repeat_counts_with_its_own_noise(P):
    twice = pd.concat([ROWS.assign(value=ROWS["value"] - 1), ROWS.assign(value=ROWS["value"] + 1)])
    usual = P.summary("mse", axis="global").set_index("model")["mean"]
    found = evaluate.on_rows(P, twice, "mse").set_index("model")["mean"]
    assert np.allclose(found, usual[found.index] + 1)  # ((e - 1)^2 + (e + 1)^2) / 2


def test_a_fold_whose_fit_failed_is_left_out(P):
    (held,) = P.held
    key, values = ("line mean", "none"), dict(held.values)
    values[key] = values[key].copy()
    values[key][list(held.parts())[0][1]] = np.nan
    part = evaluate.Predictions((replace(held, values=values),))
    usual = part.summary("mse", axis="global").set_index("model")
    found = evaluate.on_rows(part, ROWS, "mse").set_index("model")
    assert found.loc["line mean", "folds"] == 2
    assert np.allclose(found["mean"], usual.loc[found.index, "mean"])


def test_a_cell_without_a_row_is_refused(P):
    with pytest.raises(InputError, match="no row"):
        evaluate.on_rows(P, ROWS.iloc[1:])
