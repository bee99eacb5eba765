"""The first sheet of a workbook of 20,000 curves, beside pandas with openpyxl on the same file.

    .venv/bin/python -m pytest benchmarks/test_workbook.py --benchmark-enable -s

Ours also looks for formulas without values and for cells far away before it reads.  It ends in
failure, exit status 1, where it is less than `FLOOR` times faster.
"""

import time
from pathlib import Path

import pandas as pd
import pytest

from cdp_lib.data.readers.excel import workbook

CURVES = 20_000
FLOOR = 5
FITTED = Path(__file__).parents[1] / "tests/data/upstream/GDSC2_fitted_dose_response.csv"


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    """Curves as GDSC writes them: 19 columns."""
    few = pd.read_csv(FITTED)
    path = tmp_path_factory.mktemp("workbook") / "GDSC2.xlsx"
    pd.concat([few] * (CURVES // len(few))).to_excel(path, index=False)
    return path


def ours(path):
    with open(path, "rb") as file:
        return workbook(file, path)


def test_first_sheet(sheet, benchmark):
    start = time.perf_counter()
    peer = pd.read_excel(sheet, header=None, dtype=object, engine="openpyxl")
    seconds = time.perf_counter() - start
    table = benchmark.pedantic(ours, args=(sheet,), rounds=3)
    pd.testing.assert_frame_equal(table, peer, check_dtype=False)
    if benchmark.enabled:
        ratio = seconds / benchmark.stats.stats.median
        print(f"\n{table.shape}: openpyxl {seconds:.1f} s, {ratio:.0f} times faster")
        assert ratio >= FLOOR
