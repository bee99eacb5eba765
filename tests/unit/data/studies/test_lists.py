"""The lists of bodinier2025: what they name, and what of it a cohort has."""

import pytest

from cdp_lib.data import load
from cdp_lib.data.ids import oncotree_lineage
from cdp_lib.data.studies.lists import paper_list
from cdp_lib.data.studies.tables import LISTS
from cdp_lib.errors import InputError
from cdp_lib.splits import leave_tissues_out

SMALL = {"lines": 60, "genes": 170, "perturbed": 90, "drugs": 8}


@pytest.fixture
def pocket(mirror, monkeypatch):
    monkeypatch.setenv("CDP_MIRROR", str(mirror))


def step_of(cohort, start):
    return next(step for step in cohort.steps if step.what.startswith(start))


def test_the_simulated_lists_name_what_the_simulation_has():
    for what in LISTS:
        assert len(paper_list(what, "teaching", **SMALL)) >= 1, what
    cohort = load("dependency-classes", perturbations="perturbations of task 1", **SMALL)
    causes = cohort.truth.genes.loc[cohort.Y.columns]
    assert not causes["kind"].isin(["never", "always"]).any() and len(causes) > 5
    drugs = load("drug-response", perturbations="perturbations of task 2", **SMALL)
    assert drugs.Y.shape[1] == 8


def test_names_are_kept_in_upper_and_lower_case():
    cohort = load("gene-dependency", perturbations=["kras", "Tp53", "NOGENE"], **SMALL)
    assert set(cohort.Y.columns) == {"KRAS", "TP53"}
    assert "2 of 3 names" in step_of(cohort, "perturbations asked for").note


def test_odd_lists_end_in_one_sentence():
    with pytest.raises(InputError, match="of task 7"):
        paper_list("perturbations of task 7", "teaching", **SMALL)
    with pytest.raises(InputError, match="x 0 perturbations"):
        load("gene-dependency", perturbations=["no gene"], **SMALL)


def test_pocket_lists_have_the_length_that_the_paper_reports(pocket):
    lengths = {what: len(paper_list(what)) for what in LISTS}
    assert lengths == {
        "perturbations of task 1": 1_539,
        "perturbations of task 2": 648,
        "perturbations of task 3": 1_539,
        "perturbations of task 4": 525,
        "perturbations of task 5": 5,
        "tissues of task 3": 18,
        "tissues of task 4": 10,
        "most variant genes": 5_000,
    }


def test_pocket_classes_hold_nearly_all_genes_of_the_paper(pocket):
    """1,528 are written in upper case alone; nine more, such as C12orf66, are not."""
    cohort = load("dependency-classes", "pocket", perturbations="perturbations of task 1")
    assert cohort.Y.shape == (507, 1_537)
    assert "1,537 of 1,539 names" in step_of(cohort, "perturbations of task 1").note
    upper = {name.upper() for name in paper_list("perturbations of task 1")}
    assert sum(gene in upper for gene in cohort.Y.columns) == 1_528


def test_pocket_drugs_of_the_paper(pocket):
    cohort = load("drug-response", "pocket", omics=(), perturbations="perturbations of task 2")
    step = step_of(cohort, "perturbations of task 2")
    assert step.shape == (969, 201) and "189 of 648 names are here" in step.note


def test_exactly_the_tissues_of_the_paper_are_held_out(pocket):
    cohort = load("drug-response", "pocket", omics="expression")
    lineage = oncotree_lineage(cohort.lines)
    tissues = paper_list("tissues of task 4")
    split = leave_tissues_out(cohort, groups=lineage, only=tissues)
    held = [set(lineage[fold.test.any(axis=1)]) for fold in split]
    assert held == [{tissue} for tissue in tissues]
    others = (~lineage.isin(tissues)).to_numpy()
    donor = cohort.lines["donor"]
    for fold in split:
        kin = donor.isin(donor[fold.test.any(axis=1)].dropna()).to_numpy()
        assert fold.fit[others & ~kin].all()
