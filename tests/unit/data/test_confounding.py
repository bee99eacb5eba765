"""Confounders: one table a line, of what is known, and a cohort that holds it as omics."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import Cohort, confounders, load, with_confounders
from cdp_lib.data.confounding import way_of_growing
from cdp_lib.evaluate import cross_predict
from cdp_lib.models.linear import Ridge
from cdp_lib.splits import leave_lines_out

NAMES = pd.Index([f"line {n}" for n in range(6)], name="line")


def cohort(**columns) -> Cohort:
    lines = pd.DataFrame(
        {"tissue": ["lung", "lung", "skin", "skin", "skin", "lung"], **columns}, NAMES
    )
    Y = pd.DataFrame(np.arange(12.0).reshape(6, 2), NAMES, ["a", "b"])
    return Cohort.from_tables(Y, {}, lines)


def test_categories_and_numbers():
    table = confounders(
        cohort(
            sex=["Male", "Female", "Unknown", None, "Male", "Male"],
            culture=[
                "Adherent",
                "Suspension",
                "Adherent+Suspension",
                "Semi-adherent",
                "nan",
                "Adherent",
            ],
            nnmd=[-3.0, -2.0, np.nan, -1.0, -2.0, -2.0],
        )
    )
    assert table["lineage: skin"].tolist() == [0, 0, 1, 1, 1, 0]
    assert table.loc["line 2", ["sex: male", "sex: female"]].tolist() == [0, 0]
    assert table["culture: mixed"].tolist() == [0, 0, 1, 1, 0, 0]
    assert table["screen quality (NNMD)"].tolist()[:2] == pytest.approx([-(2**0.5), 0])
    assert table["screen quality (NNMD) unknown"].tolist() == [0, 0, 1, 0, 0, 0]
    assert not any(column.startswith("Cas9") for column in table)


def test_what_is_alike_in_all_lines_tells_nothing():
    assert confounders(cohort(sex=["Male"] * 6)).columns.tolist() == [
        "lineage: lung",
        "lineage: skin",
    ]


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("adherentepithelialdensity >30%", "adherent"),
        ("epithelial-like", "adherent"),
        ("suspensions", "suspension"),
        ("light adherent or suspension", "mixed"),
        ("mixed adherence", "mixed"),
        ("unknown", "unknown"),
    ],
)
def test_a_dozen_spellings_become_three_words(written, word):
    assert way_of_growing(written) == word


def test_confounders_are_omics_like_any_other():
    known = with_confounders(load("gene-dependency"))
    assert "expression" in known.omics and known.X("confounders").index.equals(known.Y.index)
    part = known.subset(perturbations=known.Y.columns[:5])
    P = cross_predict(
        {"ridge": Ridge()}, part, leave_lines_out(part, n_folds=2), omics="confounders"
    )
    assert set(P.summary("pearson")["model"]) >= {"ridge", "tissue mean"}


def test_pocket_lines_have_culture_sex_and_quality(mirror, monkeypatch):
    monkeypatch.setenv("CDP_MIRROR", str(mirror))
    table = confounders(load("gene-dependency", "pocket"))
    assert {"sex: male", "culture: suspension", "Cas9 activity"} <= set(table.columns)
    assert table["screen quality (NNMD)"].notna().all() and len(table) == 763
