"""Drugs as means of their targets, and which drugs are one to any model."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import load
from cdp_lib.data.targets import alike, by_targets, filled, target_means
from cdp_lib.errors import InputError


@pytest.fixture(scope="module")
def screen():
    return load("prism", data="teaching")


def test_a_drug_is_the_mean_of_its_known_targets():
    table = pd.DataFrame(np.arange(12.0).reshape(3, 4), columns=list("ABCD"))
    targets = pd.Series({"one": ["A"], "two": ["A", "C", "unknown"], "none": ["x"]})
    means = target_means(table, targets)
    assert list(means) == ["one", "two"]
    assert np.allclose(means["two"], (table["A"] + table["C"]) / 2)


def test_drugs_with_equal_features_move_together():
    X = np.random.default_rng(0).normal(size=(24, 10))
    names = [f"drug {i}" for i in range(6)]
    one = pd.DataFrame(X[:, [0, 1, 0, 2, 3, 4]], columns=names)
    two = pd.DataFrame(X[:, [5, 6, 7, 6, 8, 9]], columns=names)
    groups = alike([one, two])
    assert groups["drug 0"] == groups["drug 2"] and groups["drug 1"] == groups["drug 3"]
    assert groups.nunique() == 4
    chained = alike([one, two.assign(**{"drug 2": two["drug 1"]})])
    assert chained[names[:4]].nunique() == 1  # 0 = 2 in one table, 2 = 1 = 3 in the other


def test_a_screen_described_by_its_targets(screen):
    drugs = by_targets(screen)
    assert drugs.Y.isna().mean(axis=1).max() <= 0.75
    for name in drugs.omics:
        assert list(drugs.X(name).columns) == list(drugs.Y.columns)
    drug = drugs.Y.columns[0]
    genes = [g for g in drugs.perturbations.loc[drug, "targets"].split(", ") if g]
    table = screen.X("expression").loc[drugs.Y.index]
    known = [gene for gene in genes if gene in table]
    assert np.allclose(drugs.X("expression")[drug], table[known].mean(axis=1), atol=1e-5)


def test_filled_cells_hold_the_mean_of_the_drug(screen):
    drugs = by_targets(screen)
    full = filled(drugs)
    assert not full.Y.isna().any().any()
    hole = np.argwhere(drugs.Y.isna().to_numpy())
    if len(hole):
        line, drug = hole[0]
        assert full.Y.iloc[line, drug] == pytest.approx(drugs.Y.iloc[:, drug].mean(), rel=1e-5)
    assert full.name != drugs.name


def test_a_screen_without_targets_is_refused(screen):
    with pytest.raises(InputError, match="10000 drugs"):
        by_targets(screen, least=10000)
