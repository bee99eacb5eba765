"""Tumours in mice: their response by hand, beside the published one, and from lines to tumours."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import load
from cdp_lib.data.studies.tables import tpm_of_fpkm
from cdp_lib.data.studies.xenografts import by_patient, published_responses
from cdp_lib.errors import InputError
from cdp_lib.evaluate import over_lines, transfer
from cdp_lib.models.linear import Ridge

SMALL = {"lines": 60, "genes": 170, "perturbed": 90, "drugs": 8}
FIVE = {"cetuximab": 21, "erlotinib": 20, "paclitaxel": 22}  # patients with RNA and a response


@pytest.fixture
def pocket(mirror, monkeypatch):
    monkeypatch.setenv("CDP_MIRROR", str(mirror))


def step_of(cohort, start):
    return next(step for step in cohort.steps if step.what.startswith(start))


def test_the_simulated_tumours_are_other_patients_in_the_unit_of_the_lines():
    cohort, lines = load("xenografts", **SMALL), load("drug-response", **SMALL)
    assert cohort.lower_is_sensitive and set(cohort.lines["tissue"]) == {"lung"}
    assert len(cohort.Y) > 30 and cohort.lines["donor"].is_unique
    assert not cohort.lines["donor"].isin(lines.lines["donor"]).any()
    assert set(cohort.Y.columns) <= {"erlotinib", "trametinib"} and cohort.Y.shape[1] == 2
    assert list(cohort.X("expression").columns) == list(lines.X("expression").columns)
    best = load("xenografts", response="best", **SMALL)
    assert not best.Y.equals(cohort.Y) and "best response" in best.response


def test_lines_tell_something_of_simulated_tumours():
    cohort, lines = load("xenografts"), load("drug-response", omics="expression")
    P = transfer({"ridge": Ridge()}, lines, cohort, own_scale=True, baselines=False)
    table = over_lines(P, draws=200).set_index("perturbation")
    assert set(table.index) == {"erlotinib", "paclitaxel", "tamoxifen", "trametinib", "mean"}
    assert table.loc["mean", "value"] > 0.1 and (table["n"] > 30).all()


def test_published_responses_of_the_simulation_are_those_of_its_volumes():
    table = published_responses("teaching", **SMALL)
    known = table["best"].notna()
    assert known.sum() > 60
    np.testing.assert_allclose(table["best, ours"][known], table["best"][known])


def test_odd_requests_end_in_one_sentence():
    with pytest.raises(InputError, match="best average"):
        load("xenografts", response="worst", **SMALL)
    with pytest.raises(InputError, match="'rppa'"):
        load("xenografts", omics="rppa", **SMALL)


def test_several_mice_of_a_patient_and_drug_are_counted():
    mice = pd.DataFrame(
        {"patient": ["P1", "P1", "P2"], "drug": ["a", "b", "a"], "value": [1.0, 2.0, 4.0]}
    )
    Y, said = by_patient(mice)
    assert said == "" and Y.loc["P1"].tolist() == [1, 2] and np.isnan(Y.loc["P2", "b"])
    more = pd.DataFrame({"patient": ["P1"] * 2, "drug": ["b"] * 2, "value": [0.0, 7.0]})
    Y, said = by_patient(pd.concat([mice, more]))
    assert said == "; 1 cells are the mean of several mice" and Y.loc["P1", "b"] == 3


def test_fpkm_become_tpm():
    fpkm = pd.DataFrame([[1.0, 3.0, 0.0], [10.0, 10.0, 20.0]])
    tpm = 2 ** tpm_of_fpkm(np.log2(fpkm + 1)) - 1
    expected = [[250_000, 750_000, 0], [250_000, 250_000, 500_000]]
    np.testing.assert_allclose(tpm, expected, rtol=1e-5)


def test_pocket_xenografts(pocket):
    cohort = load("xenografts", "pocket")
    assert cohort.Y.shape == (27, 21) and cohort.X("expression").shape == (27, 19_711)
    assert cohort.Y[list(FIVE)].notna().sum().to_dict() == FIVE
    assert "untreated" not in cohort.Y.columns
    assert cohort.perturbations.loc["BKM120 + binimetinib", "kind"] == "drug combination"
    assert "176 treated models have fewer than 2" in step_of(cohort, "models with a response").note
    total = (2 ** cohort.X("expression") - 1).sum(axis=1)
    np.testing.assert_allclose(total, 1e6, rtol=1e-3)
    every = load("xenografts", "pocket", omics=())
    assert every.Y.shape == (274, 61)
    assert every.lines["tissue"].value_counts().to_dict() == {
        "gastric": 64,
        "colorectal": 58,
        "breast": 42,
        "pancreas": 42,
        "lung": 35,
        "skin": 33,
    }


def test_pocket_responses_equal_the_published_ones(pocket):
    """All 566 of 639 lung models that have one, and the same 73 have none."""
    table = published_responses()
    known = table["best"].notna()
    assert (len(table), known.sum()) == (639, 566)
    for name in ("best", "best_average"):
        ours = table[f"{name}, ours"]
        assert (ours.notna() == known).all()
        np.testing.assert_allclose(ours[known], table[name][known], atol=1e-9)


def test_pocket_lines_say_little_of_tumours(pocket):
    """With 20 patients a drug every interval holds 0 and both signs."""
    tumours, lines = (
        load("xenografts", "pocket"),
        load("drug-response", "pocket", omics="expression"),
    )
    for own_scale in (False, True):
        P = transfer({"ridge": Ridge()}, lines, tumours, own_scale=own_scale, baselines=False)
        table = over_lines(P).set_index("perturbation").drop("mean")
        assert table["n"].to_dict() == FIVE
        assert (table["low"] < 0).all() and (table["high"] > 0).all()
    assert "623 features" in repr(P)
