"""A student says what its teacher says, with few features."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.errors import InputError
from cdp_lib.models.interpret.distillation import distil, fidelity
from cdp_lib.models.linear import Lasso, Ridge
from cdp_lib.models.trees import RandomForest

RNG = np.random.default_rng(0)
LINES = pd.Index([f"line {i}" for i in range(160)])
X = pd.DataFrame(RNG.normal(size=(160, 30)), LINES).add_prefix("gene ")
WEIGHTS = np.zeros((30, 3))
WEIGHTS[:4] = RNG.normal(2, 0.5, size=(4, 3))
Y = pd.DataFrame(X.to_numpy() @ WEIGHTS + RNG.normal(size=(160, 3)), LINES).add_prefix("drug ")
TRAIN, TEST = LINES[:120], LINES[120:]


@pytest.mark.filterwarnings("ignore::cdp_lib.models.linear.AlphaAtEdge")
@pytest.mark.parametrize(
    "teacher, least",
    [(Ridge(), 0.8), (RandomForest(30, max_features=0.3), 0.4)],  # a forest is not linear
    ids=["ridge", "forest"],
)
def test_a_student_is_sparse_and_faithful_on_new_lines(teacher, least):
    teacher.fit(X.loc[TRAIN], Y.loc[TRAIN])
    student = distil(teacher, X.loc[TRAIN])
    table = fidelity(teacher, student, X.loc[TEST])
    assert list(table.index) == list(Y.columns)
    assert (table["r2"] > least).all() and (table["pearson"] ** 2 > least).all()
    assert (table["features"] <= 15).all()
    assert (np.abs(student.coef_).argsort(axis=1)[:, -4:] < 4).all(), "the four true ones"
    dense = distil(teacher, X.loc[TRAIN], Lasso(20, metric="r2", ensemble=False))
    assert ((dense.coef_ != 0).sum(axis=1) >= table["features"]).all()


def test_fidelity_is_of_the_teacher_and_not_of_the_truth():
    teacher = Ridge((1e3,)).fit(X.loc[TRAIN], Y.loc[TRAIN])
    student = distil(teacher, X.loc[TRAIN], Lasso(30, smallest=1e-6, metric="r2", ensemble=False))
    assert (fidelity(teacher, student, X.loc[TEST])["r2"] > 0.999).all()


def test_a_constant_teacher_has_no_fidelity():
    teacher = Ridge((1.0,)).fit(X.loc[TRAIN], Y.loc[TRAIN] * 0 + 1)
    table = fidelity(teacher, distil(teacher, X.loc[TRAIN]), X.loc[TEST])
    assert table[["r2", "pearson"]].isna().all(axis=None) and (table["features"] == 0).all()


def test_a_teacher_must_predict_and_of_the_same_perturbations():
    with pytest.raises(InputError, match="teacher is 3"):
        distil(3, X)
    teacher = Ridge((1.0,)).fit(X, Y)
    student = distil(Ridge((1.0,)).fit(X, Y.iloc[:, :2]), X)
    with pytest.raises(InputError, match="different"):
        fidelity(teacher, student, X)
