"""A paper's drugs in a screen, and drugs that were measured twice."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import Cohort
from cdp_lib.data.studies import same_drugs

LINES = [f"line {i}" for i in range(30)]


@pytest.fixture
def cohort():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=30)
    Y = pd.DataFrame({"PLX-4720 (1036)": truth, "PLX-4720 (1371)": truth + rng.normal(size=30)})
    Y["SN-38"] = rng.normal(size=30)
    Y = Y.set_axis(LINES)
    Y.iloc[:5, 0] = np.nan
    perturbations = pd.DataFrame({"group": ["a", "a", "b"]}, Y.columns)
    omics = {"expression": pd.DataFrame({"BRAF": truth}, LINES)}
    about = pd.DataFrame({"tissue": "skin"}, LINES)
    return Cohort.from_tables(Y, omics, about, perturbations)


def test_a_drug_is_known_by_letters_and_digits_and_the_most_tested_column_is_taken(cohort):
    found = same_drugs.columns_of(["plx4720", "SN 38", "Oxaliplatin"], cohort.Y)
    assert found == {"plx4720": "PLX-4720 (1371)", "SN 38": "SN-38"}


def test_the_first_ones_are_filled_up_with_those_tested_most(cohort):
    assert same_drugs.most_tested(cohort.Y, 2, ["SN-38"]) == ["SN-38", "PLX-4720 (1371)"]
    assert same_drugs.most_tested(cohort.Y, 3)[-1] == "PLX-4720 (1036)"


def test_a_compound_with_two_columns_agrees_with_itself_by_r(cohort):
    (row,) = same_drugs.measured_twice(cohort).itertuples()
    one, other = (cohort.Y[name].astype(float) for name in (row.first, row.second))
    assert row.r == pytest.approx(one.corr(other), abs=1e-6)
    assert row.n == 25
    assert same_drugs.measured_twice(cohort, least=26).empty
    assert same_drugs.measured_twice(cohort.subset(perturbations=["SN-38"])).empty
