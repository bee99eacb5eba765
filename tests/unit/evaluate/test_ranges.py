"""The range of a score, against a truth that is known because it was simulated."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib import evaluate, splits
from cdp_lib.data.cohort import Cohort
from cdp_lib.evaluate.ranges import ranges
from cdp_lib.models.linear import Ridge


def test_a_model_that_knows_the_truth_covers_the_whole_range():
    rng = np.random.default_rng(1)
    lines = [f"line {n}" for n in range(400)]
    truth = pd.DataFrame(rng.normal(size=(400, 40)) + 2 * rng.normal(size=40), lines).rename(
        columns=str
    )
    noisy = [truth + 0.7 * rng.normal(size=truth.shape) for _ in range(2)]
    X = {"expression": truth.add_prefix("gene ")}
    cohort = Cohort.from_tables(noisy[0], X, pd.DataFrame({"tissue": "x"}, lines))
    P = evaluate.cross_predict({"ridge": Ridge()}, cohort, splits.leave_lines_out(cohort, 4))
    P = P.add("truth", [truth] * 4)
    table = ranges(P, noisy[1], "truth")
    assert list(table.index) == ["Pearson r per drug", "R² per drug", "R² over all cells"]
    assert table["share of the range"].to_numpy() == pytest.approx(np.ones(3), abs=0.03)
    assert table["ceiling"].iloc[1] == pytest.approx(1 / 1.49, abs=0.03)
    assert (ranges(P, noisy[1], "ridge")["share of the range"] < 1).all()
