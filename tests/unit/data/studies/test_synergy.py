"""The screen of O'Neil: its pairs, its folds, and what others reached on them."""

import numpy as np
import pytest

from cdp_lib.data import PairScreen, load
from cdp_lib.data.studies.synergy import published_scores, rows
from cdp_lib.evaluate import cross_predict
from cdp_lib.models.drug_effects import DrugEffectsByLine
from cdp_lib.splits import published

SMALL = {"lines": 60, "genes": 170, "perturbed": 90, "drugs": 12}


@pytest.fixture
def pocket(mirror, monkeypatch):
    monkeypatch.setenv("CDP_MIRROR", str(mirror))


def step_of(screen, start):
    return next(step for step in screen.steps if step.what.startswith(start))


def test_the_simulated_screen_has_folds_and_repeats():
    screen = load("synergy", **SMALL)
    assert isinstance(screen, PairScreen) and screen.Y.shape == (39, 66)
    assert not screen.lower_is_sensitive and dict(screen.omics) == {}
    assert sorted(screen.perturbations["fold"].unique()) == [0, 1, 2, 3, 4]
    assert "312 repeated measurement" in step_of(screen, "pairs in one order").note
    assert load("synergy", omics="expression", **SMALL).X("expression").shape[0] == 39
    split = published.folds_of(screen)
    P = cross_predict(
        {"drug x line": DrugEffectsByLine()}, screen, split, omics=None, baselines=False
    )
    assert P.summary("pearson", axis="global")["mean"].iloc[0] > 0.4


def test_nothing_was_published_on_simulated_data():
    assert len(published_scores("teaching")) == 0
    assert {"inputs", "mse", "pearson"} <= set(published_scores("teaching").columns)


def test_pocket_synergy(pocket):
    screen, long = load("synergy", "pocket"), rows()
    assert screen.Y.shape == (39, 583) and len(screen.drugs) == 38 and len(long) == 23_052
    assert screen.Y.notna().all(axis=None)
    assert "315 repeated measurement" in step_of(screen, "pairs in one order").note
    assert step_of(screen, "synergy").shape == step_of(screen, "synergy").paper_shape
    mean = long.groupby(["line", "perturbation"])["value"].mean()
    cells = screen.Y.stack().loc[mean.index]
    np.testing.assert_allclose(cells, mean, rtol=1e-5, atol=1e-4)
    fold = long.drop_duplicates("perturbation").set_index("perturbation")["fold"]
    assert (screen.perturbations["fold"] == fold.reindex(screen.Y.columns)).all()


def test_pocket_folds_let_two_tables_stand_beside_two_networks(pocket):
    """On the rows as measured, a table of drug, line and drug x line against the networks."""
    screen, long = load("synergy", "pocket"), rows()
    split = published.folds_of(screen)
    P = cross_predict({"table": DrugEffectsByLine()}, screen, split, omics=None, baselines=False)
    predicted = P.cells().set_index(["line", "perturbation"])["prediction"]
    found = predicted.loc[list(zip(long["line"], long["perturbation"]))].to_numpy()
    scores = [
        (np.mean((long["value"] - found)[of] ** 2), np.corrcoef(long["value"][of], found[of])[0, 1])
        for of in (long["fold"] == number for number in range(5))
    ]
    assert np.mean(scores, axis=0) == pytest.approx([279.9, 0.685], abs=0.5e-1)
    theirs = published_scores().groupby("inputs")[["mse", "pearson"]].mean()
    assert len(published_scores()) == 40
    assert theirs.loc["features"].tolist() == pytest.approx([252.6, 0.724], abs=0.05)
    assert theirs.loc["names"].tolist() == pytest.approx([250.2, 0.726], abs=0.05)
