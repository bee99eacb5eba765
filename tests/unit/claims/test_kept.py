"""Claims without a table of their own: the score recorded is that of the model's cells."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cdp_lib import claims, evaluate, metrics
from cdp_lib.data import Cohort
from cdp_lib.errors import InputError
from cdp_lib.splits import leave_lines_out

LINES = [f"line {i}" for i in range(30)]


class Told:
    def __init__(self):
        self.rows = []

    def record(self, key, value, **about):
        self.rows.append(SimpleNamespace(key=key, value=value, **about))


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(0)
    Y = pd.DataFrame(rng.normal(size=(30, 4)), LINES, list("abcd"))
    omics = {"expression": pd.DataFrame(rng.normal(size=(30, 2)), LINES, ["g", "h"])}
    cohort = Cohort.from_tables(Y, omics, pd.DataFrame({"tissue": "skin"}, LINES))
    split = leave_lines_out(cohort, n_folds=3, tune=0)
    tables = [Y + 0.5 * rng.normal(size=Y.shape) for _ in split]
    return evaluate.cross_predict({}, cohort, split).add("ours", tables), Y, split, tables


def test_each_claim_gets_the_score_of_its_model_in_its_metric(predictions):
    P, Y, split, tables = predictions
    r2, mse = (claims.claim(f"wang2022-C{n}") for n in ("020", "019"))
    one = claims.claim("wang2022-C080")
    top = claims.claim("wang2022-C107")
    c = Told()
    given = {r2: "ours", mse: "ours", one: ("ours", "b"), top: "ours"}
    claims.keep(c, P, given, metrics={"top_1": metrics.percent_top(1)}, reason="simulated")
    found = {row.claim: row for row in c.rows}
    tested = [(Y[f.test.any(axis=1)], t[f.test.any(axis=1)]) for f, t in zip(split, tables)]
    expected = {
        r2.id: [metrics.r2(y, p).mean() for y, p in tested],
        mse.id: [((y - p) ** 2).to_numpy().mean() for y, p in tested],
        one.id: [((y - p) ** 2)["b"].mean() for y, p in tested],
        top.id: [100 * metrics.top_k(y, p, 1).mean() for y, p in tested],
    }
    for id, folds in expected.items():
        assert found[id].value == pytest.approx(np.mean(folds), rel=1e-5)
        assert found[id].sd == pytest.approx(np.std(folds, ddof=1), rel=1e-5)
        assert (found[id].comparable, found[id].reason, found[id].n) == (False, "simulated", 3)


def test_what_was_not_run_and_sizes_say_why():
    c = Told()
    claim = claims.claim("wang2022-C137")
    claims.keep_not_run(c, [claim], "no such file")
    claims.keep_sizes(c, {claim: (2, 3)}, {claim: "another file"})
    claims.keep_sizes(c, {claim: (2, 3)}, {})
    assert [row.value for row in c.rows] == [None, (2, 3), (2, 3)]
    assert c.rows[0].reason == "not run: no such file"
    assert [row.comparable for row in c.rows[1:]] == [False, True]


def test_a_cell_of_a_table_is_found_by_its_names():
    assert claims.cell("wang2022", "Table 2", "five omics with attention", "r2").value == 0.9
    with pytest.raises(InputError, match="Table 99"):
        claims.cell("wang2022", "Table 99", "five omics with attention", "r2")


def test_evidence_from_one_gain_a_unit():
    gains = pd.Series([0.1, 0.2, 0.3, np.nan])
    (row,) = claims.drawn("a minus b", gains, "perturbations").itertuples()
    assert (row.comparison, row.unit, row.n) == ("a minus b", "perturbations", 3)
    assert row.gain == pytest.approx(0.2) and 0.1 <= row.low < 0.2 < row.high <= 0.3
