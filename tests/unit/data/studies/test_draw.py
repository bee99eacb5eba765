"""draw.py: the lots of names, and what is kept together."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import Cohort, PairScreen, load
from cdp_lib.data.studies.draw import QUICK, drawn, lot, lowest
from cdp_lib.errors import InputError

SMALL = {"lines": 60, "genes": 170, "perturbed": 90, "drugs": 8}


@pytest.fixture(scope="module")
def genes():
    lines = pd.DataFrame({"tissue": "lung"}, index=[f"line {i}" for i in range(30)])
    names = [f"GENE{i}" for i in range(40)]
    table = pd.DataFrame(np.arange(1200.0).reshape(30, 40), lines.index, names)
    return Cohort.from_tables(table[names[:20]], {"a": table, "b": table[names[::-1]]}, lines)


def test_as_many_as_asked_in_the_order_of_the_table(genes):
    part = drawn(genes, {"lines": 10, "features": 25, "perturbations": 7}, seed=3)
    assert part.Y.shape == (10, 7)
    assert {key: table.shape for key, table in part.omics.items()} == {"a": (10, 25), "b": (10, 25)}
    pd.testing.assert_frame_equal(part.Y, genes.Y.loc[part.Y.index, part.Y.columns])
    assert list(part.Y.index) == [line for line in genes.Y.index if line in part.Y.index]
    for key, table in part.omics.items():
        order = [name for name in genes.X(key).columns if name in table.columns]
        pd.testing.assert_frame_equal(table, genes.X(key).loc[part.Y.index, order])
    step = part.steps[-1]
    assert step.what == "drawn by seed 3" and step.shape == (10, 7) and "25 of 40 of a" in step.note


def test_two_omics_keep_the_same_genes_and_those_of_the_perturbations(genes):
    part = drawn(genes, {"features": 25, "perturbations": 7})
    assert set(part.X("a").columns) == set(part.X("b").columns) >= set(part.Y.columns)


def test_a_small_and_a_large_table_keep_the_genes_they_share():
    lines = pd.DataFrame({"tissue": "lung"}, index=[f"line {i}" for i in range(5)])
    large = pd.DataFrame(0.0, lines.index, [f"GENE{i}" for i in range(3_000)])
    small = large.iloc[:, 1_000:1_030]
    cohort = Cohort.from_tables(large.iloc[:, :2], {"small": small, "large": large}, lines)
    part = drawn(cohort, {"features": 20})
    shared = set(part.X("small").columns) & set(part.X("large").columns)
    assert len(shared) >= 18  # two of the large table are the perturbations themselves


def test_lines_of_one_donor_stay_together():
    donors = [f"donor {i // 2}" for i in range(40)]
    lines = pd.DataFrame({"tissue": "lung", "donor": donors}, [f"line {i}" for i in range(40)])
    table = pd.DataFrame(np.arange(80.0).reshape(40, 2), lines.index, ["A", "B"])
    part = drawn(Cohort.from_tables(table, {"a": table}, lines), {"lines": 20})
    assert (part.lines.groupby("donor").size() == 2).all() and len(part.lines) == 20


def test_another_seed_draws_others_and_the_same_seed_the_same(genes):
    first, again, other = (drawn(genes, {"lines": 10}, seed).Y for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert set(first.index) != set(other.index)


def test_a_lot_hangs_on_the_name_alone():
    names = pd.Index([f"drug {i}" for i in range(50)])
    kept = lowest(names, 10, 0)
    assert set(lowest(names[5:], 10, 0)) >= set(kept[kept.isin(names[5:])])
    assert lot(0, "drug 1") != lot(1, "drug 1") and lot(0, "drug 1") == lot(0, "drug 1")


def test_the_targets_of_drugs_are_among_the_features():
    whole = load("drug-response", omics="expression", **SMALL)
    part = load("drug-response", omics="expression", at_most={"features": 20}, **SMALL)
    targets = set(whole.perturbations["target"].str.split(", ").explode())
    known = targets & set(whole.X("expression").columns)
    assert 0 < len(known) <= 20 and known <= set(part.X("expression").columns)


def test_pairs_of_drugs_keep_their_drugs():
    part = load("drug-pairs", at_most={"perturbations": 5}, **SMALL)
    ends = set(part.perturbations["drug_a"]) | set(part.perturbations["drug_b"])
    assert isinstance(part, PairScreen) and part.Y.shape[1] == 5 and set(part.drugs.index) == ends


@pytest.mark.parametrize("study", QUICK)
def test_quick_leaves_nothing_of_the_teaching_cohort_out(study):
    assert not any(
        step.what.startswith("drawn") for step in load(study, at_most=QUICK[study]).steps
    )


@pytest.mark.parametrize(
    "at_most, fact",
    [({"genes": 3}, "'genes'"), ({"lines": 0}, "'lines'. is 0"), ({"lines": 1.5}, "is 1.5")],
)
def test_odd_sizes_are_refused(genes, at_most, fact):
    with pytest.raises(InputError, match=fact):
        drawn(genes, at_most)
