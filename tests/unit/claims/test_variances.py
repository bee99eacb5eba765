"""Implied variances of printed tables, from the digits that stand in the ledger."""

import pandas as pd
import pytest

from cdp_lib import claims
from cdp_lib.claims.variances import beyond, implied_variances


def test_the_variances_of_a_table_come_from_its_own_digits():
    table = implied_variances("xia2018", ("Table 1",)).set_index("row")
    printed = {claim.id: claim for claim in claims.claims("xia2018")}
    mse, r2 = printed["xia2018-C004"], printed["xia2018-C006"]
    row = table.loc[mse.description]
    assert row["value"] == pytest.approx(mse.value / (1 - r2.value))
    width = 2 * (mse.rounding + row["value"] * r2.rounding) / (1 - r2.value)
    assert row["high"] - row["low"] == pytest.approx(width, rel=1e-3)
    assert 0 < table["beyond"].sum() < len(table)


def test_a_row_printed_in_three_tables_counts_once():
    table = implied_variances("wang2022", ("Table 1", "Table 2", "Table 3"))
    assert not table.duplicated(["place", "mse", "r2"]).any()
    assert table["beyond"].sum() == 1


def test_rows_lie_beyond_the_widest_gap_only_where_rounding_leaves_one():
    rows = pd.DataFrame({"low": [5.0, 1.0, 1.5, 9.0], "high": [6.5, 2.0, 2.6, 9.5]})
    assert list(beyond(rows)) == [False, False, False, True]
    joined = pd.DataFrame({"low": [1.0, 2.0], "high": [3.0, 4.0]})
    assert not beyond(joined).any()
