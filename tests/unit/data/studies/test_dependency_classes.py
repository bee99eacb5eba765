"""Dependency as classes: cut out of gene effects, and as the pocket edition holds them."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import load
from cdp_lib.data.studies.tables import classes
from cdp_lib.errors import InputError


@pytest.fixture
def pocket(mirror, monkeypatch):
    monkeypatch.setenv("CDP_MIRROR", str(mirror))


def test_a_gene_effect_is_cut_at_two_numbers():
    effect = pd.DataFrame({"KRAS": [0.1, -0.49, -0.5, -0.99, -1.0, -2.0, np.nan]})
    found = classes(effect)["KRAS"]
    assert found.tolist()[:-1] == [0, 0, 1, 1, 2, 2] and np.isnan(found.iloc[-1])


def test_the_simulated_cohort_is_cut_out_of_its_gene_effect():
    effect = load("gene-dependency", target="effect").Y
    needed = load("dependency-classes").Y
    expected = (effect <= -0.5).astype("float32").where(effect.notna())
    pd.testing.assert_frame_equal(needed, expected)
    strong = load("dependency-classes", at_least="strong").Y
    assert strong.sum().sum() == (effect <= -1).sum().sum()
    assert set(np.unique(load("dependency-classes", at_least=None).Y.dropna())) == {0, 1, 2}


def test_genes_by_the_share_of_lines_that_need_them():
    share = load("dependency-classes", share=(0.2, 0.6)).Y.mean()
    assert share.between(0.2, 0.6).all() and len(share)


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"at_least": "weak"}, "class 'weak'"),
        ({"share": 0.5}, "share=0.5"),
        ({"assay": "RNAi"}, "assay='RNAi'"),
        ({"share": (2, 3)}, "x 0 perturbations"),
    ],
)
def test_odd_options_end_in_one_sentence(options, fact):
    with pytest.raises(InputError, match=fact):
        load("dependency-classes", **options)


def test_pocket_classes(pocket):
    cohort = load("dependency-classes", "pocket", omics=())
    assert cohort.Y.shape == (1_037, 17_386)
    # TCF7L2 and CTNNB1 are needed in colorectal lines, IRF4 in plasma cells, PAX8 in ovary
    by = cohort.Y[["CTNNB1", "TCF7L2", "PAX8"]].groupby(cohort.lines["tissue"]).mean()
    assert by.loc["colorectal", ["CTNNB1", "TCF7L2"]].min() > 0.5 and by.loc["ovary", "PAX8"] > 0.4
    assert by.loc["skin"].max() < 0.2


def test_pocket_classes_meet_the_gene_effect_of_another_release(pocket):
    """An independent check of what the words mean, and that lines are the right ones."""
    classes = load("dependency-classes", "pocket", omics=(), at_least=None).Y
    effect = load("gene-dependency", "pocket").Y
    lines, genes = (
        getattr(classes, s).intersection(getattr(effect, s)) for s in ("index", "columns")
    )
    assert (len(lines), len(genes)) == (759, 418)
    kind, number = classes.loc[lines, genes].to_numpy(), effect.loc[lines, genes].to_numpy()
    median = [np.nanmedian(number[kind == k]) for k in (0, 1, 2)]
    assert median == pytest.approx([0.01, -0.72, -1.29], abs=0.02)


def test_pocket_rnai(pocket):
    cohort = load("dependency-classes", "pocket", omics=(), assay="RNAi")
    assert cohort.Y.shape == (708, 17_023) and "19Q3" in cohort.steps[0].what
    assert cohort.Y.isna().to_numpy().mean() == pytest.approx(0.22, abs=0.02)
