"""The border of a screen of drug pairs: what comes in odd is merged, said, or refused."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib import splits
from cdp_lib.data import PairScreen
from cdp_lib.errors import InputError
from cdp_lib.evaluate import cross_predict
from cdp_lib.models.drug_effects import DrugEffectsByLine

LINES = ["L1", "L2", "L3"]
ROWS = [
    ("L1", "A", "B", 1.0), ("L1", "A", "C", 2.0), ("L1", "B", "C", 3.0),
    ("L2", "A", "B", 4.0), ("L2", "A", "C", 5.0), ("L2", "B", "C", 6.0),
    ("L3", "A", "B", 7.0), ("L3", "A", "C", 8.0), ("L3", "B", "C", 9.0),
]  # fmt: skip


def screen(rows=ROWS, lines=LINES, drugs=("A", "B", "C"), measured=LINES, **about):
    pairs = pd.DataFrame(rows, columns=["line", "drug_a", "drug_b", "value"])
    omics = {"expression": pd.DataFrame(1.0, list(measured), ["TP53"])} if len(measured) else {}
    described = pd.DataFrame({"tissue": "lung"}, list(lines))
    table = (
        pd.DataFrame({"smiles": "C"}, list(drugs)) if not isinstance(drugs, pd.DataFrame) else drugs
    )
    return PairScreen.from_tables(pairs, omics, described, table, **about)


def merged(found):
    return next(step for step in found.steps if step.what == "pairs in one order").note


def test_a_pair_with_one_unknown_drug_is_named():
    with pytest.raises(InputError, match=r"1 drug.*\(X\)"):
        screen([*ROWS, ("L1", "A", "X", 1.0)])


def test_a_drug_with_itself_is_a_single_drug():
    found = screen([*ROWS, ("L1", "A", "A", 0.5)])
    assert found.perturbations.loc["A + A", "kind"] == "single drug"
    assert found.Y.loc["L1", "A + A"] == 0.5 and np.isnan(found.Y.loc["L2", "A + A"])


def test_mirrored_and_repeated_rows_count_once_with_their_mean():
    found = screen([*ROWS, ("L1", "B", "A", 3.0), ("L1", "A", "B", 5.0), ("L2", "A", "B", 4.0)])
    assert found.Y.loc["L1", "A + B"] == 3 and found.Y.loc["L2", "A + B"] == 4
    assert found.Y.shape == (3, 3)
    assert "1 pair(s) stood in both orders, 3 repeated" in merged(found)


def test_rows_without_a_value_are_counted():
    found = screen([*ROWS, ("L1", "A", "A", np.nan), ("L1", "A", "B", None)])
    assert "2 row(s) without a value" in merged(found)
    assert found.Y.loc["L1", "A + B"] == 1 and "A + A" not in found.Y.columns


def test_a_value_that_is_no_number_is_named():
    with pytest.raises(InputError, match="'high'.* A . B in L1"):
        screen([("L1", "B", "A", "high"), *ROWS])
    with pytest.raises(InputError, match="infinite"):
        screen([("L1", "A", "A", np.inf), *ROWS])


def test_a_line_without_omics_is_left_out_and_said():
    found = screen(measured=["L1", "L3"])
    assert list(found.Y.index) == ["L1", "L3"]
    assert "1 not in expression" in found.steps[-1].note
    with pytest.raises(InputError, match="expression"):
        screen(measured=["other"])


def test_a_drug_without_smiles_stays_and_is_a_group_of_its_own():
    drugs = pd.DataFrame({"smiles": ["CCO", None, None], "group": ["g", None, None]}, list("ABC"))
    found = screen(drugs=drugs)
    assert found.drugs["smiles"].isna().sum() == 2 and found.Y.shape == (3, 3)
    split = splits.leave_drugs_out(found, 3, held="one", tune=0)
    assert len(split) == 3


def test_names_of_drugs_that_are_numbers_match():
    rows = [(line, 740, 752, value) for line, value in zip(LINES, (1.0, 2.0, 3.0), strict=True)]
    found = screen(rows, drugs=pd.DataFrame({"smiles": ["C", "CC"]}, [740, 752]))
    assert list(found.Y.columns) == ["740 + 752"]


def test_a_screen_with_one_line_is_defined_and_cannot_be_split_by_line():
    found = screen(ROWS[:3], lines=["L1"], measured=["L1"])
    assert found.Y.shape == (1, 3)
    with pytest.raises(InputError, match="1 groups"):
        splits.leave_lines_out(found, 2)
    split = splits.leave_perturbations_out(found, 3, tune=0)
    P = cross_predict({"table": DrugEffectsByLine()}, found, split, omics=None)
    assert np.isfinite(P.cells()["prediction"]).all()


def test_an_empty_screen_is_one_sentence():
    with pytest.raises(InputError, match="no measured value"):
        screen([], measured=())
