"""Second measurements: what each holds, and that `P.ceiling` takes it."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import load
from cdp_lib.data.studies import replicates
from cdp_lib.errors import InputError
from cdp_lib.evaluate import cross_predict
from cdp_lib.splits import leave_lines_out


@pytest.fixture
def pocket(mirror, monkeypatch):
    monkeypatch.setenv("CDP_MIRROR", str(mirror))


def ceiling(cohort, second, split=leave_lines_out, **more):
    P = cross_predict({}, cohort, split(cohort, n_folds=2, **more), omics=None)
    return P.ceiling(second)


def test_two_ids_hold_each_others_response(pocket):
    cohort = load("drug-response", "pocket", omics=())
    second = replicates.two_ids(cohort)
    assert second.shape == (969, 30)
    pd.testing.assert_series_equal(second["JQ1 (163)"], cohort.Y["JQ1 (1218)"], check_names=False)
    assert second.columns.isin(cohort.Y.columns).all()
    r = cohort.Y[second.columns].corrwith(second)
    assert r.median() == pytest.approx(0.4666, abs=5e-4)


def test_a_cohort_without_two_ids_is_told(pocket):
    with pytest.raises(InputError, match="two ids"):
        replicates.two_ids(load("gene-dependency", "pocket"))


def test_both_orders_are_113_pairs_of_the_screen(pocket):
    screen = load("drug-pairs", "pocket", omics="microrna")
    r = replicates.both_orders(screen)
    assert r.notna().sum() == 113 and r.index.isin(screen.Y.columns).all() and r.index.is_unique
    assert r.between(0, 1).all()
    with pytest.raises(InputError, match="teaching edition"):
        replicates.both_orders(load("drug-pairs"))


def test_the_reliability_of_a_mean_is_spearman_and_browns(pocket):
    """By hand for one pair: the mean of the two orders is what the screen holds."""
    screen = load("drug-pairs", "pocket", omics="microrna")
    source = replicates.source_of("pocket")
    first, turned = replicates.mirrored(source)
    pair = first.columns[0]
    label = dict(zip(screen.drugs["nsc"].astype(str), screen.drugs.index))
    name = " + ".join(sorted(label[nsc] for nsc in pair.split("_")))
    both = pd.concat([first[pair], turned[pair]], axis=1).dropna()
    r = np.corrcoef(both.T)[0, 1]
    found = replicates.both_orders(screen)[name]
    assert found == pytest.approx(max(2 * r / (1 + r), 0))


def test_another_assay_agrees_where_biology_is_loud(pocket):
    classes = load("dependency-classes", "pocket", share=(0.05, 0.95))
    phi = replicates.other_assay(classes, "RNAi")
    assert phi.notna().sum() > 1_000 and 0.05 < phi.mean() < 0.2
    assert phi[["CTNNB1", "TCF7L2"]].min() > 0.3
    effect = replicates.other_assay(load("gene-dependency", "pocket"), "CRISPR")
    assert effect.dropna().median() > 0.1  # the sign is turned: a low effect is a need
    with pytest.raises(InputError, match="CRISPR"):
        replicates.other_assay(classes, "siRNA")


def test_another_project_agrees_less_than_a_project_with_itself(pocket):
    cohort = load("drug-response", "pocket", omics=())
    r = {
        name: replicates.other_project(cohort, name).median() for name in ("GDSC", "CTD2", "PRISM")
    }
    assert r["GDSC"] > 0.9 > 0.4 > r["CTD2"] > r["PRISM"] > 0.1
    with pytest.raises(InputError, match="CCLE"):
        replicates.other_project(cohort, "CCLE")
