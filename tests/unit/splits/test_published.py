"""Folds in the order of the file are what unshuffled KFold does."""

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
