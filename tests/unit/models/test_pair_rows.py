"""The ridge and the trees for drug pairs, against the design matrix and against each other."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from cdp_lib import splits
from cdp_lib.data.pairs import PairScreen
from cdp_lib.errors import InputError
from cdp_lib.evaluate import fitted
from cdp_lib.metrics import r2
from cdp_lib.models.base.inputs import Features
from cdp_lib.models.pair_rows import BoostedPairs, PairRidge, rows_of

RNG = np.random.default_rng(0)
LINES = pd.Index([f"line {i}" for i in range(15)], name="line")
DRUGS = list("abcdefgh")
ENDS = [(d, e) for d in DRUGS for e in DRUGS if d <= e]
PAIRS = pd.DataFrame(ENDS, [f"{d} + {e}" for d, e in ENDS], ["drug_a", "drug_b"])
SWAPPED = PAIRS.rename(columns={"drug_a": "drug_b", "drug_b": "drug_a"})
X = pd.DataFrame(RNG.normal(5, 3, size=(15, 3)), LINES).add_prefix("gene ")
DESCRIPTORS = pd.DataFrame(RNG.normal(size=(9, 2)), list("abcdefghz")).add_prefix("descriptor ")
DESCRIPTORS["descriptor 1"] += 50 * DESCRIPTORS["descriptor 0"]  # nearly one component
TOLD = Features(DESCRIPTORS)
z = DESCRIPTORS.to_numpy()
PRODUCTS = np.stack([z[DRUGS.index(d), 0] * z[DRUGS.index(e), 0] for d, e in ENDS])
Y = 7 + (X.to_numpy()[:, :1] - 5) * PRODUCTS + 0.1 * RNG.normal(size=(15, len(PAIRS)))
Y = pd.DataFrame(Y, LINES, PAIRS.index).mask(RNG.random(Y.shape) < 0.2)
MODELS = {
    "ridge": PairRidge(drug_input=TOLD, components=(3, 2)),
    "boosting": BoostedPairs(drug_input=TOLD, components=(3, 2), n_trees=10, max_leaves=6),
}
every = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def fit(model, X=X, Y=Y, pairs=PAIRS, **more):
    return clone(model).fit(X, Y, pairs, **more)


def test_the_ridge_is_that_of_the_design_matrix():
    aside = Y.iloc[12:]
    model = PairRidge(drug_input=TOLD, components=(3, 2), alphas=(5.0,))
    model = fit(model, X.iloc[:12], Y.iloc[:12], validation=(X.iloc[12:], aside))
    x, z = model._components(X, pd.Index(DRUGS))
    rows = {
        (i, pair): np.outer(
            [1, *x[i]], [1, *(z[DRUGS.index(d)] + z[DRUGS.index(e)]),
                         *(z[DRUGS.index(d)] * z[DRUGS.index(e)])]
        ).ravel()
        for i in range(15)
        for pair, (d, e) in zip(PAIRS.index, ENDS, strict=True)
    }  # fmt: skip
    known = [(i, pair) for i, pair in rows if i < 12 and not np.isnan(Y.iloc[i][pair])]
    A = np.stack([rows[cell] for cell in known])
    y = np.array([Y.iloc[i][pair] for i, pair in known])
    W = np.linalg.solve(A.T @ A + 5 * np.eye(A.shape[1]), A.T @ (y - y.mean()))
    expected = y.mean() + np.stack(list(rows.values())).reshape(15, len(PAIRS), -1) @ W
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6)


def test_the_ridge_finds_a_product_and_chooses_its_penalty():
    model = fit(MODELS["ridge"])
    assert r2(Y, model.predict(X), "global") > 0.98
    assert model.alpha_ <= 10.0
    noise = Y.copy()
    noise[:] = RNG.normal(size=Y.shape)
    assert fit(MODELS["ridge"], Y=noise).alpha_ > 10
    one = clone(MODELS["ridge"]).set_params(alphas=(2.0,))
    assert fit(one, Y=noise).alpha_ == 2.0


def test_the_trees_find_more_with_more_of_them():
    few, many = (
        r2(Y, fit(clone(MODELS["boosting"]).set_params(n_trees=n)).predict(X), "global")
        for n in (2, 60)
    )
    assert few < 0.7 < many


def test_components_come_from_the_lines_that_teach():
    aside = X.iloc[12:], Y.iloc[12:]
    far = aside[0] * [1, -20, 5], aside[1]
    one, other = (
        fit(MODELS["ridge"], X.iloc[:12], Y.iloc[:12], validation=part) for part in (aside, far)
    )
    for mine, theirs in zip(one.components_, other.components_, strict=True):
        np.testing.assert_array_equal(mine[0], theirs[0])
        np.testing.assert_array_equal(mine[1], theirs[1])


def test_trees_see_the_line_the_sum_and_the_distance_of_two_drugs():
    x, a, b = np.array([[1.0, 2.0]]), np.array([[3.0, 8.0]]), np.array([[5.0, 4.0]])
    assert rows_of(x, a, b).tolist() == [[1, 2, 8, 12, 2, 4]]


@every
def test_a_pair_has_no_order(model):
    learned = fit(model)
    np.testing.assert_array_equal(learned.predict(X), learned.predict(X, SWAPPED))
    np.testing.assert_allclose(fit(model, pairs=SWAPPED).predict(X), learned.predict(X), rtol=1e-6)


@every
def test_a_prediction_is_a_row_s_own_and_a_new_drug_is_known_by_its_features(model):
    learned = fit(model)
    expected = learned.predict(X)
    for rows, columns in (([3, 3, 0], [5, 1]), ([14], [0]), (np.arange(15), [2])):
        found = learned.predict(X.iloc[rows], PAIRS.iloc[columns])
        pd.testing.assert_frame_equal(found, expected.iloc[rows, columns], check_names=False)
    new = pd.DataFrame({"drug_a": ["a", "z"], "drug_b": ["z", "z"]}, ["a + z", "z + z"])
    assert np.isfinite(learned.predict(X, new)).all(axis=None)
    with pytest.raises(InputError, match="'y'"):
        learned.predict(X, new.replace("z", "y"))


def screen(Y: pd.DataFrame) -> PairScreen:
    cells = Y.stack().rename("value").reset_index().set_axis(["line", "pair", "value"], axis=1)
    cells = cells.join(PAIRS, on="pair").drop(columns="pair")
    lines = pd.DataFrame({"tissue": "lung"}, LINES)
    return PairScreen.from_tables(cells, {"expression": X}, lines, DESCRIPTORS)


@pytest.mark.parametrize("split", [splits.leave_pairs_out, splits.leave_drugs_out])
def test_no_part_of_the_ridge_sees_a_test_label(split, assert_blind_to_test_labels):
    cohort = screen(Y)
    model = MODELS["ridge"]
    assert_blind_to_test_labels(lambda: clone(model), cohort, split(cohort, 2, tune=0.0))


def test_no_tree_sees_a_test_label():
    cohort, fold = screen(Y), splits.leave_pairs_out(screen(Y), 2, tune=0.0).folds[0]
    other = screen(cohort.Y.mask(fold.test, 100 + cohort.Y))
    one, two = (fitted(MODELS["boosting"], each, fold).predict(X) for each in (cohort, other))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


@every
def test_bad_tables_and_settings_are_one_sentence(model):
    wrong = [((X, Y, None), "perturbations=table"), ((X.to_numpy(), Y, PAIRS), "X as a DataFrame")]
    for arguments, fact in wrong:
        with pytest.raises(InputError, match=fact):
            clone(model).fit(*arguments)
    with pytest.raises(InputError, match="components"):
        fit(clone(model).set_params(components=(3,)))
    with pytest.raises(InputError, match="fit first"):
        clone(model).predict(X)


@every
def test_one_line_is_enough(model):
    P = fit(model, X.iloc[:1], Y.iloc[:1]).predict(X.iloc[:2])
    assert np.isfinite(P).all(axis=None)
