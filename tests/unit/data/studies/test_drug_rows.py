"""Lines joined by name as dong2020 does, and by id."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import load
from cdp_lib.data.studies.drug_rows import FILTERS, partners
from cdp_lib.errors import InputError

SMALL = {"lines": 60, "genes": 170, "perturbed": 90, "drugs": 8}


def rows(cohort) -> int:
    return int(cohort.Y.notna().to_numpy().sum())


def test_no_hyphen_is_taken_out_of_a_name_as_published():
    names = pd.Series(["AU565", "HCC-1187", "-", "T.T"], ["1", "2", "3", "4"])
    ccle = pd.Series(["ACH-1", "ACH-2", "ACH-5"], ["AU565", "HCC1187", "TT"])
    assert partners(names, ccle, None, "as_published").to_dict() == {"1": "ACH-1"}
    twice = pd.concat([ccle, pd.Series(["ACH-9"], ["AU565"])])  # a name of two lines
    assert partners(names, twice, None, "as_published").empty


def test_the_wrong_join_loses_every_line_with_a_hyphen():
    wrong, right = (
        load("drug-rows", site=None, varying=None, join=join, **SMALL)
        for join in ("as_published", "repaired")
    )
    hyphen = (right.Y.index.str[-5:].astype(int) - 1) % 5 < 3  # TL-001, but TL004
    assert 0 < hyphen.sum() < len(hyphen)
    assert sorted(wrong.Y.index) == sorted(right.Y.index[~hyphen])
    pd.testing.assert_frame_equal(wrong.Y, right.Y.loc[wrong.Y.index, wrong.Y.columns])
    assert wrong.steps[-2].shape == (rows(wrong),)


def test_a_site_and_all_genes():
    cohort = load("drug-rows", site="lung", all_genes=True, **SMALL)
    assert set(cohort.lines["tissue"]) == {"lung"}
    assert cohort.X("expression").shape[1] < cohort.X("all genes").shape[1] == 170
    assert cohort.perturbations["smiles"].notna().all()


def test_the_two_filters_are_what_they_say():
    x = pd.DataFrame({"low": [0.0, 1.9], "flat": [3.0, 3.01], "both": [3.0, 5.0]})
    assert FILTERS["text"](x).tolist() == [False, False, True]
    assert FILTERS["code"](x).tolist() == [True, False, True]
    tpm = np.exp2(x) - 1
    np.testing.assert_array_equal(FILTERS["code"](x), tpm.std() >= 0.5)


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"join": "hyphens"}, "repaired"),
        ({"varying": "sd"}, "'code'"),
        ({"site": "brest"}, "brest"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(options, fact):
    with pytest.raises(InputError, match=fact):
        load("drug-rows", **SMALL, **options)


def test_pocket_counts_stand_beside_the_papers(mirror, monkeypatch):
    monkeypatch.setenv("CDP_MIRROR", str(mirror))
    wrong, right = (load("drug-rows", "pocket", join=j) for j in ("as_published", "repaired"))
    assert (len(wrong.Y), rows(wrong)) == (19, 3_708)
    assert (len(right.Y), rows(right)) == (45, 8_596)
    assert right.X("expression").shape[1] == 604
    assert load("drug-rows", "pocket", varying="text").X("expression").shape[1] == 477
    paper = {step.what: step.paper_shape for step in wrong.steps}
    assert paper["rows of a line and a drug"] == (3_358,) and paper["genes that vary"] == (51, 597)
