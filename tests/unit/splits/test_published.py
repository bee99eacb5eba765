"""Folds in the order of the file are what unshuffled KFold does."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from cdp_lib.errors import InputError
from cdp_lib.splits import published

Y = pd.DataFrame(np.zeros((24, 40)), [f"line {i}" for i in range(24)]).add_prefix("gene ")


@pytest.mark.parametrize(("held", "axis"), [("line", 0), ("perturbation", 1)])
def test_file_order_is_what_kfold_does_without_shuffling(held, axis):
    split = published.file_order(Y, 5, held)
    for fold, (learn, test) in zip(split, KFold(5).split(np.arange(Y.shape[axis])), strict=True):
        tested = fold.test.all(axis=1 - axis)
        assert np.flatnonzero(tested).tolist() == test.tolist()
        assert np.flatnonzero(fold.fit.all(axis=1 - axis)).tolist() == learn.tolist()


def test_file_order_knows_its_lines():
    fold = published.file_order(Y, 5).folds[0]
    fold.match(Y)
    with pytest.raises(InputError):
        fold.match(Y.rename(index={"line 0": "another"}))


def test_file_order_says_what_is_wrong():
    with pytest.raises(InputError, match="'perturbation', not 'gene'"):
        published.file_order(Y, 5, "gene")
    with pytest.raises(InputError, match="24 lines"):
        published.file_order(Y, 25)


@pytest.fixture
def screen():
    pairs = pd.DataFrame({"fold": [0, 2, 1, 0, 2, 1]}, [f"pair {j}" for j in range(6)])
    return SimpleNamespace(
        Y=pd.DataFrame(np.zeros((3, 6)), columns=pairs.index), perturbations=pairs
    )


def test_published_folds_hold_out_what_others_held_out(screen):
    for number, fold in enumerate(published.folds_of(screen)):
        tested = (screen.perturbations["fold"] == number).to_numpy()
        assert (fold.test == tested).all() and (fold.train == ~tested).all()
        fold.match(screen.Y)


def test_each_of_the_other_folds_is_tuned_on_once(screen):
    split = published.folds_of(screen, tune=True, repeats=2)
    fold_of = screen.perturbations["fold"].to_numpy()
    runs = {
        (fold_of[fold.test[0]][0], fold_of[fold.tune[0]][0])
        for fold in split
        if len(set(fold_of[fold.tune[0]])) == 1
    }
    assert runs == {(0, 1), (1, 2), (2, 0), (0, 2), (1, 0), (2, 1)} and len(split) == 6
    assert "tunes on another" in str(split)


def test_published_folds_say_what_is_missing(screen):
    with pytest.raises(InputError, match="'folds'"):
        published.folds_of(screen, "folds")
    with pytest.raises(InputError, match="3 folds"):
        published.folds_of(screen, tune=True, repeats=3)
    screen.perturbations["fold"] = [0, 1, None, 0, 1, 0]
    with pytest.raises(InputError, match="leaves 1 perturbations"):
        published.folds_of(screen)


def test_stratified_cells_hold_equally_many_of_each_fifth():
    rng = np.random.default_rng(0)
    Y = pd.DataFrame(rng.normal(size=(20, 30))).mask(rng.random((20, 30)) < 0.2)
    split = published.stratified_cells(Y, 5, seed=1)
    known = Y.notna().to_numpy()
    times = sum((fold.test & known).astype(int) for fold in split)
    assert (times[known] == 1).all() and (times[~known] == 0).all()
    fifth = pd.qcut(Y.stack(), 5, labels=False).unstack()
    for fold in split:
        fold.match(Y)
        counts = fifth.where(fold.test).stack().value_counts()
        assert counts.max() - counts.min() <= 2
    same = published.stratified_cells(Y, 5, seed=1)
    other = published.stratified_cells(Y, 5, seed=2)
    assert (same.folds[0].roles == split.folds[0].roles).all()
    assert (other.folds[0].roles != split.folds[0].roles).any()


def test_stratified_cells_say_what_is_wrong():
    with pytest.raises(InputError, match="6 measurements"):
        published.stratified_cells(pd.DataFrame(np.arange(6.0).reshape(2, 3)), 5)


@pytest.mark.parametrize("values", [np.ones(20), np.full(20, np.nan)])
def test_measurements_that_do_not_differ_have_no_fifths(values):
    with pytest.raises(InputError, match="into 5 bins"):
        published.stratified_cells(pd.DataFrame(values.reshape(4, 5)))


def test_no_bins_are_refused():
    with pytest.raises(InputError, match="into 0 bins"):
        published.stratified_cells(pd.DataFrame(np.arange(20.0).reshape(4, 5)), n_bins=0)
